//! Which files there are, for keeping within the bounds. Finding an object does without it.

use super::fifo::Fifo;
use super::key::SliceId;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Files take whole pages of the disk.
const PAGE: u64 = 4096;
/// The time of last use on the disk may be this far behind, in seconds.
const TOUCHED: u32 = 3600;
/// Uses that make a file hot.
const HOT: u8 = 3;

/// When a file was last used, in seconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(super) struct Use {
    used: u32,
    touched: u32,
}

/// What a use of a file means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Used {
    /// The time on the disk is to be set.
    pub(super) touch: bool,
}

pub(super) struct Index {
    files: Mutex<Fifo<SliceId, Use>>,
}

/// What a file of this length takes of the disk.
pub(super) fn weight(length: u64) -> u64 {
    length.next_multiple_of(PAGE)
}

fn seconds(millis: u64) -> u32 {
    u32::try_from(millis / 1000).unwrap_or(u32::MAX)
}

impl Index {
    pub(super) fn new(bytes: u64) -> Index {
        Index { files: Mutex::new(Fifo::new(bytes)) }
    }

    fn files(&self) -> MutexGuard<'_, Fifo<SliceId, Use>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a file in, last used at this time, and answers which files have to go for it: that one itself if it
    /// cannot stay.
    pub(super) fn insert(&self, id: SliceId, length: u64, millis: u64) -> Vec<SliceId> {
        let used = seconds(millis);
        let gone = self.files().insert(id, Use { used, touched: used }, weight(length));
        gone.into_iter().map(|(id, _)| id).collect()
    }

    /// As [`Index::insert`], for what was found on the disk: what is known already stays as it is.
    pub(super) fn found(&self, id: SliceId, length: u64, millis: u64) -> Vec<SliceId> {
        if self.files().contains(&id) { Vec::new() } else { self.insert(id, length, millis) }
    }

    /// Somebody was given something of this file. `None` if it is not known.
    pub(super) fn used(&self, id: SliceId, millis: u64) -> Option<Used> {
        let now = seconds(millis);
        let mut files = self.files();
        let known = files.touch(&id)?;
        known.used = now;
        let touch = now.saturating_sub(known.touched) > TOUCHED;
        if touch {
            known.touched = now;
        }
        Some(Used { touch })
    }

    /// Whether it was used about as often as is counted.
    pub(super) fn is_hot(&self, id: SliceId) -> bool {
        self.files().uses(&id).is_some_and(|uses| uses >= HOT)
    }

    pub(super) fn contains(&self, id: SliceId) -> bool {
        self.files().contains(&id)
    }

    pub(super) fn remove(&self, id: SliceId) {
        self.files().remove(&id);
    }

    /// Takes off the least valuable files, at least so many bytes of them if there are, but never this one.
    pub(super) fn evict(&self, bytes: u64, except: Option<SliceId>) -> Vec<SliceId> {
        let mut files = self.files();
        let (aim, mut gone) = (files.weight().saturating_sub(bytes), Vec::new());
        while files.weight() > aim {
            match files.evict() {
                Some((id, _)) if Some(id) == except => break,
                Some((id, _)) => gone.push(id),
                None => break,
            }
        }
        gone
    }

    /// Takes off what was not used since.
    pub(super) fn expire(&self, millis: u64) -> Vec<SliceId> {
        let since = seconds(millis);
        self.files().remove_where(|_, known| known.used < since).into_iter().map(|(id, _)| id).collect()
    }

    pub(super) fn clear(&self) {
        self.files().remove_where(|_, _| true);
    }

    pub(super) fn weight(&self) -> u64 {
        self.files().weight()
    }

    pub(super) fn len(&self) -> usize {
        self.files().len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::ObjectKey;
    use super::*;

    #[test]
    fn files_leave_by_size_need_and_age() {
        let id = |number| ObjectKey::new("a", "/b").unwrap().slice(number);
        let index = Index::new(10 * PAGE);
        for number in 0..10 {
            assert_eq!(index.insert(id(number), 1, 1000 * u64::from(number)), []);
        }
        assert_eq!(index.weight(), 10 * PAGE);
        assert_eq!(index.insert(id(10), PAGE + 1, 10_000).len(), 2);
        assert_eq!(index.insert(id(11), 11 * PAGE, 0), [id(11)]);
        assert_eq!(index.evict(PAGE + 1, None).len(), 2);
        assert_eq!(index.len(), 7);
        let used = index.used(id(9), 20_000_000).unwrap();
        assert_eq!((used.touch, index.used(id(9), 20_000_000).unwrap().touch), (true, false));
        assert_eq!(index.expire(20_000_000).len(), 6);
        assert_eq!(index.evict(1, Some(id(9))), []);
    }
}
