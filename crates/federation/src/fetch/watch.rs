//! Whether a piece of work asks other servers for something: such work may wait for long, and cost nothing meanwhile.
//! Where too much of it waits, it is told that it has waited for long enough.

use super::Error;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use tokio::sync::Notify;

tokio::task_local! {
    static ASKED: Asked;
}

/// What is known of one piece of work, the same for all copies.
#[derive(Clone, Debug, Default)]
pub struct Asked(Arc<State>);

#[derive(Debug, Default)]
struct State {
    since: OnceLock<Instant>,
    is_enough: AtomicBool,
    told: Notify,
}

impl Asked {
    /// When it began to ask somebody, if it did.
    pub fn since(&self) -> Option<Instant> {
        self.0.since.get().copied()
    }

    /// Whoever is asked now, or will be, is waited for no longer: to this work they are all silent.
    pub fn is_enough(&self) {
        self.0.is_enough.store(true, SeqCst);
        self.0.told.notify_waiters();
    }

    pub fn was_enough(&self) -> bool {
        self.0.is_enough.load(SeqCst)
    }

    /// Does `work`; the first request that it makes of another server is remembered.
    pub async fn during<T>(self, work: impl Future<Output = T>) -> T {
        ASKED.scope(self, work).await
    }

    async fn enough(&self) {
        // Told from here on, also before it is waited for.
        let told = self.0.told.notified();
        if !self.was_enough() {
            told.await;
        }
    }
}

/// Somebody is asked now.
pub(super) fn asks() {
    // Nobody watches whoever is not a job.
    let _ = ASKED.try_with(|asked| _ = asked.0.since.get_or_init(Instant::now));
}

/// Waits for somebody else, but not when that has been enough: [`Error::TimedOut`].
pub(super) async fn unless_enough<T>(waiting: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let Ok(asked) = ASKED.try_with(Clone::clone) else { return waiting.await };
    tokio::select! {
        biased;
        outcome = waiting => outcome,
        () = asked.enough() => Err(Error::TimedOut),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_asks_is_known() {
        asks();
        let (one, other) = (Asked::default(), Asked::default());
        one.clone().during(async { asks() }).await;
        other.clone().during(async {}).await;
        assert!(one.since().is_some() && other.since().is_none());
    }

    #[tokio::test]
    async fn enough_is_enough() {
        let (asked, never) = (Asked::default(), std::future::pending::<Result<(), Error>>);
        let waits = asked.clone().during(async {
            let first = unless_enough(never()).await;
            // What is there already is taken; nothing more is waited for.
            (first, unless_enough(async { Ok(1) }).await, unless_enough(never()).await)
        });
        let tell = async { asked.is_enough() };
        let ((first, there, next), ()) = tokio::join!(waits, tell);
        assert!(matches!((first, there, next), (Err(Error::TimedOut), Ok(1), Err(Error::TimedOut))));
        // Others wait on.
        let patient = Asked::default().during(unless_enough(never()));
        assert!(futures_util::FutureExt::now_or_never(patient).is_none());
        assert!(futures_util::FutureExt::now_or_never(unless_enough(never())).is_none());
    }
}
