//! Rows of mutes.

use crate::{
    Result, Time,
    db::{Conn, Tx},
    ids::{self, AccountId, MuteId},
    page::Page,
    sql,
};

const LIST: &str = "SELECT m.id, m.target_id, m.expires_at FROM mutes m JOIN accounts a ON a.id = m.target_id \
     WHERE m.account_id = $1 AND m.id < $2 AND m.id > $3 AND (m.expires_at IS NULL OR m.expires_at > $5) \
     AND a.suspended_at IS NULL ORDER BY m.id ";

sql! {
    PUT = "INSERT INTO mutes (id, account_id, target_id, notifications, expires_at) VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (account_id, target_id) DO UPDATE SET notifications = excluded.notifications, expires_at = excluded.expires_at";
    DELETE = "DELETE FROM mutes WHERE account_id = $1 AND target_id = $2";
    LIST_NEWEST = LIST, "DESC LIMIT $4";
    LIST_OLDEST = LIST, "ASC LIMIT $4";
    DELETE_EXPIRED = "DELETE FROM mutes WHERE expires_at <= $1";
}

pub(super) async fn put(
    tx: &Tx,
    (me, target): (AccountId, AccountId),
    notifications: bool,
    until: Option<Time>,
) -> Result<()> {
    let id: MuteId = ids::next();
    tx.exec(PUT, &[&id, &me, &target, &notifications, &until]).await?;
    Ok(())
}

/// False when there was none.
pub(super) async fn delete(tx: &Tx, me: AccountId, target: AccountId) -> Result<bool> {
    Ok(tx.exec(DELETE, &[&me, &target]).await? > 0)
}

/// (mute, muted, until), in the order read.
pub(super) async fn list(conn: &Conn, me: AccountId, page: Page) -> Result<Vec<(i64, AccountId, Option<Time>)>> {
    let sql = page.pick(LIST_NEWEST, LIST_OLDEST);
    conn.all(sql, &[&me, &page.before, &page.after, &page.limit, &Time::now()]).await
}

pub(super) async fn delete_expired(tx: &Tx) -> Result<u64> {
    tx.exec(DELETE_EXPIRED, &[&tx.now]).await
}
