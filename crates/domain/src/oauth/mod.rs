//! OAuth 2 in Mastodon's dialect: applications, scopes, codes and tokens. Tokens never expire; they are revoked.
//! The database keeps hashes of secrets, codes and tokens, never themselves.
//!
//! <https://docs.joinmastodon.org/spec/oauth/>

pub mod apps;
mod codes;
mod redirects;
mod scopes;
pub(crate) mod store;
pub mod tokens;

pub use apps::{App, NewApp, names};
pub use codes::{Asked, Consent, Redeem, Request, Wrong, authorize, exchange, request};
pub use redirects::OUT_OF_BAND;
pub use scopes::{Scope, Scopes, UnknownScope};
pub use tokens::{Authorised, Grant, Issued, Person, authenticate};

use crate::{Error, Result, db::Db};
use std::time::Duration;

/// Why a token was not given or not revoked: the words of RFC 6749, section 5.2.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Unknown application or wrong secret.
    #[error("invalid_client")]
    Client,
    /// Code wrong, expired or used, or redirect URI or verifier do not fit.
    #[error("invalid_grant")]
    Grant,
    /// A scope that the application did not register.
    #[error("invalid_scope")]
    Scope,
    /// The token belongs to another application.
    #[error("unauthorized_client")]
    Foreign,
    #[error(transparent)]
    Other(#[from] Error),
}

/// Applications that nobody has used are kept so long.
const UNUSED_APPS: Duration = Duration::from_secs(30 * 86_400);

/// Removes expired codes and applications that were registered long ago and never used. How many rows.
pub async fn sweep(db: &Db) -> Result<u64> {
    let tx = db.begin().await?;
    let n = store::delete_expired_codes(&tx).await? + store::delete_unused_apps(&tx, tx.now.minus(UNUSED_APPS)).await?;
    tx.commit().await?;
    Ok(n)
}

#[cfg(test)]
mod tests;
