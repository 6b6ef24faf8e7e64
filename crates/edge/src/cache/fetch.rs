//! The task that fetches a slice: asks the origin, hands on what arrives, keeps it.

use super::ObjectKey;
use super::absent::Why;
use super::facts::{Asked, Facts};
use super::fill::{Fill, Head};
use super::flights::{Ticket, Way};
use super::flow::LINGER;
use super::shared::{Shared, Stored, now};
use super::upstream::{Failure, Meta, Reply, TO_THE_END, Upstream, Want};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// What only goes through is not asked for in the hope of keeping it for so long, in milliseconds.
const UNKEPT: u64 = 60_000;

/// A slice that is to be fetched.
#[derive(Clone)]
pub(super) struct Errand {
    pub(super) shared: Arc<Shared>,
    pub(super) key: ObjectKey,
    pub(super) upstream: Arc<dyn Upstream>,
    pub(super) number: u32,
    /// What we have of it and may be good still.
    pub(super) copy: Option<Stored>,
}

/// How a slice comes.
pub(super) enum Coming {
    /// We asked for it.
    Ours(Arc<Fill>),
    /// Somebody else had asked for it.
    Theirs(Arc<Fill>),
    /// It may have come meanwhile: look again.
    Look,
}

impl Errand {
    /// Sees to it that the slice comes, from one request of all who want it.
    pub(super) async fn start(self) -> Coming {
        match self.shared.flights.way(&self.key, self.number) {
            Way::Join(fill) => Coming::Theirs(fill),
            Way::Await(flow) => {
                flow.comes_to(self.number).await;
                Coming::Look
            }
            Way::Fetch(ticket) if self.has_come().await => {
                ticket.fill.announce(Ok(Head::Again));
                Coming::Look
            }
            Way::Fetch(ticket) => {
                let fill = ticket.fill.clone();
                tokio::spawn(self.run(ticket, None));
                Coming::Ours(fill)
            }
        }
    }

    /// As [`Errand::start`], for what nobody waits for yet.
    pub(super) fn start_early(self, turn: OwnedSemaphorePermit) {
        let Way::Fetch(ticket) = self.shared.flights.way(&self.key, self.number) else { return };
        tokio::spawn(async move {
            // The index need not know all files yet.
            match self.shared.look(&self.key, self.number).await {
                Some(_) => ticket.fill.announce(Ok(Head::Again)),
                None => self.run(ticket, Some(turn)).await,
            }
        });
    }

    /// Between our look and our ticket another fetch may have ended.
    async fn has_come(&self) -> bool {
        let id = self.key.slice(self.number);
        match &self.copy {
            None if !self.shared.index.contains(id) => false,
            None => {
                let is_here = self.shared.look(&self.key, self.number).await.is_some();
                if !is_here {
                    // The file is gone, and nobody else can be writing it.
                    self.shared.index.remove(id);
                }
                is_here
            }
            Some(copy) => {
                let found = self.shared.look(&self.key, self.number).await;
                found.is_some_and(|found| *found.facts != *copy.facts)
            }
        }
    }

    async fn run(self, ticket: Ticket, early: Option<OwnedSemaphorePermit>) {
        let is_early = early.is_some();
        let turn = match early {
            Some(turn) => Ok(turn),
            None => self.shared.turn().await,
        };
        let fetched = match &turn {
            Ok(_) => self.fetch(&ticket).await,
            Err(failure) => Err(failure.clone()),
        };
        if is_early && fetched.is_ok() && !ticket.fill.is_kept() {
            // It could not be written: whom it was fetched for finds it nowhere else.
            let _ = tokio::time::timeout(LINGER, ticket.fill.joined()).await;
        }
        // Others may fetch when this is written.
        drop(turn);
        if let Err(failure) = fetched {
            self.shared.counts.failed_fills.one();
            tracing::debug!(key = ?self.key, number = self.number, %failure, "a fetch failed");
            // What broke in the middle may be asked for again at once, unless there is something else to serve.
            let is_over = !ticket.fill.has_head() || self.copy.is_some();
            if failure != Failure::Busy && is_over {
                self.note(self.shared.config.valid_error, Why::Failed(failure.clone()));
            }
            ticket.fill.end(Err(failure));
        }
    }

    fn note(&self, time: Duration, why: Why) {
        let time = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.shared.absences.note(self.key.hash(), now().saturating_add(time), why);
    }

    async fn fetch(&self, ticket: &Ticket) -> Result<(), Failure> {
        let slice_size = self.shared.config.slice_size;
        let asked = Asked { number: self.number, slice_size, stamp: self.shared.purges.moment() };
        let start = u64::from(self.number) * slice_size;
        let validators = self.copy.as_ref().and_then(|copy| copy.facts.validators());
        let has_copy = self.copy.is_some();
        let mut reply = self.ask(Want { slice: start..start + slice_size, validators, has_copy }).await?;
        if reply.status == 416 && self.number == 0 {
            // Nothing can be the beginning of an empty object.
            reply = self.ask(Want { slice: 0..TO_THE_END, validators: None, has_copy }).await?;
        }
        match (reply.status, &self.copy) {
            (200..400, _) if reply.meta.unkept => {
                self.unkept(ticket);
                Ok(())
            }
            (206, _) => self.part(ticket, reply, asked).await,
            (200, _) => self.whole(ticket, reply, asked).await,
            (301 | 302 | 307 | 308, _) => self.redirect(ticket, (reply.status, reply.meta), asked).await,
            (304, Some(copy)) => {
                self.unchanged(ticket, copy, reply.meta.fresh_for).await;
                Ok(())
            }
            (404 | 410, _) => {
                self.absent(ticket, reply.status).await;
                Ok(())
            }
            (416, _) if self.number > 0 => {
                ticket.fill.announce(Ok(Head::Beyond));
                Ok(())
            }
            (status, _) => Err(Failure::Refused(status)),
        }
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

    /// The slice that was asked for.
    async fn part(&self, ticket: &Ticket, reply: Reply, asked: Asked) -> Result<(), Failure> {
        let total = reply.meta.total.ok_or_else(|| Failure::broken("a part of nobody knows how much"))?;
        let facts = Arc::new(Facts::new(asked, 200, (&reply.meta, total)));
        if reply.meta.start != u64::from(self.number) * asked.slice_size || reply.meta.start >= total {
            return Err(Failure::broken("another part than was asked for"));
        }
        if total.div_ceil(asked.slice_size) > u64::from(u32::MAX) {
            return Err(Failure::broken("it is too long"));
        }
        self.slice(ticket, (reply.body, facts)).await
    }

    async fn slice(&self, ticket: &Ticket, (body, facts): (BoxBody, Arc<Facts>)) -> Result<(), Failure> {
        let fill = &ticket.fill;
        fill.announce(Ok(Head::Slice(facts.clone())));
        let mut incoming = self.incoming(body);
        incoming.fill(fill, facts.len()).await?;
        incoming.finish().await?;
        fill.end(Ok(()));
        self.arrived(fill, &facts).await;
        Ok(())
    }

    /// Keeps a slice that has come, and no older ones of its object.
    pub(super) async fn arrived(&self, fill: &Arc<Fill>, facts: &Arc<Facts>) {
        self.shared.keep(fill, facts).await;
        self.shared.absences.forget(self.key.hash());
        if self.copy.as_ref().is_some_and(|copy| copy.facts.version != facts.version) {
            self.shared.drop_older(&self.key, facts);
        }
    }

    /// The whole object.
    async fn whole(&self, ticket: &Ticket, reply: Reply, asked: Asked) -> Result<(), Failure> {
        match reply.meta.total {
            Some(total) if total <= asked.slice_size && self.number == 0 => {
                let facts = Arc::new(Facts::new(asked, 200, (&reply.meta, total)));
                self.slice(ticket, (reply.body, facts)).await
            }
            Some(total) => self.flow(ticket, reply, (asked, total)).await,
            None => self.measure(ticket, reply, asked).await,
        }
    }

    /// The whole object, and only its end tells how long it is.
    async fn measure(&self, ticket: &Ticket, reply: Reply, asked: Asked) -> Result<(), Failure> {
        let fill = &ticket.fill;
        if self.number > 0 {
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
        if self.number > 0 {
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

    pub(super) fn incoming(&self, body: BoxBody) -> Incoming {
        Incoming { shared: self.shared.clone(), body, rest: Bytes::new() }
    }
}

pub(super) type BoxBody = BoxStream<'static, Result<Bytes, Failure>>;

/// The bytes of a reply, cut where slices end.
pub(super) struct Incoming {
    shared: Arc<Shared>,
    body: BoxBody,
    rest: Bytes,
}

impl Incoming {
    /// The next bytes; never for longer than an origin may be silent.
    async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        if !self.rest.is_empty() {
            return Ok(Some(std::mem::take(&mut self.rest)));
        }
        let stall = self.shared.config.stall;
        let bytes = tokio::time::timeout(stall, self.body.next()).await.map_err(|_| Failure::TimedOut)?;
        let bytes = bytes.transpose()?;
        self.shared.counts.bytes_fetched.add(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64));
        Ok(bytes)
    }

    /// Hands on so many bytes. What comes beyond them stays for the next slice.
    pub(super) async fn fill(&mut self, fill: &Fill, length: u64) -> Result<(), Failure> {
        while fill.length() < length {
            let mut bytes = self.next().await?.ok_or_else(|| Failure::broken("it ends too early"))?;
            let lacking = usize::try_from(length - fill.length()).unwrap_or(usize::MAX);
            if bytes.len() > lacking {
                self.rest = bytes.split_off(lacking);
            }
            fill.push(bytes);
        }
        Ok(())
    }

    /// Nothing may come any more.
    pub(super) async fn finish(&mut self) -> Result<(), Failure> {
        while let Some(bytes) = self.next().await? {
            if !bytes.is_empty() {
                return Err(Failure::broken("it is longer than it says"));
            }
        }
        Ok(())
    }
}
