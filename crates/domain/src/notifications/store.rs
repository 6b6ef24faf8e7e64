//! Rows of notifications.

use super::{Kind, New, Notification};
use crate::{
    Result,
    db::{Conn, Ids, Tx},
    ids::{AccountId, Id, NotificationId},
    page::Page,
    sql,
};

const WHERE: &str = " FROM notifications WHERE account_id = $1 AND id < $2 AND id > $3 AND kind = ANY($4) \
     AND ($5::bigint = 0 OR from_account_id = $5)";

sql! {
    // One look decides: a local user, no block either way, no mute that covers notifications, no muted conversation,
    // and not told already.
    INSERT_IF_WANTED = "INSERT INTO notifications (id, account_id, from_account_id, kind, status_id, group_key, created_at) \
        SELECT $1::bigint, u.account_id, $3::bigint, $4::bigint, $5::bigint, $6::text, $7::bigint FROM users u WHERE u.account_id = $2 \
        AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.account_id = $2 AND b.target_id = $3) \
        AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.account_id = $3 AND b.target_id = $2) \
        AND NOT EXISTS (SELECT 1 FROM mutes m WHERE m.account_id = $2 AND m.target_id = $3 AND m.notifications \
            AND (m.expires_at IS NULL OR m.expires_at > $7)) \
        AND NOT EXISTS (SELECT 1 FROM conversation_mutes c JOIN statuses s ON s.conversation_id = c.conversation_id \
            WHERE c.account_id = $2 AND s.id = $5) \
        AND NOT EXISTS (SELECT 1 FROM accounts a JOIN account_domain_blocks d ON d.domain = a.domain \
            WHERE a.id = $3 AND d.account_id = $2) \
        AND NOT EXISTS (SELECT 1 FROM notifications n WHERE n.status_id = $5 AND n.account_id = $2 \
            AND n.from_account_id = $3 AND n.kind = $4)";
    NEWEST = "SELECT ", Notification::COLUMNS, WHERE, " ORDER BY id DESC LIMIT $6";
    OLDEST = "SELECT ", Notification::COLUMNS, WHERE, " ORDER BY id ASC LIMIT $6";
    BY_ID = "SELECT ", Notification::COLUMNS, " FROM notifications WHERE id = $1 AND account_id = $2";
    DELETE = "DELETE FROM notifications WHERE id = $1 AND account_id = $2";
    DELETE_ALL = "DELETE FROM notifications WHERE account_id = $1";
    DELETE_FROM = "DELETE FROM notifications WHERE account_id = $1 AND from_account_id = $2";
    DELETE_SAME = "DELETE FROM notifications WHERE account_id = $1 AND from_account_id = $2 AND kind = $3 \
        AND COALESCE(status_id, 0) = $4";
    COUNT_AFTER = "SELECT COUNT(*) FROM (SELECT id FROM notifications WHERE account_id = $1 AND id > $2 LIMIT $3) AS newer";
}

pub(super) async fn insert_if_wanted(tx: &Tx, row: &Notification) -> Result<bool> {
    let n = tx
        .exec(
            INSERT_IF_WANTED,
            &[
                &row.id,
                &row.account_id,
                &row.from_account_id,
                &row.kind,
                &row.status_id,
                &row.group_key,
                &row.created_at,
            ],
        )
        .await?;
    Ok(n > 0)
}

pub(super) async fn list(
    conn: &Conn,
    account: AccountId,
    kinds: &[Kind],
    from: Option<AccountId>,
    page: Page,
) -> Result<Vec<Notification>> {
    let kinds = Ids::raw(kinds.iter().map(|k| k.number()));
    let from = from.map_or(0, Id::raw);
    let sql = page.pick(NEWEST, OLDEST);
    let rows = conn.all(sql, &[&account, &page.before, &page.after, &kinds, &from, &page.limit]).await?;
    Ok(page.newest_first(rows))
}

pub async fn by_id(conn: &Conn, account: AccountId, id: NotificationId) -> Result<Option<Notification>> {
    conn.opt(BY_ID, &[&id, &account]).await
}

pub(super) async fn delete(tx: &Tx, account: AccountId, id: NotificationId) -> Result<u64> {
    tx.exec(DELETE, &[&id, &account]).await
}

pub(super) async fn delete_all(tx: &Tx, account: AccountId) -> Result<()> {
    tx.exec(DELETE_ALL, &[&account]).await?;
    Ok(())
}

pub(super) async fn delete_from(tx: &Tx, owner: AccountId, from: AccountId) -> Result<()> {
    tx.exec(DELETE_FROM, &[&owner, &from]).await?;
    Ok(())
}

pub(super) async fn delete_same(tx: &Tx, was: &New) -> Result<()> {
    let status = was.status.map_or(0, Id::raw);
    tx.exec(DELETE_SAME, &[&was.account, &was.from, &was.kind, &status]).await?;
    Ok(())
}

pub(super) async fn count_after(conn: &Conn, account: AccountId, after: NotificationId, limit: i64) -> Result<i64> {
    let (n,): (i64,) = conn.one(COUNT_AFTER, &[&account, &after, &limit]).await?;
    Ok(n)
}
