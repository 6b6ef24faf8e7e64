//! Asks another server how one of its accounts is now.

use crate::server::Parts;
use domain::{Error, Result, ids::AccountId, jobs::Outcome};

pub(super) async fn run(parts: &Parts, account: AccountId) -> Result<Outcome> {
    match federation::resolve::account::refresh(&parts.federation, account).await {
        // Asked anew when the account is next met: a server that ended is no dead letter for each of its people.
        Ok(()) | Err(Error::Unreachable(_)) => Ok(Outcome::Done),
        Err(error) => Err(error),
    }
}
