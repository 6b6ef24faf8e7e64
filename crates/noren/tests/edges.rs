//! What holds for every request: bounds on connections and heads, ids, answers to unknown paths, the end in peace.

#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};
use testkit::{Engine, TestServer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const QUESTION: &[u8] = b"GET /.well-known/nodeinfo HTTP/1.1\r\nhost: noren.test\r\n\r\n";

/// What comes until the connection closes or nothing comes for a second. Its beginning may be late.
async fn read(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut bytes = [0; 4096];
    let mut moment = Duration::from_secs(20);
    while let Ok(Ok(count @ 1..)) = tokio::time::timeout(moment, stream.read(&mut bytes)).await {
        text.extend_from_slice(&bytes[..count]);
        moment = Duration::from_secs(1);
    }
    String::from_utf8_lossy(&text).into_owned()
}

testkit::on_both_engines! {
    async fn unknown_paths_answer_programs_and_people(server: TestServer) {
        let reply = server.client().get("/api/v9/nothing", ()).await;
        assert_eq!(reply.expect(404), serde_json::json!({ "error": "Not Found" }));
        let reply = server.client().get("/nothing/here", ()).await;
        assert_eq!((reply.status, reply.header("content-type")), (404, "text/html; charset=utf-8"));
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert!(reply.header("x-request-id").len() > 16, "{}", reply.header("x-request-id"));
        assert_eq!(server.client().get("/media/media_attachments/none.png", ()).await.status, 404);
    }
}

#[test]
fn who_does_not_finish_a_head_is_cut_off() {
    let strict = |config: &mut noren::config::Config| {
        config.server.header_timeout = "2 s".parse().unwrap();
        config.server.trusted_proxies.clear();
    };
    testkit::run_with(Engine::Sqlite, strict, async |server| {
        let started = Instant::now();
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: nor").await.unwrap();
        let text = read(&mut stream).await;
        // Not as late as is usual: after thirty seconds.
        assert!(!text.contains("200 OK") && started.elapsed() < Duration::from_secs(15), "{text}");

        let mut large = TcpStream::connect(server.address()).await.unwrap();
        large.write_all(b"GET / HTTP/1.1\r\nhost: noren.test\r\nx-long: ").await.unwrap();
        let _ = large.write_all(&vec![b'x'; 200_000]).await;
        assert!(read(&mut large).await.starts_with("HTTP/1.1 431"));
    });
}

#[test]
fn more_connections_than_there_are_places_wait_for_one() {
    testkit::run_with(
        Engine::Sqlite,
        |config| config.server.connections = 1,
        async |server| {
            let mut first = TcpStream::connect(server.address()).await.unwrap();
            first.write_all(QUESTION).await.unwrap();
            assert!(read(&mut first).await.starts_with("HTTP/1.1 200"));
            let mut second = TcpStream::connect(server.address()).await.unwrap();
            second.write_all(QUESTION).await.unwrap();
            let waiting = tokio::time::timeout(Duration::from_secs(1), second.readable()).await;
            assert!(waiting.is_err(), "the first one still has the only place");
            drop(first);
            assert!(read(&mut second).await.starts_with("HTTP/1.1 200"));
        },
    );
}

#[test]
fn long_answers_are_compressed_for_those_who_ask() {
    testkit::run_with(
        Engine::Sqlite,
        |_| {},
        async |server| {
            let ask = async |path: &str| {
                let request = server.client().request(reqwest::Method::GET, path);
                server.client().send(request.header("accept-encoding", "gzip, br")).await
            };
            assert_eq!(ask("/.well-known/nodeinfo").await.header("content-encoding"), "", "too short");
            assert_eq!(ask("/api/v2/instance").await.header("content-encoding"), "gzip");
            assert_eq!(server.client().get("/api/v2/instance", ()).await.header("content-encoding"), "");
        },
    );
}

#[test]
fn open_streams_do_not_keep_the_server_from_stopping() {
    testkit::run_with(
        Engine::Sqlite,
        |_| {},
        async |server| {
            let alice = server.person("alice").await;
            let mut stream = TcpStream::connect(server.address()).await.unwrap();
            let question = format!(
                "GET /api/v1/streaming/user HTTP/1.1\r\nhost: noren.test\r\nauthorization: Bearer {}\r\n\r\n",
                alice.token
            );
            stream.write_all(question.as_bytes()).await.unwrap();
            assert!(read(&mut stream).await.starts_with("HTTP/1.1 200"));
            let started = Instant::now();
            server.finish().await;
            // What keeps it is cut off after twenty-five seconds.
            assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
        },
    );
}
