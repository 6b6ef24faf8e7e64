//! Publishes a status whose time has come.

use crate::server::Parts;
use domain::{Result, ids::ScheduledId, jobs::Outcome, scheduled};

pub(super) async fn run(parts: &Parts, id: ScheduledId) -> Result<Outcome> {
    scheduled::publish_due(&parts.db, &parts.site, id).await?;
    Ok(Outcome::Done)
}
