//! Fetches what an account elsewhere has pinned.

use crate::server::Parts;
use domain::{Result, ids::AccountId, jobs::Outcome};

pub(super) async fn run(parts: &Parts, account: AccountId) -> Result<Outcome> {
    federation::resolve::pins::fetch(&parts.federation, account).await?;
    Ok(Outcome::Done)
}
