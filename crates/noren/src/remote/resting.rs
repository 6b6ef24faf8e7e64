//! Hosts that did not answer a moment ago: a page full of their pictures must not wait for each of them.

use federation::fetch::Error;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// After silence only briefly: it may have been one file that took long.
const BRIEF: Duration = Duration::from_secs(10);
const REST: Duration = Duration::from_secs(60);
/// Hosts remembered at most.
const MOST: usize = 4096;

#[derive(Default)]
pub(super) struct Resting(Mutex<HashMap<String, Instant>>);

impl Resting {
    pub(super) fn has(&self, host: &str) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(host).is_some_and(|until| *until > Instant::now())
    }

    pub(super) fn note(&self, host: &str, was: &Error) {
        let rest = if matches!(was, Error::TimedOut) { BRIEF } else { REST };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.retain(|_, until| *until > Instant::now());
        }
        if known.len() < MOST {
            known.insert(host.to_owned(), Instant::now() + rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_rest_and_are_bounded() {
        let resting = Resting::default();
        resting.note("a.example", &Error::TimedOut);
        assert!(resting.has("a.example") && !resting.has("b.example"));
        for n in 0..2 * MOST {
            resting.note(&format!("{n}.example"), &Error::Unreachable(String::new()));
        }
        assert_eq!(resting.0.lock().unwrap().len(), MOST);
    }
}
