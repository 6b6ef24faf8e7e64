//! HTTP/1: heads, pipelining, the end in peace.

use crate::support::{Certified, PATIENCE, Running, addresses, encrypt, get_request, heard, is_closed, listen, plain};
use edge::server::config::Serve;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[tokio::test]
async fn several_addresses_of_both_families() {
    let mut config = plain("127.0.0.1:0");
    config.address = addresses(&["127.0.0.1:0", "[::1]:0", "[::]:0"]);
    let mut only = plain("[::]:0");
    only.ipv6_only = true;
    let server = Running::start(vec![config, only], |_| {});
    let all = server.server.addresses();
    let ask = async |address: (&str, u16)| {
        let mut stream = TcpStream::connect(address).await.ok()?;
        stream.write_all(get_request("/who", "connection: close\r\n").as_bytes()).await.unwrap();
        Some(heard(&mut stream).await)
    };
    for (address, wanted) in [
        (("127.0.0.1", all[0].port()), Some("127.0.0.1 Http HTTP/1.1 a.example")),
        (("::1", all[1].port()), Some("::1 Http HTTP/1.1 a.example")),
        (("127.0.0.1", all[2].port()), Some("127.0.0.1 Http HTTP/1.1 a.example")),
        (("::1", all[2].port()), Some("::1 Http HTTP/1.1 a.example")),
        (("::1", all[3].port()), Some("::1 Http HTTP/1.1 a.example")),
        (("127.0.0.1", all[3].port()), None),
        (("::1", all[0].port()), None),
    ] {
        let text = ask(address).await;
        assert_eq!(text.as_deref().and_then(|text| text.split("\r\n\r\n").nth(1)), wanted, "{address:?}");
    }
}

#[tokio::test]
async fn heads_have_bounds() {
    let server = Running::start(vec![plain("127.0.0.1:0")], |setup| {
        setup.limits.connections.head_fields = 20;
        setup.limits.connections.head_size.0 = 8192;
    });
    let fields = |count: usize| (0..count).map(|n| format!("x{n}: y\r\n")).collect::<String>();
    assert!(server.say(get_request("/name", &fields(15)).as_bytes()).await.starts_with("HTTP/1.1 200"));
    assert!(server.say(get_request("/name", &fields(25)).as_bytes()).await.starts_with("HTTP/1.1 431"));
    let long = |count: usize| format!("x: {}\r\n", "y".repeat(count));
    assert!(server.say(get_request("/name", &long(6000)).as_bytes()).await.starts_with("HTTP/1.1 200"));
    assert!(server.say(get_request("/name", &long(30_000)).as_bytes()).await.starts_with("HTTP/1.1 431"));
    let path = format!("/{}", "y".repeat(30_000));
    let text = server.say(get_request(&path, "").as_bytes()).await;
    assert!(text.starts_with("HTTP/1.1 414") || text.starts_with("HTTP/1.1 431"), "{text}");
    for nonsense in ["\0\0\0\0", "GET\r\n\r\n", "GET / HTTP/1.1\r\n: y\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let text = server.say(nonsense.as_bytes()).await;
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 400"), "{text}");
    }
}

#[tokio::test]
async fn who_sends_a_head_byte_by_byte_is_cut_off() {
    let server = Running::start(vec![plain("127.0.0.1:0")], |setup| {
        setup.limits.header_timeout = Duration::from_millis(400);
    });
    let started = Instant::now();
    let mut stream = server.connect().await;
    // Far more than can be sent at this pace while the test has patience.
    for byte in get_request("/name", &format!("x: {}\r\n", "y".repeat(8000))).bytes() {
        if stream.write_all(&[byte]).await.is_err() || started.elapsed() > PATIENCE {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
    // A connection on which nothing is said, and one on which nothing is said any more.
    let mut silent = server.connect().await;
    assert!(is_closed(&mut silent).await);
    let mut done = server.connect().await;
    done.write_all(get_request("/name", "").as_bytes()).await.unwrap();
    assert!(is_closed(&mut done).await);
}

#[tokio::test]
async fn requests_of_one_connection_are_counted() {
    let server = Running::start(vec![plain("127.0.0.1:0")], |setup| setup.limits.connections.requests = 2);
    let text = server.say(get_request("/name", "").repeat(4).as_bytes()).await;
    assert_eq!(text.matches("HTTP/1.1 200").count(), 2, "{text}");
    assert!(text.contains("connection: close"), "{text}");
}

#[tokio::test]
async fn what_has_begun_is_finished_and_nothing_new_is_taken() {
    let server = Running::start(vec![plain("127.0.0.1:0")], |_| {});
    let address = server.address();
    let (mut busy, mut idle) = (server.connect().await, server.connect().await);
    busy.write_all(get_request("/slow", "").as_bytes()).await.unwrap();
    idle.write_all(get_request("/name", "").as_bytes()).await.unwrap();
    assert!(heard(&mut idle).await.ends_with("one"));
    let mut busy_again = server.connect().await;
    busy_again.write_all(get_request("/slow", "").as_bytes()).await.unwrap();
    let (mut late, _silent) = (server.connect().await, server.connect().await);
    server.slow_begun(2).await;
    // The others are taken, too.
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.stop.cancel();
    // One that has come just before may ask, and is not waited for long.
    late.write_all(get_request("/name", "").as_bytes()).await.unwrap();
    assert!(heard(&mut busy).await.ends_with("slow"));
    assert!(heard(&mut busy_again).await.ends_with("slow"));
    assert!(is_closed(&mut idle).await);
    assert!(heard(&mut late).await.ends_with("one"));
    tokio::time::timeout(PATIENCE, server.server.finished()).await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn redirects_go_only_where_we_are() {
    let data = tempfile::tempdir().unwrap();
    let server = Running::start(vec![listen(Serve::Redirect)], |setup| {
        setup.acme.names = vec!["a.example".parse().unwrap()];
        setup.data = data.path().to_owned();
        // Nothing is asked of an authority here.
        setup.acme.challenge = Some(edge::server::config::ChallengeKind::TlsAlpn01);
    });
    let text = server.say(get_request("/x?y=z", "").as_bytes()).await;
    assert!(text.starts_with("HTTP/1.1 301") && text.contains("location: https://a.example/x?y=z\r\n"), "{text}");
    let text = server.say(b"GET / HTTP/1.1\r\nhost: evil.example\r\n\r\n").await;
    assert!(text.starts_with("HTTP/1.1 421") && !text.contains("location"), "{text}");
    let text = server.say(b"GET /.well-known/acme-challenge/none HTTP/1.1\r\nhost: evil.example\r\n\r\n").await;
    assert!(text.starts_with("HTTP/1.1 421"), "{text}");
}

/// The answer to what is too long reaches clients who read it when they have sent everything, as most do.
#[tokio::test]
async fn who_sends_too_much_hears_so() {
    const MUCH: usize = 16 << 20;
    let certified = Certified::new(&[&["a.example"]]);
    let server = certified.start(|_| {});
    let open = Running::start(vec![plain("127.0.0.1:0")], |_| {});
    for n in 0..10 {
        let mut plain = open.connect().await;
        let mut stream = encrypt(server.connect().await, certified.client(), "a.example", &["http/1.1"]).await.unwrap();
        for answer in [sends_all(&mut plain, MUCH).await, sends_all(&mut stream, MUCH).await] {
            assert!(answer.starts_with("HTTP/1.1 413"), "{n}");
            assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
        }
    }
    let answer = open.say(b"POST /length HTTP/1.1\r\nhost: a.example\r\ncontent-length: 2\r\n\r\nhi").await;
    assert!(answer.starts_with("HTTP/1.1 200") && !answer.contains("connection:"), "{answer}");
}

async fn sends_all(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), length: usize) -> String {
    let head = format!("POST /length HTTP/1.1\r\nhost: a.example\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b'x'; length]).await.expect("all of it is taken");
    heard(stream).await
}

/// A head that is too long or no head at all, and whatever is sent behind the last request that is answered: all of it is
/// taken, so that what was answered can be read.
#[tokio::test]
async fn who_sends_what_is_not_answered_reads_what_is() {
    let certified = Certified::new(&[&["a.example"]]);
    let server = certified.start(|setup| setup.limits.connections.requests = 2);
    let open = Running::start(vec![plain("127.0.0.1:0")], |setup| setup.limits.connections.requests = 2);
    let much = "x".repeat(4 << 20);
    let get = |more: &str| get_request("/name", more);
    let post = "POST /name HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi";
    for (said, status) in [
        (get(&format!("x: {much}\r\n")), "431"),
        (get(&"x: y\r\n".repeat(200_000)), "431"),
        (format!("GET /{much} HTTP/1.1\r\n\r\n"), "431"),
        (format!("nonsense\r\n\r\n{much}"), "400"),
        (format!("GET / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{much}"), "400"),
        (get("connection: close\r\n") + &much, "200"),
        (format!("GET /name HTTP/1.0\r\n\r\n{much}"), "200"),
        (format!("{post}{much}"), "405"),
        (get("").repeat(50_000), "200"),
    ] {
        let mut plain = open.connect().await;
        let mut stream = encrypt(server.connect().await, certified.client(), "a.example", &["http/1.1"]).await.unwrap();
        for answer in [says_all(&mut plain, &said).await, says_all(&mut stream, &said).await] {
            assert_eq!(answer.split(' ').nth(1), Some(status), "{:.60}: {answer}", said);
        }
    }
}

async fn says_all(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), said: &str) -> String {
    stream.write_all(said.as_bytes()).await.expect("all of it is taken");
    stream.flush().await.expect("all of it is taken");
    heard(stream).await
}
