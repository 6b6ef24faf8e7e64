//! Tells author and voters that a poll has ended.

use crate::server::Parts;
use domain::{Result, ids::PollId, jobs::Outcome, polls};

pub(super) async fn run(parts: &Parts, poll: PollId) -> Result<Outcome> {
    polls::close(&parts.db, poll).await?;
    Ok(Outcome::Done)
}
