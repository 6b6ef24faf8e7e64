//! Which slices are on their way, so that each is fetched once.

use super::ObjectKey;
use super::fill::Fill;
use super::key::{KeyHash, SliceId};
use super::upstream::Failure;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch};

/// Fills and flows that are under way.
#[derive(Default)]
pub(super) struct Flights {
    now: Mutex<Now>,
}

#[derive(Default)]
struct Now {
    fills: HashMap<SliceId, Arc<Fill>>,
    /// Those that can be joined.
    flows: HashMap<KeyHash, Arc<Flow>>,
    /// All that are under way; several may be of one object.
    running: Vec<Arc<Flow>>,
}

impl Now {
    fn has(&self, fill: &Arc<Fill>) -> bool {
        self.fills.get(&fill.id()).is_some_and(|known| Arc::ptr_eq(known, fill))
    }
}

/// An object that comes whole although a slice was asked for.
pub(super) struct Flow {
    key: ObjectKey,
    /// The slice it has reached; above every slice when it is over.
    pub(super) reached: watch::Sender<u32>,
    /// Purged: nothing of what comes is to be kept.
    is_forgotten: AtomicBool,
    readers: Mutex<Readers>,
    moved: Notify,
}

/// Which slices those want who read it.
#[derive(Default)]
struct Readers {
    next: u64,
    wants: HashMap<u64, Range<u32>>,
}

impl Flow {
    fn readers(&self) -> MutexGuard<'_, Readers> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn follow(self: &Arc<Flow>, slices: Range<u32>) -> Following {
        let mut readers = self.readers();
        readers.next += 1;
        let id = readers.next;
        readers.wants.insert(id, slices);
        drop(readers);
        self.moved.notify_waiters();
        Following { flow: self.clone(), id }
    }

    /// Waits until the flow comes to the slice, or ends.
    pub(super) async fn comes_to(self: &Arc<Flow>, number: u32) {
        let _following = self.follow(number..number.saturating_add(1));
        let _ = self.reached.subscribe().wait_for(|reached| *reached >= number).await;
    }

    pub(super) fn is_forgotten(&self) -> bool {
        self.is_forgotten.load(Ordering::Acquire)
    }

    /// Whether anybody wants what comes after this slice.
    pub(super) fn is_wanted_after(&self, number: u32) -> bool {
        self.readers().wants.values().any(|slices| slices.end > number + 1)
    }

    /// Waits for the first reader: those for whom the flow began may still be on their way.
    pub(super) async fn followed(&self) {
        loop {
            let moved = self.moved.notified();
            if self.readers().next > 0 {
                return;
            }
            moved.await;
        }
    }

    /// Waits until everybody who wants this slice has had it.
    pub(super) async fn passed(&self, number: u32) {
        loop {
            let moved = self.moved.notified();
            if !self.readers().wants.values().any(|slices| slices.contains(&number)) {
                return;
            }
            moved.await;
        }
    }
}

/// Somebody who reads an object that flows by. Dropped, he does not any more.
pub(super) struct Following {
    flow: Arc<Flow>,
    id: u64,
}

impl Following {
    /// From here on only later slices are wanted.
    pub(super) fn comes_to(&self, number: u32) {
        if let Some(slices) = self.flow.readers().wants.get_mut(&self.id) {
            slices.start = number;
        }
        self.flow.moved.notify_waiters();
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.flow.readers().wants.remove(&self.id);
        self.flow.moved.notify_waiters();
    }
}

/// What to do about a slice that is not here.
pub(super) enum Way {
    /// It is on its way.
    Join(Arc<Fill>),
    /// The object flows by and comes to it.
    Await(Arc<Flow>),
    /// Whoever gets this has to fetch it.
    Fetch(Ticket),
}

impl Flights {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn way(self: &Arc<Flights>, key: &ObjectKey, number: u32) -> Way {
        let mut now = self.now();
        if let Some(fill) = now.fills.get(&key.slice(number)) {
            fill.mark_joined();
            return Way::Join(fill.clone());
        }
        if let Some(flow) = now.flows.get(&key.hash()).filter(|flow| *flow.reached.borrow() < number) {
            return Way::Await(flow.clone());
        }
        Way::Fetch(self.ticket(&mut now, key, number))
    }

    /// For a slice that a flow has reached; `None` if somebody else fetches it, or nobody may have it any more.
    pub(super) fn reach(self: &Arc<Flights>, flow: &Flow, number: u32) -> Option<Ticket> {
        let mut now = self.now();
        let is_coming = now.fills.contains_key(&flow.key.slice(number));
        (!is_coming && !flow.is_forgotten()).then(|| self.ticket(&mut now, &flow.key, number))
    }

    fn ticket(self: &Arc<Flights>, now: &mut Now, key: &ObjectKey, number: u32) -> Ticket {
        let fill = Arc::new(Fill::new(key, number));
        now.fills.insert(fill.id(), fill.clone());
        Ticket { flights: self.clone(), fill }
    }

    pub(super) fn contains(&self, id: SliceId) -> bool {
        self.now().fills.contains_key(&id)
    }

    /// Announces that the whole object comes, where a slice was asked for. If that has been purged meanwhile nobody
    /// joins.
    pub(super) fn flow(self: &Arc<Flights>, asked: &Arc<Fill>) -> FlowTicket {
        let (key, reached) = (asked.key.clone(), watch::Sender::new(0));
        let mut now = self.now();
        let is_forgotten = !now.has(asked);
        let (readers, moved) = (Mutex::default(), Notify::new());
        let flow = Arc::new(Flow { key, reached, is_forgotten: is_forgotten.into(), readers, moved });
        if !is_forgotten {
            now.flows.insert(flow.key.hash(), flow.clone());
        }
        now.running.push(flow.clone());
        drop(now);
        FlowTicket { flights: self.clone(), flow }
    }

    /// Wants these slices of an object, if it flows by.
    pub(super) fn follow(&self, key: &ObjectKey, slices: Range<u32>) -> Option<Following> {
        self.now().flows.get(&key.hash()).map(|flow| flow.follow(slices))
    }

    /// Whether others can still join the fill; what was forgotten is not to be kept.
    pub(super) fn is_current(&self, fill: &Arc<Fill>) -> bool {
        self.now().has(fill)
    }

    /// Those who read go on; nobody joins any more, and what comes will not be kept.
    pub(super) fn forget_where(&self, forgotten: impl Fn(&ObjectKey) -> bool) {
        let mut now = self.now();
        now.fills.retain(|_, fill| !forgotten(&fill.key));
        now.flows.retain(|_, flow| !forgotten(&flow.key));
        for flow in now.running.iter().filter(|flow| forgotten(&flow.key)) {
            flow.is_forgotten.store(true, Ordering::Release);
        }
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
            now.fills.remove(&self.fill.id());
        }
    }
}

/// The duty to let a whole object flow by. Dropped, the flow is over.
pub(super) struct FlowTicket {
    flights: Arc<Flights>,
    pub(super) flow: Arc<Flow>,
}

impl Drop for FlowTicket {
    fn drop(&mut self) {
        let mut now = self.flights.now();
        let object = self.flow.key.hash();
        if now.flows.get(&object).is_some_and(|known| Arc::ptr_eq(known, &self.flow)) {
            now.flows.remove(&object);
        }
        now.running.retain(|known| !Arc::ptr_eq(known, &self.flow));
        drop(now);
        self.flow.reached.send_replace(u32::MAX);
    }
}
