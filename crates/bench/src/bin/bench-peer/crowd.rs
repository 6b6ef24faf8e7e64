//! Sends requests that are ready, over several connections at once, and counts what is answered.

use super::actors::World;
use anyhow::Context as _;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

type Waiting = Arc<Mutex<VecDeque<Vec<u8>>>>;

/// `{seconds, count, statuses: {"202": n}, p50_ms, p99_ms}`.
pub(super) async fn send(world: &World, requests: Vec<Vec<u8>>, connections: usize) -> anyhow::Result<Value> {
    let addresses = world.inbox().socket_addrs(|| None)?;
    let count = requests.len();
    let waiting: Waiting = Arc::new(Mutex::new(requests.into()));
    let started = Instant::now();
    let mut senders = JoinSet::new();
    for _ in 0..connections.max(1) {
        let (waiting, socket) = (waiting.clone(), TcpStream::connect(addresses.as_slice()).await?);
        socket.set_nodelay(true)?;
        senders.spawn(one_after_another(socket, waiting));
    }
    let mut answers = Vec::with_capacity(count);
    while let Some(done) = senders.join_next().await {
        answers.extend(done??);
    }
    let seconds = started.elapsed().as_secs_f64();
    let mut statuses = BTreeMap::<String, usize>::new();
    for (status, _) in &answers {
        *statuses.entry(status.to_string()).or_default() += 1;
    }
    let mut times: Vec<Duration> = answers.into_iter().map(|(_, time)| time).collect();
    times.sort_unstable();
    let at = |share: usize| times.get(times.len() * share / 100).map(|time| time.as_secs_f64() * 1000.0);
    Ok(json!({"seconds": seconds, "count": count, "statuses": statuses, "p50_ms": at(50), "p99_ms": at(99)}))
}

async fn one_after_another(mut socket: TcpStream, waiting: Waiting) -> anyhow::Result<Vec<(u16, Duration)>> {
    let (mut answers, mut buffer) = (Vec::new(), Vec::new());
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some(request) = next else { return Ok(answers) };
        let started = Instant::now();
        socket.write_all(&request).await?;
        let status = answer(&mut socket, &mut buffer).await?;
        answers.push((status, started.elapsed()));
    }
}

/// Reads one answer whole; its status.
async fn answer(socket: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<u16> {
    buffer.clear();
    loop {
        let end = buffer.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            let head = std::str::from_utf8(&buffer[..end])?.to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(Ok(0), |text| text.trim().parse())?;
            if buffer.len() >= end + 4 + length {
                return Ok(head.split(' ').nth(1).context("no status")?.parse()?);
            }
        }
        anyhow::ensure!(socket.read_buf(buffer).await? > 0, "the server has hung up");
    }
}
