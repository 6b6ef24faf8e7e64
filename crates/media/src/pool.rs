//! A bounded number of decodes at once, on blocking threads.

use crate::{Error, Fault, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// Runs work that eats CPU and memory, so many at once, so many waiting. Cloning shares the bounds.
#[derive(Debug, Clone)]
pub struct Pool(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    permits: Arc<Semaphore>,
    places: usize,
    waiting: AtomicUsize,
    max_waiting: usize,
    rest: Notify,
}

impl Default for Pool {
    /// As many at once as there are cores, 64 waiting.
    fn default() -> Pool {
        Pool::new(std::thread::available_parallelism().map_or(2, usize::from), 64)
    }
}

impl Pool {
    /// `permits` jobs run at once (at least one); `max_waiting` more may wait.
    pub fn new(permits: usize, max_waiting: usize) -> Pool {
        let places = permits.max(1);
        let (permits, rest) = (Arc::new(Semaphore::new(places)), Notify::new());
        Pool(Arc::new(Inner { permits, places, waiting: AtomicUsize::new(0), max_waiting, rest }))
    }

    /// Waits until the last of the work under way has ended; at once if that was since the last call.
    /// For one caller.
    pub async fn rested(&self) {
        self.0.rest.notified().await;
    }

    /// Whether no work is under way.
    pub fn is_at_rest(&self) -> bool {
        self.0.permits.available_permits() == self.0.places
    }

    /// Waits for a place, then runs `work` on a blocking thread.
    ///
    /// Answers [`Error::Busy`] at once when too many wait. A panic of `work` is answered as broken input.
    /// When the future is dropped before `work` began it never runs; once begun it finishes and keeps its
    /// place until then.
    pub async fn run<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T> + Send + 'static,
    {
        let permit = match self.0.permits.clone().try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                let _waiter = Waiter::join(&self.0)?;
                self.0.permits.clone().acquire_owned().await.map_err(|_| Error::Busy)?
            }
        };
        // A panic of the work must not keep the others from hearing of its end.
        let turn = Turn { pool: self.clone(), permit: Some(permit) };
        let job = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(turn);
            result
        });
        job.await.unwrap_or_else(|failure| {
            tracing::error!(%failure, "a picture made its decoder fail");
            Err(Fault::broken("it cannot be decoded").into())
        })
    }
}

/// A place, given back and told when it ends.
struct Turn {
    pool: Pool,
    permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        drop(self.permit.take());
        if self.pool.is_at_rest() {
            self.pool.0.rest.notify_one();
        }
    }
}

/// Counts one waiting caller for as long as it lives.
struct Waiter<'a>(&'a Inner);

impl<'a> Waiter<'a> {
    fn join(inner: &'a Inner) -> Result<Waiter<'a>> {
        let before = inner.waiting.fetch_add(1, Ordering::Relaxed);
        let waiter = Waiter(inner);
        match before < inner.max_waiting {
            true => Ok(waiter),
            false => Err(Error::Busy),
        }
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn bounds_and_panics() {
        let pool = Pool::new(1, 1);
        let slow = || {
            std::thread::sleep(Duration::from_millis(200));
            Ok(1)
        };
        let (first, second, third) = tokio::join!(pool.run(slow), pool.run(slow), pool.run(slow));
        assert_eq!((first.unwrap(), second.unwrap()), (1, 1));
        assert!(matches!(third, Err(Error::Busy)));

        let panicked = pool.run(|| -> Result<()> { panic!("decoder bug") }).await;
        assert!(matches!(panicked, Err(Error::Input(Fault::Broken(_)))));
        assert_eq!(pool.run(|| Ok(2)).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn tells_when_it_comes_to_rest() {
        let pool = Pool::new(2, 2);
        let early = tokio::time::timeout(Duration::from_millis(20), pool.rested()).await;
        assert!(early.is_err(), "nothing has ended yet");
        let panicked = pool.run(|| -> Result<()> { panic!("decoder bug") }).await;
        assert!(panicked.is_err());
        tokio::time::timeout(Duration::from_secs(5), pool.rested()).await.expect("a panic is an end too");
        assert!(pool.is_at_rest());
    }
}
