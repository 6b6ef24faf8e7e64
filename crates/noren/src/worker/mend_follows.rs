//! Compares what another server says about the followers of its accounts with what is known here.

use crate::server::Parts;
use domain::{Result, ids::AccountId, jobs::Outcome};

pub(super) async fn run(parts: &Parts, account: AccountId, claim: (&str, &str)) -> Result<Outcome> {
    federation::follows::mend(&parts.federation, account, claim).await?;
    Ok(Outcome::Done)
}
