//! HTTP/2: what is served, and floods of frames, each bounded in number and time.

use crate::support::{Certified, PATIENCE, Running, encrypt, is_closed, until};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

pub async fn open(server: &Running, certified: &Certified) -> TlsStream<TcpStream> {
    encrypt(server.connect().await, certified.client(), "a.example", &["h2"]).await.unwrap()
}

async fn client(server: &Running, certified: &Certified) -> SendRequest<Empty<Bytes>> {
    let stream = open(server, certified).await;
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn get(client: &mut SendRequest<Empty<Bytes>>, path: &str) -> hyper::Result<Response<hyper::body::Incoming>> {
    client.ready().await?;
    let request = Request::builder().uri(format!("https://a.example{path}"));
    client.send_request(request.body(Empty::new()).unwrap()).await
}

async fn text(answer: Response<hyper::body::Incoming>) -> String {
    String::from_utf8_lossy(&answer.into_body().collect().await.unwrap().to_bytes()).into_owned()
}

#[tokio::test]
async fn many_requests_on_one_connection() {
    let certified = Certified::new(&[&["a.example"]]);
    let server = certified.start(|_| {});
    let mut one = client(&server, &certified).await;
    assert_eq!(text(get(&mut one, "/who").await.unwrap()).await, "127.0.0.1 Https HTTP/2.0 a.example");
    let started = Instant::now();
    let many = (0..50).map(|_| {
        let mut one = one.clone();
        async move { text(get(&mut one, "/slow").await.unwrap()).await }
    });
    assert!(futures_util::future::join_all(many).await.iter().all(|text| text == "slow"));
    assert!(started.elapsed() < 40 * Duration::from_millis(500), "at the same time: {:?}", started.elapsed());
    assert_eq!(text(get(&mut one, "/large").await.unwrap()).await.len(), 4 << 20);
}

#[tokio::test]
async fn heads_have_bounds() {
    let certified = Certified::new(&[&["a.example"]]);
    let server = certified.start(|setup| {
        setup.limits.connections.head_fields = 20;
        setup.limits.connections.head_size.0 = 8192;
    });
    let mut one = client(&server, &certified).await;
    for (count, length, wanted) in [(10, 10, 200), (30, 10, 431), (1, 9000, 431)] {
        let mut request = Request::builder().uri("https://a.example/name");
        for n in 0..count {
            request = request.header(format!("x{n}"), "y".repeat(length));
        }
        one.ready().await.unwrap();
        let answer = one.send_request(request.body(Empty::new()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), wanted, "{count} fields of {length} bytes");
    }
}

/// Only the answer that is not read is given up.
#[tokio::test]
async fn who_stops_reading_one_answer_loses_that_one() {
    let certified = Certified::new(&[&["a.example"]]);
    let server = certified.start(|setup| setup.limits.connections.write_timeout.0 = Duration::from_millis(500));
    let mut one = client(&server, &certified).await;
    let unread = get(&mut one, "/endless").await.unwrap();
    server.something_endless().await;
    server.nothing_endless().await;
    assert_eq!(text(get(&mut one, "/name").await.unwrap()).await, "one", "the connection goes on");
    assert!(unread.into_body().collect().await.is_err());
}

#[tokio::test]
async fn quiet_connections_are_closed_and_busy_ones_are_not() {
    let certified = Certified::new(&[&["a.example"]]);
    // Long enough for a handshake and a request on a machine that does other things.
    let server = certified.start(|setup| setup.limits.header_timeout = Duration::from_millis(1500));
    let mut stream = open(&server, &certified).await;
    assert!(is_closed(&mut stream).await, "not even a preface");
    let mut stream = open(&server, &certified).await;
    stream.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await.unwrap();
    assert!(is_closed(&mut stream).await, "no request");
    let mut one = client(&server, &certified).await;
    assert_eq!(text(get(&mut one, "/slower").await.unwrap()).await, "slow", "longer than a quiet one may stay");
    until("the connection is closed", async || one.is_closed()).await;
    assert!(get(&mut one, "/name").await.is_err());
}

#[tokio::test]
async fn the_end_comes_in_peace() {
    let certified = Certified::new(&[&["a.example"]]);
    let server = certified.start(|_| {});
    let mut one = client(&server, &certified).await;
    let mut other = one.clone();
    let slow = tokio::spawn(async move { text(get(&mut other, "/slow").await.unwrap()).await });
    server.slow_begun(1).await;
    server.stop.cancel();
    assert_eq!(slow.await.unwrap(), "slow");
    tokio::time::timeout(PATIENCE, server.server.finished()).await.unwrap();
    assert!(get(&mut one, "/name").await.is_err());
}

#[tokio::test]
async fn requests_of_one_connection_are_counted() {
    let certified = Certified::new(&[&["a.example"]]);
    let server = certified.start(|setup| setup.limits.connections.requests = 3);
    let mut one = client(&server, &certified).await;
    let mut good = 0;
    for _ in 0..10 {
        match get(&mut one, "/name").await {
            Ok(answer) => good += usize::from(answer.status() == 200),
            Err(_) => break,
        }
    }
    // What was on its way when it was told is still answered.
    assert!((3..=6).contains(&good), "{good}");
}

pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// GET https://a.example/slow, or /name.
pub fn head(path: &str) -> Vec<u8> {
    let mut block = vec![0x82, 0x87, 0x41, 9];
    block.extend_from_slice(b"a.example");
    block.extend_from_slice(&[0x04, u8::try_from(path.len()).unwrap()]);
    block.extend_from_slice(path.as_bytes());
    block
}

/// A request for all of an answer, whose client allows as much as can be said.
pub fn all_of(path: &str) -> Vec<u8> {
    const MOST: u32 = (1 << 31) - 1;
    // INITIAL_WINDOW_SIZE; the window of the connection is another one.
    let settings = frame(SETTINGS, 0, 0, &[&[0, 4][..], &MOST.to_be_bytes()].concat());
    let window = frame(WINDOW_UPDATE, 0, 0, &(MOST - 65_535).to_be_bytes());
    let request = frame(HEADERS, END_HEADERS | END_STREAM, 1, &head(path));
    [PREFACE, &settings, &window, &request].concat()
}

/// Sends frames as long as the server takes them, `most` times at most. How often it did, and what it said in the end.
async fn flood(server: &Running, certified: &Certified, most: u32, frames: impl Fn(u32) -> Vec<u8>) -> (u32, Vec<u8>) {
    let stream = open(server, certified).await;
    let (mut reader, mut writer) = tokio::io::split(stream);
    let listening = tokio::spawn(async move {
        let mut said = Vec::new();
        let mut bytes = [0; 16 * 1024];
        while let Ok(count @ 1..) = reader.read(&mut bytes).await {
            said.extend_from_slice(&bytes[..count]);
            // What is said last counts, and it may be much.
            let superfluous = said.len().saturating_sub(1 << 20);
            said.drain(..superfluous);
        }
        said
    });
    let mut sent = 0;
    let started = Instant::now();
    let _ = writer.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await;
    while sent < most && started.elapsed() < PATIENCE && !listening.is_finished() {
        if writer.write_all(&frames(sent)).await.is_err() {
            break;
        }
        sent += 1;
    }
    let _ = writer.flush().await;
    let said = tokio::time::timeout(PATIENCE, listening).await.expect("the server ends the connection").unwrap();
    (sent, said)
}

/// Whether there is a frame of this kind among these.
fn says(mut bytes: &[u8], kind: u8) -> bool {
    while let Some((head, rest)) = bytes.split_at_checked(9) {
        if head[3] == kind {
            return true;
        }
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        bytes = rest.get(length..).unwrap_or_default();
    }
    false
}

/// After a flood everybody else is served as before.
async fn is_well(server: &Running, certified: &Certified) {
    let mut other = client(server, certified).await;
    assert_eq!(text(get(&mut other, "/name").await.unwrap()).await, "one");
}

#[tokio::test]
async fn rapid_reset_ends_the_connection() {
    let certified = Certified::new(&[&["a.example"]]);
    let server = certified.start(|setup| setup.limits.header_timeout = Duration::from_secs(2));
    let (sent, said) = flood(&server, &certified, 20_000, |n| {
        let stream = 2 * n + 1;
        let open = frame(HEADERS, END_HEADERS | END_STREAM, stream, &head("/slow"));
        [open, frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat()
    })
    .await;
    assert!(sent < 20_000 && says(&said, GOAWAY), "{sent}");
    is_well(&server, &certified).await;
}

#[tokio::test]
async fn more_streams_than_allowed_are_refused() {
    let certified = Certified::new(&[&["a.example"]]);
    let server = certified.start(|setup| {
        setup.limits.connections.streams = 10;
        setup.limits.header_timeout = Duration::from_secs(2);
    });
    let (_, said) =
        flood(&server, &certified, 300, |n| frame(HEADERS, END_HEADERS | END_STREAM, 2 * n + 1, &head("/slow"))).await;
    assert!(says(&said, RST_STREAM) || says(&said, GOAWAY));
    is_well(&server, &certified).await;
}

#[tokio::test]
async fn heads_without_an_end_are_cut_off() {
    let certified = Certified::new(&[&["a.example"]]);
    let server = certified.start(|setup| setup.limits.header_timeout = Duration::from_secs(2));
    let (sent, _) = flood(&server, &certified, 50_000, |n| match n {
        0 => frame(HEADERS, END_STREAM, 1, &head("/name")),
        _ => frame(CONTINUATION, 0, 1, &[&[0x40, 1, b'x', 0x7f, 0x81, 0x7e][..], &[b'y'; 256]].concat()),
    })
    .await;
    assert!(sent < 50_000, "{sent}");
    // With nothing in them there is nothing to count but their number.
    let (sent, _) = flood(&server, &certified, 500_000, |n| match n {
        0 => frame(HEADERS, END_STREAM, 1, &head("/name")),
        _ => frame(CONTINUATION, 0, 1, &[]),
    })
    .await;
    assert!(sent < 500_000, "{sent}");
    is_well(&server, &certified).await;
}

/// The bytes that are sent in each round.
type Frames = fn(u32) -> Vec<u8>;

/// Frames that are answered, or mean nothing, do not keep a connection open: it has made no request.
#[tokio::test]
async fn chatter_is_no_request() {
    let certified = Certified::new(&[&["a.example"]]);
    let server = certified.start(|setup| setup.limits.header_timeout = Duration::from_millis(700));
    let kinds: [(&str, Frames); 5] = [
        ("pings", |_| frame(PING, 0, 0, &[7; 8])),
        ("settings", |_| frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 255, 255])),
        ("window updates", |_| frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1])),
        ("unknown frames", |_| frame(0x55, 0, 0, &[7; 1000])),
        ("priorities", |n| frame(2, 0, 2 * n + 1, &[0, 0, 0, 0, 16])),
    ];
    for (name, frames) in kinds {
        let started = Instant::now();
        flood(&server, &certified, 10_000_000, frames).await;
        assert!(started.elapsed() < PATIENCE, "{name}: {:?}", started.elapsed());
    }
    is_well(&server, &certified).await;
}

#[tokio::test]
async fn broken_frames_end_the_connection() {
    let certified = Certified::new(&[&["a.example"]]);
    let server = certified.start(|setup| setup.limits.header_timeout = Duration::from_secs(2));
    let too_large = frame(DATA, 0, 1, &vec![0; 20_000]);
    let cases: Vec<Vec<u8>> = vec![
        b"GET / HTTP/1.1\r\nhost: a.example\r\n\r\n".to_vec(),
        [PREFACE, b"nonsense, not settings at all, and more of it"].concat(),
        [PREFACE, &frame(DATA, 0, 1, b"no such stream")].concat(),
        [PREFACE, &frame(SETTINGS, 0, 0, &[]), &frame(DATA, 0, 0, b"stream 0")].concat(),
        [PREFACE, &frame(SETTINGS, 0, 0, &[]), &too_large].concat(),
        [PREFACE, &frame(SETTINGS, 0, 0, &[]), &frame(SETTINGS, 0, 0, &[1, 2, 3])].concat(),
        [PREFACE, &frame(SETTINGS, 0, 0, &[]), &frame(PING, 0, 0, &[1])].concat(),
        [PREFACE, &frame(SETTINGS, 0, 0, &[]), &frame(HEADERS, 5, 2, &head("/name"))].concat(),
        [PREFACE, &frame(SETTINGS, 0, 0, &[]), &frame(HEADERS, 5, 1, &[0xff; 300])].concat(),
        [PREFACE, &frame(SETTINGS, 0, 0, &[]), &frame(WINDOW_UPDATE, 0, 0, &[0; 4])].concat(),
    ];
    for case in cases {
        let mut stream = open(&server, &certified).await;
        let _ = stream.write_all(&case).await;
        assert!(is_closed(&mut stream).await, "{}", case[..case.len().min(60)].escape_ascii());
    }
    is_well(&server, &certified).await;
}
