//! A table of fixed size from hashed keys to counters: no growth, no clean-up task, one short lock per look.
//! Each key belongs to one bucket of eight; a newcomer takes the place of an expired entry, or else of the least
//! used one, so that a crowd of strangers pushes out strangers and not those who knock most.

use std::sync::{Mutex, MutexGuard, PoisonError};

const WAYS: usize = 8;

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    key: u64,
    /// Epoch seconds; at or after it the entry means nothing.
    ends: i64,
    /// For tokens.
    account: i64,
    uses: u32,
}

#[derive(Debug)]
pub(super) struct Table {
    buckets: Box<[Mutex<[Slot; WAYS]>]>,
    mask: usize,
}

impl Table {
    /// Room for about `keys` entries (32 bytes each).
    pub(super) fn new(keys: usize) -> Self {
        let buckets = keys.div_ceil(WAYS).clamp(1, 1 << 20).next_power_of_two();
        Self { buckets: (0..buckets).map(|_| Mutex::default()).collect(), mask: buckets - 1 }
    }

    fn bucket(&self, key: u64) -> MutexGuard<'_, [Slot; WAYS]> {
        // A panic while holding the lock cannot leave a bucket in a bad state.
        self.buckets[key as usize & self.mask].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one use of `key` in the window that ends at `ends`; gives the uses so far in it.
    pub(super) fn hit(&self, key: u64, ends: i64, now: i64) -> u32 {
        let mut bucket = self.bucket(key);
        let slot = claim(&mut bucket, key, now);
        slot.ends = ends;
        slot.uses = slot.uses.saturating_add(1);
        slot.uses
    }

    /// Takes one use back.
    pub(super) fn refund(&self, key: u64, now: i64) {
        if let Some(slot) = find(&mut self.bucket(key), key, now) {
            slot.uses = slot.uses.saturating_sub(1);
        }
    }

    /// Notes whose a token is; `(until, now)` in epoch seconds.
    pub(super) fn remember(&self, key: u64, account: i64, (until, now): (i64, i64)) {
        let mut bucket = self.bucket(key);
        let slot = claim(&mut bucket, key, now);
        slot.account = account;
        slot.ends = until;
    }

    /// Whose a token is, if that is still known; then it stays known until `until`.
    pub(super) fn recall(&self, key: u64, (until, now): (i64, i64)) -> Option<i64> {
        let mut bucket = self.bucket(key);
        let slot = find(&mut bucket, key, now)?;
        slot.ends = until;
        slot.uses = slot.uses.saturating_add(1);
        Some(slot.account)
    }

    pub(super) fn forget(&self, key: u64) {
        if let Some(slot) = find(&mut self.bucket(key), key, i64::MIN) {
            *slot = Slot::default();
        }
    }
}

fn find(bucket: &mut [Slot; WAYS], key: u64, now: i64) -> Option<&mut Slot> {
    bucket.iter_mut().find(|slot| slot.key == key && slot.ends > now)
}

/// The slot of `key`, emptied when it was another's or its time had run out.
fn claim(bucket: &mut [Slot; WAYS], key: u64, now: i64) -> &mut Slot {
    let mut best = 0;
    for (i, slot) in bucket.iter().enumerate() {
        if slot.key == key {
            if slot.ends > now {
                return &mut bucket[i];
            }
            best = i;
            break;
        }
        let rank = |slot: &Slot| (slot.ends > now, slot.uses);
        if rank(slot) < rank(&bucket[best]) {
            best = i;
        }
    }
    bucket[best] = Slot { key, ..Slot::default() };
    &mut bucket[best]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_begin_anew() {
        let table = Table::new(100);
        assert_eq!([table.hit(5, 300, 1), table.hit(5, 300, 2), table.hit(5, 300, 299)], [1, 2, 3]);
        assert_eq!(table.hit(5, 600, 300), 1);
        table.refund(5, 301);
        assert_eq!(table.hit(5, 600, 302), 1);
    }

    #[test]
    fn crowds_push_out_the_least_used() {
        let table = Table::new(8);
        for _ in 0..50 {
            table.hit(1, 300, 0);
        }
        for key in 2..10_000 {
            table.hit(key, 300, 0);
        }
        assert_eq!(table.hit(1, 300, 0), 51);
        assert_eq!(table.buckets.len(), 1);
    }

    #[test]
    fn tokens_are_known_for_a_time() {
        let table = Table::new(8);
        assert_eq!(table.recall(7, (10, 0)), None);
        table.remember(7, 42, (10, 0));
        assert_eq!(table.recall(7, (15, 5)), Some(42));
        assert_eq!(table.recall(7, (24, 14)), Some(42));
        assert_eq!(table.recall(7, (34, 24)), None);
        table.remember(7, 42, (50, 40));
        table.forget(7);
        assert_eq!(table.recall(7, (50, 40)), None);
    }

    #[test]
    fn odd_sizes_are_clamped() {
        assert_eq!(Table::new(0).buckets.len(), 1);
        assert_eq!(Table::new(1000).buckets.len(), 128);
    }
}
