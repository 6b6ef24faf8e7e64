//! What origins have found good again. It is told here at once and written into the files once in a while: files are
//! long, and some are asked about every minute.

use super::facts::{Facts, Version};
use super::fifo::Fifo;
use super::key::SliceId;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Slices remembered at most; one that leaves is asked about once more.
const MOST: u64 = 65_536;
/// A file may be behind for so many milliseconds: this is what a restart forgets.
const BEHIND: u64 = 3_600_000;

pub(super) struct Renewals {
    known: Mutex<Fifo<SliceId, Renewal>>,
}

/// Which copy is good, and since when.
#[derive(Clone, Copy)]
struct Renewal {
    stamp: u64,
    version: Version,
    checked: u64,
    fresh_for: Option<u64>,
    /// What its file says.
    written: u64,
}

impl Renewal {
    fn is_of(&self, facts: &Facts) -> bool {
        self.stamp == facts.stamp && self.version == facts.version
    }
}

impl Renewals {
    pub(super) fn new() -> Renewals {
        Renewals { known: Mutex::new(Fifo::new(MOST)) }
    }

    fn known(&self) -> MutexGuard<'_, Fifo<SliceId, Renewal>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a copy is good again, after a check at `before`. Whether its file is too far behind.
    pub(super) fn note(&self, id: SliceId, before: u64, facts: &Facts) -> bool {
        let mut known = self.known();
        let written = known.touch(&id).filter(|renewal| renewal.is_of(facts)).map_or(before, |known| known.written);
        let Facts { stamp, version, checked, fresh_for, .. } = *facts;
        known.insert(id, Renewal { stamp, version, checked, fresh_for, written }, 1);
        checked.saturating_sub(written) >= BEHIND
    }

    /// The file says the same now.
    pub(super) fn written(&self, id: SliceId, facts: &Facts) {
        if let Some(renewal) = self.known().touch(&id).filter(|renewal| renewal.is_of(facts)) {
            renewal.written = facts.checked;
        }
    }

    /// Corrects what was read from a file.
    pub(super) fn apply(&self, id: SliceId, facts: &mut Facts) {
        let mut known = self.known();
        let renewal = known.touch(&id).filter(|renewal| renewal.is_of(facts) && renewal.checked > facts.checked);
        if let Some(renewal) = renewal {
            (facts.checked, facts.fresh_for) = (renewal.checked, renewal.fresh_for);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::ObjectKey;
    use super::super::facts::tests::sample;
    use super::*;

    #[test]
    fn files_are_written_once_an_hour_and_only_the_same_copy_is_renewed() {
        let id = ObjectKey::new("site", "/a").unwrap().slice(0);
        let (renewals, old) = (Renewals::new(), sample(5));
        let minute = 60_000;
        let mut written = 0;
        for checks in 1..=180 {
            let facts = Facts { checked: old.checked + checks * minute, fresh_for: Some(checks), ..old.clone() };
            if renewals.note(id, old.checked + (checks - 1) * minute, &facts) {
                written += 1;
                renewals.written(id, &facts);
            }
            let mut read = old.clone();
            renewals.apply(id, &mut read);
            assert_eq!(read, facts);
        }
        assert_eq!(written, 3);
        for mut other in [Facts { stamp: old.stamp + 1, ..old.clone() }, sample(6), Facts { checked: u64::MAX, ..old }]
        {
            let before = other.clone();
            renewals.apply(id, &mut other);
            assert_eq!(other, before);
        }
    }
}
