//! What waits to be sent on one connection: bounded, and closed rather than filled beyond its bounds.

use super::message::Message;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio_util::sync::CancellationToken;

/// A message and the stream that it comes by, as a JSON list.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    pub(super) stream: Arc<str>,
    pub(super) message: Arc<Message>,
}

/// How much may wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) messages: usize,
    pub(super) bytes: usize,
}

#[derive(Debug)]
pub(super) struct Outbox {
    room: Room,
    waiting: Mutex<Waiting>,
    bell: tokio::sync::Notify,
    closed: CancellationToken,
}

#[derive(Debug, Default)]
struct Waiting {
    messages: VecDeque<Outgoing>,
    bytes: usize,
}

impl Outbox {
    pub(super) fn new(room: Room) -> Self {
        Self { room, waiting: Mutex::default(), bell: tokio::sync::Notify::new(), closed: CancellationToken::new() }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a message. Without room for it the outbox closes instead: false, told once.
    pub(super) fn push(&self, outgoing: Outgoing) -> bool {
        let mut waiting = self.waiting();
        if self.closed.is_cancelled() {
            return true;
        }
        let bytes = waiting.bytes + outgoing.message.weight();
        let full = waiting.messages.len() >= self.room.messages || bytes > self.room.bytes;
        // One message alone always fits, however large.
        if full && !waiting.messages.is_empty() {
            drop(waiting);
            self.close();
            return false;
        }
        waiting.bytes = bytes;
        waiting.messages.push_back(outgoing);
        drop(waiting);
        self.bell.notify_one();
        true
    }

    /// The next message; None once closed. For one task only.
    pub(super) async fn next(&self) -> Option<Outgoing> {
        loop {
            {
                let mut waiting = self.waiting();
                if let Some(outgoing) = waiting.messages.pop_front() {
                    waiting.bytes = waiting.bytes.saturating_sub(outgoing.message.weight());
                    return Some(outgoing);
                }
            }
            tokio::select! {
                () = self.bell.notified() => {}
                () = self.closed.cancelled() => return None,
            }
        }
    }

    /// Nothing more goes out: what waits is forgotten.
    pub(super) fn close(&self) {
        let mut waiting = self.waiting();
        self.closed.cancel();
        *waiting = Waiting::default();
    }

    /// Cancelled by [`Outbox::close`].
    pub(super) fn closed(&self) -> &CancellationToken {
        &self.closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outgoing(text: &str) -> Outgoing {
        Outgoing { stream: "[\"user\"]".into(), message: Message::new("delete", Some(text.into())) }
    }

    #[tokio::test]
    async fn order_is_kept_and_too_many_close() {
        let outbox = Outbox::new(Room { messages: 2, bytes: 1000 });
        assert!(outbox.push(outgoing("1")) && outbox.push(outgoing("2")));
        assert!(outbox.next().await.unwrap().message.lines().contains("data: 1"));
        assert!(outbox.push(outgoing("3")));
        assert!(!outbox.push(outgoing("4")), "the third that waits");
        assert!(outbox.closed().is_cancelled());
        assert!(outbox.next().await.is_none());
        assert!(outbox.push(outgoing("5")), "told once");
        assert!(outbox.next().await.is_none());
    }

    #[tokio::test]
    async fn bytes_count() {
        let outbox = Outbox::new(Room { messages: 100, bytes: 50 });
        let large = "x".repeat(200);
        assert!(outbox.push(outgoing(&large)), "one alone always fits");
        assert!(outbox.next().await.is_some());
        assert!(outbox.push(outgoing(&"x".repeat(30))));
        assert!(!outbox.push(outgoing(&"x".repeat(30))));
    }

    #[tokio::test]
    async fn who_waits_is_woken() {
        let outbox = Arc::new(Outbox::new(Room { messages: 2, bytes: 1000 }));
        let waiting = tokio::spawn({
            let outbox = outbox.clone();
            async move { (outbox.next().await.is_some(), outbox.next().await.is_some()) }
        });
        tokio::task::yield_now().await;
        outbox.push(outgoing("1"));
        tokio::task::yield_now().await;
        outbox.close();
        assert_eq!(waiting.await.unwrap(), (true, false));
    }
}
