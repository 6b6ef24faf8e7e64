//! Writing slices to the disk, within the bounds. Nothing here may fail a request.

use super::ObjectKey;
use super::disk;
use super::facts::Facts;
use super::fill::Fill;
use super::index::weight;
use super::key::SliceId;
use super::shared::{Content, Shared, Stored, now};
use bytes::Bytes;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// After writing failed it is tried again after this many milliseconds.
const PAUSE: u64 = 10_000;
/// Slices up to this length are put into memory as they come.
const SMALL: u64 = 128 * 1024;

impl Shared {
    /// Keeps what came, if that can be: the fill says so then.
    pub(super) async fn keep(self: &Arc<Shared>, fill: &Arc<Fill>, facts: &Arc<Facts>) {
        if now() < self.pause.load(Ordering::Relaxed) {
            self.counts.unwritten.one();
            return self.keep_in_memory(fill, facts);
        }
        let (shared, fill, facts) = (self.clone(), fill.clone(), facts.clone());
        let _ = tokio::task::spawn_blocking(move || shared.keep_now(&fill, &facts)).await;
    }

    fn keep_now(self: &Arc<Shared>, fill: &Arc<Fill>, facts: &Arc<Facts>) {
        if !self.flights.is_current(fill) {
            return;
        }
        let file = Bytes::from(disk::file_of(fill.key(), facts, fill.collect(disk::overhead(facts))));
        let payload = file.slice(..usize::try_from(facts.len()).unwrap_or_default().min(file.len()));
        let is_kept = self.put(fill.id(), &file);
        if facts.len() <= SMALL || !is_kept {
            self.remember(fill.key(), facts, payload, now());
        } else {
            // It may hold what was before.
            self.memory.remove(fill.id());
        }
        if !self.flights.is_current(fill) {
            // It was purged in between.
            self.memory.remove(fill.id());
            return self.remove_until(fill.id(), facts.stamp);
        }
        if is_kept {
            fill.mark_kept();
        }
    }

    /// While the disk does not take it.
    fn keep_in_memory(&self, fill: &Arc<Fill>, facts: &Arc<Facts>) {
        if self.memory.takes(facts.len()) {
            self.remember(fill.key(), facts, fill.collect(0).into(), now());
        }
        if !self.memory.takes(facts.len()) || !self.flights.is_current(fill) {
            self.memory.remove(fill.id());
        }
    }

    /// Writes a file, after making room for it. Whether it can be found now.
    fn put(self: &Arc<Shared>, id: SliceId, file: &[u8]) -> bool {
        if !self.make_room(id, file.len() as u64) {
            self.counts.unwritten.one();
            return false;
        }
        match self.disk.write(id, file).and_then(|written| self.disk.publish(written)) {
            Ok(()) => {
                // Whoever removed the file before it has taken it out of the index, too.
                self.evict(self.index.found(id, file.len() as u64, now()));
                if self.disk.was_emptied() {
                    self.index.clear();
                    super::maintain::look_through(self);
                }
                true
            }
            Err(failure) => {
                self.index.remove(id);
                self.not_written(file.len() as u64, &failure);
                false
            }
        }
    }

    fn not_written(&self, length: u64, failure: &io::Error) {
        self.counts.unwritten.one();
        if matches!(failure.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
            // Others fill the disk: give some of it back.
            self.evict(self.index.evict(8 * weight(length), None));
        }
        self.pause.store(now() + PAUSE, Ordering::Relaxed);
        self.complain("the cache cannot be written", failure);
    }

    /// Takes the file into the index and removes what has to go for it.
    fn make_room(&self, id: SliceId, length: u64) -> bool {
        let gone = self.index.insert(id, length, now());
        let fits = !gone.contains(&id);
        self.evict(gone);
        if !fits {
            return false;
        }
        let Some(free) = self.disk.free() else { return true };
        let lacking = self.config.min_free.saturating_add(weight(length)).saturating_sub(free);
        if lacking == 0 {
            return true;
        }
        let before = self.index.weight();
        self.evict(self.index.evict(lacking, Some(id)));
        let is_enough = before.saturating_sub(self.index.weight()) >= lacking;
        if !is_enough {
            self.index.remove(id);
            self.complain("the disk is nearly full", &ErrorKind::StorageFull.into());
        }
        is_enough
    }

    /// Removes files that the index gave up.
    pub(super) fn evict(&self, ids: Vec<SliceId>) {
        self.counts.evictions.add(ids.len() as u64);
        ids.into_iter().for_each(|id| self.unlink(id));
    }

    /// The origin said that a copy is still good.
    pub(super) async fn renew(self: &Arc<Shared>, fill: &Arc<Fill>, copy: Stored, facts: &Arc<Facts>) {
        if !self.flights.is_current(fill) {
            return;
        }
        let is_behind = self.renewals.note(fill.id(), copy.facts.checked, facts);
        self.memory.renew(fill.key(), facts);
        let is_gone = !self.index.contains(fill.id());
        if !(is_behind || is_gone) || now() < self.pause.load(Ordering::Relaxed) {
            return;
        }
        let (shared, fill, facts) = (self.clone(), fill.clone(), facts.clone());
        let renewing = move || {
            shared.renew_now(fill.key(), &copy, &facts);
            if !shared.flights.is_current(&fill) {
                // It was purged in between.
                shared.remove_until(fill.id(), facts.stamp);
            }
        };
        let _ = tokio::task::spawn_blocking(renewing).await;
    }

    /// Writes a slice again with other facts.
    fn renew_now(self: &Arc<Shared>, key: &ObjectKey, copy: &Stored, facts: &Arc<Facts>) {
        let id = facts.id(key);
        let payload = match &copy.content {
            Content::Bytes(bytes) => bytes.to_vec(),
            Content::Open(open) => match open.read_all() {
                Ok(bytes) => bytes,
                Err(_) => {
                    self.counts.damaged.one();
                    return self.remove_now(id);
                }
            },
        };
        if self.put(id, &disk::file_of(key, facts, payload)) {
            self.renewals.written(id, facts);
        }
    }
}
