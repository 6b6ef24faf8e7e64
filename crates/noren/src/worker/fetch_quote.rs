//! Asks once more for a post elsewhere that was fetched because another quotes it: for what it quotes itself; and for the
//! stamp by which a post shows another.

use crate::server::Parts;
use domain::{Error, Result, ids::StatusId, jobs::Outcome};

pub(super) async fn run(parts: &Parts, status: StatusId, left: u8) -> Result<Outcome> {
    match federation::resolve::status::quote_of(&parts.federation, status, left).await {
        // It stays as it is until somebody reads it.
        Ok(()) | Err(Error::Forbidden(_) | Error::Unreachable(_)) => Ok(Outcome::Done),
        Err(error) => Err(error),
    }
}

pub(super) async fn stamp(parts: &Parts, status: StatusId) -> Result<Outcome> {
    match parts.federation.check_stamp(status).await {
        // It is looked at again when somebody reads the post again.
        Ok(()) | Err(Error::Unreachable(_)) => Ok(Outcome::Done),
        Err(error) => Err(error),
    }
}
