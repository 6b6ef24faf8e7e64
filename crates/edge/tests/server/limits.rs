//! Clients that take too much: connections, time.

use crate::support::{Certified, PATIENCE, Running, encrypt, get_request, heard, is_closed, is_silent, plain, until};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

#[tokio::test]
async fn one_address_has_so_many_connections() {
    let server = Running::start(vec![plain("127.0.0.1:0")], |setup| setup.limits.connections.per_address = 2);
    let ask = async |stream: &mut tokio::net::TcpStream| {
        let _ = stream.write_all(get_request("/name", "").as_bytes()).await;
        heard(stream).await
    };
    let (mut first, mut second, mut third) = (server.connect().await, server.connect().await, server.connect().await);
    assert!(ask(&mut first).await.ends_with("one") && ask(&mut second).await.ends_with("one"));
    assert_eq!(ask(&mut third).await, "");
    drop(first);
    until("there is a place again", async || ask(&mut server.connect().await).await.ends_with("one")).await;

    let trusting = Running::start(vec![plain("127.0.0.1:0")], |setup| {
        setup.limits.connections.per_address = 1;
        setup.limits.trusted = vec!["127.0.0.0/8".parse().unwrap()];
    });
    let (mut first, mut second) = (trusting.connect().await, trusting.connect().await);
    assert!(ask(&mut first).await.ends_with("one") && ask(&mut second).await.ends_with("one"));
}

#[tokio::test]
async fn all_together_have_so_many() {
    let server = Running::start(vec![plain("127.0.0.1:0"), plain("127.0.0.1:0")], |setup| setup.limits.all = 1);
    let mut first = server.connect().await;
    first.write_all(get_request("/name", "").as_bytes()).await.unwrap();
    assert!(heard(&mut first).await.ends_with("one"));
    let mut second = tokio::net::TcpStream::connect(server.server.addresses()[1]).await.unwrap();
    second.write_all(get_request("/name", "").as_bytes()).await.unwrap();
    assert!(is_silent(&mut second).await);
    drop(first);
    assert!(heard(&mut second).await.ends_with("one"));
}

/// Little patience with who takes nothing, and one place for all, so that it shows when it is free again.
fn strict(setup: &mut edge::server::Setup) {
    setup.limits.connections.write_timeout.0 = Duration::from_millis(400);
    setup.limits.all = 1;
}

#[tokio::test]
async fn who_takes_nothing_is_dropped() {
    let server = Running::start(vec![plain("127.0.0.1:0")], strict);
    let mut stream = server.connect().await;
    stream.write_all(get_request("/endless", "").as_bytes()).await.unwrap();
    server.something_endless().await;
    server.nothing_endless().await;
    assert!(is_closed(&mut stream).await);
}

/// Over https, in both versions of both. With HTTP/2 the client allows as much as can be said, so that not its window
/// ends the answer, but that nothing leaves the socket: its stream and its connection are given up.
#[tokio::test]
async fn who_takes_nothing_over_https_is_dropped() {
    let certified = Certified::new(&[&["a.example"]]);
    for (protocol, version) in [
        ("http/1.1", &rustls::version::TLS13),
        ("http/1.1", &rustls::version::TLS12),
        ("h2", &rustls::version::TLS13),
        ("h2", &rustls::version::TLS12),
    ] {
        let server = certified.start(strict);
        let client = certified.client_of(version);
        let mut stream = encrypt(server.connect().await, client, "a.example", &[protocol]).await.unwrap();
        let said = match protocol {
            "h2" => crate::http2::all_of("/endless"),
            _ => get_request("/endless", "").into_bytes(),
        };
        stream.write_all(&said).await.unwrap();
        stream.flush().await.unwrap();
        server.something_endless().await;
        server.nothing_endless().await;
        let next = async {
            let mut next =
                encrypt(server.connect().await, certified.client(), "a.example", &["http/1.1"]).await.unwrap();
            next.write_all(get_request("/name", "").as_bytes()).await.unwrap();
            heard(&mut next).await
        };
        let next = tokio::time::timeout(PATIENCE, next).await;
        assert!(next.is_ok_and(|answer| answer.ends_with("one")), "{protocol} {version:?}: the connection stays");
    }
}

#[tokio::test]
async fn who_takes_too_little_is_dropped_if_that_is_wanted() {
    let drip = async |min_rate: u64| {
        let server = Running::start(vec![plain("127.0.0.1:0")], |setup| {
            setup.limits.connections.write_timeout.0 = Duration::from_secs(2);
            setup.limits.connections.min_rate.0 = min_rate;
        });
        let mut stream = server.connect().await;
        stream.write_all(get_request("/endless", "").as_bytes()).await.unwrap();
        let started = Instant::now();
        let mut bytes = vec![0; 512 * 1024];
        // Enough that the socket takes a little more each time: some MB a second, never nothing for two.
        while started.elapsed() < Duration::from_secs(5) {
            if !matches!(stream.read(&mut bytes).await, Ok(1..)) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        server.endless()
    };
    assert_eq!(drip(0).await, 1, "slow is not too slow");
    assert_eq!(drip(1 << 30).await, 0);
}

/// On a fast line, from a reader who is slow: what it takes is seen soon, because little waits in the kernel.
#[tokio::test]
async fn who_takes_little_but_steadily_is_borne() {
    let server = Running::start(vec![plain("127.0.0.1:0")], |setup| {
        setup.limits.connections.write_timeout.0 = Duration::from_millis(1500);
    });
    let mut stream = server.connect().await;
    stream.write_all(get_request("/endless", "").as_bytes()).await.unwrap();
    let (started, mut bytes) = (Instant::now(), vec![0; 20 * 1024]);
    while started.elapsed() < Duration::from_secs(6) {
        stream.read_exact(&mut bytes).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(server.endless(), 1, "200 KB a second are enough");
}

/// A reader that is slow but steady gets all of it.
#[tokio::test]
async fn patience_counts_from_the_last_byte_taken() {
    let server = Running::start(vec![plain("127.0.0.1:0")], |setup| {
        setup.limits.connections.write_timeout.0 = Duration::from_secs(2);
    });
    let mut stream = server.connect().await;
    stream.write_all(get_request("/large", "connection: close\r\n").as_bytes()).await.unwrap();
    let (mut bytes, mut count) = (vec![0; 64 * 1024], 0);
    loop {
        match stream.read(&mut bytes).await.unwrap() {
            0 => break,
            more => count += more,
        }
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    assert!(count > 4 << 20, "{count}");
}
