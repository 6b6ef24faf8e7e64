//! A server that does as it is told, right or wrong: answers are texts, written as they are.

use media::s3::{Bucket, S3Config};
use media::values::Period;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What one request is answered with.
pub enum Reaction {
    /// These bytes; the connection stays open for the next request.
    Say(Vec<u8>),
    /// These bytes, then the connection is cut.
    SayAndCut(Vec<u8>),
    /// These bytes, then nothing more.
    SayAndHang(Vec<u8>),
    /// This head, then XML without an end.
    Flood(Vec<u8>),
}

/// The server; keeps the heads of all requests.
pub struct Broken {
    pub bucket: Bucket,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Broken {
    /// Answers one request after the other; the last answer is not repeated: more requests get 599.
    pub async fn start(reactions: Vec<Reaction>) -> Broken {
        Broken::start_with(reactions, |_| {}).await
    }

    pub async fn start_with(reactions: Vec<Reaction>, change: impl FnOnce(&mut S3Config)) -> Broken {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut config = crate::server::config(&format!("http://{}", listener.local_addr().unwrap()));
        config.answer_timeout = Period(Duration::from_millis(400));
        config.idle_timeout = Period(Duration::from_millis(400));
        change(&mut config);
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (seen, reactions) = (heads.clone(), Arc::new(Mutex::new(VecDeque::from(reactions))));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, seen.clone(), reactions.clone()));
            }
        });
        Broken { bucket: Bucket::open(&config).unwrap(), heads }
    }

    /// The request lines and headers so far.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.heads.lock().unwrap().len()
    }
}

async fn serve(mut socket: TcpStream, seen: Arc<Mutex<Vec<String>>>, reactions: Arc<Mutex<VecDeque<Reaction>>>) {
    while let Some(head) = read_request(&mut socket).await {
        seen.lock().unwrap().push(head);
        let reaction = reactions.lock().unwrap().pop_front();
        match reaction.unwrap_or_else(|| Reaction::Say(answer(599, "", "unexpected"))) {
            Reaction::Say(bytes) => {
                let _ = socket.write_all(&bytes).await;
            }
            Reaction::SayAndCut(bytes) => {
                let _ = socket.write_all(&bytes).await;
                return;
            }
            Reaction::SayAndHang(bytes) => {
                let _ = socket.write_all(&bytes).await;
                tokio::time::sleep(Duration::from_secs(60)).await;
            }
            Reaction::Flood(bytes) => {
                let _ = socket.write_all(&bytes).await;
                let piece = "<Contents><Key>a</Key></Contents>".repeat(1000);
                // Ends when nobody reads any more.
                for _ in 0..3500 {
                    if socket.write_all(piece.as_bytes()).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

/// The head; the body is read and forgotten.
async fn read_request(socket: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    let end = loop {
        if let Some(at) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        let mut piece = [0; 4096];
        match socket.read(&mut piece).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => read.extend_from_slice(&piece[..count]),
        }
    };
    let head = String::from_utf8_lossy(&read[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let mut left = length.map_or(0, |length| length.trim().parse::<usize>().unwrap()) + end - read.len();
    while left > 0 {
        let mut piece = vec![0; left.min(65536)];
        match socket.read(&mut piece).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => left -= count,
        }
    }
    // With the query's case, for what is looked for in it.
    Some(String::from_utf8_lossy(&read[..end]).into_owned())
}

/// An answer with the right length.
pub fn answer(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} x\r\n{headers}Content-Length: {length}\r\n\r\n{body}").into_bytes()
}

pub fn say(status: u16, headers: &str, body: &str) -> Reaction {
    Reaction::Say(answer(status, headers, body))
}

/// A complaint in XML.
pub fn complain(status: u16, headers: &str, code: &str) -> Reaction {
    say(status, headers, &format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>m</Message></Error>"))
}
