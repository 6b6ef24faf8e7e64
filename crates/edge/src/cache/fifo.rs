//! Which of many weighed things to keep: S3-FIFO, within an exact bound.
//!
//! New things go into a small queue; those used again before they reach its end move to the main queue, the others
//! leave, and are remembered by a mark: if they come back soon they go to the main queue at once. A use costs a counter.
//! Yang et al., "FIFO queues are all you need for cache eviction", 2023.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, Hash, RandomState};

/// The share of the small queue is one in this many.
const SMALL_SHARE: u64 = 10;
/// Uses are counted up to this.
const MOST_USES: u8 = 3;
/// Uses in the small queue after which a thing has proved itself.
const PROVED: u8 = 2;
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Queue {
    Small,
    Main,
}

struct Slot<K, V> {
    key: K,
    value: V,
    weight: u64,
    newer: u32,
    older: u32,
    uses: u8,
    queue: Queue,
}

/// A doubly linked list through the slots, so that anything can leave from the middle.
#[derive(Clone, Copy)]
struct Ends {
    newest: u32,
    oldest: u32,
    weight: u64,
}

const EMPTY: Ends = Ends { newest: NONE, oldest: NONE, weight: 0 };

/// Things by key, no more weight than the limit at any time.
pub(super) struct Fifo<K, V> {
    limit: u64,
    slots: Vec<Option<Slot<K, V>>>,
    free: Vec<u32>,
    places: HashMap<K, u32>,
    small: Ends,
    main: Ends,
    ghosts: VecDeque<u64>,
    is_ghost: HashSet<u64>,
    marks: RandomState,
}

/// What left.
pub(super) type Gone<K, V> = (K, V);

impl<K: Copy + Eq + Hash, V> Fifo<K, V> {
    pub(super) fn new(limit: u64) -> Fifo<K, V> {
        Fifo {
            limit,
            slots: Vec::new(),
            free: Vec::new(),
            places: HashMap::new(),
            small: EMPTY,
            main: EMPTY,
            ghosts: VecDeque::new(),
            is_ghost: HashSet::new(),
            marks: RandomState::new(),
        }
    }

    pub(super) fn weight(&self) -> u64 {
        self.small.weight + self.main.weight
    }

    pub(super) fn limit(&self) -> u64 {
        self.limit
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Takes a thing in, in place of the one with the same key, and answers what had to leave for it. What is heavier
    /// than everything together is not taken: it comes back.
    pub(super) fn insert(&mut self, key: K, value: V, weight: u64) -> Vec<Gone<K, V>> {
        self.take_in((key, value), weight, Queue::Small)
    }

    /// As [`Fifo::insert`], for what is known to be used often.
    pub(super) fn insert_proved(&mut self, key: K, value: V, weight: u64) -> Vec<Gone<K, V>> {
        self.take_in((key, value), weight, Queue::Main)
    }

    fn take_in(&mut self, (key, value): (K, V), weight: u64, queue: Queue) -> Vec<Gone<K, V>> {
        let before = self.places.get(&key).and_then(|place| self.slots[*place as usize].as_ref());
        let (uses, was_main) = before.map_or((0, false), |slot| (slot.uses, slot.queue == Queue::Main));
        self.remove(&key);
        if weight > self.limit || self.places.len() >= NONE as usize {
            return vec![(key, value)];
        }
        let mut gone = Vec::new();
        while self.weight() + weight > self.limit {
            gone.extend(self.evict());
        }
        let mark = self.marks.hash_one(key);
        let queue = if was_main || self.is_ghost.remove(&mark) { Queue::Main } else { queue };
        let slot = Slot { key, value, weight, newer: NONE, older: NONE, uses, queue };
        let place = match self.free.pop() {
            Some(place) => place,
            None => {
                self.slots.push(None);
                (self.slots.len() - 1) as u32
            }
        };
        self.slots[place as usize] = Some(slot);
        self.places.insert(key, place);
        self.link(place, queue);
        gone
    }

    /// The thing with this key, which counts as a use.
    pub(super) fn touch(&mut self, key: &K) -> Option<&mut V> {
        let place = *self.places.get(key)?;
        let slot = self.slots[place as usize].as_mut()?;
        slot.uses = (slot.uses + 1).min(MOST_USES);
        Some(&mut slot.value)
    }

    /// How often it was used lately, up to a small number.
    pub(super) fn uses(&self, key: &K) -> Option<u8> {
        let place = *self.places.get(key)?;
        self.slots[place as usize].as_ref().map(|slot| slot.uses)
    }

    /// Whether there is a thing with this key, which is not a use.
    pub(super) fn contains(&self, key: &K) -> bool {
        self.places.contains_key(key)
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let place = self.places.remove(key)?;
        self.unlink(place);
        self.free.push(place);
        self.slots[place as usize].take().map(|slot| slot.value)
    }

    /// Makes the least valuable thing leave.
    pub(super) fn evict(&mut self) -> Option<Gone<K, V>> {
        loop {
            let small_is_due = self.small.weight > self.limit / SMALL_SHARE || self.main.oldest == NONE;
            let queue = if small_is_due && self.small.oldest != NONE { Queue::Small } else { Queue::Main };
            let place = self.ends(queue).oldest;
            let slot = self.slots.get_mut(place as usize)?.as_mut()?;
            let (key, stays) = match queue {
                Queue::Small if slot.uses >= PROVED => (slot.key, true),
                Queue::Main if slot.uses > 0 => (slot.key, true),
                Queue::Small | Queue::Main => (slot.key, false),
            };
            if stays {
                slot.uses = if queue == Queue::Main { slot.uses - 1 } else { 0 };
                self.unlink(place);
                self.link(place, Queue::Main);
                continue;
            }
            if queue == Queue::Small {
                self.remember(key);
            }
            return self.remove(&key).map(|value| (key, value));
        }
    }

    /// Removes everything of which the test says so, and answers it.
    pub(super) fn remove_where(&mut self, mut goes: impl FnMut(&K, &V) -> bool) -> Vec<Gone<K, V>> {
        let going = self.slots.iter().flatten().filter(|slot| goes(&slot.key, &slot.value)).map(|slot| slot.key);
        let keys: Vec<K> = going.collect();
        keys.into_iter().filter_map(|key| self.remove(&key).map(|value| (key, value))).collect()
    }

    /// As many marks as there are things.
    fn remember(&mut self, key: K) {
        let mark = self.marks.hash_one(key);
        while self.ghosts.len() >= self.places.len().max(64) {
            if let Some(oldest) = self.ghosts.pop_front() {
                self.is_ghost.remove(&oldest);
            }
        }
        if self.is_ghost.insert(mark) {
            self.ghosts.push_back(mark);
        }
    }

    fn ends(&mut self, queue: Queue) -> &mut Ends {
        match queue {
            Queue::Small => &mut self.small,
            Queue::Main => &mut self.main,
        }
    }

    fn link(&mut self, place: u32, queue: Queue) {
        let newest = self.ends(queue).newest;
        let Some(slot) = self.slots[place as usize].as_mut() else { return };
        (slot.queue, slot.newer, slot.older) = (queue, NONE, newest);
        let weight = slot.weight;
        if let Some(Some(next)) = self.slots.get_mut(newest as usize) {
            next.newer = place;
        }
        let ends = self.ends(queue);
        ends.newest = place;
        ends.weight += weight;
        if ends.oldest == NONE {
            ends.oldest = place;
        }
    }

    fn unlink(&mut self, place: u32) {
        let Some(slot) = self.slots[place as usize].as_ref() else { return };
        let (queue, newer, older, weight) = (slot.queue, slot.newer, slot.older, slot.weight);
        if let Some(Some(next)) = self.slots.get_mut(newer as usize) {
            next.older = older;
        }
        if let Some(Some(next)) = self.slots.get_mut(older as usize) {
            next.newer = newer;
        }
        let ends = self.ends(queue);
        ends.weight -= weight;
        if ends.newest == place {
            ends.newest = older;
        }
        if ends.oldest == place {
            ends.oldest = newer;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u8, u64),
        Touch(u8),
        Remove(u8),
        Evict,
        Forget(u8),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (any::<u8>(), 0..40_u64).prop_map(|(key, weight)| Step::Insert(key, weight)),
            4 => any::<u8>().prop_map(Step::Touch),
            1 => any::<u8>().prop_map(Step::Remove),
            1 => Just(Step::Evict),
            1 => any::<u8>().prop_map(Step::Forget),
        ]
    }

    fn gone(model: &mut HashMap<u8, (u64, u64)>, gone: Vec<Gone<u8, u64>>) {
        for (key, value) in gone {
            assert_eq!(model.remove(&key).map(|(value, _)| value), Some(value), "{key} left twice or was never there");
        }
    }

    proptest! {
        /// The model is a plain map. What leaves is the queue's choice; that it was there, that it leaves once, and
        /// that the weights are right is not.
        #[test]
        fn it_is_a_map_within_a_bound(limit in 0..200_u64, steps in prop::collection::vec(step(), 0..400)) {
            let (mut fifo, mut model) = (Fifo::new(limit), HashMap::new());
            for (time, step) in steps.into_iter().enumerate() {
                let value = time as u64;
                match step {
                    Step::Insert(key, weight) => {
                        let before: HashMap<u8, (u64, u64)> = model.clone();
                        model.insert(key, (value, weight));
                        let insert = if key % 3 == 0 { Fifo::insert_proved } else { Fifo::insert };
                        gone(&mut model, insert(&mut fifo, key, value, weight));
                        prop_assert_eq!(fifo.contains(&key), weight <= limit);
                        let fitted = before.iter().filter(|(k, _)| **k != key).map(|(_, (_, w))| w).sum::<u64>() + weight;
                        if fitted <= limit {
                            prop_assert!(before.keys().all(|key| model.contains_key(key)), "evicted without need");
                        }
                    }
                    Step::Touch(key) => {
                        prop_assert_eq!(fifo.touch(&key).map(|v| *v), model.get(&key).map(|(value, _)| *value));
                    }
                    Step::Remove(key) => {
                        prop_assert_eq!(fifo.remove(&key), model.remove(&key).map(|(value, _)| value));
                    }
                    Step::Evict => {
                        let one = fifo.evict();
                        prop_assert_eq!(one.is_none(), model.is_empty());
                        gone(&mut model, one.into_iter().collect());
                    }
                    Step::Forget(below) => {
                        let left = fifo.remove_where(|key, _| *key < below);
                        gone(&mut model, left);
                        prop_assert!(model.keys().all(|key| *key >= below));
                    }
                }
                prop_assert!(fifo.weight() <= limit);
                prop_assert_eq!(fifo.weight(), model.values().map(|(_, weight)| weight).sum::<u64>());
                prop_assert_eq!(fifo.len(), model.len());
                prop_assert!(fifo.ghosts.len() <= 257 && fifo.is_ghost.len() <= fifo.ghosts.len());
            }
        }
    }

    #[test]
    fn a_long_scan_does_not_push_out_what_is_used() {
        let mut fifo = Fifo::new(100);
        for key in 0..50_u32 {
            fifo.insert(key, (), 1);
            for _ in 0..3 {
                fifo.touch(&key);
            }
        }
        for key in 1000..2000 {
            fifo.insert(key, (), 1);
            for hot in (0..50).filter(|_| key % 20 == 0) {
                fifo.touch(&hot);
            }
        }
        assert!((0..50).all(|key| fifo.contains(&key)));
    }

    #[test]
    fn what_comes_back_soon_is_kept_longer() {
        let mut fifo = Fifo::new(10);
        for key in 0..11 {
            fifo.insert(key, (), 1);
        }
        assert!(!fifo.contains(&0));
        fifo.insert(0, (), 1);
        for key in 100..120 {
            fifo.insert(key, (), 1);
        }
        assert!(fifo.contains(&0));
    }
}
