//! Where work goes on that has waited for other servers for so long that somebody else should have its place in the queue.
//! It costs a connection and little memory, so there is room for much more of it than runs at once, but not without end:
//! where the room is full, what has waited in it for longest has waited for long enough. So a place in the queue is held
//! by whoever is silent for no longer than a moment, however many they are.

use super::lanes::Held;
use domain::jobs::{Outcome, Queue};
use federation::fetch::Asked;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// What waits for others for so long takes long; where a queue has few places it goes on aside sooner.
const LONG: Duration = Duration::from_secs(1);
const SOON: Duration = Duration::from_millis(250);

/// What may go on aside.
#[derive(Clone, Copy)]
struct Rule {
    most: usize,
    /// After how long.
    aside: Duration,
    /// After how long its lane has fewer places for it.
    slow: Duration,
}

impl Rule {
    /// None: nothing in `queue` waits for other servers. What is fetched, and what has something fetched, may hold
    /// documents: there is less room for it.
    fn of(queue: Queue) -> Option<Self> {
        match queue {
            Queue::Push => Some(Self { most: 512, aside: LONG, slow: LONG }),
            Queue::Default => Some(Self { most: 64, aside: SOON, slow: LONG }),
            Queue::Pull => Some(Self { most: 64, aside: SOON, slow: SOON }),
            Queue::Mailers | Queue::Media | Queue::Scheduler => None,
        }
    }
}

#[derive(Clone)]
pub(super) struct Room {
    queue: Queue,
    rule: Rule,
    places: Arc<Semaphore>,
    inside: Arc<Mutex<Inside>>,
}

#[derive(Default)]
struct Inside {
    /// In the order in which they came.
    waiting: BTreeMap<u64, Asked>,
    came: u64,
}

/// A place in the room, until it is dropped.
struct Aside {
    room: Room,
    number: u64,
    _place: OwnedSemaphorePermit,
}

impl Room {
    pub(super) fn of(queue: Queue) -> Option<Self> {
        Rule::of(queue).map(|rule| Self::new(queue, rule))
    }

    fn new(queue: Queue, rule: Rule) -> Self {
        Self { queue, rule, places: Arc::new(Semaphore::new(rule.most)), inside: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for what `asked` somebody. Where none is free, somebody else has to leave.
    async fn enter(&self, asked: &Asked) -> Option<Aside> {
        let place = match self.places.clone().try_acquire_owned() {
            Ok(place) => place,
            Err(_) => {
                let longest = self.lock().waiting.pop_first();
                if let Some((_, longest)) = longest {
                    longest.is_enough();
                }
                self.places.clone().acquire_owned().await.ok()?
            }
        };
        let mut inside = self.lock();
        inside.came += 1;
        let number = inside.came;
        inside.waiting.insert(number, asked.clone());
        drop(inside);
        Some(Aside { room: self.clone(), number, _place: place })
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        self.room.lock().waiting.remove(&self.number);
    }
}

/// What a job that runs holds until its end is written down.
pub(super) struct Place {
    queue: Option<OwnedSemaphorePermit>,
    held: Held,
    room: Option<Room>,
    aside: Option<Aside>,
}

impl Place {
    pub(super) fn new(queue: OwnedSemaphorePermit, held: Held, room: Option<Room>) -> Self {
        Self { queue: Some(queue), held, room, aside: None }
    }

    /// Sees `working`, which `asked` others or not, through to its end; `left` rings when it goes on aside.
    pub(super) async fn during(
        &mut self,
        (asked, left): (&Asked, &Notify),
        mut working: Pin<&mut impl Future<Output = Outcome>>,
    ) -> Outcome {
        let Some(room) = self.room.clone() else { return working.await };
        if let Some(outcome) = within(room.rule.aside, asked, working.as_mut()).await {
            return outcome;
        }
        tokio::select! {
            outcome = working.as_mut() => return outcome,
            aside = room.enter(asked) => self.aside = aside,
        }
        if self.aside.is_some() {
            self.queue = None;
            left.notify_one();
        }
        if let Some(outcome) = within(room.rule.slow, asked, working.as_mut()).await {
            return outcome;
        }
        self.held.takes_long(room.queue);
        working.await
    }
}

/// How `working` ends, if it does so before it has waited for others for so long.
async fn within(
    long: Duration,
    asked: &Asked,
    mut working: Pin<&mut impl Future<Output = Outcome>>,
) -> Option<Outcome> {
    loop {
        let waited = asked.since().map(|since| since.elapsed()).unwrap_or_default();
        if waited >= long {
            return None;
        }
        if let Ok(outcome) = timeout(long - waited, working.as_mut()).await {
            return Some(outcome);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waited_longest_leaves_a_full_room() {
        let room = Room::new(Queue::Push, Rule { most: 2, aside: LONG, slow: LONG });
        let asked: Vec<Asked> = (0..4).map(|_| Asked::default()).collect();
        let (first, second) = (room.enter(&asked[0]).await.unwrap(), room.enter(&asked[1]).await.unwrap());
        let told = || asked.iter().map(Asked::was_enough).collect::<Vec<_>>();
        assert_eq!(told(), [false; 4]);
        let mut third = std::pin::pin!(room.enter(&asked[2]));
        assert!(futures_util::poll!(third.as_mut()).is_pending());
        assert_eq!(told(), [true, false, false, false]);
        // It is told once, and asks for nobody else's place.
        assert!(futures_util::poll!(third.as_mut()).is_pending());
        assert_eq!(told(), [true, false, false, false]);
        drop(first);
        let third = third.await.unwrap();
        drop(second);
        let fourth = room.enter(&asked[3]).await.unwrap();
        assert_eq!(told(), [true, false, false, false]);
        drop((third, fourth));
        assert!(room.lock().waiting.is_empty() && room.places.available_permits() == 2);
    }
}
