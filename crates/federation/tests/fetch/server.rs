//! A server on loopback that says exactly what a test wants, right or wrong.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use federation::documents::CONTENT_TYPE;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::sleep;
use url::Url;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Asked {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// What the server does with a request.
pub enum Says {
    /// These bytes; the connection stays.
    Bytes(Vec<u8>),
    /// These bytes after a while.
    Later(Duration, Vec<u8>),
    /// These bytes, and then the connection is closed.
    Closing(Vec<u8>),
    /// A head, and then one byte after the other.
    Drip(Vec<u8>),
    /// A head, and then chunks without end.
    Endless(Vec<u8>),
}

pub fn answer(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Says {
    let mut out = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        out.push_str(&format!("{name}: {value}\r\n"));
    }
    out.push_str("\r\n");
    Says::Bytes([out.as_bytes(), body].concat())
}

pub fn document(body: &str) -> Says {
    answer("200 OK", &[("content-type", CONTENT_TYPE)], body.as_bytes())
}

pub fn redirect(to: &str) -> Says {
    answer("302 Found", &[("location", to)], b"")
}

pub struct Server {
    pub address: SocketAddr,
    pub asked: Arc<Mutex<Vec<Asked>>>,
    pub connections: Arc<AtomicUsize>,
}

impl Server {
    /// Listens on `ip`; the handler is told the server's own address.
    pub async fn start(ip: &str, handler: impl Fn(&Asked, &str) -> Says + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((ip.parse::<IpAddr>().unwrap(), 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Self { address, asked: Arc::default(), connections: Arc::default() };
        let (asked, connections) = (server.asked.clone(), server.connections.clone());
        let handler = Arc::new(handler);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let (asked, handler) = (asked.clone(), handler.clone());
                tokio::spawn(async move { converse(stream, &asked, |it| handler(it, &base(address))).await });
            }
        });
        server
    }

    pub fn base(&self) -> String {
        base(self.address)
    }

    pub fn url(&self, path: &str) -> Url {
        Url::parse(&format!("{}{path}", self.base())).unwrap()
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn base(address: SocketAddr) -> String {
    format!("http://{address}")
}

pub async fn converse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    asked: &Mutex<Vec<Asked>>,
    handler: impl Fn(&Asked) -> Says,
) {
    while let Some(request) = read(&mut stream).await {
        asked.lock().unwrap().push(request.clone());
        let sent = match handler(&request) {
            Says::Bytes(bytes) => stream.write_all(&bytes).await,
            Says::Later(wait, bytes) => {
                sleep(wait).await;
                stream.write_all(&bytes).await
            }
            Says::Closing(bytes) => {
                let _ = stream.write_all(&bytes).await;
                return;
            }
            Says::Drip(head) => {
                let mut sent = stream.write_all(&head).await;
                while sent.is_ok() {
                    sleep(Duration::from_millis(20)).await;
                    sent = stream.write_all(b" ").await;
                }
                sent
            }
            Says::Endless(head) => {
                let mut sent = stream.write_all(&head).await;
                let chunk = [b"8000\r\n".as_slice(), &[b' '; 0x8000], b"\r\n"].concat();
                while sent.is_ok() {
                    sent = stream.write_all(&chunk).await;
                }
                sent
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Asked> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap().split(' ');
    let (method, uri) = (first.next().unwrap().parse().unwrap(), first.next().unwrap().parse().unwrap());
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    let length = headers.get("content-length").map_or(0, |value| value.to_str().unwrap().parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Asked { method, uri, headers, body })
}
