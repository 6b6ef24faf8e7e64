//! HTTP/2: answers that are read to their end, whenever the connection ends and whatever is still sent.

use crate::http2::{
    DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, PREFACE, RST_STREAM, SETTINGS, WINDOW_UPDATE, all_of, frame,
    head, open,
};
use crate::support::{Certified, PATIENCE};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::client::conn::http2::handshake;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// Clients say what they have taken while they read: a server that is gone when they say it takes the rest from them.
#[tokio::test]
async fn who_reads_slowly_reads_the_end_before_the_connection_ends() {
    let certified = Certified::new(&[&["a.example"]]);
    let server = certified.start(|setup| setup.limits.connections.requests = 1);
    let mut stream = open(&server, &certified).await;
    stream.write_all(&all_of("/large")).await.unwrap();
    let (mut count, mut is_told) = (0, false);
    while let Ok((kind, flags, payload)) = next_frame(&mut stream).await {
        match kind {
            DATA => count += payload.len(),
            PING if flags == 0 => stream.write_all(&frame(PING, 1, 0, &payload)).await.unwrap(),
            _ => is_told |= kind == GOAWAY,
        }
    }
    assert_eq!((count, is_told), (4 << 20, true));
    // Nothing more is to come, and what is said now is still taken.
    for _ in 0..5 {
        let window = frame(WINDOW_UPDATE, 0, 1, &1_u32.to_be_bytes());
        stream.write_all(&window).await.expect("it is taken");
        stream.flush().await.expect("it is taken");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Who pauses while the server ends gets the rest of what it has asked for.
#[tokio::test]
async fn who_pauses_in_an_answer_is_waited_for_in_the_end() {
    let certified = Certified::new(&[&["a.example"]]);
    let server = certified.start(|_| {});
    let mut stream = open(&server, &certified).await;
    let settings = frame(SETTINGS, 0, 0, &[]);
    let request = frame(HEADERS, END_HEADERS | END_STREAM, 1, &head("/large"));
    stream.write_all(&[PREFACE, &settings, &request].concat()).await.unwrap();
    let (mut count, mut is_stopped) = (0, false);
    loop {
        let (kind, flags, payload) = next_frame(&mut stream).await.expect("the answer goes on to its end");
        match kind {
            DATA => count += payload.len(),
            PING if flags == 0 => stream.write_all(&frame(PING, 1, 0, &payload)).await.unwrap(),
            _ => {}
        }
        if kind == DATA && flags & END_STREAM != 0 {
            break;
        }
        // The first window is used up.
        if count >= 65_535 && !is_stopped {
            is_stopped = true;
            server.stop.cancel();
            // Longer than it is waited for who does nothing.
            tokio::time::sleep(Duration::from_secs(5)).await;
            let most = (1_u32 << 30).to_be_bytes();
            let windows = [frame(WINDOW_UPDATE, 0, 0, &most), frame(WINDOW_UPDATE, 0, 1, &most)].concat();
            stream.write_all(&windows).await.unwrap();
        }
    }
    assert_eq!(count, 4 << 20);
    drop(stream);
    tokio::time::timeout(PATIENCE, server.server.finished()).await.unwrap();
}

/// Kind, flags and payload.
async fn next_frame(stream: &mut TlsStream<TcpStream>) -> std::io::Result<(u8, u8, Vec<u8>)> {
    let mut head = [0; 9];
    stream.read_exact(&mut head).await?;
    let mut payload = vec![0; usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2])];
    stream.read_exact(&mut payload).await?;
    Ok((head[3], head[4], payload))
}

/// An answer that comes before the body does is read, and the connection goes on.
#[tokio::test]
async fn who_sends_too_much_hears_so() {
    const MUCH: usize = 16 << 20;
    let certified = Certified::new(&[&["a.example"]]);
    let server = certified.start(|_| {});
    let stream = open(&server, &certified).await;
    let (mut sender, connection) =
        handshake::<_, _, Full<Bytes>>(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    for (path, length, wanted) in
        [("/length", MUCH, 413), ("/name", MUCH, 405), ("/nowhere", MUCH, 404), ("/length", 2, 200)].repeat(10)
    {
        sender.ready().await.unwrap();
        let request = Request::post(format!("https://a.example{path}"));
        let answer = sender.send_request(request.body(Full::new(vec![b'x'; length].into())).unwrap()).await.unwrap();
        assert_eq!(answer.status(), wanted, "{path}");
        let body = answer.into_body().collect().await.expect("all of the answer").to_bytes();
        assert!(wanted != 200 || body == "2", "{body:?}");
    }
}

/// Those who take the end of a stream for an error, whatever it says, are not told of it while they send.
#[tokio::test]
async fn what_nobody_reads_of_a_body_is_taken() {
    let certified = Certified::new(&[&["a.example"]]);
    let server = certified.start(|_| {});
    let mut stream = open(&server, &certified).await;
    stream.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await.unwrap();
    // Both windows are as wide as they will be.
    while next_frame(&mut stream).await.unwrap().0 != WINDOW_UPDATE {}
    stream.write_all(&frame(SETTINGS, 1, 0, &[])).await.unwrap();
    let post = [b"\x83".as_slice(), &head("/name")[1..]].concat();
    let part = frame(DATA, 0, 1, &[b'x'; 10_000]);
    stream.write_all(&[frame(HEADERS, END_HEADERS, 1, &post), part.clone()].concat()).await.unwrap();
    while !matches!(next_frame(&mut stream).await.unwrap(), (HEADERS | DATA, flags, _) if flags & END_STREAM != 0) {}
    let end = frame(DATA, END_STREAM, 1, b"x");
    let next = frame(HEADERS, END_HEADERS | END_STREAM, 3, &head("/name"));
    stream.write_all(&[part.repeat(20), end, next].concat()).await.unwrap();
    loop {
        let (kind, _, payload) = next_frame(&mut stream).await.unwrap();
        assert!(kind != RST_STREAM && kind != GOAWAY, "{kind}: {payload:?}");
        if kind == HEADERS {
            break;
        }
    }
}
