//! What is known about an origin: how often it was asked, how long it took, whether it is worth asking now.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// So many failures in a row let an origin rest.
const FAILURES: u64 = 3;
/// How long it rests: others are asked meanwhile, and what is in the cache is served without waiting for it.
const REST: Duration = Duration::from_secs(5);

/// Upper bounds of the classes of latency, in milliseconds; the last class has none.
pub(crate) const LATENCIES: [u64; 9] = [5, 10, 25, 50, 100, 250, 1000, 5000, 20_000];

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Found,
    Absent,
    Failed,
    /// It answered, but not with this file: that says nothing about the others.
    Refused,
    /// It was not asked: too many requests were on their way.
    Busy,
}

#[derive(Debug, Default)]
pub(crate) struct OriginFigures {
    label: String,
    pub(crate) found: AtomicU64,
    pub(crate) absent: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) busy: AtomicU64,
    pub(crate) bytes: AtomicU64,
    /// Microseconds of all requests that were answered.
    pub(crate) micros: AtomicU64,
    /// One for each of [`LATENCIES`], and one for what took longer.
    pub(crate) latencies: [AtomicU64; LATENCIES.len() + 1],
    in_a_row: AtomicU64,
    rests_until: Mutex<Option<Instant>>,
}

impl OriginFigures {
    pub(crate) fn new(label: String) -> OriginFigures {
        OriginFigures { label, ..OriginFigures::default() }
    }

    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    pub(crate) fn count(&self, outcome: Outcome, took: Duration) {
        let counter = match outcome {
            Outcome::Found => &self.found,
            Outcome::Absent => &self.absent,
            Outcome::Failed | Outcome::Refused => &self.failed,
            Outcome::Busy => &self.busy,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        match outcome {
            Outcome::Found | Outcome::Absent => {
                let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
                let class = LATENCIES.iter().position(|bound| millis <= *bound).unwrap_or(LATENCIES.len());
                self.latencies[class].fetch_add(1, Ordering::Relaxed);
                self.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
                self.in_a_row.store(0, Ordering::Relaxed);
            }
            Outcome::Failed => {
                if self.in_a_row.fetch_add(1, Ordering::Relaxed) + 1 >= FAILURES {
                    *self.rests_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + REST);
                }
            }
            Outcome::Refused | Outcome::Busy => {}
        }
    }

    /// A folder gave a file that is served as it lies there.
    pub(crate) fn serve(&self, length: u64) {
        self.found.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(length, Ordering::Relaxed);
    }

    pub(crate) fn add_bytes(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// It failed several times in a row a moment ago. After the rest one request is enough to find out.
    pub(crate) fn is_resting(&self) -> bool {
        if self.in_a_row.load(Ordering::Relaxed) < FAILURES {
            return false;
        }
        let until = *self.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_failures_in_a_row_let_it_rest() {
        let origin = OriginFigures::new("a".into());
        let fail = || origin.count(Outcome::Failed, Duration::ZERO);
        (0..2).for_each(|_| fail());
        origin.count(Outcome::Absent, Duration::from_millis(7));
        (0..2).for_each(|_| fail());
        assert!(!origin.is_resting());
        (0..9).for_each(|_| origin.count(Outcome::Refused, Duration::ZERO));
        assert!(!origin.is_resting());
        fail();
        assert!(origin.is_resting());
        origin.count(Outcome::Found, Duration::from_secs(100));
        assert!(!origin.is_resting());
        let classes: Vec<u64> = origin.latencies.iter().map(|class| class.load(Ordering::Relaxed)).collect();
        assert_eq!(classes, [0, 1, 0, 0, 0, 0, 0, 0, 0, 1]);
    }
}
