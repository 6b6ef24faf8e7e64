//! Connections that proxies pass on.

use crate::support::{Certified, Running, encrypt, get_request, heard, is_closed, listen, plain};
use edge::server::config::{ListenConfig, Serve};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt as _;

fn behind(networks: &[&str]) -> ListenConfig {
    let networks = networks.iter().map(|network| network.parse().unwrap()).collect();
    ListenConfig { proxy_protocol: networks, ..plain("127.0.0.1:0") }
}

fn v2(address: [u8; 4]) -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
    header.extend_from_slice(&address);
    header.extend_from_slice(&[127, 0, 0, 1, 0, 9, 0, 80]);
    header
}

#[tokio::test]
async fn proxies_tell_who_the_client_is() {
    let server = Running::start(vec![behind(&["127.0.0.0/8"])], |_| {});
    let ask = get_request("/who", "connection: close\r\n");
    let text = server.say(format!("PROXY TCP4 9.8.7.6 127.0.0.1 1 80\r\n{ask}").as_bytes()).await;
    assert!(text.ends_with("9.8.7.6 Http HTTP/1.1 a.example"), "{text}");
    let text = server.say(format!("PROXY TCP6 2001:db8::7 ::1 1 80\r\n{ask}").as_bytes()).await;
    assert!(text.ends_with("2001:db8::7 Http HTTP/1.1 a.example"), "{text}");
    let text = server.say(format!("PROXY UNKNOWN\r\n{ask}").as_bytes()).await;
    assert!(text.ends_with("127.0.0.1 Http HTTP/1.1 a.example"), "{text}");
    let text = server.say(&[v2([9, 8, 7, 5]), ask.clone().into_bytes()].concat()).await;
    assert!(text.ends_with("9.8.7.5 Http HTTP/1.1 a.example"), "{text}");
    // Without a header, and with a broken one, there is no answer at all.
    for wrong in [ask.clone(), format!("PROXY TCP4 9.8.7.6\r\n{ask}"), format!("PROXY {}\r\n{ask}", "x".repeat(300))] {
        assert_eq!(server.say(wrong.as_bytes()).await, "", "{wrong}");
    }
}

#[tokio::test]
async fn others_are_not_believed() {
    let server = Running::start(vec![behind(&["10.0.0.0/8", "::1"])], |_| {});
    let ask = get_request("/who", "connection: close\r\n");
    assert!(server.say(ask.as_bytes()).await.ends_with("127.0.0.1 Http HTTP/1.1 a.example"));
    let text = server.say(format!("PROXY TCP4 9.8.7.6 127.0.0.1 1 80\r\n{ask}").as_bytes()).await;
    assert!(!text.contains("9.8.7.6") && text.starts_with("HTTP/1.1 400"), "{text}");
}

#[tokio::test]
async fn a_header_that_does_not_come_is_not_waited_for() {
    let server = Running::start(vec![behind(&["127.0.0.1"])], |setup| {
        setup.tls.handshake_timeout.0 = Duration::from_millis(300);
    });
    for beginning in [&b""[..], b"PROXY TCP4 1.2.3.4", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00"] {
        let started = Instant::now();
        let mut stream = server.connect().await;
        stream.write_all(beginning).await.unwrap();
        // Not as long as is usual: ten seconds.
        assert!(is_closed(&mut stream).await && started.elapsed() < Duration::from_secs(8));
    }
}

#[tokio::test]
async fn connections_are_counted_for_the_client() {
    let server = Running::start(vec![behind(&["127.0.0.1"])], |setup| setup.limits.connections.per_address = 1);
    let ask = |address: &str| format!("PROXY TCP4 {address} 127.0.0.1 1 80\r\n{}", get_request("/name", ""));
    let mut first = server.connect().await;
    first.write_all(ask("9.8.7.6").as_bytes()).await.unwrap();
    assert!(heard(&mut first).await.ends_with("one"));
    assert_eq!(server.say(ask("9.8.7.6").as_bytes()).await, "");
    assert!(server.say(ask("9.8.7.7").as_bytes()).await.ends_with("one"));
}

#[tokio::test]
async fn the_header_comes_before_encryption() {
    let certified = Certified::new(&[&["a.example"]]);
    let mut listen = listen(Serve::Https);
    listen.proxy_protocol = vec!["127.0.0.1".parse().unwrap()];
    let server = Running::start(vec![listen], |setup| setup.tls.certificates.clone_from(&certified.files));
    let mut tcp = server.connect().await;
    tcp.write_all(&v2([9, 8, 7, 6])).await.unwrap();
    let mut stream = encrypt(tcp, certified.client(), "a.example", &[]).await.unwrap();
    stream.write_all(get_request("/who", "connection: close\r\n").as_bytes()).await.unwrap();
    let text = heard(&mut stream).await;
    assert!(text.ends_with("9.8.7.6 Https HTTP/1.1 a.example"), "{text}");
}
