//! Rules about other servers were made, changed or taken back.

use crate::server::Parts;
use domain::jobs::Outcome;
use domain::{Result, Time, domain_blocks};

pub(super) async fn run(parts: &Parts, domains: &[String], was: &[i64]) -> Result<Outcome> {
    let was: Vec<Time> = was.iter().copied().map(Time).collect();
    let done = domain_blocks::apply(&parts.db, domains, &was).await?;
    let (count, first) = (domains.len(), domains.first());
    tracing::info!(count, first, accounts = done.accounts, follows = done.follows, "marked as the rules say");
    Ok(Outcome::Done)
}
