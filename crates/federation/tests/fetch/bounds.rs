//! Answers that are too long, too slow, too many, or meant to burst.

use crate::server::{Says, Server, answer, document, redirect};
use crate::{fetcher, options};
use federation::documents::CONTENT_TYPE;
use federation::fetch::{Ask, Bounds, Error, Fetcher, Options};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

fn head(more: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-type: {CONTENT_TYPE}\r\n{more}\r\n").into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

async fn error_of(says: impl Fn() -> Says + Send + Sync + 'static) -> (Error, Duration) {
    let server = Server::start("127.0.0.1", move |_, _| says()).await;
    let start = Instant::now();
    let error = fetcher().document(&server.url("/1"), None).await.unwrap_err();
    (error, start.elapsed())
}

#[tokio::test]
async fn a_hundred_megabytes_told_beforehand() {
    let (error, took) = error_of(|| Says::Bytes(head("content-length: 100000000\r\n"))).await;
    assert!(matches!(error, Error::TooLarge), "{error}");
    assert!(took < Duration::from_millis(500));
    assert!(!error.passes());
}

#[tokio::test]
async fn chunks_without_end() {
    let (error, _) = error_of(|| Says::Endless(head("transfer-encoding: chunked\r\n"))).await;
    assert!(matches!(error, Error::TooLarge), "{error}");
}

#[tokio::test]
async fn a_body_that_unpacks_to_a_hundred_megabytes() {
    let bomb = gzip(&vec![b' '; 100_000_000]);
    assert!(bomb.len() < 1 << 20, "{}", bomb.len());
    let (error, _) =
        error_of(move || answer("200 OK", &[("content-type", CONTENT_TYPE), ("content-encoding", "gzip")], &bomb))
            .await;
    assert!(matches!(error, Error::TooLarge), "{error}");
}

#[tokio::test]
async fn packed_bodies_are_unpacked_and_damaged_ones_refused() {
    let body = format!(r#"{{"id":"http://HOST/1","type":"Note","content":"{}"}}"#, "long ".repeat(10_000));
    let server = Server::start("127.0.0.1", move |asked, _| {
        let body = gzip(body.replace("HOST", asked.header("host")).as_bytes());
        let send = |encoding: &str, body: &[u8]| {
            answer("200 OK", &[("content-type", CONTENT_TYPE), ("content-encoding", encoding)], body)
        };
        match asked.uri.path() {
            "/1" => send("gzip", &body),
            "/short" => send("gzip", &body[..body.len() - 9]),
            "/damaged" => send("gzip", b"this is not packed at all"),
            _ => send("br", &body),
        }
    })
    .await;
    let fetched = fetcher().document(&server.url("/1"), None).await.unwrap();
    assert_eq!(fetched.value["content"].as_str().unwrap().len(), 50_000);
    assert_eq!(server.asked()[0].header("accept-encoding"), "gzip");
    for path in ["/short", "/damaged", "/other"] {
        let error = fetcher().document(&server.url(path), None).await.unwrap_err();
        assert!(matches!(error, Error::Broken(_)), "{path}: {error}");
    }
}

#[tokio::test]
async fn one_byte_after_the_other() {
    let (error, took) = error_of(|| Says::Drip(head("content-length: 1000\r\n"))).await;
    assert!(matches!(error, Error::TimedOut), "{error}");
    assert!(took > Duration::from_millis(1400) && took < Duration::from_secs(4), "{took:?}");
    assert!(error.passes() && error.is_of_the_host());
    // The head, too.
    let (error, took) = error_of(|| Says::Drip(b"HTTP/1.1 200 OK\r\nx-y:".to_vec())).await;
    assert!(matches!(error, Error::TimedOut), "{error}");
    assert!(took < Duration::from_secs(4), "{took:?}");
}

#[tokio::test]
async fn nothing_at_all() {
    let (error, took) = error_of(|| Says::Later(Duration::from_secs(60), Vec::new())).await;
    assert!(matches!(error, Error::TimedOut), "{error}");
    assert!(took < Duration::from_secs(2), "{took:?}");
    let (error, _) = error_of(|| Says::Bytes(head("content-length: 10\r\n"))).await;
    assert!(matches!(error, Error::TimedOut), "{error}");
}

#[tokio::test]
async fn what_is_not_http() {
    for bytes in [
        b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(),
        b"\x15\x03\x01\x00\x02\x02\x16".to_vec(),
        [b"HTTP/1.1 200 OK\r\nx: ".as_slice(), &[b'y'; 1 << 20], b"\r\n\r\n"].concat(),
        [b"HTTP/1.1 200 OK\r\n".to_vec(), b"x: y\r\n".repeat(1000), b"\r\n".to_vec()].concat(),
        head("content-length: 10\r\n"),
        Vec::new(),
    ] {
        let (error, _) = error_of(move || Says::Closing(bytes.clone())).await;
        assert!(matches!(error, Error::Broken(_)), "{error}");
        assert!(error.passes());
    }
}

#[tokio::test]
async fn redirects_without_end() {
    let server = Server::start("127.0.0.1", |asked, _| redirect(&format!("{}x", asked.uri))).await;
    assert!(matches!(fetcher().document(&server.url("/x"), None).await, Err(Error::Redirects)));
    assert_eq!(server.asked().len(), 4);
    for to in ["", "http://", "::::", "\u{1}"] {
        let to = to.to_owned();
        let server = Server::start("127.0.0.1", move |_, _| redirect(&to)).await;
        assert!(fetcher().document(&server.url("/x"), None).await.is_err());
        assert!(server.asked().len() <= 4);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_host_is_asked_a_few_things_at_once() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, peak) = (now.clone(), most.clone());
    let server = Server::start("127.0.0.1", move |asked, base| {
        peak.fetch_max(counted.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(10));
        counted.fetch_sub(1, Ordering::SeqCst);
        document(&format!(r#"{{"id":"{base}{}"}}"#, asked.uri))
    })
    .await;
    let fetcher = Fetcher::new(Options { requests_per_host: 2, ..options() }).unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..20 {
        let (fetcher, url) = (fetcher.clone(), server.url(&format!("/{n}")));
        tasks.spawn(async move { fetcher.document(&url, None).await.map(|_| ()) });
    }
    assert!(tasks.join_all().await.into_iter().all(|outcome| outcome.is_ok()));
    assert!(most.load(Ordering::SeqCst) <= 2, "{most:?}");
    assert!(server.connections() <= 4, "{}", server.connections());
}

#[tokio::test]
async fn media_come_in_pieces_within_their_own_bounds() {
    let server = Server::start("127.0.0.1", |asked, _| match asked.uri.path() {
        "/big" => answer("200 OK", &[("content-type", "image/png")], &vec![7; 3_000_000]),
        _ => answer("200 OK", &[("content-type", "image/png")], b""),
    })
    .await;
    let url = server.url("/big");
    let bounds = Bounds { bytes: 5_000_000, ..options().document };
    let mut reply = fetcher().open(&Ask::web(&url, "image/*", bounds)).await.unwrap();
    assert_eq!(reply.content_type(), "image/png");
    let mut total = 0;
    while let Some(piece) = reply.body.next().await {
        total += piece.unwrap().len();
    }
    assert_eq!(total, 3_000_000);
    assert!(reply.body.next().await.is_none());
    assert_eq!(server.asked()[0].header("accept-encoding"), "identity");
    let bounds = Bounds { bytes: 2_999_999, ..bounds };
    assert!(matches!(fetcher().open(&Ask::web(&url, "image/*", bounds)).await, Err(Error::TooLarge)));
    let url = server.url("/empty");
    let reply = fetcher().open(&Ask::web(&url, "image/*", bounds)).await.unwrap();
    assert_eq!(reply.body.bytes().await.unwrap().len(), 0);
}
