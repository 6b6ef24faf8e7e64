//! Rows of activities on their way, and the inboxes they go to.

use super::Activity;
use crate::{
    Result, Time,
    db::{Conn, Ids, Tx},
    ids::{AccountId, ActivityId, StatusId},
    sql,
};

// What of one server goes to its shared inbox, if it has one.
const INBOX: &str =
    "SELECT DISTINCT COALESCE(r.shared_inbox, r.inbox) FROM actors r JOIN accounts a ON a.id = r.account_id ";

sql! {
    INSERT = "INSERT INTO activities (", Activity::COLUMNS, ") VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    BY_ID = "SELECT ", Activity::COLUMNS, " FROM activities WHERE id = $1";
    PRUNE = "DELETE FROM activities WHERE id IN \
        (SELECT id FROM activities WHERE created_at < $1 ORDER BY created_at LIMIT $2)";
    FOLLOWER_INBOXES = INBOX, "JOIN follows f ON f.account_id = r.account_id WHERE f.target_id = ANY($1) AND a.suspended_at IS NULL LIMIT $2";
    SHARED_INBOXES = INBOX, "WHERE r.account_id = ANY($1) AND a.suspended_at IS NULL";
    BLOCKER_INBOXES = INBOX, "JOIN blocks b ON b.account_id = r.account_id WHERE b.target_id = $1 AND a.suspended_at IS NULL LIMIT $2";
    ALL_INBOXES = INBOX, "WHERE a.suspended_at IS NULL LIMIT $1";
    TOUCHED = "SELECT a.id FROM accounts a WHERE a.domain IS NOT NULL AND a.id IN (\
        SELECT account_id FROM favourites WHERE status_id = $1 UNION SELECT account_id FROM statuses WHERE reblog_of_id = $1 \
        UNION SELECT account_id FROM statuses WHERE in_reply_to_id = $1) LIMIT $2";
    // Whoever was ever named: an edit adds to these rows and takes none away.
    NAMED = "SELECT a.id FROM accounts a JOIN mentions m ON m.account_id = a.id \
        WHERE m.status_id = $1 AND a.domain IS NOT NULL LIMIT $2";
}

/// False when there is one of this name.
pub(super) async fn insert(tx: &Tx, a: &Activity) -> Result<bool> {
    Ok(tx.exec(INSERT, &[&a.id, &a.uri, &a.account_id, &a.actor, &a.body, &a.created_at]).await? > 0)
}

pub async fn by_id(conn: &Conn, id: ActivityId) -> Result<Option<Activity>> {
    conn.opt(BY_ID, &[&id]).await
}

pub(super) async fn prune(tx: &Tx, before: Time, limit: i64) -> Result<u64> {
    tx.exec(PRUNE, &[&before, &limit]).await
}

fn texts(rows: Vec<(String,)>) -> Vec<String> {
    rows.into_iter().map(|(text,)| text).collect()
}

/// Where followers elsewhere of any of `accounts` are reached, each server once where it has a shared inbox.
pub async fn follower_inboxes(
    conn: &Conn,
    accounts: impl IntoIterator<Item = AccountId>,
    limit: i64,
) -> Result<Vec<String>> {
    let ids = Ids::of(accounts);
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(texts(conn.all(FOLLOWER_INBOXES, &[&ids, &limit]).await?))
}

/// Where those elsewhere are reached who block `account`.
pub async fn blocker_inboxes(conn: &Conn, account: AccountId, limit: i64) -> Result<Vec<String>> {
    Ok(texts(conn.all(BLOCKER_INBOXES, &[&account, &limit]).await?))
}

/// Where these accounts are reached, each server once where it has a shared inbox. Local ones are left out.
pub async fn shared_inboxes(conn: &Conn, accounts: impl IntoIterator<Item = AccountId>) -> Result<Vec<String>> {
    let ids = Ids::of(accounts);
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(texts(conn.all(SHARED_INBOXES, &[&ids]).await?))
}

/// Every server that is known.
pub async fn all_inboxes(conn: &Conn, limit: i64) -> Result<Vec<String>> {
    Ok(texts(conn.all(ALL_INBOXES, &[&limit]).await?))
}

/// Accounts elsewhere that favoured, boosted or answered a status.
pub async fn touched(conn: &Conn, status: StatusId, limit: i64) -> Result<Vec<AccountId>> {
    Ok(conn.all::<(AccountId,)>(TOUCHED, &[&status, &limit]).await?.into_iter().map(|(id,)| id).collect())
}

/// Accounts elsewhere that are named in a status, or were before it was edited: they hold a copy.
pub async fn named(conn: &Conn, status: StatusId, limit: i64) -> Result<Vec<AccountId>> {
    Ok(conn.all::<(AccountId,)>(NAMED, &[&status, &limit]).await?.into_iter().map(|(id,)| id).collect())
}
