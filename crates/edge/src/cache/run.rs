//! One request to an origin that brings slice after slice, and who wants them.

use super::ObjectKey;
use super::upstream::Chain;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::futures::Notified;
use tokio::sync::{Notify, watch};

/// Who wants a slice so little further on waits for it; others ask the origin themselves.
const NEAR: u32 = 2;
/// When it is over, no slice is ahead of it.
const OVER: u32 = u32::MAX;

/// A request that is under way. It goes on from slice to slice as long as somebody wants the next one.
pub(super) struct Run {
    pub(super) key: ObjectKey,
    /// For whom: requests that have passed other edges do not wait for the beginning of ours.
    pub(super) chain: Chain,
    /// The slice it has reached; above every slice when it is over.
    reached: watch::Sender<u32>,
    /// The first slice that it does not bring.
    end: AtomicU32,
    /// The origin sends everything whatever was asked: who wants something waits, however far it is.
    is_flow: AtomicBool,
    /// The origin has said what it sends.
    is_answered: AtomicBool,
    /// What it sends comes from another edge, which may have to wait in the middle of it: for its own origins, and those
    /// may be us.
    is_passed_on: AtomicBool,
    /// Purged: nothing of what comes is to be kept.
    is_forgotten: AtomicBool,
    readers: Mutex<Readers>,
    moved: Notify,
}

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Another edge, which passes on what it may not have yet.
    Edge,
    /// Whoever has it.
    Owner,
}

/// How many edges a request has passed.
fn edges(chain: &Chain) -> usize {
    if chain.is_empty() { 0 } else { chain.split(',').count() }
}

/// Which slices those want who read it.
#[derive(Default)]
struct Readers {
    next: u64,
    wants: HashMap<u64, Range<u32>>,
}

/// Whether the next slice is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Now,
    /// All who want it are far behind.
    Later,
    Never,
}

impl Run {
    pub(super) fn new(key: &ObjectKey, chain: &Chain, slices: &Range<u32>) -> Arc<Run> {
        Arc::new(Run {
            key: key.clone(),
            chain: chain.clone(),
            reached: watch::Sender::new(slices.start),
            end: AtomicU32::new(slices.end),
            is_flow: AtomicBool::new(false),
            is_answered: AtomicBool::new(false),
            is_passed_on: AtomicBool::new(false),
            is_forgotten: AtomicBool::new(false),
            readers: Mutex::default(),
            moved: Notify::new(),
        })
    }

    fn readers(&self) -> MutexGuard<'_, Readers> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody wants these slices, from now until what is returned is dropped.
    pub(super) fn follow(self: &Arc<Run>, slices: Range<u32>) -> Following {
        let mut readers = self.readers();
        readers.next += 1;
        let id = readers.next;
        readers.wants.insert(id, slices);
        drop(readers);
        self.moved.notify_waiters();
        Following { run: self.clone(), id }
    }

    /// From here on it brings the slices up to that one, and no further.
    pub(super) fn ends_at(&self, end: u32) {
        self.end.store(end, Ordering::Release);
    }

    /// From here on it brings everything, from the beginning.
    pub(super) fn flows(&self, count: u32) {
        self.is_flow.store(true, Ordering::Release);
        self.ends_at(count);
        self.reached.send_replace(0);
    }

    pub(super) fn is_answered(&self, source: Source) {
        self.is_passed_on.store(source == Source::Edge, Ordering::Relaxed);
        self.is_answered.store(true, Ordering::Release);
    }

    /// Whether those who ask on behalf of `chain` may wait for what it brings.
    ///
    /// Nobody then waits for himself, however many edges have each other as origins: a request that is passed on has one
    /// edge more behind it, and nobody waits for one that has fewer behind it than he has, unless it comes from where
    /// nobody waits. So the number of edges only grows along those who wait for each other.
    pub(super) fn is_open_to(&self, chain: &Chain) -> bool {
        let is_answered = self.is_answered.load(Ordering::Acquire);
        (is_answered && !self.is_passed_on.load(Ordering::Relaxed)) || edges(&self.chain) >= edges(chain)
    }

    pub(super) fn reaches(&self, number: u32) {
        self.reached.send_replace(number);
    }

    pub(super) fn is_over(&self) {
        self.reached.send_replace(OVER);
    }

    /// Whether it is worth waiting for it to come to this slice.
    pub(super) fn comes_soon_to(&self, number: u32) -> bool {
        let (reached, end) = (*self.reached.borrow(), self.end.load(Ordering::Acquire));
        let is_near = self.is_flow.load(Ordering::Acquire) || number.saturating_sub(reached) <= NEAR;
        reached < number && number < end && is_near
    }

    /// Waits until it comes to the slice, or ends.
    pub(super) async fn comes_to(&self, number: u32) {
        let _ = self.reached.subscribe().wait_for(|reached| *reached >= number).await;
    }

    pub(super) fn forget(&self) {
        self.is_forgotten.store(true, Ordering::Release);
    }

    pub(super) fn is_forgotten(&self) -> bool {
        self.is_forgotten.load(Ordering::Acquire)
    }

    /// Tells of the next change of what is wanted; to be asked for before one looks.
    pub(super) fn moved(&self) -> Notified<'_> {
        self.moved.notified()
    }

    /// Whether anybody wants this slice, now or when he comes within so many slices of it.
    /// (Where everything comes, it is no matter how far behind this slice the one is that he wants.)
    pub(super) fn wish(&self, number: u32, ahead: u32) -> Wish {
        let is_flow = self.is_flow.load(Ordering::Acquire);
        let is_meant =
            |slices: &&Range<u32>| slices.end > number && (is_flow || slices.start <= number.saturating_add(NEAR));
        let mut wish = Wish::Never;
        for slices in self.readers().wants.values().filter(is_meant) {
            if number < slices.start.saturating_add(ahead) {
                return Wish::Now;
            }
            wish = Wish::Later;
        }
        wish
    }

    /// Waits until everybody who wants this slice has had it.
    pub(super) async fn passed(&self, number: u32) {
        loop {
            let moved = self.moved();
            if !self.readers().wants.values().any(|slices| slices.contains(&number)) {
                return;
            }
            moved.await;
        }
    }
}

/// Somebody who reads what a run brings. Dropped, he does not any more.
pub(super) struct Following {
    pub(super) run: Arc<Run>,
    id: u64,
}

impl Following {
    /// From here on only later slices are wanted.
    pub(super) fn comes_to(&self, number: u32) {
        if let Some(slices) = self.run.readers().wants.get_mut(&self.id) {
            slices.start = number;
        }
        self.run.moved.notify_waiters();
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.run.readers().wants.remove(&self.id);
        self.run.moved.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(slices: Range<u32>) -> Arc<Run> {
        Run::new(&ObjectKey::new("site", "/a").unwrap(), &Chain::default(), &slices)
    }

    #[test]
    fn it_is_wanted_as_far_as_somebody_reads_and_not_far_ahead_of_him() {
        let run = run(0..100);
        assert_eq!(run.wish(0, 10), Wish::Never);
        let (short, long) = (run.follow(0..3), run.follow(0..100));
        for (number, wish) in [(0, Wish::Now), (9, Wish::Now), (10, Wish::Later), (99, Wish::Later), (100, Wish::Never)]
        {
            assert_eq!(run.wish(number, 10), wish, "{number}");
        }
        long.comes_to(5);
        assert_eq!((run.wish(14, 10), run.wish(15, 10)), (Wish::Now, Wish::Later));
        drop(long);
        assert_eq!((run.wish(2, 10), run.wish(3, 10)), (Wish::Now, Wish::Never));
        drop(short);
        assert_eq!(run.wish(2, 10), Wish::Never);
        // Somebody who wants the end alone.
        let _end = run.follow(90..100);
        assert_eq!((run.wish(3, 10), run.wish(88, 10)), (Wish::Never, Wish::Now));
        run.flows(100);
        assert_eq!(run.wish(3, 10), Wish::Now);
    }

    #[test]
    fn nobody_waits_for_a_request_with_fewer_edges_behind_it_but_for_its_owner() {
        let chains: Vec<Chain> = ["", "a", "b", "a, b", "b, c"].map(Into::into).to_vec();
        for own in &chains {
            let begun = || Run::new(&ObjectKey::new("site", "/a").unwrap(), own, &(0..1));
            let (silent, owner, edge) = (begun(), begun(), begun());
            owner.is_answered(Source::Owner);
            edge.is_answered(Source::Edge);
            for other in &chains {
                let is_behind = edges(own) >= edges(other);
                assert_eq!((silent.is_open_to(other), edge.is_open_to(other)), (is_behind, is_behind), "{own} {other}");
                assert!(owner.is_open_to(other));
            }
        }
    }

    #[test]
    fn only_who_is_near_waits_unless_everything_comes() {
        let run = run(5..20);
        run.reaches(6);
        let soon = |run: &Run| -> Vec<u32> { (0..30).filter(|number| run.comes_soon_to(*number)).collect() };
        assert_eq!(soon(&run), [7, 8]);
        run.ends_at(8);
        assert_eq!(soon(&run), [7]);
        run.flows(12);
        assert_eq!(soon(&run), (1..12).collect::<Vec<_>>());
        run.is_over();
        assert!(soon(&run).is_empty());
    }
}
