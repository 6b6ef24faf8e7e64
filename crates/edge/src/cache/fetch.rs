//! The task that asks an origin for slices: what the answer means.

use super::ObjectKey;
use super::absent::Why;
use super::deliver::{Incoming, Kind};
use super::facts::{Asked, Facts};
use super::fill::{Fill, Head};
use super::flights::{Duty, Reading, Ticket, Way};
use super::run::Following;
use super::shared::{Shared, Stored, now};
use super::upstream::{Failure, Meta, Reply, TO_THE_END, Upstream, Want};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// What only goes through is not asked for in the hope of keeping it for so long, in milliseconds.
const UNKEPT: u64 = 60_000;
/// How far ahead it is looked for slices that are here already, before an origin is asked.
const LOOKED_AT: u32 = 256;
/// Stands for the end of an object whose length is not known.
pub(super) const LAST: u32 = u32::MAX;

/// Slices that are to be fetched.
#[derive(Clone)]
pub(super) struct Errand {
    pub(super) shared: Arc<Shared>,
    pub(super) key: ObjectKey,
    pub(super) upstream: Arc<dyn Upstream>,
    /// The first is needed now, the others will be; [`LAST`] for as many as there are.
    pub(super) slices: Range<u32>,
    /// What we have of the first and may be good still.
    pub(super) copy: Option<Stored>,
}

/// How a slice comes.
pub(super) enum Coming {
    /// We asked for it.
    Ours(Arc<Fill>, Following),
    /// Somebody else had asked for it.
    Theirs(Arc<Fill>, Following),
    /// It may have come meanwhile: look again. Whoever looks still wants it.
    Look(Option<Following>),
    /// It has to be asked for without being kept.
    Apart,
}

impl Errand {
    fn number(&self) -> u32 {
        self.slices.start
    }

    /// Sees to it that the slice comes, from one request of all who want it.
    pub(super) async fn start(self, reading: Reading) -> Coming {
        let chain = self.upstream.chain();
        match self.shared.flights.way((&self.key, &chain), (&self.slices, reading)) {
            Way::Apart => Coming::Apart,
            Way::Join(fill, following) => Coming::Theirs(fill, following),
            Way::Await(following) => {
                following.run.comes_to(self.number()).await;
                Coming::Look(Some(following))
            }
            Way::Fetch(ticket, _, _) if self.has_come().await => {
                ticket.fill.announce(Ok(Head::Again));
                Coming::Look(None)
            }
            Way::Fetch(ticket, duty, following) => {
                // Those who have the turns may wait for an edge that waits for this one.
                let is_for_others = !chain.is_empty();
                let turn = if is_for_others { self.shared.turn_now() } else { None };
                if is_for_others && turn.is_none() {
                    ticket.fill.announce(Ok(Head::Again));
                    return Coming::Apart;
                }
                let fill = ticket.fill.clone();
                tokio::spawn(self.run((ticket, duty), turn));
                Coming::Ours(fill, following)
            }
        }
    }

    /// As [`Errand::start`], for what nobody waits for yet.
    pub(super) fn start_early(self, turn: OwnedSemaphorePermit) -> Option<Following> {
        let chain = self.upstream.chain();
        let way = self.shared.flights.way((&self.key, &chain), (&self.slices, Reading::Goes));
        let (ticket, duty, following) = match way {
            Way::Apart => return None,
            Way::Join(_, following) | Way::Await(following) => return Some(following),
            Way::Fetch(ticket, duty, following) => (ticket, duty, following),
        };
        tokio::spawn(async move {
            // The index need not know all files yet.
            match self.shared.look(&self.key, self.number()).await {
                Some(_) => ticket.fill.announce(Ok(Head::Again)),
                None => self.run((ticket, duty), Some(turn)).await,
            }
        });
        Some(following)
    }

    /// Between our look and our ticket another fetch may have ended.
    async fn has_come(&self) -> bool {
        let id = self.key.slice(self.number());
        match &self.copy {
            None if !self.shared.index.contains(id) => false,
            None => {
                let is_here = self.shared.look(&self.key, self.number()).await.is_some();
                if !is_here {
                    // The file is gone, and nobody else can be writing it.
                    self.shared.index.remove(id);
                }
                is_here
            }
            Some(copy) => {
                let found = self.shared.look(&self.key, self.number()).await;
                found.is_some_and(|found| *found.facts != *copy.facts)
            }
        }
    }

    async fn run(self, (ticket, duty): (Ticket, Duty), turn: Option<OwnedSemaphorePermit>) {
        let turn = match turn {
            Some(turn) => Ok(turn),
            None => self.shared.turn().await,
        };
        let first = ticket.fill.clone();
        let fetched = match &turn {
            Ok(_) => self.fetch((ticket, &duty)).await,
            Err(failure) => Err((failure.clone(), Some(ticket))),
        };
        // Others may fetch when this is written.
        drop(turn);
        if let Err((failure, ticket)) = fetched {
            // Whoever is told, and looks again, must not wait for what does not come.
            duty.run.is_over();
            self.shared.counts.failed_fills.one();
            tracing::debug!(key = ?self.key, number = self.number(), %failure, "a fetch failed");
            // What broke in the middle may be asked for again at once, unless there is something else to serve.
            let is_over = !first.has_head() || (self.copy.is_some() && first.has_failed());
            if failure != Failure::Busy && is_over {
                let why = Why::Failed(failure.clone(), duty.run.chain.clone());
                self.note(self.shared.config.valid_error, why);
            }
            first.end(Err(failure));
            drop(ticket);
        }
    }

    fn note(&self, time: Duration, why: Why) {
        let time = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.shared.absences.note(self.key.hash(), now().saturating_add(time), why);
    }

    /// Where the first slice begins that is here already, or nobody wants any more.
    fn limit(&self) -> u32 {
        let Range { start, end } = self.slices;
        if self.copy.is_some() {
            // If it is another version now, so are all others.
            return end;
        }
        let looked_at = start.saturating_add(1)..end.min(start.saturating_add(LOOKED_AT));
        let present = |number: &u32| self.shared.index.contains(self.key.slice(*number));
        looked_at.into_iter().find(present).unwrap_or(end)
    }

    /// What to ask for, to get these slices.
    fn want(&self, end: u32) -> Want {
        let slice_size = self.shared.config.slice_size;
        let end = if end == LAST { TO_THE_END } else { u64::from(end).saturating_mul(slice_size) };
        let slice = u64::from(self.number()) * slice_size..end;
        let validators = self.copy.as_ref().and_then(|copy| copy.facts.validators());
        Want { slice, validators, has_copy: self.copy.is_some() }
    }

    /// With what was to be done and is not, if it fails.
    async fn fetch(&self, (ticket, duty): (Ticket, &Duty)) -> Result<(), (Failure, Option<Ticket>)> {
        let (slice_size, limit) = (self.shared.config.slice_size, self.limit());
        let asked = Asked { number: self.number(), slice_size, stamp: self.shared.purges.moment() };
        duty.run.ends_at(limit);
        let want = self.want(limit);
        let (whole, has_copy) = (want.slice == (0..TO_THE_END), want.has_copy);
        let mut asking = self.ask(want).await;
        if let (Ok(Reply { status: 416, .. }), 0, false) = (&asking, self.number(), whole) {
            // Nothing can be the beginning of an empty object.
            asking = self.ask(Want { slice: 0..TO_THE_END, validators: None, has_copy }).await;
        }
        let reply = match asking {
            Ok(reply) => reply,
            Err(failure) => return Err((failure, Some(ticket))),
        };
        if matches!(reply.status, 200 | 206) && !reply.meta.unkept {
            return self.bytes((ticket, duty), reply, (asked, limit)).await;
        }
        self.word(&ticket, reply, asked).await.map_err(|failure| (failure, Some(ticket)))
    }

    /// An answer without bytes.
    async fn word(&self, ticket: &Ticket, reply: Reply, asked: Asked) -> Result<(), Failure> {
        match (reply.status, &self.copy) {
            (200..400, _) if reply.meta.unkept => self.unkept(ticket),
            (301 | 302 | 307 | 308, _) => self.redirect(ticket, (reply.status, reply.meta), asked).await?,
            (304, Some(copy)) => self.unchanged(ticket, copy, reply.meta.fresh_for).await,
            (404 | 410, _) => self.absent(ticket, reply.status).await,
            (416, _) if self.number() > 0 => ticket.fill.announce(Ok(Head::Beyond)),
            (status, _) => return Err(Failure::Refused(status)),
        }
        Ok(())
    }

    /// An answer with bytes: the slices that were asked for, or everything.
    async fn bytes(
        &self,
        (ticket, duty): (Ticket, &Duty),
        reply: Reply,
        (asked, limit): (Asked, u32),
    ) -> Result<(), (Failure, Option<Ticket>)> {
        let (number, whole) = (self.number(), reply.status == 200);
        let Some(total) = reply.meta.total else {
            let measuring = match whole {
                true => self.measure(&ticket, reply, asked).await,
                false => Err(Failure::broken("a part of nobody knows how much")),
            };
            return measuring.map_err(|failure| (failure, Some(ticket)));
        };
        let wrong = match u32::try_from(total.div_ceil(asked.slice_size)) {
            Err(_) | Ok(LAST) => Some("it is too long"),
            Ok(_) if whole => None,
            Ok(_) if reply.meta.start != u64::from(number) * asked.slice_size || reply.meta.start >= total => {
                Some("another part than was asked for")
            }
            Ok(_) => None,
        };
        if let Some(why) = wrong {
            return Err((Failure::broken(why), Some(ticket)));
        }
        let count = u32::try_from(total.div_ceil(asked.slice_size)).unwrap_or(LAST).max(1);
        let first = Facts::new(Asked { number: 0, ..asked }, 200, (&reply.meta, total));
        // Who does not know ranges sends what nobody asked for.
        let is_asked = !whole || (number == 0 && limit >= count);
        let (kind, slices) = match is_asked {
            true => (Kind::Run, number..limit.min(count)),
            false => (Kind::Flow, 0..count),
        };
        self.deliver((ticket, duty), self.incoming(reply.body), (first, kind, slices)).await
    }

    async fn ask(&self, want: Want) -> Result<Reply, Failure> {
        self.shared.counts.fills.one();
        let patience = self.shared.config.stall.max(self.upstream.patience());
        let reply = tokio::time::timeout(patience, self.upstream.fetch(&self.key, want)).await;
        match reply.map_err(|_| Failure::TimedOut)? {
            Err(Failure::Refused(status)) => Ok(Reply { status, meta: Meta::default(), body: stream::empty().boxed() }),
            reply => reply,
        }
    }

    /// Keeps a slice that has come, and no older ones of its object.
    pub(super) async fn arrived(&self, fill: &Arc<Fill>, facts: &Arc<Facts>) {
        self.shared.keep(fill, facts).await;
        self.shared.absences.forget(self.key.hash());
        let is_first = facts.number == self.number();
        if is_first && self.copy.as_ref().is_some_and(|copy| copy.facts.version != facts.version) {
            let _ = self.shared.drop_older(&self.key, facts).await;
        }
    }

    /// The whole object, and only its end tells how long it is.
    async fn measure(&self, ticket: &Ticket, reply: Reply, asked: Asked) -> Result<(), Failure> {
        let fill = &ticket.fill;
        if self.number() > 0 {
            fill.announce(Ok(Head::Beyond));
            return Ok(());
        }
        let mut incoming = self.incoming(reply.body);
        while let Some(bytes) = incoming.next().await? {
            fill.push(bytes);
            if fill.length() > asked.slice_size {
                self.unkept(ticket);
                return Ok(());
            }
        }
        let facts = Arc::new(Facts::new(asked, 200, (&reply.meta, fill.length())));
        fill.end(Ok(()));
        fill.announce(Ok(Head::Slice(facts.clone())));
        self.arrived(fill, &facts).await;
        Ok(())
    }

    /// It only goes through; whoever waits asks for himself.
    fn unkept(&self, ticket: &Ticket) {
        self.note(Duration::from_millis(UNKEPT), Why::Unkept);
        ticket.fill.announce(Ok(Head::Unkept));
    }

    async fn redirect(&self, ticket: &Ticket, (status, meta): (u16, Meta), asked: Asked) -> Result<(), Failure> {
        if meta.location.is_none() {
            return Err(Failure::broken("a redirect to nowhere"));
        }
        if self.number() > 0 {
            ticket.fill.announce(Ok(Head::Beyond));
            return Ok(());
        }
        let facts = Arc::new(Facts::new(asked, status, (&meta, 0)));
        ticket.fill.announce(Ok(Head::Slice(facts.clone())));
        ticket.fill.end(Ok(()));
        self.arrived(&ticket.fill, &facts).await;
        Ok(())
    }

    async fn unchanged(&self, ticket: &Ticket, copy: &Stored, fresh_for: Option<Duration>) {
        let fresh_for = fresh_for.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        let facts = copy.facts.checked_at(now());
        let facts = Arc::new(Facts { fresh_for: fresh_for.or(facts.fresh_for), ..facts });
        ticket.fill.announce(Ok(Head::Unchanged(facts.clone())));
        self.shared.absences.forget(self.key.hash());
        self.shared.renew(&ticket.fill, copy.clone(), &facts).await;
    }

    /// The origin has no such object, or not any more.
    async fn absent(&self, ticket: &Ticket, status: u16) {
        if self.copy.is_some() {
            self.shared.purge_object(self.key.clone()).await;
        }
        self.note(self.shared.config.valid_not_found, Why::Absent(status));
        ticket.fill.announce(Ok(Head::Absent(status)));
    }

    fn incoming(&self, body: BoxBody) -> Incoming {
        Incoming::new(&self.shared, body)
    }
}

pub(super) type BoxBody = BoxStream<'static, Result<bytes::Bytes, Failure>>;
