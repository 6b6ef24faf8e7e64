//! Objects that are here whole: for who makes something of them, and would rather ask elsewhere than wait.

use super::object::{First, How, Object};
use super::upstream::{Chain, Failure, Reply, Upstream, Want};
use super::{Cache, ObjectKey};
use futures_util::future::{BoxFuture, FutureExt as _};
use std::sync::{Arc, Mutex};

/// Nobody has what has gone meanwhile.
struct Nobody;

impl Upstream for Nobody {
    fn fetch(&self, _: &ObjectKey, _: Want) -> BoxFuture<'static, Result<Reply, Failure>> {
        std::future::ready(Err(Failure::Unreachable("it is not to be asked for".into()))).boxed()
    }

    /// Those who do want it asked for do not wait for this, and are not told that it failed.
    fn chain(&self) -> Chain {
        "nobody".into()
    }
}

impl Cache {
    /// An object if all of it is here, however old; nobody is asked for anything. Its bytes end with a failure if some
    /// of them leave meanwhile. It counts as nothing that was served.
    pub async fn kept(&self, key: &ObjectKey) -> Option<Object> {
        let shared = &self.shared;
        let stored = shared.look(key, 0).await.filter(|stored| stored.facts.status == 200)?;
        let last = stored.facts.total.saturating_sub(1) / stored.facts.slice_size.max(1);
        let last = u32::try_from(last).ok()?;
        if !(1..=last).all(|number| shared.index.contains(key.slice(number))) {
            return None;
        }
        Some(Object {
            shared: shared.clone(),
            key: key.clone(),
            upstream: Arc::new(Nobody),
            facts: stored.facts.clone(),
            how: How::Hit,
            first: First::Stored(stored),
            unkept: false,
            following: Mutex::default(),
        })
    }
}
