//! How many may listen, how much may wait for each of them, and how often signs of life are exchanged.

use documented::{Documented, DocumentedFields};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Live updates to clients, over WebSocket and server-sent events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct StreamingConfig {
    /// Connections open at once; whoever comes after that is told to try again.
    pub max_connections: usize,
    /// Connections of one account open at once.
    pub max_connections_per_account: usize,
    /// Streams that one connection may listen to.
    pub max_subscriptions: usize,
    /// Messages that may wait for a slow client; one more closes its connection.
    pub queue_messages: usize,
    /// Bytes that may wait for a slow client.
    pub queue_bytes: usize,
}

impl Default for StreamingConfig {
    fn default() -> Self {
        Self {
            max_connections: 2048,
            max_connections_per_account: 50,
            max_subscriptions: 50,
            queue_messages: 128,
            queue_bytes: 1 << 20,
        }
    }
}

/// Intervals, which only tests change.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Between pings of a WebSocket; without a pong until the next it is dropped. Also how long one message may take to
    /// be written.
    pub ping: Duration,
    /// Between comment lines of server-sent events.
    pub thump: Duration,
    /// Between looks whether a token is still good. Revoking one closes its connections at once; this is for what
    /// another process did.
    pub recheck: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self { ping: Duration::from_secs(30), thump: Duration::from_secs(15), recheck: Duration::from_secs(5 * 60) }
    }
}
