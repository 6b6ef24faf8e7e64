//! Who listens to what: the connections that are open now, and the streams that each is subscribed to.

use super::{
    config::{StreamingConfig, Timing},
    message::Message,
    outbox::{Outbox, Outgoing, Room},
    topic::{Stream, Topic},
    who::Who,
};
use crate::http::{ApiError, ApiResult};
use domain::ids::{AccountId, ListId, TokenId};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

/// All open streams. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Streams(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: StreamingConfig,
    timing: Timing,
    table: Mutex<Table>,
    open: AtomicUsize,
    stop: CancellationToken,
    tracker: TaskTracker,
}

#[derive(Debug, Default)]
struct Table {
    last: u64,
    connections: HashMap<u64, Arc<Connection>>,
    topics: HashMap<Topic, HashMap<u64, Listener>>,
}

/// One connection, as those see it who have something to send.
#[derive(Debug)]
pub(super) struct Connection {
    id: u64,
    pub(super) who: Who,
    pub(super) outbox: Outbox,
}

/// A connection that is subscribed to a stream.
#[derive(Clone, Debug)]
pub(super) struct Listener {
    pub(super) connection: Arc<Connection>,
    stream: Arc<str>,
}

impl Listener {
    pub(super) fn account(&self) -> AccountId {
        self.connection.who.account
    }

    pub(super) fn send(&self, message: &Arc<Message>) {
        let outgoing = Outgoing { stream: self.stream.clone(), message: message.clone() };
        if !self.connection.outbox.push(outgoing) {
            tracing::debug!(account = %self.account(), "a stream was closed: its client does not keep up");
        }
    }
}

impl Streams {
    pub fn new(config: StreamingConfig) -> Self {
        Self::with_timing(config, Timing::default())
    }

    /// With other intervals, for tests.
    pub fn with_timing(config: StreamingConfig, timing: Timing) -> Self {
        Self(Arc::new(Inner {
            config,
            timing,
            table: Mutex::default(),
            open: AtomicUsize::new(0),
            stop: CancellationToken::new(),
            tracker: TaskTracker::new(),
        }))
    }

    /// Ends all streams, [`super::run`] too; new ones are refused.
    pub fn close(&self) {
        self.0.stop.cancel();
        self.0.tracker.close();
    }

    /// Returns when [`Streams::close`] was called and all connections have ended. They take a second at most.
    pub async fn closed(&self) {
        self.0.stop.cancelled().await;
        self.0.tracker.wait().await;
    }

    /// Connections that are open now.
    pub fn open(&self) -> usize {
        self.0.open.load(Ordering::Relaxed)
    }

    pub(super) fn stopping(&self) -> &CancellationToken {
        &self.0.stop
    }

    pub(super) fn timing(&self) -> Timing {
        self.0.timing
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A seat for one more connection: 503 when all are taken or the server stops, 429 when this account has its share.
    pub(super) fn seat(&self, who: Who) -> ApiResult<Seat> {
        let config = &self.0.config;
        let mut table = self.table();
        if self.0.stop.is_cancelled() || table.connections.len() >= config.max_connections {
            return Err(ApiError::busy(Duration::from_secs(30)));
        }
        let theirs = table.connections.values().filter(|c| c.who.account == who.account).count();
        if theirs >= config.max_connections_per_account {
            return Err(ApiError::too_many_requests());
        }
        table.last += 1;
        let room = Room { messages: config.queue_messages, bytes: config.queue_bytes };
        let connection = Arc::new(Connection { id: table.last, who, outbox: Outbox::new(room) });
        table.connections.insert(connection.id, connection.clone());
        self.0.open.store(table.connections.len(), Ordering::Relaxed);
        drop(table);
        Ok(Seat { tracked: self.0.tracker.token(), streams: self.clone(), connection, topics: Vec::new() })
    }

    /// Closes what was opened with a token.
    pub(super) fn close_token(&self, token: TokenId) {
        for connection in self.table().connections.values().filter(|c| c.who.token == token) {
            connection.outbox.close();
        }
    }

    /// Those who listen to any of `topics`. Who listens to several is there several times.
    pub(super) fn listeners(&self, topics: &[Topic]) -> Vec<Listener> {
        let table = self.table();
        topics.iter().filter_map(|topic| table.topics.get(topic)).flat_map(HashMap::values).cloned().collect()
    }

    /// Lists that somebody listens to.
    pub(super) fn lists(&self) -> Vec<ListId> {
        let list = |topic: &Topic| match topic {
            Topic::List(list) => Some(*list),
            _ => None,
        };
        self.table().topics.keys().filter_map(list).collect()
    }

    /// Accounts that listen to their home feed.
    pub(super) fn at_home(&self) -> Vec<AccountId> {
        let at_home = |topic: &Topic| match topic {
            Topic::User(account) => Some(*account),
            _ => None,
        };
        self.table().topics.keys().filter_map(at_home).collect()
    }

    /// Whether anybody listens where statuses come by.
    pub(super) fn wants_statuses(&self) -> bool {
        let other = |topic: &Topic| matches!(topic, Topic::Notifications(_) | Topic::Direct(_));
        !self.table().topics.keys().all(other)
    }

    pub(super) fn send(&self, topic: Topic, message: &Arc<Message>) {
        for listener in self.listeners(&[topic]) {
            listener.send(message);
        }
    }
}

/// The place of one open connection, given back when dropped.
#[derive(Debug)]
pub(super) struct Seat {
    streams: Streams,
    pub(super) connection: Arc<Connection>,
    topics: Vec<Topic>,
    #[allow(dead_code, reason = "held: the server waits for it when it stops")]
    tracked: TaskTrackerToken,
}

impl Seat {
    /// Listens to one more stream. Again is fine. 422 beyond the configured number.
    pub(super) fn subscribe(&mut self, stream: Stream) -> ApiResult<()> {
        if self.topics.contains(&stream.topic) {
            return Ok(());
        }
        if self.topics.len() >= self.streams.0.config.max_subscriptions {
            return Err(ApiError::unprocessable("Too many streams on one connection"));
        }
        let listener = Listener { connection: self.connection.clone(), stream: stream.name };
        let mut table = self.streams.table();
        table.topics.entry(stream.topic.clone()).or_default().insert(self.connection.id, listener);
        drop(table);
        self.topics.push(stream.topic);
        Ok(())
    }

    pub(super) fn unsubscribe(&mut self, topic: &Topic) {
        self.topics.retain(|t| t != topic);
        self.streams.table().leave(topic, self.connection.id);
    }
}

impl Table {
    fn leave(&mut self, topic: &Topic, id: u64) {
        if let Some(listeners) = self.topics.get_mut(topic) {
            listeners.remove(&id);
            if listeners.is_empty() {
                self.topics.remove(topic);
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut table = self.streams.table();
        for topic in &self.topics {
            table.leave(topic, self.connection.id);
        }
        table.connections.remove(&self.connection.id);
        self.streams.0.open.store(table.connections.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streaming::topic::Words;
    use domain::oauth::Scopes;

    fn who(account: i64) -> Who {
        Who {
            account: AccountId(account),
            token: TokenId(account),
            scopes: "read".parse::<Scopes>().unwrap(),
            bearer: "x".into(),
        }
    }

    fn stream(seat: &Seat, name: &str) -> Stream {
        let words = Words { tag: Some("cats"), list: None };
        Stream::find(name, words, (seat.connection.who.account, seat.connection.who.scopes)).unwrap()
    }

    #[test]
    fn seats_are_bounded_and_given_back() {
        let config = StreamingConfig { max_connections: 3, max_connections_per_account: 2, ..Default::default() };
        let streams = Streams::new(config);
        let one = streams.seat(who(1)).unwrap();
        let two = streams.seat(who(1)).unwrap();
        assert_eq!(streams.seat(who(1)).unwrap_err().status(), 429);
        let three = streams.seat(who(2)).unwrap();
        assert_eq!(streams.seat(who(3)).unwrap_err().status(), 503);
        assert_eq!(streams.open(), 3);
        drop((one, three));
        assert!(streams.seat(who(3)).is_ok());
        drop(two);
        assert_eq!(streams.open(), 0);
        streams.close();
        assert_eq!(streams.seat(who(1)).unwrap_err().status(), 503);
    }

    #[test]
    fn subscriptions_end_with_their_seat() {
        let streams = Streams::new(StreamingConfig { max_subscriptions: 2, ..Default::default() });
        let (mut one, mut two) = (streams.seat(who(1)).unwrap(), streams.seat(who(2)).unwrap());
        one.subscribe(stream(&one, "user")).unwrap();
        one.subscribe(stream(&one, "hashtag")).unwrap();
        one.subscribe(stream(&one, "hashtag")).unwrap();
        assert_eq!(one.subscribe(stream(&one, "public")).unwrap_err().status(), 422);
        two.subscribe(stream(&two, "hashtag")).unwrap();
        let cats = stream(&one, "hashtag").topic;
        assert_eq!(streams.listeners(std::slice::from_ref(&cats)).len(), 2);
        assert_eq!(streams.at_home(), [AccountId(1)]);
        two.unsubscribe(&cats);
        assert_eq!(streams.listeners(std::slice::from_ref(&cats)).len(), 1);
        drop(one);
        assert!(streams.listeners(&[cats]).is_empty() && streams.at_home().is_empty());
        assert!(streams.table().topics.is_empty());
    }
}
