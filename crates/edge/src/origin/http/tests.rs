//! What names lead to, while it changes and while a part of it does not answer.

use super::*;
use crate::origin::Asked;
use futures_util::TryStreamExt as _;
use reqwest::dns::{Addrs, Resolve, Resolving};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Instant;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

/// A name service that says of every name what it was told last.
#[derive(Clone, Default)]
struct Names(Arc<Mutex<Vec<SocketAddr>>>);

impl Names {
    fn tell(&self, addresses: &[SocketAddr]) {
        *self.0.lock().unwrap() = addresses.to_vec();
    }
}

impl Resolve for Names {
    fn resolve(&self, _: reqwest::dns::Name) -> Resolving {
        let known = self.0.lock().unwrap().clone();
        Box::pin(async move {
            if known.is_empty() {
                return Err("no such name".into());
            }
            let addresses: Addrs = Box::new(known.into_iter());
            Ok(addresses)
        })
    }
}

/// A web server that answers everything with its word and keeps connections. Dropped, it is gone with all of them.
struct Server {
    address: SocketAddr,
    task: AbortHandle,
}

impl Server {
    async fn start(address: &str, word: &'static str) -> Server {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepting = async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.spawn(serve(stream, word));
            }
        };
        Server { address, task: tokio::spawn(accepting).abort_handle() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, word: &str) {
    let mut heard = Vec::new();
    while let Ok(1..) = stream.read_buf(&mut heard).await {
        if heard.ends_with(b"\r\n\r\n") {
            heard.clear();
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{word}", word.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    }
}

/// An origin that goes by a name, with connections that are kept for so long.
fn origin(names: &Names, pool_idle: Duration) -> Http {
    let config: HttpOrigin = toml::from_str("url = \"http://media.test\"\nconnect_timeout = \"10 s\"").unwrap();
    let builder = plain(&config).dns_resolver(Arc::new(names.clone())).pool_idle_timeout(pool_idle);
    let manners = Manners { via: "noren-test".into(), ..Manners::default() };
    Http::with(builder, &config, (&manners, Duration::from_secs(20))).unwrap()
}

/// The word of whichever server answers.
async fn ask(origin: &Http) -> Result<String, Failure> {
    let asked = Asked::of_key("/a.png").unwrap();
    let want = Want { slice: 0..TO_THE_END, validators: None, has_copy: false };
    match origin.ask(&Order { asked: &asked, want: &want, hops: "" }).await? {
        Found::Absent => panic!("it is there"),
        Found::Reply(reply) => {
            let pieces: Vec<_> = reply.body.try_collect().await?;
            Ok(String::from_utf8(pieces.concat()).unwrap())
        }
    }
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_is_followed_without_a_restart() {
    let names = Names::default();
    let origin = origin(&names, POOL_IDLE);
    assert!(matches!(ask(&origin).await, Err(Failure::Unreachable(_))), "a name that is not there yet");
    for (address, word) in [("127.0.0.1:0", "old"), ("127.0.0.1:0", "new"), ("[::1]:0", "newest")] {
        let server = Server::start(address, word).await;
        names.tell(&[server.address]);
        for _ in 0..3 {
            assert_eq!(ask(&origin).await.unwrap(), word);
        }
        // The server goes, and with it the connection to it.
        drop(server);
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(matches!(ask(&origin).await, Err(Failure::Unreachable(_))), "{word} is gone");
    }
}

#[tokio::test]
async fn an_old_address_that_still_answers_is_left_when_its_connections_have_rested() {
    let (names, rest) = (Names::default(), Duration::from_millis(200));
    let origin = origin(&names, rest);
    let old = Server::start("127.0.0.1:0", "old").await;
    let new = Server::start("127.0.0.1:0", "new").await;
    names.tell(&[old.address]);
    assert_eq!(ask(&origin).await.unwrap(), "old");
    names.tell(&[new.address]);
    tokio::time::sleep(2 * rest).await;
    assert_eq!(ask(&origin).await.unwrap(), "new");
}

/// Takes no connection and refuses none, as a network does that loses what is sent.
async fn silent(address: SocketAddr) -> (TcpListener, Vec<TcpStream>) {
    let socket = if address.is_ipv6() { TcpSocket::new_v6() } else { TcpSocket::new_v4() }.unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address).unwrap();
    let listener = socket.listen(1).unwrap();
    let mut waiting = Vec::new();
    // When as many wait as may, the others hear nothing.
    while let Ok(stream) = tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(address)).await {
        waiting.push(stream.unwrap());
        assert!(waiting.len() < 20, "nobody is kept waiting");
    }
    (listener, waiting)
}

#[tokio::test]
async fn a_family_of_addresses_that_does_not_answer_holds_nobody_up() {
    let mut words = HashSet::new();
    for (good, dead) in [("127.0.0.1", "[::1]"), ("[::1]", "127.0.0.1")] {
        let server = Server::start(&format!("{good}:0"), if good == "[::1]" { "six" } else { "four" }).await;
        let dead: SocketAddr = format!("{dead}:{}", server.address.port()).parse().unwrap();
        let _silent = silent(dead).await;
        for addresses in [[dead, server.address], [server.address, dead]] {
            let names = Names::default();
            names.tell(&addresses);
            let started = Instant::now();
            words.insert(ask(&origin(&names, POOL_IDLE)).await.unwrap());
            assert!(started.elapsed() < Duration::from_secs(3), "{addresses:?}: {:?}", started.elapsed());
        }
    }
    assert_eq!(words.len(), 2);
}

/// And one that refuses.
#[tokio::test]
async fn either_family_of_addresses_will_do() {
    for (here, word) in [("127.0.0.1:0", "four"), ("[::1]:0", "six")] {
        let server = Server::start(here, word).await;
        let names = Names::default();
        names.tell(&["[::1]", "127.0.0.1"].map(|ip| format!("{ip}:{}", server.address.port()).parse().unwrap()));
        assert_eq!(ask(&origin(&names, POOL_IDLE)).await.unwrap(), word);
    }
}

#[test]
fn places_of_parts() {
    for (text, expected) in [
        ("bytes 0-9/10", Some((0, Some(10)))),
        ("bytes 5-9/*", Some((5, None))),
        ("bytes 0-10/10", None),
        ("bytes 9-5/10", None),
        ("bytes */10", None),
        ("bytes=0-9/10", None),
        ("items 0-9/10", None),
        ("", None),
    ] {
        assert_eq!(content_range(text), expected, "{text}");
    }
}
