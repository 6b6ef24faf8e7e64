//! Where accounts go: both sides have to say so, the new one where it is now.

use super::account;
use crate::Federation;
use domain::accounts::{self, Account, remote};
use domain::ids::AccountId;
use domain::{Error, Result, moves};

/// What the account of this name among servers says of itself now.
pub(crate) async fn fresh(federation: &Federation, uri: &str) -> Result<Account> {
    if federation.is_ours(uri) {
        let account = remote::by_uri(&federation.db.read().await?, uri).await?;
        return account.filter(|a| a.suspended_at.is_none()).ok_or(Error::NotFound);
    }
    account::destination(federation, uri).await
}

/// Whether where an account elsewhere says that it went says so too: only then it is shown.
pub async fn check(federation: &Federation, id: AccountId) -> Result<()> {
    let conn = federation.db.read().await?;
    let account = accounts::store::by_id(&conn, id).await?.filter(|a| !a.is_local()).ok_or(Error::NotFound)?;
    let said = remote::store::actor(&conn, id).await?.and_then(|actor| actor.moved_to);
    drop(conn);
    let to = match &said {
        None => None,
        Some(uri) => match fresh(federation, uri).await {
            Ok(to) => Some(to),
            Err(error @ (Error::Internal(_) | Error::Busy(_) | Error::Unreachable(_))) => return Err(error),
            Err(_) => None,
        },
    };
    moves::redirect(&federation.db, account.id, (said.as_deref(), to.as_ref())).await
}

/// The account that somebody here wants to go to, or says to be too: a handle or an address.
pub async fn other(federation: &Federation, named: &str) -> Result<Account> {
    let named = named.trim();
    if named.starts_with("https://") || named.starts_with("http://") {
        return match super::by_address(federation, named, None).await? {
            super::Found::Account(account) => Ok(account),
            super::Found::Status(_) => Err(Error::NotFound),
        };
    }
    account::by_handle(federation, named).await
}

/// Where somebody here wants to go, looked at anew; an error when they may not.
pub async fn rehearse(federation: &Federation, from: &Account, named: &str) -> Result<Account> {
    let known = other(federation, named).await?;
    let to = fresh(federation, &known.uri).await?;
    moves::check_leave(&federation.db.read().await?, from, &to).await?;
    Ok(to)
}

/// Somebody here leaves for the account that `named` means. Where they went.
pub async fn leave(federation: &Federation, from: &Account, named: &str) -> Result<Account> {
    let to = rehearse(federation, from, named).await?;
    moves::leave(&federation.db, from.id, to.id).await?;
    Ok(to)
}
