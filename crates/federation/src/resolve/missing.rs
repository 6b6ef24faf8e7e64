//! What was asked for elsewhere, or could not be had, lately: it is not asked for again at once. Bounded, and in memory only.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const MOST: usize = 8192;
/// What is not there or not for us, and what may come back.
const ABSENT: Duration = Duration::from_secs(24 * 3600);
const FAILED: Duration = Duration::from_secs(15 * 60);

#[derive(Default)]
pub(crate) struct Missing(Mutex<HashMap<String, Instant>>);

impl Missing {
    pub(crate) fn has(&self, uri: &str) -> bool {
        let until = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(uri).copied();
        until.is_some_and(|until| until > Instant::now())
    }

    /// `status`: what its server answered, if it did.
    pub(crate) fn put(&self, uri: &str, status: Option<u16>) {
        let kept = if matches!(status, Some(401 | 403 | 404 | 410)) { ABSENT } else { FAILED };
        self.begin(uri, kept);
    }

    /// Keeps a name for so long. False when it was kept already.
    pub(crate) fn begin(&self, uri: &str, kept: Duration) -> bool {
        let now = Instant::now();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.retain(|_, until| *until > now);
        }
        if known.len() >= MOST {
            // Rather everything is asked for once more than some things never.
            known.clear();
        }
        known.insert(uri.to_owned(), now + kept).is_none_or(|until| until <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_bounded() {
        let missing = Missing::default();
        for n in 0..2 * MOST {
            missing.put(&format!("https://a.example/{n}"), Some(404));
        }
        assert!(missing.0.lock().unwrap().len() <= MOST);
        assert!(missing.has(&format!("https://a.example/{}", 2 * MOST - 1)));
        assert!(!missing.has("https://b.example/1"));
    }
}
