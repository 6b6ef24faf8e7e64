//! Streaming: statuses, notifications and conversations as they happen, over WebSocket and server-sent events.
//! <https://docs.joinmastodon.org/methods/streaming/>
//!
//! An event of `domain::events` comes to the one task of [`run`], which looks up what it is about, makes a message for
//! each group of people who see the same, and puts it into the outbox of each connection. Each connection sends what is
//! in its outbox as fast as its client reads; when too much waits, the connection is closed.

mod config;
mod dispatch;
mod listeners;
mod message;
mod outbox;
mod sse;
mod topic;
mod websocket;
mod who;

pub use config::{StreamingConfig, Timing};
pub use dispatch::run;
pub use listeners::Streams;
pub use sse::Hangup;

use crate::App;
use axum::{Router, routing::get};
use serde::Deserialize;

pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/streaming", get(websocket::connect))
        .route("/api/v1/streaming/", get(websocket::connect))
        .route("/api/v1/streaming/health", get(health))
        .route("/api/v1/streaming/{*path}", get(sse::listen))
}

/// `GET /api/v1/streaming/health` <https://docs.joinmastodon.org/methods/streaming/#health>
async fn health() -> &'static str {
    "OK"
}

/// What a connection starts with.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Query {
    access_token: Option<String>,
    stream: Option<String>,
    tag: Option<String>,
    list: Option<String>,
    only_media: bool,
}

impl Query {
    fn words(&self) -> topic::Words<'_> {
        topic::Words { tag: self.tag.as_deref(), list: self.list.as_deref() }
    }
}
