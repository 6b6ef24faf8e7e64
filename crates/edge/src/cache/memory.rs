//! Hot slices in memory, shared between the threads.

use super::ObjectKey;
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
    pub(super) fn new(key: &ObjectKey, facts: &Arc<Facts>, (payload, told): (Bytes, u64)) -> Hot {
        Hot { text: key.text().into(), facts: facts.clone(), payload, told: AtomicU64::new(told) }
    }

    fn weight(&self) -> u64 {
        self.payload.len() as u64 + self.text.len() as u64 + OVERHEAD
    }

    /// Whether the disk's index should hear of this use: once in a while is enough.
    pub(super) fn is_news(&self, now: u64) -> bool {
        let told = self.told.load(Ordering::Relaxed);
        now.saturating_sub(told) > 30_000 && {
            self.told.store(now, Ordering::Relaxed);
            true
        }
    }
}

type Part = Fifo<SliceId, Arc<Hot>>;
type Insert = fn(&mut Part, SliceId, Arc<Hot>, u64) -> Vec<(SliceId, Arc<Hot>)>;

pub(super) struct Memory {
    parts: Box<[Mutex<Part>]>,
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

    fn part(&self, id: &SliceId) -> MutexGuard<'_, Part> {
        let place = self.spread.hash_one(id) % self.parts.len() as u64;
        self.parts[usize::try_from(place).unwrap_or_default()].lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn find(&self, id: SliceId) -> Option<Arc<Hot>> {
        self.part(&id).touch(&id).map(|hot| hot.clone())
    }

    /// Whether a slice of this length fits without another one leaving.
    pub(super) fn has_room(&self, id: SliceId, length: u64) -> bool {
        let part = self.part(&id);
        part.weight() + length + 2 * OVERHEAD <= part.limit()
    }

    pub(super) fn insert(&self, id: SliceId, hot: Arc<Hot>) {
        self.replace(id, hot, Fifo::insert);
    }

    /// As [`Memory::insert`], for what is known to be used often.
    pub(super) fn insert_proved(&self, id: SliceId, hot: Arc<Hot>) {
        self.replace(id, hot, Fifo::insert_proved);
    }

    fn replace(&self, id: SliceId, hot: Arc<Hot>, insert: Insert) {
        let weight = hot.weight();
        // What leaves is dropped after the lock.
        let gone = match weight <= self.largest {
            true => insert(&mut self.part(&id), id, hot, weight),
            false => self.part(&id).remove(&id).map(|hot| (id, hot)).into_iter().collect(),
        };
        drop(gone);
    }

    /// Gives a copy that is here other facts, if it is the same one.
    pub(super) fn renew(&self, key: &ObjectKey, facts: &Arc<Facts>) {
        let id = facts.id(key);
        let mut part = self.part(&id);
        let is_same = |hot: &Hot| {
            *hot.text == *key.text() && (hot.facts.stamp, hot.facts.version) == (facts.stamp, facts.version)
        };
        if let Some(hot) = part.touch(&id).filter(|hot| is_same(hot)) {
            let told = hot.told.load(Ordering::Relaxed);
            *hot = Arc::new(Hot::new(key, facts, (hot.payload.clone(), told)));
        }
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
