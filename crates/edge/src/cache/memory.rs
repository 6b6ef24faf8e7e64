//! Hot slices in memory, shared between the threads.

use super::facts::Facts;
use super::fifo::Fifo;
use super::key::{KeyHash, SliceId};
use bytes::Bytes;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a slice takes beside its bytes, roughly.
const OVERHEAD: u64 = 512;
/// Most parts, each with its own lock.
const PARTS: u64 = 16;

/// A slice in memory.
#[derive(Debug)]
pub(super) struct Hot {
    /// Site and path, for purging.
    pub(super) text: Box<str>,
    pub(super) facts: Arc<Facts>,
    pub(super) payload: Bytes,
    /// When its use was last told to the disk's index, in milliseconds.
    pub(super) told: AtomicU64,
}

impl Hot {
    /// Whether the disk's index should hear of this use: once in a while is enough.
    pub(super) fn is_news(&self, now: u64) -> bool {
        let told = self.told.load(Ordering::Relaxed);
        now.saturating_sub(told) > 30_000 && {
            self.told.store(now, Ordering::Relaxed);
            true
        }
    }
}

pub(super) struct Memory {
    parts: Box<[Mutex<Fifo<SliceId, Arc<Hot>>>]>,
    spread: RandomState,
    largest: u64,
}

impl Memory {
    /// At most so many bytes, for slices of up to this length.
    pub(super) fn new(bytes: u64, slice_size: u64) -> Memory {
        let parts = (bytes / (8 * (slice_size + OVERHEAD))).clamp(1, PARTS);
        let part = bytes / parts;
        let parts = (0..parts).map(|_| Mutex::new(Fifo::new(part))).collect();
        Memory { parts, spread: RandomState::new(), largest: part / 4 }
    }

    /// Whether a slice of this length is taken at all.
    pub(super) fn takes(&self, length: u64) -> bool {
        length + OVERHEAD <= self.largest
    }

    fn part(&self, id: &SliceId) -> MutexGuard<'_, Fifo<SliceId, Arc<Hot>>> {
        let place = self.spread.hash_one(id) % self.parts.len() as u64;
        self.parts[usize::try_from(place).unwrap_or_default()].lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn find(&self, id: SliceId) -> Option<Arc<Hot>> {
        self.part(&id).touch(&id).map(|hot| hot.clone())
    }

    pub(super) fn insert(&self, id: SliceId, hot: Arc<Hot>) {
        let length = hot.payload.len() as u64 + hot.text.len() as u64;
        // What leaves is dropped after the lock.
        let gone = match self.takes(length) {
            true => self.part(&id).insert(id, hot, length + OVERHEAD),
            false => self.part(&id).remove(&id).map(|hot| (id, hot)).into_iter().collect(),
        };
        drop(gone);
    }

    pub(super) fn remove(&self, id: SliceId) {
        let gone = self.part(&id).remove(&id);
        drop(gone);
    }

    pub(super) fn remove_object(&self, object: KeyHash) {
        self.remove_where(|id, _| id.object == object);
    }

    pub(super) fn remove_where(&self, goes: impl Fn(&SliceId, &Hot) -> bool) {
        for part in &self.parts {
            let gone = part.lock().unwrap_or_else(PoisonError::into_inner).remove_where(|id, hot| goes(id, hot));
            drop(gone);
        }
    }

    pub(super) fn weight(&self) -> u64 {
        self.parts.iter().map(|part| part.lock().unwrap_or_else(PoisonError::into_inner).weight()).sum()
    }
}
