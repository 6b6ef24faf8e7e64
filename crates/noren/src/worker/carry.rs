//! Carries what people here have with an account that moved over to the new one.

use crate::server::Parts;
use domain::{
    Result,
    jobs::Outcome,
    moves::{self, Carry},
};

pub(super) async fn run(parts: &Parts, step: Carry) -> Result<Outcome> {
    moves::carry(&parts.db, step).await?;
    Ok(Outcome::Done)
}
