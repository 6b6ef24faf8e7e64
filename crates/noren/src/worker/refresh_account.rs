//! Asks another server how one of its accounts is now.

use crate::server::Parts;
use domain::{Result, ids::AccountId, jobs::Outcome};

pub(super) async fn run(parts: &Parts, account: AccountId) -> Result<Outcome> {
    federation::resolve::account::refresh(&parts.federation, account).await?;
    Ok(Outcome::Done)
}
