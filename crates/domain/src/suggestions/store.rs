//! The queries behind suggestions, bounded on the way: friends, those whom they follow, posts looked at.

use crate::{
    Result, Time,
    db::{Conn, Tx},
    ids::{AccountId, StatusId},
    sql,
};

// Whether the account a is one that `me` ($1) could want to be shown at $2.
const WANTED: &str = "a.discoverable AND a.suspended_at IS NULL AND a.silenced_at IS NULL AND a.moved_to_id IS NULL \
     AND a.id <> $1 \
     AND NOT EXISTS (SELECT 1 FROM follows x WHERE x.account_id = $1 AND x.target_id = a.id) \
     AND NOT EXISTS (SELECT 1 FROM follow_requests x WHERE x.account_id = $1 AND x.target_id = a.id) \
     AND NOT EXISTS (SELECT 1 FROM blocks x WHERE x.account_id = $1 AND x.target_id = a.id) \
     AND NOT EXISTS (SELECT 1 FROM blocks x WHERE x.account_id = a.id AND x.target_id = $1) \
     AND NOT EXISTS (SELECT 1 FROM mutes x WHERE x.account_id = $1 AND x.target_id = a.id \
        AND (x.expires_at IS NULL OR x.expires_at > $2)) \
     AND NOT EXISTS (SELECT 1 FROM account_domain_blocks x WHERE x.account_id = $1 AND x.domain = a.domain) \
     AND NOT EXISTS (SELECT 1 FROM dismissed_suggestions x WHERE x.account_id = $1 AND x.target_id = a.id)";

sql! {
    // The latest 200 whom one follows, and 20000 whom these follow; who hides their network is no bridge.
    FRIENDS_OF_FRIENDS = "SELECT a.id FROM (SELECT f.target_id AS id FROM \
        (SELECT target_id FROM follows WHERE account_id = $1 ORDER BY id DESC LIMIT 200) AS mine \
        JOIN accounts b ON b.id = mine.target_id AND NOT COALESCE(b.hide_collections, FALSE) \
        JOIN follows f ON f.account_id = mine.target_id LIMIT 20000) AS second \
        JOIN accounts a ON a.id = second.id WHERE ", WANTED, " \
        GROUP BY a.id, a.followers_count ORDER BY COUNT(*) DESC, a.followers_count DESC, a.id LIMIT $3";
    // Who wrote the latest 2000 public posts.
    ACTIVE = "SELECT a.id FROM (SELECT account_id, MAX(id) AS latest FROM (SELECT account_id, id FROM statuses \
        WHERE visibility = 0 AND reblog_of_id IS NULL AND id > $4 ORDER BY id DESC LIMIT 2000) AS posts GROUP BY account_id) AS writers \
        JOIN accounts a ON a.id = writers.account_id WHERE a.domain IS NULL AND ", WANTED, " \
        ORDER BY writers.latest DESC LIMIT $3";
    INSERT_DISMISSAL = "INSERT INTO dismissed_suggestions (account_id, target_id, created_at) \
        SELECT $1::bigint, id, $3::bigint FROM accounts WHERE id = $2 ON CONFLICT DO NOTHING";
    TRIM_DISMISSALS = "DELETE FROM dismissed_suggestions WHERE account_id = $1 AND created_at <= COALESCE((SELECT created_at \
        FROM dismissed_suggestions WHERE account_id = $1 ORDER BY created_at DESC LIMIT 1 OFFSET $2), -1)";
}

/// Who is followed by most of those whom `me` follows first.
pub(super) async fn friends_of_friends(conn: &Conn, me: AccountId, now: Time, limit: i64) -> Result<Vec<AccountId>> {
    ids(conn.all(FRIENDS_OF_FRIENDS, &[&me, &now, &limit]).await?)
}

/// Local people who posted last first.
pub(super) async fn active(
    conn: &Conn,
    me: AccountId,
    (now, since): (Time, StatusId),
    limit: i64,
) -> Result<Vec<AccountId>> {
    ids(conn.all(ACTIVE, &[&me, &now, &limit, &since]).await?)
}

fn ids(rows: Vec<(AccountId,)>) -> Result<Vec<AccountId>> {
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// False when it is there already, or there is no such account.
pub(super) async fn insert_dismissal(tx: &Tx, me: AccountId, target: AccountId) -> Result<bool> {
    insert_dismissal_at(tx, me, target, tx.now).await
}

pub(super) async fn insert_dismissal_at(tx: &Tx, me: AccountId, target: AccountId, at: Time) -> Result<bool> {
    Ok(tx.exec(INSERT_DISMISSAL, &[&me, &target, &at]).await? > 0)
}

/// Forgets all but the latest `keep`.
pub(super) async fn trim_dismissals(tx: &Tx, me: AccountId, keep: i64) -> Result<()> {
    tx.exec(TRIM_DISMISSALS, &[&me, &keep]).await?;
    Ok(())
}
