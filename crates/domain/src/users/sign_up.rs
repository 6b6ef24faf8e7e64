//! Signing up: who may, and how a moderator decides about those who wait.

use super::{NewUser, Role, User, create, setup, store};
use crate::{
    Error, Result,
    accounts::{self, Account},
    db::{Conn, Db},
    ids::UserId,
    invites,
    settings::{InstanceSettings, Registrations},
    site::Site,
};
use std::collections::HashMap;

/// How somebody may come in: as the site's settings say, or at once with an invite that is good. Nobody before the owner,
/// and nobody to a site of one person.
pub async fn door(conn: &Conn, settings: &InstanceSettings, invite: Option<&str>) -> Result<Registrations> {
    if settings.single_user || setup::is_due(conn).await? {
        return Ok(Registrations::Closed);
    }
    match invite {
        Some(code) if invites::is_good(conn, code).await? => Ok(Registrations::Open),
        _ => Ok(settings.open_to()),
    }
}

/// Somebody at an open [`door`], to be created as an ordinary user.
#[derive(Clone, Debug)]
pub struct SignUp<'a> {
    pub new: NewUser,
    /// The invite that opened the door: it is used up with this.
    pub invite: Option<&'a str>,
}

/// [`Error::Invalid`] as from [`super::create`]; [`Error::Forbidden`] when somebody else had the last use of the invite.
pub async fn sign_up(db: &Db, site: &Site, sign_up: SignUp<'_>) -> Result<(User, Account)> {
    let ready = create::prepare(db, NewUser { role: Role::User, ..sign_up.new }).await?;
    let tx = db.begin().await?;
    if let Some(code) = sign_up.invite {
        invites::take(&tx, code).await?;
    }
    let made = create::insert(&tx, site, ready).await?;
    tx.commit().await?;
    Ok(made)
}

/// Those who wait for a moderator, in the order they came, at most `limit` after `after`.
pub async fn list_waiting(conn: &Conn, after: Option<UserId>, limit: i64) -> Result<Vec<(User, Account)>> {
    let users = store::waiting(conn, after.unwrap_or(UserId(0)), limit).await?;
    let accounts = accounts::store::by_ids(conn, users.iter().map(|u| u.account_id)).await?;
    let mut by_id: HashMap<_, _> = accounts.into_iter().map(|a| (a.id, a)).collect();
    Ok(users.into_iter().filter_map(|u| by_id.remove(&u.account_id).map(|a| (u, a))).collect())
}

/// How many wait for a moderator.
pub async fn count_waiting(conn: &Conn) -> Result<i64> {
    store::count_waiting(conn).await
}

/// Lets somebody in who waits. [`Error::NotFound`] when nobody of this id waits (any more).
pub async fn approve(db: &Db, id: UserId) -> Result<()> {
    let tx = db.begin().await?;
    if !store::approve(&tx, id).await? {
        return Err(Error::NotFound);
    }
    tx.commit().await
}

/// Deletes somebody who waits, for ever. [`Error::NotFound`] when nobody of this id waits (any more).
pub async fn reject(db: &Db, id: UserId) -> Result<()> {
    let tx = db.begin().await?;
    // Whoever approves at the same moment comes too late, or this does.
    if !store::refuse(&tx, id).await? {
        return Err(Error::NotFound);
    }
    tx.commit().await?;
    super::delete(db, id).await
}
