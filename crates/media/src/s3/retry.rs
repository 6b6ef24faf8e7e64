//! Trying again: a bounded number of times, after waits that grow and are spread by chance, and only what is safe.

use super::{Error, Result};
use aws_lc_rs::rand;
use std::future::Future;
use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);
/// A server may ask for more patience than we have by ourselves, up to here.
const LONGEST_ASKED: Duration = Duration::from_secs(20);

/// What may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Doing it twice is the same as doing it once.
    Always,
    /// Only what the server has surely not done.
    Undone,
}

/// Does it, and again as often as `times` while the error is one that may pass.
pub(super) async fn retried<T, F>(times: u32, repeat: Repeat, mut once: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let mut before = 0;
    loop {
        let error = match once().await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let safe = repeat == Repeat::Always || error.is_undone();
        if before >= times || !safe || !error.is_passing() {
            return Err(error);
        }
        let wait = wait(before, &error);
        tracing::debug!(%error, ?wait, "asking the bucket again");
        tokio::time::sleep(wait).await;
        before += 1;
    }
}

/// Anything up to twice as long as the time before, at least half of it.
fn wait(before: u32, error: &Error) -> Duration {
    let most = FIRST.saturating_mul(1 << before.min(10)).min(LONGEST);
    let spread = most / 2 + most.mul_f64(chance() / 2.0);
    match error {
        Error::Busy { after: Some(asked), .. } => spread.max((*asked).min(LONGEST_ASKED)),
        _ => spread,
    }
}

/// Evenly from 0 to 1.
fn chance() -> f64 {
    let mut bytes = [0u8; 4];
    match rand::fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 0.5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn busy(after: Option<u64>) -> Error {
        Error::Busy { host: "h".into(), status: 503, after: after.map(Duration::from_secs) }
    }

    #[test]
    fn waits_grow_within_bounds() {
        let mut floor = Duration::ZERO;
        for before in 0..40 {
            let wait = wait(before, &busy(None));
            assert!(wait >= floor / 2 && wait <= LONGEST, "{before}: {wait:?}");
            floor = FIRST.saturating_mul(1 << before.min(10)).min(LONGEST);
        }
        assert!(wait(0, &busy(Some(3))) >= Duration::from_secs(3));
        assert!(wait(0, &busy(Some(999_999))) <= LONGEST_ASKED);
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_is_safe_is_repeated() {
        let lost = || Error::Unreachable { host: "h".into(), why: "cut".into(), unsent: false };
        let denied = || Error::NoBucket("b".into());
        let count = async |repeat: Repeat, error: &dyn Fn() -> Error| {
            let tries = Cell::new(0);
            let once = || {
                tries.set(tries.get() + 1);
                let error = error();
                async move { Err::<(), Error>(error) }
            };
            retried(3, repeat, once).await.unwrap_err();
            tries.get()
        };
        assert_eq!(count(Repeat::Always, &lost).await, 4);
        assert_eq!(count(Repeat::Undone, &lost).await, 1);
        assert_eq!(count(Repeat::Undone, &|| busy(None)).await, 4);
        assert_eq!(count(Repeat::Always, &denied).await, 1);
    }
}
