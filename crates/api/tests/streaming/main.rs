//! Streaming over real sockets.

#![allow(clippy::unwrap_used)]

mod events;
mod limits;
mod sse;
mod websocket;
mod world;
