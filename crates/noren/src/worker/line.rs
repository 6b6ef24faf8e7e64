//! One queue as a worker sees it: what may be begun, and what is due.

use super::lanes::Lanes;
use super::report;
use super::room::{Place, Room};
use domain::jobs::{self, Claimed, Queue};
use domain::{Db, Result};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Looks past lanes that are full, before the next queue has its turn.
const PAST_FULL: usize = 8;
/// A look that had to pass over much is followed by the next one after so many times as long, but no later than that.
const REST: u32 = 8;
const LONGEST_REST: Duration = Duration::from_secs(1);

/// What ran out first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// There may be more jobs: look again when one has ended.
    AllPlaces,
    /// What is left is in lanes that are full; look on, past them.
    SomeLanes,
    AllJobs,
}

type Free = Vec<OwnedSemaphorePermit>;

pub(super) struct Line {
    queue: Queue,
    /// What may still be begun.
    places: Arc<Semaphore>,
    /// Where that goes on which waits for others.
    room: Option<Room>,
    pub(super) lanes: Lanes,
    /// Crowded lanes and all the others have the first choice by turns.
    lanes_first: AtomicBool,
    /// Until then there is no look past closed lanes.
    rests_until: Mutex<Option<Instant>>,
}

impl Line {
    pub(super) fn new(queue: Queue, places: usize, lanes: Lanes) -> Self {
        let (places, room) = (Arc::new(Semaphore::new(places)), Room::of(queue));
        Self { queue, places, room, lanes, lanes_first: AtomicBool::new(false), rests_until: Mutex::default() }
    }

    /// Takes as many due jobs as there are places, and has them begun.
    pub(super) async fn take(&self, db: &Db, start: impl Fn(Claimed, Place)) -> Taken {
        let mut taken = Taken::SomeLanes;
        for _ in 0..=PAST_FULL {
            if taken == Taken::SomeLanes {
                taken = self.look(db, &start).await.unwrap_or_else(|error| {
                    tracing::error!(error = format!("{error:#}"), queue = ?self.queue, "cannot take jobs");
                    Taken::AllJobs
                });
            }
        }
        taken
    }

    async fn look(&self, db: &Db, start: &impl Fn(Claimed, Place)) -> Result<Taken> {
        let mut free = Vec::new();
        while let Ok(place) = self.places.clone().try_acquire_owned() {
            free.push(place);
        }
        if free.is_empty() {
            return Ok(Taken::AllPlaces);
        }
        let lanes_first = self.lanes_first.fetch_xor(true, Relaxed);
        if lanes_first {
            self.look_at_lanes(db, &mut free, start).await?;
        }
        let taken = self.look_at_all(db, &mut free, start).await?;
        if !lanes_first {
            self.look_at_lanes(db, &mut free, start).await?;
        }
        Ok(if free.is_empty() { Taken::AllPlaces } else { taken })
    }

    /// What may be begun of lanes in which more waits.
    async fn look_at_lanes(&self, db: &Db, free: &mut Free, start: &impl Fn(Claimed, Place)) -> Result<()> {
        let open = self.lanes.open(self.queue, free.len());
        if open.is_empty() {
            return Ok(());
        }
        let wanted: Vec<(String, i64)> =
            open.into_iter().map(|(lane, count)| (lane, i64::try_from(count).unwrap_or(1))).collect();
        let claimed = jobs::claim_of_lanes(db, self.queue, &wanted).await?;
        for (lane, count) in &wanted {
            let found = claimed.iter().filter(|claimed| claimed.lane.as_ref() == Some(lane)).count();
            if i64::try_from(found).is_ok_and(|found| found < *count) {
                self.lanes.thin(self.queue, lane);
            }
        }
        self.begin(db, (claimed, free), start).await;
        Ok(())
    }

    /// Whatever is due, but in lanes that are closed.
    async fn look_at_all(&self, db: &Db, free: &mut Free, start: &impl Fn(Claimed, Place)) -> Result<Taken> {
        let closed = self.lanes.closed(self.queue);
        let (none, began) = (closed.0.is_empty(), Instant::now());
        if free.is_empty() || (!none && self.rests(began)) {
            return Ok(Taken::AllPlaces);
        }
        let (wanted, limit) = (free.len(), i64::try_from(free.len()).unwrap_or(1));
        let claimed = jobs::claim(db, self.queue, limit, &closed).await?;
        let all_jobs = claimed.len() < wanted;
        if self.begin(db, (claimed, free), start).await > 0 {
            return Ok(Taken::SomeLanes);
        }
        if all_jobs && !none {
            let rest = (began.elapsed() * REST).min(LONGEST_REST);
            *self.rests_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + rest);
        }
        Ok(if all_jobs && none { Taken::AllJobs } else { Taken::AllPlaces })
    }

    fn rests(&self, now: Instant) -> bool {
        self.rests_until.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|until| now < until)
    }

    /// Has them begun as far as their lanes have places; gives back the others. How many.
    async fn begin(
        &self,
        db: &Db,
        (claimed, free): (Vec<Claimed>, &mut Free),
        start: &impl Fn(Claimed, Place),
    ) -> usize {
        let mut too_many = Vec::new();
        for claimed in claimed {
            match (self.lanes.enter(claimed.lane.as_deref()), free.pop()) {
                (Some(held), Some(place)) => start(claimed, Place::new(place, held, self.room.clone())),
                (held, place) => {
                    if let (None, Some(lane)) = (held, &claimed.lane) {
                        self.lanes.crowd(self.queue, lane);
                    }
                    too_many.push(claimed);
                    free.extend(place);
                }
            }
        }
        if !too_many.is_empty() {
            report("giving back of jobs", jobs::give_back(db, &too_many).await);
        }
        too_many.len()
    }
}
