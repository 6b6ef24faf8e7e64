//! Work that arrives in crowds: what is asked for while one transaction is under way goes into the next one, together.
//! A disk that takes a millisecond to be sure of something then does so for many at once.

use super::Db;
use crate::{Error, Result};
use futures_util::future::BoxFuture;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Put into one transaction.
const TOGETHER: usize = 128;
/// Waiting at once, and how large all of it may be.
const MOST: usize = 10_000;
const MOST_BYTES: usize = 64 << 20;
/// Of what is put into one transaction: as many as that are large, or one.
const TOGETHER_BYTES: usize = 8 << 20;

/// What waits with others.
pub(crate) trait Crowded: Send + Sync + 'static {
    /// About how much of memory it takes beside its own size.
    fn bytes(&self) -> usize;
}

/// Does all of these in one transaction, and answers each, in their order. Has to be safe to repeat: when it fails, each
/// is tried alone.
pub(crate) type Together<T, R> = for<'a> fn(&'a Db, &'a [T]) -> BoxFuture<'a, Result<Vec<R>>>;

/// One kind of such work. Cheap to clone.
pub(crate) struct Crowd<T, R>(Arc<Mutex<State<T, R>>>);

struct State<T, R> {
    waiting: VecDeque<(T, oneshot::Sender<Result<R>>)>,
    /// How large that is.
    bytes: usize,
    /// A task is at it.
    running: bool,
}

impl<T, R> Clone for Crowd<T, R> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T, R> Default for Crowd<T, R> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(State { waiting: VecDeque::new(), bytes: 0, running: false })))
    }
}

impl<T: Crowded, R: Send + 'static> Crowd<T, R> {
    fn lock(&self) -> MutexGuard<'_, State<T, R>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does `item` with whatever else is there. It is done even if nobody waits for the answer any more.
    pub(crate) async fn join(&self, db: &Db, item: T, together: Together<T, R>) -> Result<R> {
        let (answer, answered) = oneshot::channel();
        let begins = {
            let mut state = self.lock();
            let bytes = state.bytes + item.bytes();
            if state.waiting.len() >= MOST || bytes > MOST_BYTES {
                return Err(Error::Busy(std::time::Duration::from_secs(5)));
            }
            state.bytes = bytes;
            state.waiting.push_back((item, answer));
            !std::mem::replace(&mut state.running, true)
        };
        if begins {
            let (crowd, db) = (self.clone(), db.clone());
            tokio::spawn(async move { crowd.run(&db, together).await });
        }
        answered.await.map_err(|_| Error::internal("the work was not done"))?
    }

    async fn run(&self, db: &Db, together: Together<T, R>) {
        // Whatever happens here, the next one begins anew.
        let _resting = Resting(self);
        while let Some((items, answers)) = self.next() {
            match together(db, &items).await {
                Ok(done) => answers.into_iter().zip(done).for_each(|(answer, done)| drop(answer.send(Ok(done)))),
                Err(Error::Busy(after)) => {
                    answers.into_iter().for_each(|answer| drop(answer.send(Err(Error::Busy(after)))));
                }
                Err(error) if items.len() == 1 => {
                    answers.into_iter().next().map(|answer| answer.send(Err(error)));
                }
                Err(_) => {
                    for (item, answer) in items.into_iter().zip(answers) {
                        let done = together(db, &[item]).await;
                        let one = |mut done: Vec<R>| done.pop().ok_or_else(|| Error::internal("no answer"));
                        drop(answer.send(done.and_then(one)));
                    }
                }
            }
        }
    }

    /// None, and nobody is at it any more, when nothing waits.
    #[allow(clippy::type_complexity)] // two lists of the same length
    fn next(&self) -> Option<(Vec<T>, Vec<oneshot::Sender<Result<R>>>)> {
        let mut state = self.lock();
        let (mut count, mut bytes) = (0, 0);
        for (item, _) in state.waiting.iter().take(TOGETHER) {
            if count > 0 && bytes + item.bytes() > TOGETHER_BYTES {
                break;
            }
            (count, bytes) = (count + 1, bytes + item.bytes());
        }
        if count == 0 {
            state.running = false;
            return None;
        }
        state.bytes -= bytes;
        Some(state.waiting.drain(..count).unzip())
    }
}

/// After a panic those who come later find nobody at it.
struct Resting<'a, T: Crowded, R: Send + 'static>(&'a Crowd<T, R>);

impl<T: Crowded, R: Send + 'static> Drop for Resting<'_, T, R> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut state = self.0.lock();
            state.running = false;
            // Who waited hears that it failed.
            state.waiting.clear();
            state.bytes = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::tests::world;
    use futures_util::FutureExt as _;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    /// Slow enough that others come meanwhile; refuses 13 and whatever goes with it, and breaks at 99.
    static TIMES: AtomicUsize = AtomicUsize::new(0);

    impl Crowded for u32 {
        /// The large ones are very large.
        fn bytes(&self) -> usize {
            if *self >= 1_000 { MOST_BYTES / 20 } else { 0 }
        }
    }

    async fn doubled(items: &[u32]) -> Result<Vec<u32>> {
        TIMES.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(!items.contains(&99), "broken");
        if items.contains(&13) { Err(Error::NotFound) } else { Ok(items.iter().map(|n| n * 2).collect()) }
    }

    #[tokio::test]
    async fn what_comes_together_is_done_together() {
        let (world, crowd) = (world().await, Crowd::<u32, u32>::default());
        let join = |n| crowd.join(&world.db, n, |_, items| doubled(items).boxed());
        let all = futures_util::future::join_all((100..500).map(join)).await;
        assert!(all.into_iter().zip(100..).all(|(done, n)| done.unwrap() == n * 2));
        let times = TIMES.swap(0, Ordering::Relaxed);
        assert!((2..20).contains(&times), "{times}");

        // One that cannot be done does no harm to the others, and keeps its own error.
        let all = futures_util::future::join_all((10..20).map(join)).await;
        assert!(matches!(all[3], Err(Error::NotFound)));
        assert_eq!(all.iter().filter(|done| done.is_ok()).count(), 9);

        // Nobody waits for this one.
        assert!(tokio::time::timeout(Duration::ZERO, join(7)).await.is_err());
        assert_eq!(join(8).await.unwrap(), 16);

        // What is large fills the room before many have come, and leaves it again.
        let all = futures_util::future::join_all((1_000..1_100).map(join)).await;
        let refused = all.iter().filter(|done| matches!(done, Err(Error::Busy(_)))).count();
        assert_eq!((refused, all.len()), (80, 100));
        assert_eq!(join(1_000).await.unwrap(), 2_000);

        // After a panic others come through.
        assert!(matches!(join(99).await, Err(Error::Internal(_))));
        assert_eq!(join(9).await.unwrap(), 18);
    }
}
