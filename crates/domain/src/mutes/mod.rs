//! Mutes: not seeing somebody without their knowing, for ever or for a while. A mute that has run out is none, whether
//! its row is still there or not.

mod store;

use crate::{
    Result, Time,
    accounts::{self, Account},
    db::{Conn, Db},
    ids::AccountId,
    notifications,
    page::Page,
    relationships::{self, Relationship},
    timelines::{self, Parting},
};
use std::{collections::HashMap, time::Duration};

/// How to mute.
/// <https://docs.joinmastodon.org/methods/accounts/#mute>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mute {
    /// Also what they do to one.
    pub notifications: bool,
    /// None: until unmuted.
    pub duration: Option<Duration>,
}

impl Default for Mute {
    fn default() -> Self {
        Self { notifications: true, duration: None }
    }
}

/// Somebody muted.
#[derive(Clone, Debug)]
pub struct Muted {
    pub cursor: i64,
    pub account: Account,
    pub expires_at: Option<Time>,
}

/// Mutes somebody, or changes how. Muting oneself does nothing.
pub async fn mute(db: &Db, me: AccountId, target: AccountId, how: Mute) -> Result<Relationship> {
    let tx = db.begin().await?;
    accounts::visible(&tx, target).await?;
    if me != target {
        let until = how.duration.map(|d| tx.now.plus(d));
        store::put(&tx, (me, target), how.notifications, until).await?;
        if until.is_none() {
            // A mute with an end is kept out when the feed is read, so that its statuses are there afterwards.
            timelines::remove_author(&tx, me, (target, Parting::Silenced)).await?;
        }
        if how.notifications {
            notifications::forget(&tx, me, target).await?;
        }
    }
    let shown = relationships::with(&tx, me, target).await?;
    tx.commit().await?;
    Ok(shown)
}

/// Who muted an account that moved mutes the new one the same way, unless they follow it; a private note says why.
pub(crate) async fn carry(db: &Db, who: AccountId, (from, to): (&Account, &Account)) -> Result<()> {
    let conn = db.read().await?;
    let (old, new) = (relationships::with(&conn, who, from.id).await?, relationships::with(&conn, who, to.id).await?);
    drop(conn);
    if !old.muting || new.muting || new.following {
        return Ok(());
    }
    let duration = old.muting_expires_at.map(|end| end.since(Time::now()));
    mute(db, who, to.id, Mute { notifications: old.muting_notifications, duration }).await?;
    relationships::note_once(db, (who, to.id), &format!("Moved here from {}, which you had muted.", from.acct())).await
}

/// Ends a mute; the latest statuses of somebody one follows come back into the feed. No error when there was none.
/// <https://docs.joinmastodon.org/methods/accounts/#unmute>
pub async fn unmute(db: &Db, me: AccountId, target: AccountId) -> Result<Relationship> {
    let tx = db.begin().await?;
    accounts::visible(&tx, target).await?;
    let ended = store::delete(&tx, me, target).await?;
    let shown = relationships::with(&tx, me, target).await?;
    if ended && shown.following {
        timelines::add_author(&tx, me, target).await?;
    }
    tx.commit().await?;
    Ok(shown)
}

/// Whom `me` has muted, latest first.
pub async fn list(conn: &Conn, me: AccountId, page: Page) -> Result<Vec<Muted>> {
    let rows = page.newest_first(store::list(conn, me, page).await?);
    let found = accounts::store::by_ids(conn, rows.iter().map(|r| r.1)).await?;
    let by_id: HashMap<AccountId, Account> = found.into_iter().map(|a| (a.id, a)).collect();
    let line = |(cursor, id, expires_at)| by_id.get(&id).cloned().map(|account| Muted { cursor, account, expires_at });
    Ok(rows.into_iter().filter_map(line).collect())
}

/// Removes mutes that have run out: housekeeping. How many there were.
pub async fn remove_expired(db: &Db) -> Result<u64> {
    let tx = db.begin().await?;
    let n = store::delete_expired(&tx).await?;
    tx.commit().await?;
    Ok(n)
}

#[cfg(test)]
mod tests;
