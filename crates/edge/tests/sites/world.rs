//! An edge, its origins, and a client that sends exactly the bytes it is told to.

use edge::config::EdgeConfig;
use edge::server::config::ListenConfig;
use edge::server::{Server, Setup, Sockets};
use edge::{Edge, Status};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio_util::sync::CancellationToken;

/// An edge that runs, with an empty cache.
pub struct World {
    pub folder: TempDir,
    pub edge: Edge,
    pub address: SocketAddr,
    stop: CancellationToken,
}

impl World {
    /// `sites` is TOML; `{here}` in it is a folder of this world's own.
    pub async fn new(sites: &str) -> World {
        let folder = tempfile::tempdir().unwrap();
        let config = config(sites, folder.path());
        let edge = Edge::open(&config).unwrap();
        let stop = CancellationToken::new();
        let listen = vec![ListenConfig::http("127.0.0.1:0".parse().unwrap())];
        let server = Server::start(Setup::http(listen, edge.router()), Sockets::default(), stop.clone()).unwrap();
        let address = server.addresses()[0];
        World { folder, edge, address, stop }
    }

    pub fn reload(&self, sites: &str) {
        self.edge.reload(&config(sites, self.folder.path())).unwrap();
    }

    pub fn status(&self) -> Status {
        self.edge.status()
    }

    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Until what was fetched is kept: who asks before that is given what is on its way.
    pub async fn settled(&self) {
        for _ in 0..3000 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if self.status().cached("fills_now") == 0 {
                return;
            }
        }
        panic!("what is fetched does not end");
    }

    /// GET of a path on a host.
    pub async fn get(&self, host: &str, path: &str) -> Answer {
        self.ask(host, path, "").await
    }

    /// The same with more lines in the head, each with its line break.
    pub async fn ask(&self, host: &str, path: &str, lines: &str) -> Answer {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{lines}\r\n").as_bytes()).await
    }

    /// Any bytes on a connection of their own, until it closes or nothing comes for a while.
    pub async fn send(&self, bytes: &[u8]) -> Answer {
        talk(self.address, bytes).await
    }
}

/// A request to any server.
pub async fn ask(address: (&str, u16), request: &str) -> Answer {
    talk(address, request.as_bytes()).await
}

async fn talk(address: impl ToSocketAddrs, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    Answer::read(stream).await
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn config(sites: &str, folder: &Path) -> EdgeConfig {
    let here = folder.to_str().unwrap();
    // A text may end with settings of the cache.
    let (sites, cache) = sites.split_once("[cache]\n").unwrap_or((sites, ""));
    let sites = sites.replace("{here}", here);
    let text = format!("{sites}\n[cache]\npath = \"{here}/cache\"\nmin_free = \"0 B\"\n{cache}");
    // Tables of sites come first in the tests' texts; TOML wants [cache] anywhere.
    EdgeConfig::parse(&text, "edge.toml").unwrap()
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
    /// As much came as was announced.
    pub whole: bool,
}

impl Answer {
    pub async fn read(mut stream: impl AsyncRead + Unpin) -> Answer {
        let (mut bytes, mut piece) = (Vec::new(), vec![0; 64 * 1024]);
        while let Ok(Ok(count @ 1..)) = tokio::time::timeout(Duration::from_secs(30), stream.read(&mut piece)).await {
            bytes.extend_from_slice(&piece[..count]);
        }
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(bytes.len());
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let body = bytes.get(end + 4..).unwrap_or_default().to_vec();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let mut answer = Answer { status, head, body, whole: true };
        let length = answer.header("content-length").parse::<usize>();
        if answer.header("transfer-encoding") == "chunked" {
            let (body, whole) = unchunked(&answer.body);
            (answer.body, answer.whole) = (body, whole);
        } else if let Ok(length) = length {
            answer.whole = answer.body.len() == length;
        }
        answer
    }

    /// Empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value.trim())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn unchunked(mut bytes: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(end) = bytes.windows(2).position(|window| window == b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap(), 16).unwrap();
        let Some(chunk) = bytes.get(end + 2..end + 2 + length) else { break };
        if length == 0 {
            return (body, true);
        }
        body.extend_from_slice(chunk);
        bytes = bytes.get(end + 4 + length..).unwrap_or_default();
    }
    (body, false)
}

/// A web server that answers with whatever bytes it is told to, and remembers what it was asked.
#[derive(Clone)]
pub struct Origin {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    script: Arc<Mutex<Script>>,
}

type Script = Box<dyn Fn(&str) -> Reply + Send>;

/// What an origin does with a request.
pub enum Reply {
    /// These bytes, then the connection closes.
    Bytes(Vec<u8>),
    /// The same after a while.
    Late(Duration, Vec<u8>),
    /// These bytes, then nothing more for ever.
    Stuck(Vec<u8>),
}

impl Origin {
    /// `script` gets the whole head of each request.
    pub async fn new(script: impl Fn(&str) -> Reply + Send + 'static) -> Origin {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = Origin {
            address: listener.local_addr().unwrap(),
            asked: Arc::default(),
            script: Arc::new(Mutex::new(Box::new(script))),
        };
        tokio::spawn(origin.clone().accept(listener));
        origin
    }

    /// One that has these files, by path, and honours ranges and conditions.
    pub async fn with(files: &'static [(&'static str, &'static str, &'static [u8])]) -> Origin {
        Origin::new(move |head| file(files, head)).await
    }

    /// Behaves otherwise from now on.
    pub fn becomes(&self, script: impl Fn(&str) -> Reply + Send + 'static) {
        *self.script.lock().unwrap() = Box::new(script);
    }

    /// The heads of all requests so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// The first lines of all requests so far, without the version.
    pub fn paths(&self) -> Vec<String> {
        let path = |head: &String| head.split(' ').nth(1).unwrap_or_default().to_owned();
        self.asked().iter().map(path).collect()
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    async fn accept(self, listener: TcpListener) {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(self.clone().serve(stream));
        }
    }

    async fn serve(self, mut stream: TcpStream) {
        let (mut head, mut piece) = (Vec::new(), [0; 4096]);
        while !head.windows(4).any(|window| window == b"\r\n\r\n") {
            match stream.read(&mut piece).await {
                Ok(count @ 1..) => head.extend_from_slice(&piece[..count]),
                _ => return,
            }
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        self.asked.lock().unwrap().push(head.clone());
        let reply = self.script.lock().unwrap()(&head);
        match reply {
            Reply::Bytes(bytes) => {
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
            }
            Reply::Late(delay, bytes) => {
                tokio::time::sleep(delay).await;
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
            }
            Reply::Stuck(bytes) => {
                let _ = stream.write_all(&bytes).await;
                tokio::time::sleep(Duration::from_secs(600)).await;
            }
        }
    }
}

/// A header of a request, by its name in lower case.
pub fn sent<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// A whole answer with more lines in its head, each with its line break.
pub fn reply(status: &str, lines: &str, body: &[u8]) -> Reply {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{lines}\r\n");
    Reply::Bytes([head.as_bytes(), body].concat())
}

fn file(files: &[(&str, &str, &'static [u8])], head: &str) -> Reply {
    let path = head.split(' ').nth(1).unwrap_or_default();
    let Some((_, kind, bytes)) = files.iter().find(|(known, _, _)| *known == path) else {
        return reply("404 Not Found", "", b"no");
    };
    let lines =
        format!("Content-Type: {kind}\r\nETag: \"origin\"\r\nServer: secret\r\nSet-Cookie: a=b\r\nx-amz-id-2: c\r\n");
    if sent(head, "if-none-match") == Some("\"origin\"") {
        return reply("304 Not Modified", &lines, b"");
    }
    let range = sent(head, "range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let Some((first, last)) = range else { return reply("200 OK", &lines, bytes) };
    let (first, last): (usize, usize) =
        (first.parse().unwrap(), last.parse().unwrap_or(usize::MAX).min(bytes.len() - 1));
    if first > last {
        return reply("416 Range Not Satisfiable", &format!("Content-Range: bytes */{}\r\n", bytes.len()), b"");
    }
    let range = format!("{lines}Content-Range: bytes {first}-{last}/{}\r\n", bytes.len());
    reply("206 Partial Content", &range, &bytes[first..=last])
}
