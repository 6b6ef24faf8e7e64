//! What an origin sends, cut into slices as it comes: each is handed on, kept, and let go before the next one.

use super::facts::Facts;
use super::fetch::{BoxBody, Errand};
use super::fill::{Fill, Head};
use super::flights::{Duty, Ticket};
use super::run::{Run, Source, Wish};
use super::shared::Shared;
use super::upstream::Failure;
use bytes::Bytes;
use futures_util::StreamExt;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// Bytes that come before those who want them, lest a whole film is fetched for somebody who watches its beginning.
const AHEAD: u64 = 32 * 1024 * 1024;
/// How long a run waits in all for readers who are far behind. Then it gives its place at the origin to others, and
/// another one brings the rest when they come to it.
const PAUSE: Duration = Duration::from_secs(5);
/// How often it is looked meanwhile whether somebody else needs the turn.
const GLANCE: Duration = Duration::from_millis(250);
/// How long a slice that could not be written waits for its readers.
const LINGER: Duration = Duration::from_secs(10);
/// Slices that flow by for nobody before the flow is given up.
const UNWANTED: u32 = 32;

/// Why these slices come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// They were asked for. It can be done again for those that are left.
    Run,
    /// The origin sends everything whatever is asked.
    Flow,
}

impl Errand {
    /// Hands on these slices as long as somebody wants them; `first` are the facts of the object's beginning.
    pub(super) async fn deliver(
        &self,
        (ticket, duty): (Ticket, &Duty),
        mut incoming: Incoming,
        (first, kind, slices): (Facts, Kind, Range<u32>),
    ) -> Result<(), (Failure, Option<Ticket>)> {
        let (asked, run) = (ticket.fill.number, &duty.run);
        run.is_answered(if first.is_of_an_edge() { Source::Edge } else { Source::Owner });
        match kind {
            Kind::Run => run.ends_at(slices.end),
            Kind::Flow => run.flows(slices.end),
        }
        let (mut unwanted, mut pause, last) = (0, PAUSE, slices.end - 1);
        let mut ticket = match asked <= last {
            true => {
                ticket.fill.announce(Ok(Head::Slice(Arc::new(first.numbered(asked)))));
                Some(ticket)
            }
            false => {
                ticket.fill.announce(Ok(Head::Beyond));
                None
            }
        };
        for number in slices {
            let is_own = number == asked;
            let goes_on = match kind {
                Kind::Run => is_own || self.goes_on(run, number, &mut pause).await,
                // Whoever reads on asks anew, if what comes here was purged.
                Kind::Flow => !(run.is_forgotten() && ticket.is_none()) && unwanted < UNWANTED,
            };
            if !goes_on {
                return Ok(());
            }
            let own = if is_own { ticket.take() } else { self.shared.flights.reach(run, number) };
            if own.is_none() && kind == Kind::Run {
                // Somebody else fetches what follows, or it was purged.
                return Ok(());
            }
            run.reaches(number);
            let facts = Arc::new(first.numbered(number));
            self.slice((own, run), &mut incoming, (&facts, number == last)).await.map_err(|failure| (failure, None))?;
            unwanted = if run.wish(number + 1, u32::MAX) == Wish::Never && ticket.is_none() { unwanted + 1 } else { 0 };
        }
        Ok(())
    }

    /// Whether the next slice is still to be fetched with this request. Waits no longer than `pause`, of which it takes
    /// away what it needed, for readers who are far behind.
    async fn goes_on(&self, run: &Arc<Run>, number: u32, pause: &mut Duration) -> bool {
        let ahead = u32::try_from(AHEAD / self.shared.config.slice_size).unwrap_or(u32::MAX).max(2);
        loop {
            let moved = run.moved();
            let is_here = || self.shared.index.contains(self.key.slice(number));
            if run.is_forgotten() || self.shared.is_busy() || is_here() {
                return false;
            }
            match run.wish(number, ahead) {
                Wish::Now => return true,
                Wish::Never => return false,
                Wish::Later if pause.is_zero() => return false,
                Wish::Later => {}
            }
            let started = Instant::now();
            let _ = timeout(GLANCE.min(*pause), moved).await;
            *pause = pause.saturating_sub(started.elapsed());
        }
    }

    async fn slice(
        &self,
        (ticket, run): (Option<Ticket>, &Arc<Run>),
        incoming: &mut Incoming,
        (facts, is_last): (&Arc<Facts>, bool),
    ) -> Result<(), Failure> {
        let number = facts.number;
        // Without a ticket somebody else fetches this slice, or it was purged: ours passes unseen.
        let fill = ticket.as_ref().map(|ticket| ticket.fill.clone());
        let fill = fill.unwrap_or_else(|| Arc::new(Fill::new(run, number)));
        fill.announce(Ok(Head::Slice(facts.clone())));
        let mut came = incoming.fill(&fill, facts.len()).await;
        if came.is_ok() && is_last {
            came = incoming.finish().await;
        }
        fill.end(came.clone());
        came?;
        self.arrived(&fill, facts).await;
        if ticket.is_some() && !fill.is_kept() {
            // Its readers find it nowhere else.
            let started = Instant::now();
            let mut is_passed = false;
            while !is_passed && started.elapsed() < LINGER && !self.shared.is_busy() {
                is_passed = timeout(GLANCE, run.passed(number)).await.is_ok();
            }
        }
        Ok(())
    }
}

/// The bytes of a reply, cut where slices end.
pub(super) struct Incoming {
    shared: Arc<Shared>,
    body: BoxBody,
    rest: Bytes,
}

impl Incoming {
    pub(super) fn new(shared: &Arc<Shared>, body: BoxBody) -> Incoming {
        Incoming { shared: shared.clone(), body, rest: Bytes::new() }
    }

    /// The next bytes; never for longer than an origin may be silent.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        if !self.rest.is_empty() {
            return Ok(Some(std::mem::take(&mut self.rest)));
        }
        let stall = self.shared.config.stall;
        let bytes = timeout(stall, self.body.next()).await.map_err(|_| Failure::TimedOut)?;
        let bytes = bytes.transpose()?;
        self.shared.counts.bytes_fetched.add(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64));
        Ok(bytes)
    }

    /// Hands on so many bytes. What comes beyond them stays for the next slice.
    async fn fill(&mut self, fill: &Fill, length: u64) -> Result<(), Failure> {
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
    async fn finish(&mut self) -> Result<(), Failure> {
        while let Some(bytes) = self.next().await? {
            if !bytes.is_empty() {
                return Err(Failure::broken("it is longer than it says"));
            }
        }
        Ok(())
    }
}
