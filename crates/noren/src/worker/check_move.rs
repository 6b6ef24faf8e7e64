//! Asks where an account elsewhere says it went whether it came from there.

use crate::server::Parts;
use domain::{Result, ids::AccountId, jobs::Outcome};

pub(super) async fn run(parts: &Parts, account: AccountId) -> Result<Outcome> {
    federation::resolve::moves::check(&parts.federation, account).await?;
    Ok(Outcome::Done)
}
