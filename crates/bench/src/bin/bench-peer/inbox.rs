//! What Noren brings: counted, and answered as a good, a slow or a dead host does.

use super::actors::World;
use super::{Answer, Peer, crowd, plain};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a slow host thinks.
const SLOW: Duration = Duration::from_secs(8);
/// Longer than anybody waits.
const DEAD: Duration = Duration::from_secs(600);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Health {
    Slow,
    Dead,
}

#[derive(Default)]
pub(super) struct Inbox(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    sick: HashMap<String, Health>,
    good: usize,
    slow: usize,
    /// Tried at dead hosts, in vain.
    dead: usize,
    began: Option<Instant>,
    /// Until the last of the good ones.
    took: Duration,
    follows: usize,
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counting begins now; the first hosts are `dead`, those after them `slow`.
    pub(super) fn expect(&self, world: &World, dead: usize, slow: usize) {
        let mut counts = self.lock();
        let sick = (0..dead + slow).map(|n| (world.host(n), if n < dead { Health::Dead } else { Health::Slow }));
        *counts =
            Counts { sick: sick.collect(), began: Some(Instant::now()), follows: counts.follows, ..Counts::default() };
    }

    pub(super) fn arrived(&self) -> Value {
        let counts = self.lock();
        json!({"good": counts.good, "slow": counts.slow, "dead": counts.dead, "good_seconds": counts.took.as_secs_f64(),
               "follows": counts.follows})
    }

    fn count(&self, host: &str) -> Option<Health> {
        let mut counts = self.lock();
        let health = counts.sick.get(host).copied();
        match health {
            None => {
                counts.good += 1;
                counts.took = counts.began.map(|began| began.elapsed()).unwrap_or_default();
            }
            Some(Health::Slow) => counts.slow += 1,
            Some(Health::Dead) => counts.dead += 1,
        }
        health
    }
}

/// A delivery. Who is followed accepts; who is told anything else says thanks.
pub(super) async fn take(peer: &Arc<Peer>, host: &str, request: Request<Incoming>) -> anyhow::Result<Answer> {
    let number = request.uri().path().trim_start_matches("/users/a").split('/').next().and_then(|n| n.parse().ok());
    let body: Bytes = request.into_body().collect().await?.to_bytes();
    let activity: Value = serde_json::from_slice(&body)?;
    if let ("Follow", Some(number)) = (activity["type"].as_str().unwrap_or_default(), number) {
        peer.inbox.lock().follows += 1;
        let (peer, accept) = (peer.clone(), peer.world.accept(number, &activity)?);
        tokio::spawn(async move { crowd::send(&peer.world, vec![accept], 1).await.map(drop) });
        return Ok(plain(StatusCode::ACCEPTED, String::new()));
    }
    if activity["type"] == "Create" {
        match peer.inbox.count(host) {
            Some(Health::Slow) => tokio::time::sleep(SLOW).await,
            Some(Health::Dead) => tokio::time::sleep(DEAD).await,
            None => {}
        }
    }
    Ok(plain(StatusCode::ACCEPTED, String::new()))
}
