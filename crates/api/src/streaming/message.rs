//! One event on its way to many connections: made once, shared by all that wait to send it.

use std::sync::{Arc, OnceLock};

/// Names of events. <https://docs.joinmastodon.org/methods/streaming/#events>
pub(super) mod event {
    pub const UPDATE: &str = "update";
    pub const STATUS_UPDATE: &str = "status.update";
    pub const DELETE: &str = "delete";
    pub const NOTIFICATION: &str = "notification";
    pub const NOTIFICATIONS_MERGED: &str = "notifications_merged";
    pub const CONVERSATION: &str = "conversation";
    pub const FILTERS_CHANGED: &str = "filters_changed";
}

/// An event and what it carries.
#[derive(Debug)]
pub(super) struct Message {
    event: &'static str,
    payload: Option<String>,
    /// The end of a WebSocket frame, the same for all that get it: made when the first wants it.
    tail: OnceLock<String>,
}

impl Message {
    /// `payload` is a text: for entities their JSON in one line, for a deleted status its id.
    pub(super) fn new(event: &'static str, payload: Option<String>) -> Arc<Self> {
        Arc::new(Self { event, payload, tail: OnceLock::new() })
    }

    /// What it weighs in a queue, in bytes.
    pub(super) fn weight(&self) -> usize {
        self.event.len() + self.payload.as_ref().map_or(0, String::len)
    }

    /// The text of a WebSocket frame; `stream` is the JSON list of the stream's name.
    pub(super) fn frame(&self, stream: &str) -> String {
        let tail = self.tail.get_or_init(|| {
            let payload =
                self.payload.as_ref().map(|p| format!(",\"payload\":{}", serde_json::Value::from(p.as_str())));
            format!(",\"event\":\"{}\"{}}}", self.event, payload.unwrap_or_default())
        });
        let mut frame = String::with_capacity(stream.len() + tail.len() + 10);
        frame.push_str("{\"stream\":");
        frame.push_str(stream);
        frame.push_str(tail);
        frame
    }

    /// The lines of a server-sent event.
    pub(super) fn lines(&self) -> String {
        format!("event: {}\ndata: {}\n\n", self.event, self.payload.as_deref().unwrap_or("undefined"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_carry_the_payload_as_text() {
        let message = Message::new(event::UPDATE, Some(r#"{"content":"a\"b\n"}"#.into()));
        let frame: serde_json::Value = serde_json::from_str(&message.frame(r#"["hashtag","東京"]"#)).unwrap();
        assert_eq!(frame["stream"], serde_json::json!(["hashtag", "東京"]));
        assert_eq!(frame["event"], "update");
        assert_eq!(frame["payload"], r#"{"content":"a\"b\n"}"#);
        assert_eq!(message.lines(), "event: update\ndata: {\"content\":\"a\\\"b\\n\"}\n\n");
    }

    #[test]
    fn an_event_may_carry_nothing() {
        let message = Message::new(event::FILTERS_CHANGED, None);
        assert_eq!(message.frame(r#"["user"]"#), r#"{"stream":["user"],"event":"filters_changed"}"#);
        assert_eq!(message.lines(), "event: filters_changed\ndata: undefined\n\n");
    }
}
