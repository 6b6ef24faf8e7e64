//! Files that somebody else knows how to get: those of other servers, which this crate knows nothing of.

use super::{Asked, Found};
use crate::cache::{Failure, Reply, Want};
use futures_util::future::BoxFuture;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How long an answer may take: what has to be made is fetched whole before.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

type Get = dyn Fn(String, Want) -> BoxFuture<'static, Result<Reply, Failure>> + Send + Sync;

/// Gets a file by its key. 304 for one that is as it was, 404 for one that is not to be had. How long it is good is its
/// word, and what type it has must have been looked at. Cheap to clone.
#[derive(Clone)]
pub struct Elsewhere(Arc<Get>);

impl Elsewhere {
    pub fn new(
        get: impl Fn(String, Want) -> BoxFuture<'static, Result<Reply, Failure>> + Send + Sync + 'static,
    ) -> Elsewhere {
        Elsewhere(Arc::new(get))
    }

    pub(super) async fn ask(&self, asked: &Asked, want: &Want) -> Result<Found, Failure> {
        let reply = (self.0)(asked.name.as_str().to_owned(), want.clone()).await?;
        Ok(if matches!(reply.status, 404 | 410) { Found::Absent } else { Found::Reply(reply) })
    }
}

impl fmt::Debug for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Elsewhere")
    }
}
