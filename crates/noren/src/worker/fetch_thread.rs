//! Asks other servers for answers that were not sent here.

use crate::server::Parts;
use domain::{Result, ids::StatusId, jobs::Outcome};

pub(super) async fn run(parts: &Parts, status: StatusId) -> Result<Outcome> {
    federation::resolve::thread::fetch(&parts.federation, status).await?;
    Ok(Outcome::Done)
}
