//! WebSockets: many streams over one connection, subscribed to by frames.

use super::{
    Query,
    listeners::Seat,
    topic::{Stream, Words},
    who,
};
use crate::{
    App,
    http::{ApiError, ApiResult, Params},
};
use axum::{
    extract::{
        State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, header},
    response::Response,
};
use serde_json::Value;
use std::time::Duration;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, interval_at, sleep, timeout};

/// Bytes of a frame from a client: the longest name of a tag fits.
const FRAME_BYTES: usize = 8 * 1024;
/// What a connection sets aside for reading. The library's own 128 KiB would be most of an idle connection's memory.
const READ_BYTES: usize = 2 * 1024;
/// How long saying goodbye may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// `GET /api/v1/streaming` <https://docs.joinmastodon.org/methods/streaming/#websocket>
pub(super) async fn connect(
    State(app): State<App>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    Params(query): Params<Query>,
) -> ApiResult<Response> {
    let upgrade = upgrade.map_err(|_| ApiError::bad_request("Unknown channel requested"))?;
    let bearer = who::bearer(&headers, query.access_token.as_deref())?;
    let who = who::authenticate(&app, bearer).await?;
    let seat = app.streams.seat(who)?;
    // Browsers give up when they offered protocols and none is taken.
    let offered = headers.get(header::SEC_WEBSOCKET_PROTOCOL).and_then(|value| value.to_str().ok());
    let upgrade = match offered.and_then(|list| list.split(',').next()) {
        Some(first) => upgrade.protocols([first.trim().to_owned()]),
        None => upgrade,
    };
    let upgrade = upgrade
        .max_frame_size(FRAME_BYTES)
        .max_message_size(FRAME_BYTES)
        .read_buffer_size(READ_BYTES)
        .write_buffer_size(0);
    Ok(upgrade.on_upgrade(move |socket| Talk::new(app, socket, seat).run(query)))
}

/// Why a connection ends: the code that its client is told.
struct End(u16, &'static str);

const GONE: End = End(close_code::NORMAL, "");
const STOPPING: End = End(close_code::AWAY, "The server is stopping");
const CLOSED: End = End(close_code::POLICY, "The token was revoked, or the connection is too slow");
const BINARY: End = End(close_code::UNSUPPORTED, "Binary frames are not supported");

struct Talk {
    app: App,
    socket: WebSocket,
    seat: Seat,
    ping: Interval,
    recheck: Interval,
    /// False from a ping until its pong.
    alive: bool,
}

enum Step {
    Send(Message),
    Heard(Message),
    Ping,
    Recheck,
    End(End),
}

impl Talk {
    fn new(app: App, socket: WebSocket, seat: Seat) -> Self {
        let timing = app.streams.timing();
        let mut ping = interval_at(Instant::now() + timing.ping, timing.ping);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first look is now: the token may have been revoked just before its connection could be found.
        Self { app, socket, seat, ping, recheck: interval(timing.recheck), alive: true }
    }

    async fn run(mut self, query: Query) {
        let End(code, reason) = self.talk(query).await;
        let farewell = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
        let goodbye = async {
            // Fails when the client said it first. Reading on answers it, or lets ours arrive before the line is cut.
            let _ = self.socket.send(farewell).await;
            while let Some(Ok(_)) = self.socket.recv().await {}
        };
        let _ = timeout(FAREWELL, goodbye).await;
    }

    async fn talk(&mut self, query: Query) -> End {
        if let Some(name) = &query.stream
            && let Err(end) = self.subscribe(name, query.words()).await
        {
            return end;
        }
        loop {
            let done = match self.step().await {
                Step::Send(message) => self.send(message).await,
                Step::Heard(message) => self.hear(message).await,
                Step::Ping if !self.alive => Err(GONE),
                Step::Ping => {
                    self.alive = false;
                    self.send(Message::Ping(Default::default())).await
                }
                Step::Recheck if self.seat.connection.who.still_good(&self.app).await => Ok(()),
                Step::Recheck => Err(CLOSED),
                Step::End(end) => Err(end),
            };
            if let Err(end) = done {
                return end;
            }
        }
    }

    async fn step(&mut self) -> Step {
        tokio::select! {
            () = self.app.streams.stopping().cancelled() => Step::End(STOPPING),
            outgoing = self.seat.connection.outbox.next() => match outgoing {
                Some(outgoing) => Step::Send(Message::Text(outgoing.message.frame(&outgoing.stream).into())),
                None => Step::End(CLOSED),
            },
            heard = self.socket.recv() => match heard {
                Some(Ok(message)) => Step::Heard(message),
                Some(Err(_)) | None => Step::End(GONE),
            },
            _ = self.ping.tick() => Step::Ping,
            _ = self.recheck.tick() => Step::Recheck,
        }
    }

    /// Writes, as long as the client reads and nobody closes the connection meanwhile.
    async fn send(&mut self, message: Message) -> Result<(), End> {
        let (streams, outbox) = (&self.app.streams, &self.seat.connection.outbox);
        tokio::select! {
            sent = self.socket.send(message) => sent.map_err(|_| GONE),
            () = outbox.closed().cancelled() => Err(CLOSED),
            () = streams.stopping().cancelled() => Err(STOPPING),
            () = sleep(streams.timing().ping) => Err(GONE),
        }
    }

    async fn hear(&mut self, message: Message) -> Result<(), End> {
        match message {
            Message::Text(text) => self.obey(text.as_str()).await,
            Message::Binary(_) => Err(BINARY),
            Message::Pong(_) => {
                self.alive = true;
                Ok(())
            }
            // Answered by the library.
            Message::Ping(_) => Ok(()),
            Message::Close(_) => Err(GONE),
        }
    }

    /// `{"type":"subscribe","stream":"hashtag","tag":"cats"}`. What is no such thing is ignored, as Mastodon does.
    async fn obey(&mut self, text: &str) -> Result<(), End> {
        let Ok(Value::Object(frame)) = serde_json::from_str(text) else { return Ok(()) };
        let word = |name: &str| frame.get(name).and_then(word);
        let (tag, list) = (word("tag"), word("list"));
        let words = Words { tag: tag.as_deref(), list: list.as_deref() };
        let name = word("stream").unwrap_or_default();
        match frame.get("type").and_then(Value::as_str) {
            Some("subscribe") => self.subscribe(&name, words).await,
            Some("unsubscribe") => self.unsubscribe(&name, words).await,
            _ => Ok(()),
        }
    }

    fn find(&self, name: &str, words: Words<'_>) -> ApiResult<Stream> {
        let who = &self.seat.connection.who;
        Stream::find(name, words, (who.account, who.scopes))
    }

    async fn try_subscribe(&mut self, name: &str, words: Words<'_>) -> ApiResult<()> {
        let stream = self.find(name, words)?;
        stream.topic.check_owner(&self.app, self.seat.connection.who.account).await?;
        self.seat.subscribe(stream)
    }

    async fn subscribe(&mut self, name: &str, words: Words<'_>) -> Result<(), End> {
        let done = self.try_subscribe(name, words).await;
        self.complain(done).await
    }

    async fn unsubscribe(&mut self, name: &str, words: Words<'_>) -> Result<(), End> {
        let done = self.find(name, words).map(|stream| self.seat.unsubscribe(&stream.topic));
        self.complain(done).await
    }

    /// Tells what was wrong. The socket stays open.
    async fn complain(&mut self, done: ApiResult<()>) -> Result<(), End> {
        let Err(error) = done else { return Ok(()) };
        let frame = serde_json::json!({ "error": error.message(), "status": error.status().as_u16() });
        self.send(Message::Text(frame.to_string().into())).await
    }
}

/// A text, a number, or the first of a list of them.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(list) => list.first().filter(|first| !first.is_array()).and_then(word),
        _ => None,
    }
}
