//! The edge as clients meet it: through real sockets, with origins that behave well and badly.

#![allow(clippy::unwrap_used)]

mod buckets;
mod circles;
mod curl;
mod encrypted;
mod faults;
mod folders;
mod headers;
mod http2;
mod keys;
mod metrics;
mod nginx;
mod origins;
mod paths;
#[path = "../../../testkit/src/ports.rs"]
mod ports;
mod redirects;
mod s3;
#[path = "../../../media/tests/s3/server.rs"]
mod s3_server;
#[path = "../../../media/tests/s3/tls_server.rs"]
mod s3_tls;
mod world;
