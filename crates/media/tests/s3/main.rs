//! Buckets, against real servers and against broken ones.

#![allow(clippy::unwrap_used)]

mod broken;
mod failing;
mod hostile;
mod https;
mod moto;
mod moto_server;
mod objects;
#[path = "../../../testkit/src/ports.rs"]
mod ports;
mod server;
mod store;
mod tls_server;

use futures_util::TryStreamExt as _;
use media::s3::{Object, Result};

/// A body as a whole.
async fn whole(object: Object) -> Result<Vec<u8>> {
    let len = usize::try_from(object.meta.len).unwrap();
    let chunks: Vec<_> = object.body.try_collect().await?;
    let bytes = chunks.concat();
    assert_eq!(bytes.len(), len);
    Ok(bytes)
}

/// Bytes in which every position is told from its neighbours.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from((at * 31 + at / 251) % 256).unwrap()).collect()
}
