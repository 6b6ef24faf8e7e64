//! How many jobs run at each server that jobs ask: one that does not answer holds up a few, never all. Where more waits
//! than may run, the queue is asked for jobs of that lane alone: taking all that is due and giving most of it back costs
//! the database more than the jobs are worth.
//!
//! What servers sent is in lanes of the senders. Most of it is done at once, so that a sender may have most of its queue's
//! places.
//!
//! What has others keep it waiting goes on aside ([`super::room`]). A sender that causes that has fewer places meanwhile,
//! and a server that does it is asked for nothing more, so that each of many silent ones costs little. Pages and threads
//! are of all servers: that some are silent there says nothing about the others.

use domain::db::Texts;
use domain::jobs::{Queue, SENDER, SHARED};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// At one server at once; as many as the fetcher lets through.
const MOST: usize = 4;
/// Of one sender at once, while some of what it sent takes long.
const SLOW: usize = 8;
/// At one server at once, while it keeps us waiting.
const SILENT: usize = 1;
/// What takes long in a lane that is no server's, beside what does not.
const BESIDE: usize = 24;
/// Lanes that are asked for at once.
const TOGETHER: usize = 64;

#[derive(Clone)]
pub(super) struct Lanes {
    known: Arc<Mutex<Known>>,
    /// At once in lanes that are no server's.
    shared: usize,
    /// At once of one sender.
    sender: usize,
}

#[derive(Default)]
struct Known {
    lanes: HashMap<String, Lane>,
    turns: u64,
}

#[derive(Default)]
struct Lane {
    running: usize,
    /// Of these, those that take long.
    slow: usize,
    /// Queues in which more waits than could be begun.
    crowded: Vec<Queue>,
    /// When it was last asked for.
    turn: u64,
}

/// A place in a lane, until it is dropped.
pub(super) struct Held {
    lanes: Lanes,
    lane: Option<String>,
    slow: bool,
}

impl Lanes {
    /// `places`: how many jobs run at once in the queue of what is in lanes that are no server's, of which each of two
    /// leaves room for the other and for the rest; and in the queue of what servers sent.
    pub(super) fn new(places: (usize, usize)) -> Self {
        let (shared, sender) = ((places.0 * 3 / 8).max(1), (places.1 * 3 / 4).max(1));
        Self { known: Arc::default(), shared, sender }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn most(&self, name: &str, lane: &Lane) -> usize {
        match name.chars().next() {
            Some(SHARED) => self.shared + lane.slow.min(BESIDE),
            Some(SENDER) if lane.slow > 0 => self.sender.min(SLOW),
            Some(SENDER) => self.sender,
            _ if lane.slow > 0 => SILENT,
            _ => MOST,
        }
    }

    fn room(&self, name: &str, lane: &Lane) -> usize {
        self.most(name, lane).saturating_sub(lane.running)
    }

    /// None: the lane is full. What is in no lane always has a place.
    pub(super) fn enter(&self, lane: Option<&str>) -> Option<Held> {
        if let Some(lane) = lane {
            let mut known = self.lock();
            let found = known.lanes.entry(lane.to_owned()).or_default();
            if self.room(lane, found) == 0 {
                return None;
            }
            found.running += 1;
        }
        Some(Held { lanes: self.clone(), lane: lane.map(str::to_owned), slow: false })
    }

    /// More of `queue` waits in this lane than could be begun.
    pub(super) fn crowd(&self, queue: Queue, lane: &str) {
        let mut known = self.lock();
        let crowded = &mut known.lanes.entry(lane.to_owned()).or_default().crowded;
        if !crowded.contains(&queue) {
            crowded.push(queue);
        }
    }

    /// Nothing of `queue` waits in this lane any more.
    pub(super) fn thin(&self, queue: Queue, lane: &str) {
        let mut known = self.lock();
        if let Some(found) = known.lanes.get_mut(lane) {
            found.crowded.retain(|other| *other != queue);
        }
        known.forget(lane);
    }

    /// Crowded ones of `queue` that have places, and how many: those that waited longest, for `free` jobs in all.
    pub(super) fn open(&self, queue: Queue, mut free: usize) -> Vec<(String, usize)> {
        let mut known = self.lock();
        known.turns += 1;
        let turn = known.turns;
        let has_places =
            |(name, lane): &(&String, &mut Lane)| lane.crowded.contains(&queue) && self.room(name, lane) > 0;
        let mut open: Vec<(&String, &mut Lane)> = known.lanes.iter_mut().filter(has_places).collect();
        open.sort_by_key(|(_, lane)| lane.turn);
        let mut wanted = Vec::new();
        for (name, lane) in open.into_iter().take(TOGETHER) {
            let count = self.room(name, lane).min(free);
            if count > 0 {
                (lane.turn, free) = (turn, free - count);
                wanted.push((name.clone(), count));
            }
        }
        wanted
    }

    /// Those that are passed over when all of `queue` is looked through: they have no place, or are asked for by
    /// themselves.
    pub(super) fn closed(&self, queue: Queue) -> Texts {
        let known = self.lock();
        let is_closed = |(name, lane): &(&String, &Lane)| {
            is_of(queue, name) && (self.room(name, lane) == 0 || lane.crowded.contains(&queue))
        };
        Texts(known.lanes.iter().filter(is_closed).map(|(name, _)| name.clone()).collect())
    }
}

/// Whether what waits in `queue` can be in this lane: what servers sent has a queue of its own.
fn is_of(queue: Queue, name: &str) -> bool {
    name.starts_with(SENDER) == (queue == Queue::Default)
}

impl Known {
    fn forget(&mut self, lane: &str) {
        if self.lanes.get(lane).is_some_and(|lane| lane.running == 0 && lane.crowded.is_empty()) {
            self.lanes.remove(lane);
        }
    }
}

impl Held {
    /// This, of `queue`, waits for others for long. A profile is many requests: that they take long together says nothing
    /// about its server.
    pub(super) fn takes_long(&mut self, queue: Queue) {
        if let Some(lane) = &self.lane
            && (queue != Queue::Pull || lane.starts_with(SHARED))
            && !std::mem::replace(&mut self.slow, true)
            && let Some(lane) = self.lanes.lock().lanes.get_mut(lane)
        {
            lane.slow += 1;
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(lane) = &self.lane else { return };
        let mut known = self.lanes.lock();
        if let Some(lane) = known.lanes.get_mut(lane) {
            lane.running -= 1;
            lane.slow -= usize::from(self.slow);
        }
        known.forget(lane);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_full_until_somebody_leaves() {
        let lanes = Lanes::new((8, 16));
        let mut held: Vec<Held> = (0..MOST).filter_map(|_| lanes.enter(Some("a.example"))).collect();
        assert_eq!(held.len(), MOST);
        assert!(lanes.enter(Some("a.example")).is_none());
        assert!(lanes.enter(Some("b.example")).is_some() && lanes.enter(None).is_some());
        assert_eq!(lanes.closed(Queue::Push).0, ["a.example"]);
        held.pop();
        assert!(lanes.closed(Queue::Push).0.is_empty() && lanes.enter(Some("a.example")).is_some());
        held.clear();
        assert!(lanes.lock().lanes.is_empty());
    }

    #[test]
    fn a_crowded_lane_is_asked_for_by_itself_until_nothing_waits() {
        let lanes = Lanes::new((8, 16));
        let held: Vec<Held> = (0..MOST - 1).filter_map(|_| lanes.enter(Some("a.example"))).collect();
        for name in ["a.example", "b.example"] {
            lanes.crowd(Queue::Push, name);
        }
        let mut open = lanes.open(Queue::Push, 9);
        open.sort();
        assert_eq!(open, [("a.example".to_owned(), 1), ("b.example".to_owned(), MOST)]);
        assert!(lanes.open(Queue::Pull, 9).is_empty() && lanes.closed(Queue::Pull).0.is_empty());
        assert_eq!(lanes.closed(Queue::Push).0.len(), 2, "the look at everything passes them over");
        // Who was not asked for is asked for next.
        lanes.crowd(Queue::Push, "c.example");
        assert_eq!(lanes.open(Queue::Push, 2), [("c.example".to_owned(), 2)]);
        for name in ["a.example", "b.example", "c.example"] {
            lanes.thin(Queue::Push, name);
        }
        assert!(lanes.open(Queue::Push, 9).is_empty() && lanes.closed(Queue::Push).0.is_empty());
        drop(held);
        assert!(lanes.lock().lanes.is_empty());
    }

    #[test]
    fn a_sender_has_most_places_until_it_makes_us_wait() {
        let lanes = Lanes::new((8, 16));
        let fill = |name: &str| (0..40).map_while(|_| lanes.enter(Some(name))).collect::<Vec<Held>>();
        let mut held = fill("<a.example");
        assert_eq!((held.len(), fill("a.example").len(), fill("<b.example").len()), (12, MOST, 12));
        assert_eq!(
            (lanes.closed(Queue::Default).0.as_slice(), lanes.closed(Queue::Push).0.len()),
            (&["<a.example".to_owned()][..], 0)
        );
        held[0].takes_long(Queue::Default);
        held[0].takes_long(Queue::Default);
        held.truncate(3);
        held.extend(fill("<a.example"));
        assert_eq!(held.len(), SLOW, "what is aside counts");
        held.remove(0);
        assert_eq!(held.len() + fill("<a.example").len(), 12, "nothing is slow any more");
        held.clear();
        assert!(lanes.lock().lanes.is_empty());
    }

    #[test]
    fn who_keeps_us_waiting_is_asked_for_nothing_more() {
        let lanes = Lanes::new((8, 16));
        let fill = |name: &str| (0..40).map_while(|_| lanes.enter(Some(name))).collect::<Vec<Held>>();
        let mut held = fill("a.example");
        held[0].takes_long(Queue::Pull);
        held.truncate(2);
        assert_eq!(fill("a.example").len(), MOST - 2);
        held[1].takes_long(Queue::Push);
        assert_eq!((fill("a.example").len(), fill("b.example").len()), (0, MOST));
        held.remove(0);
        assert_eq!((fill("a.example").len(), lanes.closed(Queue::Push).0.len()), (0, 1), "not one beside it");
        held.clear();
        assert_eq!(fill("a.example").len(), MOST);
        // Of pages that are slow there may be more, but not without end.
        let mut pages = fill("*cards");
        for most in [3 + 3, 3 + 6, 3 + 9] {
            pages.iter_mut().for_each(|page| page.takes_long(Queue::Pull));
            pages.extend(fill("*cards"));
            assert_eq!(pages.len(), most);
        }
        for _ in 0..20 {
            pages.iter_mut().for_each(|page| page.takes_long(Queue::Pull));
            pages.extend(fill("*cards"));
        }
        assert_eq!(pages.len(), 3 + BESIDE);
    }

    #[test]
    fn lanes_that_are_no_servers_leave_room_in_their_queue() {
        for (places, most) in [(1, 1), (2, 1), (8, 3), (32, 12)] {
            let lanes = Lanes::new((places, 16));
            let held: Vec<Held> = (0..places).map_while(|_| lanes.enter(Some("*cards"))).collect();
            assert_eq!(held.len(), most.min(places), "{places}");
        }
    }
}
