//! Finding users.

use super::{User, store};
use crate::{
    Error, Result,
    accounts::{self, Account},
    db::Conn,
    ids::UserId,
    site::Site,
};
use std::collections::HashMap;

/// The user and the account; [`Error::NotFound`] without one.
pub async fn by_id(conn: &Conn, id: UserId) -> Result<(User, Account)> {
    let user = store::by_id(conn, id).await?.ok_or(Error::NotFound)?;
    with_account(conn, user).await?.ok_or(Error::NotFound)
}

/// Whom somebody means who types an e-mail address, a name (`alice`, `@alice`) or a whole handle of this site.
pub async fn find(conn: &Conn, site: &Site, who: &str) -> Result<Option<(User, Account)>> {
    let who = who.trim();
    if who.is_empty() || who.len() > 320 || who.contains('\0') {
        return Ok(None);
    }
    let bare = who.strip_prefix('@').unwrap_or(who);
    let name = match bare.split_once('@') {
        None => Some(bare),
        Some((name, domain)) => site.is_ours(domain).then_some(name),
    };
    // An address may be of this very domain: it goes first.
    if who.contains('@')
        && let Some(user) = store::by_email(conn, who).await?
    {
        return with_account(conn, user).await;
    }
    let Some(name) = name else { return Ok(None) };
    let Some(account) = accounts::store::by_handle(conn, name, None).await? else { return Ok(None) };
    Ok(store::by_account(conn, account.id).await?.map(|user| (user, account)))
}

/// Whose site this is: its owner, the first of several.
pub async fn owner(conn: &Conn) -> Result<Option<(User, Account)>> {
    match store::first_owner(conn).await? {
        Some(user) => with_account(conn, user).await,
        None => Ok(None),
    }
}

async fn with_account(conn: &Conn, user: User) -> Result<Option<(User, Account)>> {
    Ok(accounts::store::by_id(conn, user.account_id).await?.map(|account| (user, account)))
}

/// Users in the order they came, at most `limit` after `after`.
pub async fn list(conn: &Conn, after: Option<UserId>, limit: i64) -> Result<Vec<(User, Account)>> {
    let users = store::list(conn, after.unwrap_or(UserId(0)), limit).await?;
    let accounts = accounts::store::by_ids(conn, users.iter().map(|u| u.account_id)).await?;
    let mut by_id: HashMap<_, _> = accounts.into_iter().map(|a| (a.id, a)).collect();
    Ok(users.into_iter().filter_map(|u| by_id.remove(&u.account_id).map(|a| (u, a))).collect())
}
