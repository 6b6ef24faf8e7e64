//! Origins that send the whole object whatever was asked: it is cut into slices as it flows by.

use super::facts::{Asked, Facts};
use super::fetch::{Errand, Incoming};
use super::fill::{Fill, Head};
use super::flights::{FlowTicket, Ticket};
use super::upstream::{Failure, Reply};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Slices that flow by for nobody before the flow is given up.
const UNWANTED: u32 = 32;
/// How long the flow waits for readers of a slice that could not be written.
pub(super) const LINGER: Duration = Duration::from_secs(10);
/// How long it takes at most from an object's head to its first reader.
const GRACE: Duration = Duration::from_secs(1);

impl Errand {
    pub(super) async fn flow(
        &self,
        ticket: &Ticket,
        reply: Reply,
        (asked, total): (Asked, u64),
    ) -> Result<(), Failure> {
        let count = u32::try_from(total.div_ceil(asked.slice_size));
        let count = count.map_err(|_| Failure::broken("it is too long"))?.max(1);
        let first = Facts::new(Asked { number: 0, ..asked }, 200, (&reply.meta, total));
        let flow = self.shared.flights.flow(&ticket.fill);
        match self.number < count {
            true => ticket.fill.announce(Ok(Head::Slice(Arc::new(first.numbered(self.number))))),
            false => ticket.fill.announce(Ok(Head::Beyond)),
        }
        let mut incoming = self.incoming(reply.body);
        let mut unwanted = 0;
        for number in 0..count {
            if flow.flow.is_forgotten() && number > self.number {
                // Whoever reads on asks anew: what comes here was purged.
                return Ok(());
            }
            let facts = Arc::new(first.numbered(number));
            self.flow_slice((ticket, &flow), &mut incoming, &facts).await?;
            unwanted = if flow.flow.is_wanted_after(number) { 0 } else { unwanted + 1 };
            if unwanted >= UNWANTED && number >= self.number {
                let _ = timeout(GRACE, flow.flow.followed()).await;
                if !flow.flow.is_wanted_after(number) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn flow_slice(
        &self,
        (ticket, flow): (&Ticket, &FlowTicket),
        incoming: &mut Incoming,
        facts: &Arc<Facts>,
    ) -> Result<(), Failure> {
        let number = facts.number;
        let own = (number == self.number).then(|| ticket.fill.clone());
        let reached = if own.is_none() { self.shared.flights.reach(&flow.flow, number) } else { None };
        flow.flow.reached.send_replace(number);
        // Without a ticket somebody else fetches this slice, or it was purged: ours passes unseen.
        let fill = own.or_else(|| reached.as_ref().map(|ticket| ticket.fill.clone()));
        let fill = fill.unwrap_or_else(|| Arc::new(Fill::new(&self.key, number)));
        fill.announce(Ok(Head::Slice(facts.clone())));
        let mut came = incoming.fill(&fill, facts.len()).await;
        if came.is_ok() && facts.span().end == facts.total {
            came = incoming.finish().await;
        }
        fill.end(came.clone());
        came?;
        self.arrived(&fill, facts).await;
        let is_wanted = number == self.number || !flow.flow.is_forgotten();
        if is_wanted && !fill.is_kept() {
            // Its readers find it nowhere else.
            let _ = timeout(GRACE, flow.flow.followed()).await;
            let _ = timeout(LINGER, flow.flow.passed(number)).await;
        }
        drop(reached);
        Ok(())
    }
}
