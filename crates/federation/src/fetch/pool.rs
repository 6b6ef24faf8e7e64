//! Connections that wait for the next request to the same place: few, and not for long.

use super::target::Target;
use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Shorter than what servers usually wait.
const KEPT: Duration = Duration::from_secs(15);

pub(super) type Sender = SendRequest<Full<Bytes>>;

pub(super) struct Pool {
    /// The oldest first.
    idle: Mutex<VecDeque<Idle>>,
    most: usize,
}

struct Idle {
    target: Target,
    sender: Sender,
    since: Instant,
}

impl Pool {
    pub(super) fn new(most: usize) -> Self {
        Self { idle: Mutex::default(), most }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Idle>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|one| one.since.elapsed() < KEPT && !one.sender.is_closed());
        idle
    }

    /// The connection to `target` that was used last.
    pub(super) fn take(&self, target: &Target) -> Option<Sender> {
        let mut idle = self.lock();
        let at = idle.iter().rposition(|one| one.target == *target)?;
        idle.remove(at).map(|one| one.sender)
    }

    pub(super) fn put(&self, target: Target, sender: Sender) {
        let mut idle = self.lock();
        idle.push_back(Idle { target, sender, since: Instant::now() });
        while idle.len() > self.most {
            idle.pop_front();
        }
    }
}
