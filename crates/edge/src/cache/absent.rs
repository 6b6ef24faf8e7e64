//! What an origin did not give, for a short while: so that it is not asked again at once.

use super::fifo::Fifo;
use super::key::KeyHash;
use super::upstream::{Chain, Failure};
use std::sync::{Mutex, PoisonError};

/// Objects remembered at most.
const MOST: u64 = 65_536;

/// Why the origin is not asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// It has no such object: 404 or 410.
    Absent(u16),
    /// For who asks on behalf of the same edges: others may be answered.
    Failed(Failure, Chain),
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

    /// Why not to ask now on behalf of these edges, if there is a reason.
    pub(super) fn find(&self, (object, chain): (KeyHash, &Chain), now: u64) -> Option<Why> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, why) = known.touch(&object)?;
        if *until > now {
            let is_others = matches!(why, Why::Failed(_, whose) if whose != chain);
            return (!is_others).then(|| why.clone());
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
