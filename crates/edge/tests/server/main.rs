//! The way in, over real sockets: what clients get, what bad clients get, and what changes while it runs.

#![allow(clippy::unwrap_used)]

mod acme;
mod ends;
mod http1;
mod http2;
mod limits;
#[path = "../../../testkit/src/ports.rs"]
mod ports;
mod proxies;
mod reload;
mod smuggling;
mod support;
mod tls;
