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

/// Who asks for another edge does not wait for what we ask an edge for: two that wait for each other wait for ever.
#[derive(Default)]
struct Now {
    fills: HashMap<(SliceId, Chain), Arc<Fill>>,
    runs: HashMap<(KeyHash, Chain), Vec<Arc<Run>>>,
}

impl Now {
    fn has(&self, fill: &Arc<Fill>) -> bool {
        self.fills.get(&fill.place()).is_some_and(|known| Arc::ptr_eq(known, fill))
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
}

impl Flights {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For the first of these slices, for somebody who will want the others, too.
    pub(super) fn way(self: &Arc<Flights>, (key, chain): (&ObjectKey, &Chain), slices: &Range<u32>) -> Way {
        let number = slices.start;
        let mut now = self.now();
        // What has failed may come all the same when it is asked for again.
        if let Some(fill) = now.fills.get(&(key.slice(number), chain.clone())).filter(|fill| !fill.has_failed()) {
            return Way::Join(fill.clone(), fill.run.follow(slices.clone()));
        }
        let runs = now.runs.entry((key.hash(), chain.clone())).or_default();
        if let Some(run) = runs.iter().find(|run| run.comes_soon_to(number)) {
            return Way::Await(run.follow(slices.clone()));
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
        let known = now.fills.get(&(run.key.slice(number), run.chain.clone()));
        let is_coming = known.is_some_and(|fill| !fill.has_failed());
        (!is_coming && !run.is_forgotten()).then(|| self.ticket(&mut now, run, number))
    }

    fn ticket(self: &Arc<Flights>, now: &mut Now, run: &Arc<Run>, number: u32) -> Ticket {
        let fill = Arc::new(Fill::new(run, number));
        now.fills.insert(fill.place(), fill.clone());
        Ticket { flights: self.clone(), fill }
    }

    pub(super) fn contains(&self, id: SliceId, chain: &Chain) -> bool {
        self.now().fills.contains_key(&(id, chain.clone()))
    }

    /// Whether others can still join the fill; what was forgotten is not to be kept.
    pub(super) fn is_current(&self, fill: &Arc<Fill>) -> bool {
        self.now().has(fill)
    }

    /// Those who read go on; nobody joins any more, and what comes will not be kept.
    pub(super) fn forget_where(&self, forgotten: impl Fn(&ObjectKey) -> bool) {
        let mut now = self.now();
        now.fills.retain(|_, fill| !forgotten(&fill.run.key));
        now.runs.retain(|_, runs| {
            let goes = runs.first().is_none_or(|run| forgotten(&run.key));
            if goes {
                runs.iter().for_each(|run| run.forget());
            }
            !goes
        });
    }

    pub(super) fn len(&self) -> usize {
        self.now().fills.len()
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
        if now.has(&self.fill) {
            now.fills.remove(&self.fill.place());
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
        let place = (self.run.key.hash(), self.run.chain.clone());
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
