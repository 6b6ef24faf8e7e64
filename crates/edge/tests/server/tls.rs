//! https: which certificate, version and protocol, and what does not get that far.

use crate::support::{Certified, PATIENCE, Running, encrypt, get_request, heard, is_closed, listen, plain};
use edge::server::config::{Serve, TlsVersion};
use edge::server::{CannotServe, Server, Setup, Sockets};
use rustls::{ClientConfig, HandshakeKind};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_util::sync::CancellationToken;

async fn ask(server: &Running, client: ClientConfig, name: &str) -> std::io::Result<(String, String)> {
    let mut stream = encrypt(server.connect().await, client, name, &["http/1.1"]).await?;
    let names = format!("{:?}", stream.get_ref().1.peer_certificates().unwrap().first().unwrap().len());
    stream.write_all(get_request("/who", "connection: close\r\n").as_bytes()).await?;
    Ok((heard(&mut stream).await, names))
}

#[tokio::test]
async fn certificates_are_chosen_by_name() {
    let certified = Certified::new(&[&["a.example"], &["*.b.example", "b.example"]]);
    let server = certified.start(|_| {});
    for name in ["a.example", "b.example", "x.b.example"] {
        let (text, _) = ask(&server, certified.client(), name).await.unwrap();
        assert!(text.ends_with("127.0.0.1 Https HTTP/1.1 a.example"), "{name}: {text}");
        assert!(!text.contains("strict-transport-security"), "{text}");
    }
    for name in ["c.example", "x.y.b.example"] {
        let error = ask(&server, certified.client(), name).await.unwrap_err();
        assert!(error.to_string().contains("alert"), "{name}: {error}");
    }
    // Without a name the first one is shown: an address is no name to ask for.
    let error = ask(&server, certified.client(), "127.0.0.1").await.unwrap_err().to_string();
    assert!(error.contains("a.example"), "{error}");
}

#[tokio::test]
async fn versions_tickets_and_protocols() {
    let certified = Certified::new(&[&["a.example"]]);
    let server = certified.start(|setup| setup.tls.hsts.0 = Duration::from_secs(86400));
    let only = |version: &'static rustls::SupportedProtocolVersion| {
        let builder = ClientConfig::builder_with_protocol_versions(&[version]);
        builder.with_root_certificates(certified.roots.clone()).with_no_client_auth()
    };
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let client = only(version);
        let (text, _) = ask(&server, client.clone(), "a.example").await.unwrap();
        assert!(text.contains("strict-transport-security: max-age=86400\r\n"), "{text}");
        let again = encrypt(server.connect().await, client, "a.example", &["http/1.1"]).await.unwrap();
        assert_eq!(again.get_ref().1.handshake_kind(), Some(HandshakeKind::Resumed), "{version:?}");
    }
    let chosen = async |protocols: &[&str]| {
        let stream = encrypt(server.connect().await, certified.client(), "a.example", protocols).await;
        stream.map(|stream| stream.get_ref().1.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned()))
    };
    assert_eq!(chosen(&["h2", "http/1.1"]).await.unwrap().unwrap(), "h2");
    assert_eq!(chosen(&["http/1.1"]).await.unwrap().unwrap(), "http/1.1");
    assert_eq!(chosen(&[]).await.unwrap(), None);
    assert!(chosen(&["spdy/3"]).await.is_err());
    assert!(chosen(&["acme-tls/1"]).await.is_err(), "nobody has asked for a certificate");

    let strict = certified.start(|setup| setup.tls.min_version = TlsVersion::V1_3);
    assert!(ask(&strict, only(&rustls::version::TLS12), "a.example").await.is_err());
    assert!(ask(&strict, only(&rustls::version::TLS13), "a.example").await.is_ok());
}

#[tokio::test]
async fn what_is_no_handshake_ends_soon() {
    let certified = Certified::new(&[&["a.example"]]);
    // Long enough for an honest handshake on a machine that does other things.
    let server = certified.start(|setup| setup.tls.handshake_timeout.0 = Duration::from_millis(1500));
    let long = [&[0x16, 3, 1, 0x40, 0][..], &[7; 0x4000]].concat();
    let cases: &[&[u8]] = &[
        b"",
        b"GET / HTTP/1.1\r\nhost: a.example\r\n\r\n",
        &[0; 1000],
        &[0xff; 100_000],
        // The beginning of a hello that never comes.
        &[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3],
        &[0x16, 3, 1, 0, 0],
        &[0x15, 3, 3, 0, 2, 2, 40],
        &[0x17, 3, 3, 0, 5, 1, 2, 3, 4, 5],
        &long,
    ];
    // Not as long as is usual: ten seconds.
    let soon = Duration::from_secs(8);
    let ends = async |case: &&[u8]| {
        let started = Instant::now();
        let mut stream = server.connect().await;
        let _ = stream.write_all(case).await;
        assert!(is_closed(&mut stream).await, "{}", case[..case.len().min(20)].escape_ascii());
        assert!(started.elapsed() < soon, "{:?}", started.elapsed());
    };
    futures_util::future::join_all(cases.iter().map(ends)).await;
    // A byte now and then makes it no longer.
    let started = Instant::now();
    let mut stream = server.connect().await;
    for byte in [0x16, 3, 1, 2, 0].into_iter().chain(std::iter::repeat(1)) {
        if stream.write_all(&[byte]).await.is_err() || started.elapsed() > PATIENCE {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(started.elapsed() < soon, "{:?}", started.elapsed());
    assert!(ask(&server, certified.client(), "a.example").await.is_ok(), "others are served as before");
}

#[tokio::test]
async fn garbage_after_the_handshake_ends_the_connection() {
    let certified = Certified::new(&[&["a.example"]]);
    let server = certified.start(|_| {});
    let stream = encrypt(server.connect().await, certified.client(), "a.example", &["http/1.1"]).await.unwrap();
    let (mut tcp, _) = stream.into_inner();
    tcp.write_all(&[0x17, 3, 3, 0, 30]).await.unwrap();
    tcp.write_all(&[9; 30]).await.unwrap();
    assert!(is_closed(&mut tcp).await);
}

#[tokio::test]
async fn large_answers_arrive_whole() {
    let certified = Certified::new(&[&["a.example"]]);
    let server = certified.start(|_| {});
    let mut stream = encrypt(server.connect().await, certified.client(), "a.example", &[]).await.unwrap();
    stream.write_all(get_request("/large", "connection: close\r\n").as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    assert_eq!(bytes.iter().filter(|byte| **byte == b'x').count(), 4 << 20);
}

#[tokio::test]
async fn https_needs_a_certificate_that_can_be_used() {
    let certified = Certified::new(&[&["a.example"], &["b.example"]]);
    let start = |change: &dyn Fn(&mut Setup)| {
        let mut setup = Setup::http(vec![listen(Serve::Https)], axum::Router::new());
        change(&mut setup);
        Server::start(setup, Sockets::default(), CancellationToken::new()).unwrap_err()
    };
    assert!(matches!(start(&|_| {}), CannotServe::NoCertificate));
    let error = start(&|setup| {
        setup.tls.certificates = certified.files.clone();
        setup.tls.certificates[0].key = certified.files[1].key.clone();
    });
    assert!(error.to_string().contains("does not belong"), "{error}");
    let error = start(&|setup| {
        setup.tls.certificates = certified.files.clone();
        setup.tls.certificates[0].chain = "/nowhere/chain.pem".into();
    });
    assert!(error.to_string().contains("/nowhere/chain.pem"), "{error}");
}

/// What people use, where it is installed.
#[tokio::test]
async fn curl_is_served() {
    let certified = Certified::new(&[&["a.example"]]);
    let server = certified.start(|setup| setup.listen.push(plain("127.0.0.1:0")));
    let port = server.address().port();
    for version in ["--http1.1", "--http2", "--tls-max=1.2"] {
        let mut curl = tokio::process::Command::new("curl");
        curl.args(["--silent", "--show-error", "--max-time", "10", "--cacert"]).arg(&certified.files[0].chain);
        curl.args(["--resolve", &format!("a.example:{port}:127.0.0.1"), "--write-out", " %{http_version}"]);
        match version.split_once('=') {
            Some((flag, value)) => curl.args([flag, value]),
            None => curl.arg(version),
        };
        let Ok(output) = curl.arg(format!("https://a.example:{port}/who")).output().await else { return };
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let wanted = if version == "--http1.1" { " 1.1" } else { " 2" };
        assert!(text.contains("127.0.0.1 Https") && text.ends_with(wanted), "{version}: {text} {output:?}");
    }
}
