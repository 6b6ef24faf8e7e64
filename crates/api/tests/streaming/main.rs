//! Streaming over real sockets.

mod events;
mod limits;
mod sse;
mod websocket;
mod world;
