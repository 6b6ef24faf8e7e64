//! Which slices are on their way, so that each is fetched once.

use super::ObjectKey;
use super::fill::Fill;
use super::key::{KeyHash, SliceId};
use super::run::{Following, Run};
use super::upstream::{Chain, Failure};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Fills and runs that are under way.
#[derive(Default)]
pub(super) struct Flights {
    now: Mutex<Now>,
}

/// Who asks on behalf of another edge waits neither for an answer that has not begun, nor in the middle of one that
/// another edge gives, if it is for somebody before him ([`Run::is_open_to`]): two that wait for each other wait for ever.
#[derive(Default)]
struct Now {
    fills: HashMap<SliceId, Vec<Arc<Fill>>>,
    runs: HashMap<KeyHash, Vec<Arc<Run>>>,
}

impl Now {
    fn has(&self, fill: &Arc<Fill>) -> bool {
        self.fills.get(&fill.id()).is_some_and(|known| known.iter().any(|known| Arc::ptr_eq(known, fill)))
    }

    /// A fill of this slice that those of `chain` may wait for. What has failed may come all the same when it is asked
    /// for again.
    fn fill(&self, id: SliceId, chain: &Chain) -> Option<&Arc<Fill>> {
        self.fills.get(&id)?.iter().find(|fill| fill.run.is_open_to(chain) && !fill.has_failed())
    }
}

/// What to do about a slice that is not here.
pub(super) enum Way {
    /// It is on its way.
    Join(Arc<Fill>, Following),
    /// Somebody's request comes to it soon.
    Await(Following),
    /// Whoever gets this has to fetch it.
    Fetch(Ticket, Duty, Following),
    /// It is being asked for on behalf of others, who may wait for us: two answers may be of two versions, and one only
    /// can be kept.
    Apart,
}

/// What somebody has who wants a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Nothing yet.
    Begins,
    /// What comes before it.
    Goes,
}

impl Flights {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For the first of these slices, for somebody who will want the others, too.
    pub(super) fn way(
        self: &Arc<Flights>,
        (key, chain): (&ObjectKey, &Chain),
        (slices, reading): (&Range<u32>, Reading),
    ) -> Way {
        let number = slices.start;
        let mut now = self.now();
        if let Some(fill) = now.fill(key.slice(number), chain) {
            return Way::Join(fill.clone(), fill.run.follow(slices.clone()));
        }
        let runs = now.runs.entry(key.hash()).or_default();
        if let Some(run) = runs.iter().find(|run| run.is_open_to(chain) && run.comes_soon_to(number)) {
            return Way::Await(run.follow(slices.clone()));
        }
        if reading == Reading::Begins && runs.iter().any(|run| !run.is_open_to(chain)) {
            return Way::Apart;
        }
        let run = Run::new(key, chain, slices);
        let following = run.follow(slices.clone());
        runs.push(run.clone());
        let ticket = self.ticket(&mut now, &run, number);
        Way::Fetch(ticket, Duty { flights: self.clone(), run }, following)
    }

    /// For a slice that a run comes to; `None` if somebody else fetches it, or nobody may have it any more.
    pub(super) fn reach(self: &Arc<Flights>, run: &Arc<Run>, number: u32) -> Option<Ticket> {
        let mut now = self.now();
        // What is asked for on behalf of others may be refused to them alone.
        let is_sure = |fill: &Arc<Fill>| fill.run.chain == run.chain || fill.has_head();
        let is_coming = now.fill(run.key.slice(number), &run.chain).is_some_and(is_sure);
        (!is_coming && !run.is_forgotten()).then(|| self.ticket(&mut now, run, number))
    }

    fn ticket(self: &Arc<Flights>, now: &mut Now, run: &Arc<Run>, number: u32) -> Ticket {
        let fill = Arc::new(Fill::new(run, number));
        let fills = now.fills.entry(fill.id()).or_default();
        // Nobody waits for what has failed.
        fills.retain(|fill| !fill.has_failed());
        fills.push(fill.clone());
        Ticket { flights: self.clone(), fill }
    }

    pub(super) fn contains(&self, id: SliceId) -> bool {
        self.now().fills.contains_key(&id)
    }

    /// Whether others can still join the fill; what was forgotten is not to be kept.
    pub(super) fn is_current(&self, fill: &Arc<Fill>) -> bool {
        self.now().has(fill)
    }

    /// Those who read go on; nobody joins any more, and what comes will not be kept.
    pub(super) fn forget_where(&self, forgotten: impl Fn(&ObjectKey) -> bool) {
        let mut now = self.now();
        now.fills.retain(|_, fills| !fills.first().is_none_or(|fill| forgotten(&fill.run.key)));
        now.runs.retain(|_, runs| {
            let goes = runs.first().is_none_or(|run| forgotten(&run.key));
            if goes {
                runs.iter().for_each(|run| run.forget());
            }
            !goes
        });
    }

    pub(super) fn len(&self) -> usize {
        self.now().fills.values().map(Vec::len).sum()
    }
}

/// The duty to fetch a slice. Dropped before the end, it tells those who wait.
pub(super) struct Ticket {
    flights: Arc<Flights>,
    pub(super) fill: Arc<Fill>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.fill.end(Err(Failure::broken("given up")));
        let mut now = self.flights.now();
        if let Some(fills) = now.fills.get_mut(&self.fill.id()) {
            fills.retain(|known| !Arc::ptr_eq(known, &self.fill));
            if fills.is_empty() {
                now.fills.remove(&self.fill.id());
            }
        }
    }
}

/// The duty to ask an origin for a slice, and for those behind it. Dropped, the run is over.
pub(super) struct Duty {
    flights: Arc<Flights>,
    pub(super) run: Arc<Run>,
}

impl Drop for Duty {
    fn drop(&mut self) {
        let mut now = self.flights.now();
        let place = self.run.key.hash();
        if let Some(runs) = now.runs.get_mut(&place) {
            runs.retain(|known| !Arc::ptr_eq(known, &self.run));
            if runs.is_empty() {
                now.runs.remove(&place);
            }
        }
        drop(now);
        self.run.is_over();
    }
}
