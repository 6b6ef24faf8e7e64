//! How many requests one piece of work may still cause, whatever it is that makes them.

use super::Error;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

tokio::task_local! {
    static METER: Meter;
}

/// What is left; the same for all copies.
#[derive(Clone, Debug)]
pub struct Meter(Arc<AtomicUsize>);

impl Meter {
    pub fn new(requests: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(requests)))
    }

    pub(crate) fn is_used_up(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    /// Counts every request that `work` makes; when nothing is left it makes none.
    pub async fn count<F: Future>(&self, work: F) -> F::Output {
        METER.scope(self.clone(), work).await
    }
}

/// One more request. [`Error::Busy`] when whoever makes it has made all that they may.
pub(super) fn tick() -> Result<(), Error> {
    let less = |meter: &Meter| {
        meter.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).map(drop)
    };
    match METER.try_with(less) {
        Ok(Err(_)) => Err(Error::Busy),
        // Nobody counts.
        Err(_) | Ok(Ok(())) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_what_is_counted_has_an_end() {
        let meter = Meter::new(3);
        let some = async |n: usize| (0..n).filter(|_| tick().is_ok()).count();
        assert_eq!(some(10).await, 10);
        assert_eq!(meter.count(some(2)).await, 2);
        assert!(!meter.is_used_up());
        assert_eq!(meter.clone().count(some(2)).await, 1);
        assert!(meter.is_used_up());
        assert_eq!((meter.count(some(2)).await, some(2).await), (0, 2));
    }
}
