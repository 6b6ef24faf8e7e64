//! What an origin did not give, for a short while: so that it is not asked again at once.

use super::fifo::Fifo;
use super::key::KeyHash;
use super::upstream::Failure;
use std::sync::{Mutex, PoisonError};

/// Objects remembered at most.
const MOST: u64 = 65_536;

/// Why the origin is not asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// It has no such object: 404 or 410.
    Absent(u16),
    Failed(Failure),
    /// The object only goes through: it says no length, or is not to be kept.
    Unkept,
}

pub(super) struct Absences {
    known: Mutex<Fifo<KeyHash, (u64, Why)>>,
}

impl Absences {
    pub(super) fn new() -> Absences {
        Absences { known: Mutex::new(Fifo::new(MOST)) }
    }

    /// Why not to ask now, if there is a reason.
    pub(super) fn find(&self, object: KeyHash, now: u64) -> Option<Why> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, why) = known.touch(&object)?;
        if *until > now {
            return Some(why.clone());
        }
        known.remove(&object);
        None
    }

    pub(super) fn note(&self, object: KeyHash, until: u64, why: Why) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(object, (until, why), 1);
    }

    pub(super) fn forget(&self, object: KeyHash) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(&object);
    }

    pub(super) fn clear(&self) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Fifo::new(MOST);
    }
}
