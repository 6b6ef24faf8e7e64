//! What changes while requests go on.

use crate::ports::free_port;
use crate::support::{
    Certified, PATIENCE, Running, encrypt, get_request, heard, is_closed, plain, router, until, write,
};
use edge::server::{Server, Setup, Sockets};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn the_next_request_meets_the_new_router() {
    let listen = vec![plain("127.0.0.1:0")];
    let server = Running::start(listen.clone(), |_| {});
    let mut stream = server.connect().await;
    let ask = async |stream: &mut TcpStream, path: &str| {
        stream.write_all(get_request(path, "").as_bytes()).await.unwrap();
        heard(stream).await
    };
    assert!(ask(&mut stream, "/name").await.ends_with("one"));
    let mut busy = server.connect().await;
    busy.write_all(get_request("/slow", "").as_bytes()).await.unwrap();
    server.slow_begun(1).await;
    let before = server.address();
    server.server.reload(Setup::http(listen, router("two", &server.asked))).unwrap();
    assert_eq!(server.address(), before, "the socket stays");
    assert!(ask(&mut stream, "/name").await.ends_with("two"), "on a connection from before");
    assert!(ask(&mut server.connect().await, "/name").await.ends_with("two"));
    assert!(heard(&mut busy).await.ends_with("slow"), "what had begun is finished");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_lost_by_reloads() {
    let listen = vec![plain("127.0.0.1:0")];
    let server = Running::start(listen.clone(), |_| {});
    let (address, over) = (server.address(), Arc::new(AtomicBool::new(false)));
    let counts: Arc<[AtomicUsize; 4]> = Arc::default();
    let clients: Vec<_> = (0..counts.len())
        .map(|number| {
            let (over, counts) = (over.clone(), counts.clone());
            tokio::spawn(async move {
                while !over.load(Ordering::SeqCst) {
                    let mut stream = TcpStream::connect(address).await.unwrap();
                    stream.write_all(get_request("/name", "connection: close\r\n").as_bytes()).await.unwrap();
                    assert!(heard(&mut stream).await.starts_with("HTTP/1.1 200"));
                    counts[number].fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    let (started, mut reloads) = (Instant::now(), 0);
    while reloads < 30 || counts.iter().any(|count| count.load(Ordering::SeqCst) <= 10) {
        assert!(started.elapsed() < PATIENCE, "{reloads} reloads, {counts:?} requests");
        server.server.reload(Setup::http(listen.clone(), router("two", &server.asked))).unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        reloads += 1;
    }
    over.store(true, Ordering::SeqCst);
    for client in clients {
        client.await.unwrap();
    }
}

#[tokio::test]
async fn addresses_come_and_go() {
    let server = Running::start(vec![plain("127.0.0.1:0")], |_| {});
    let (first, second) = (server.address(), format!("127.0.0.1:{}", free_port()));
    let setup = |listen| Setup::http(listen, router("two", &server.asked));
    server.server.reload(setup(vec![plain(&second)])).unwrap();
    assert_eq!(server.address().to_string(), second);
    assert!(server.say(get_request("/name", "").as_bytes()).await.contains("two"));
    until("the first one is closed", async || TcpStream::connect(first).await.is_err()).await;
    // The same address may speak another way.
    let mut config = plain(&second);
    config.proxy_protocol = vec!["127.0.0.1".parse().unwrap()];
    server.server.reload(setup(vec![config])).unwrap();
    until("it speaks another way", async || server.say(get_request("/name", "").as_bytes()).await.is_empty()).await;
    assert!(server.say(format!("PROXY UNKNOWN\r\n{}", get_request("/name", "")).as_bytes()).await.contains("two"));
}

#[tokio::test]
async fn what_is_wrong_changes_nothing() {
    let certified = Certified::new(&[&["a.example"]]);
    let listen = vec![plain("127.0.0.1:0")];
    let server = Running::start(listen.clone(), |_| {});
    let taken = Sockets::default().bind(&[plain("127.0.0.1:0")]).unwrap();
    let mut setup = Setup::http(listen, router("two", &server.asked));
    setup.listen.push(plain(&taken.addresses()[0].to_string()));
    assert!(server.server.reload(setup.clone()).unwrap_err().to_string().contains("in use"));
    setup.listen.truncate(1);
    setup.tls.certificates.clone_from(&certified.files);
    setup.tls.certificates[0].key = "/nowhere/key.pem".into();
    assert!(server.server.reload(setup).is_err());
    assert!(server.say(get_request("/name", "").as_bytes()).await.ends_with("one"));
}

#[tokio::test]
async fn certificates_are_exchanged_while_connections_go_on() {
    let mut certified = Certified::new(&[&["a.example"]]);
    let server = certified.start(|_| {});
    let ask = async |certified: &Certified, name: &str| {
        let mut stream = encrypt(server.connect().await, certified.client(), name, &[]).await?;
        stream.write_all(get_request("/name", "").as_bytes()).await?;
        std::io::Result::Ok((heard(&mut stream).await, stream))
    };
    let (text, mut old) = ask(&certified, "a.example").await.unwrap();
    assert!(text.ends_with("one"));
    let files = &certified.files[0];
    certified.roots.add(write(&["b.example"], &files.chain, &files.key)).unwrap();
    let mut setup =
        Setup::http(vec![crate::support::listen(edge::server::config::Serve::Https)], router("two", &server.asked));
    setup.tls.certificates.clone_from(&certified.files);
    server.server.reload(setup).unwrap();
    assert!(ask(&certified, "a.example").await.is_err());
    assert!(ask(&certified, "b.example").await.unwrap().0.ends_with("two"));
    old.write_all(get_request("/name", "").as_bytes()).await.unwrap();
    assert!(heard(&mut old).await.ends_with("two"));
}

/// The sockets of one server serve in the next one, and nobody is refused in between.
#[tokio::test]
async fn sockets_are_handed_on() {
    let listen = vec![plain("127.0.0.1:0")];
    let old = Running::start(listen, |_| {});
    let address = old.address();
    let sockets = Sockets::of(old.server.sockets().unwrap()).unwrap();
    old.stop.cancel();
    old.server.finished().await;
    let mut waiting = TcpStream::connect(address).await.unwrap();
    waiting.write_all(get_request("/name", "").as_bytes()).await.unwrap();
    let setup = Setup::http(vec![plain(&address.to_string())], router("two", &old.asked));
    let stop = CancellationToken::new();
    let new = Server::start(setup, sockets, stop.clone()).unwrap();
    assert!(heard(&mut waiting).await.ends_with("two"));
    stop.cancel();
    new.finished().await;
}

/// A request that meets a hand-over on a connection that is kept open is answered, and told that it is the last one.
#[tokio::test]
async fn kept_connections_outlive_a_hand_over_by_a_request() {
    let old = Running::start(vec![plain("127.0.0.1:0")], |_| {});
    let (mut idle, mut busy, mut silent) = (old.connect().await, old.connect().await, old.connect().await);
    for stream in [&mut idle, &mut silent] {
        stream.write_all(get_request("/name", "").as_bytes()).await.unwrap();
        assert!(heard(stream).await.ends_with("one"));
    }
    busy.write_all(get_request("/slow", "").as_bytes()).await.unwrap();
    old.slow_begun(1).await;
    let sockets = old.server.sockets().unwrap();
    old.stop.cancel();
    tokio::time::sleep(Duration::from_millis(100)).await;
    idle.write_all(get_request("/name", "").as_bytes()).await.unwrap();
    for (stream, end) in [(&mut idle, "one"), (&mut busy, "slow")] {
        let text = heard(stream).await;
        assert!(text.to_lowercase().contains("connection: close") && text.ends_with(end), "{text}");
        assert!(is_closed(stream).await);
    }
    assert!(is_closed(&mut silent).await);
    tokio::time::timeout(PATIENCE, old.server.finished()).await.unwrap();
    drop(sockets);
}

/// Where nobody goes on, what is idle does not keep the process.
#[tokio::test]
async fn a_stop_waits_for_no_idle_connection() {
    let server = Running::start(vec![plain("127.0.0.1:0")], |_| {});
    let mut idle = server.connect().await;
    idle.write_all(get_request("/name", "").as_bytes()).await.unwrap();
    assert!(heard(&mut idle).await.ends_with("one"));
    let started = Instant::now();
    server.stop.cancel();
    server.server.finished().await;
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
}
