//! A name service that says what it is told, and servers where it leads to: some answer, some are silent.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

/// Says of every name what it was told last.
#[derive(Clone, Default)]
pub struct Told(Arc<Mutex<Vec<SocketAddr>>>);

impl Told {
    pub fn tell(&self, addresses: &[SocketAddr]) {
        *self.0.lock().unwrap() = addresses.to_vec();
    }
}

impl Resolve for Told {
    fn resolve(&self, _: Name) -> Resolving {
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
pub struct Server {
    pub address: SocketAddr,
    task: AbortHandle,
}

impl Server {
    pub async fn start(address: &str, word: &'static str) -> Server {
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

/// Takes no connection and refuses none, as a network does that loses what is sent.
pub async fn silent(address: SocketAddr) -> (TcpListener, Vec<TcpStream>) {
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
