//! A rule about another server was made, changed or taken back.

use crate::server::Parts;
use domain::jobs::Outcome;
use domain::{Result, Time, domain_blocks};

pub(super) async fn run(parts: &Parts, domain: &str, was: i64) -> Result<Outcome> {
    let done = domain_blocks::apply(&parts.db, domain, Time(was)).await?;
    tracing::info!(domain, accounts = done.accounts, follows = done.follows, "a domain is marked as the rules say");
    Ok(Outcome::Done)
}
