//! Rows of activities on their way, and the inboxes they go to.

use super::Activity;
use crate::{
    Result, Time,
    db::{Conn, Ids, Params, Tx},
    ids::{AccountId, ActivityId, PollId, StatusId},
    sql,
};

// What of one server goes to its shared inbox, if it has one.
const INBOX: &str =
    "SELECT DISTINCT COALESCE(r.shared_inbox, r.inbox) FROM actors r JOIN accounts a ON a.id = r.account_id ";
// One account for each of these inboxes.
const ONE_OF_EACH: &str = "SELECT MIN(a.id) FROM actors r JOIN accounts a ON a.id = r.account_id ";
const EACH: &str = " AND a.suspended_at IS NULL GROUP BY COALESCE(r.shared_inbox, r.inbox) LIMIT $2";
// Whoever favoured, boosted, answered or quoted it.
const OF_TOUCHED: &str = "WHERE a.id IN (SELECT account_id FROM favourites WHERE status_id = $1 \
    UNION SELECT account_id FROM statuses WHERE reblog_of_id = $1 UNION SELECT account_id FROM statuses WHERE in_reply_to_id = $1 \
    UNION SELECT account_id FROM statuses WHERE quote_of_id = $1)";
// Whoever was ever named: an edit adds to these rows and takes none away.
const OF_NAMED: &str = "WHERE a.id IN (SELECT account_id FROM mentions WHERE status_id = $1)";

sql! {
    INSERT = "INSERT INTO activities (", Activity::COLUMNS, ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";
    MARK_BROUGHT = "UPDATE activities SET is_brought = TRUE WHERE id = $1 AND NOT is_brought";
    BY_ID = "SELECT ", Activity::COLUMNS, " FROM activities WHERE id = $1";
    PRUNE = "DELETE FROM activities WHERE id IN \
        (SELECT id FROM activities WHERE kept_until < $1 ORDER BY kept_until LIMIT $2)";
    FOLLOWER_INBOXES = INBOX, "JOIN follows f ON f.account_id = r.account_id WHERE f.target_id = ANY($1) AND a.suspended_at IS NULL LIMIT $2";
    // Also whoever is suspended: that may end.
    IS_FOLLOWED = "SELECT 1::bigint FROM actors r JOIN follows f ON f.account_id = r.account_id WHERE f.target_id = $1 LIMIT 1";
    SHARED_INBOXES = INBOX, "WHERE r.account_id = ANY($1) AND a.suspended_at IS NULL";
    BLOCKER_INBOXES = INBOX, "JOIN blocks b ON b.account_id = r.account_id WHERE b.target_id = $1 AND a.suspended_at IS NULL LIMIT $2";
    ALL_INBOXES = INBOX, "WHERE a.suspended_at IS NULL LIMIT $1";
    TOUCHED_INBOXES = INBOX, OF_TOUCHED, " AND a.suspended_at IS NULL LIMIT $2";
    TOUCHED_AT_EACH = ONE_OF_EACH, OF_TOUCHED, EACH;
    NAMED_INBOXES = INBOX, OF_NAMED, " AND a.suspended_at IS NULL LIMIT $2";
    NAMED_AT_EACH = ONE_OF_EACH, OF_NAMED, EACH;
    NAMED_AFTER = "SELECT a.id FROM accounts a JOIN mentions m ON m.account_id = a.id \
        WHERE m.status_id = $1 AND a.domain IS NOT NULL AND a.id > $2 ORDER BY a.id LIMIT $3";
    VOTER_INBOXES = INBOX, "WHERE a.suspended_at IS NULL AND a.id IN (SELECT account_id FROM poll_votes WHERE poll_id = $1) LIMIT $2";
    // Quoted not to show it to somebody alone.
    BOOSTERS = "SELECT a.id FROM accounts a WHERE a.has_remote_followers AND a.domain IS NULL AND a.id IN (\
        SELECT account_id FROM statuses WHERE reblog_of_id = $1 UNION \
        SELECT account_id FROM statuses WHERE quote_of_id = $1 AND visibility < 3) ORDER BY a.id LIMIT $2";
    ENTANGLED = "SELECT 1::bigint FROM statuses WHERE quote_of_id = $1 UNION ALL \
        SELECT 1::bigint FROM statuses WHERE in_reply_to_id = $1 LIMIT 1";
    // Whom they follow or block and who does that to them, whose posts they favoured, boosted, answered or quoted, whom
    // they named, and who did something to theirs.
    ACQUAINTED_INBOXES = INBOX, "WHERE a.suspended_at IS NULL AND a.id IN (\
        SELECT account_id FROM follows WHERE target_id = $1 UNION SELECT target_id FROM follows WHERE account_id = $1 \
        UNION SELECT target_id FROM follow_requests WHERE account_id = $1 \
        UNION SELECT account_id FROM blocks WHERE target_id = $1 UNION SELECT target_id FROM blocks WHERE account_id = $1 \
        UNION SELECT s.account_id FROM favourites f JOIN statuses s ON s.id = f.status_id WHERE f.account_id = $1 \
        UNION SELECT o.account_id FROM statuses s JOIN statuses o ON o.id = s.reblog_of_id WHERE s.account_id = $1 \
        UNION SELECT o.account_id FROM statuses s JOIN statuses o ON o.id = s.quote_of_id WHERE s.account_id = $1 \
        UNION SELECT in_reply_to_account_id FROM statuses WHERE account_id = $1 AND in_reply_to_account_id IS NOT NULL \
        UNION SELECT m.account_id FROM mentions m JOIN statuses s ON s.id = m.status_id WHERE s.account_id = $1 \
        UNION SELECT f.account_id FROM favourites f JOIN statuses s ON s.id = f.status_id WHERE s.account_id = $1 \
        UNION SELECT b.account_id FROM statuses b JOIN statuses s ON s.id = b.reblog_of_id WHERE s.account_id = $1 \
        UNION SELECT r.account_id FROM statuses r JOIN statuses s ON s.id = r.in_reply_to_id WHERE s.account_id = $1 \
        UNION SELECT q.account_id FROM statuses q JOIN statuses s ON s.id = q.quote_of_id WHERE s.account_id = $1) LIMIT $2";
}

/// False when there is one of this name.
pub(super) async fn insert(tx: &Tx, a: &Activity) -> Result<bool> {
    let values: Params<'_> =
        &[&a.id, &a.uri, &a.account_id, &a.actor, &a.body, &a.created_at, &a.kept_until, &a.is_first, &a.is_farewell];
    Ok(tx.exec(INSERT, values).await? > 0)
}

/// What is passed on was handed over. False when that was so already.
pub(super) async fn mark_brought(tx: &Tx, id: ActivityId) -> Result<bool> {
    Ok(tx.exec(MARK_BROUGHT, &[&id]).await? > 0)
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

fn ids(rows: Vec<(AccountId,)>) -> Vec<AccountId> {
    rows.into_iter().map(|(id,)| id).collect()
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

/// Whether anybody elsewhere follows `account`.
pub(super) async fn is_followed(conn: &Conn, account: AccountId) -> Result<bool> {
    conn.exists(IS_FOLLOWED, &[&account]).await
}

/// Where those elsewhere are reached who block `account`.
pub async fn blocker_inboxes(conn: &Conn, account: AccountId, limit: i64) -> Result<Vec<String>> {
    Ok(texts(conn.all(BLOCKER_INBOXES, &[&account, &limit]).await?))
}

/// Where those elsewhere are reached whose servers may have been sent something by `account`, or asked about them.
pub async fn acquainted_inboxes(conn: &Conn, account: AccountId, limit: i64) -> Result<Vec<String>> {
    Ok(texts(conn.all(ACQUAINTED_INBOXES, &[&account, &limit]).await?))
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

/// Whether somebody quotes it, here or elsewhere, allowed or not, or answers it.
pub(super) async fn is_entangled(conn: &Conn, status: StatusId) -> Result<bool> {
    conn.exists(ENTANGLED, &[&status]).await
}

/// Where those elsewhere are reached who favoured, boosted, answered or quoted a status.
pub async fn touched_inboxes(conn: &Conn, status: StatusId, limit: i64) -> Result<Vec<String>> {
    Ok(texts(conn.all(TOUCHED_INBOXES, &[&status, &limit]).await?))
}

/// The same as accounts: one for each inbox.
pub(super) async fn touched_at_each(conn: &Conn, status: StatusId, limit: i64) -> Result<Vec<AccountId>> {
    Ok(ids(conn.all(TOUCHED_AT_EACH, &[&status, &limit]).await?))
}

/// Where those elsewhere are reached who are named in a status, or were before it was edited: they hold a copy.
pub async fn named_inboxes(conn: &Conn, status: StatusId, limit: i64) -> Result<Vec<String>> {
    Ok(texts(conn.all(NAMED_INBOXES, &[&status, &limit]).await?))
}

/// The same as accounts: one for each inbox.
pub(super) async fn named_at_each(conn: &Conn, status: StatusId, limit: i64) -> Result<Vec<AccountId>> {
    Ok(ids(conn.all(NAMED_AT_EACH, &[&status, &limit]).await?))
}

/// All of them, in pages by id.
pub async fn named_after(conn: &Conn, (status, after): (StatusId, AccountId), limit: i64) -> Result<Vec<AccountId>> {
    Ok(ids(conn.all(NAMED_AFTER, &[&status, &after, &limit]).await?))
}

/// Where those elsewhere are reached who voted in a poll.
pub async fn voter_inboxes(conn: &Conn, poll: PollId, limit: i64) -> Result<Vec<String>> {
    Ok(texts(conn.all(VOTER_INBOXES, &[&poll, &limit]).await?))
}

/// Who here boosts or quotes a status, so that others elsewhere see it.
pub(super) async fn boosters(conn: &Conn, status: StatusId, limit: i64) -> Result<Vec<AccountId>> {
    Ok(ids(conn.all(BOOSTERS, &[&status, &limit]).await?))
}
