//! Rows of requests. What a request holds is read from the notifications, so that it is gone when they are.

use crate::{
    Result,
    db::{Conn, Ids, Tx},
    ids::{self, AccountId, NotificationRequestId},
    notifications::{
        Notification,
        requests::{COUNTED, Pending, Request},
    },
    page::Page,
    sql,
};

// Mentions (0) and quotes (12) of the request r that are held back.
const HELD: &str = " FROM notifications n WHERE n.from_account_id = r.from_account_id AND n.account_id = r.account_id \
     AND n.filtered AND n.kind IN (0, 12)";
const COUNT: &str = const_format::concatcp!("(SELECT COUNT(*) FROM (SELECT n.id", HELD, " LIMIT $2) AS counted)");
const LIVE: &str = const_format::concatcp!(
    " FROM notification_requests r WHERE r.account_id = $1 AND EXISTS (SELECT 1",
    HELD,
    ") AND NOT EXISTS (SELECT 1 FROM accounts a WHERE a.id = r.from_account_id AND a.suspended_at IS NOT NULL)"
);
const SELECT: &str = const_format::concatcp!(
    "SELECT r.id, r.from_account_id, r.created_at, \
     COALESCE((SELECT n.created_at",
    HELD,
    " ORDER BY n.id DESC LIMIT 1), r.created_at), ",
    COUNT,
    ", (SELECT n.status_id",
    HELD,
    " ORDER BY n.id DESC LIMIT 1)",
    LIVE
);

sql! {
    NEWEST = SELECT, " AND r.id < $3 AND r.id > $4 ORDER BY r.id DESC LIMIT $5";
    OLDEST = SELECT, " AND r.id < $3 AND r.id > $4 ORDER BY r.id ASC LIMIT $5";
    BY_ID = SELECT, " AND r.id = $3";
    SENDERS = "SELECT from_account_id FROM notification_requests WHERE account_id = $1 AND id = ANY($2)";
    PENDING = "SELECT COUNT(*), COALESCE(SUM(pending.held), 0)::bigint FROM (SELECT ", COUNT, " AS held", LIVE,
        " ORDER BY r.id DESC LIMIT $2) AS pending";
    INSERT = "INSERT INTO notification_requests (id, account_id, from_account_id, created_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT DO NOTHING";
    // The oldest beyond so many of one sender.
    TRIM = "DELETE FROM notifications WHERE account_id = $1 AND from_account_id = $2 AND filtered AND id < COALESCE( \
        (SELECT n.id FROM notifications n WHERE n.account_id = $1 AND n.from_account_id = $2 AND n.filtered \
        ORDER BY n.id DESC LIMIT 1 OFFSET $3), 0)";
    RELEASE = "UPDATE notifications SET filtered = FALSE WHERE account_id = $1 AND from_account_id = ANY($2) AND filtered";
    DELETE_HELD = "DELETE FROM notifications WHERE account_id = $1 AND from_account_id = ANY($2) AND filtered";
    DELETE = "DELETE FROM notification_requests WHERE account_id = $1 AND from_account_id = ANY($2)";
}

/// Newest first.
pub(in crate::notifications) async fn list(conn: &Conn, account: AccountId, page: Page) -> Result<Vec<Request>> {
    let sql = page.pick(NEWEST, OLDEST);
    let rows = conn.all(sql, &[&account, &COUNTED, &page.before, &page.after, &page.limit]).await?;
    Ok(page.newest_first(rows))
}

pub(in crate::notifications) async fn by_id(
    conn: &Conn,
    account: AccountId,
    id: NotificationRequestId,
) -> Result<Option<Request>> {
    conn.opt(BY_ID, &[&account, &COUNTED, &id]).await
}

/// Who sent what these requests of `account` hold.
pub(in crate::notifications) async fn senders(
    tx: &Tx,
    account: AccountId,
    ids: &[NotificationRequestId],
) -> Result<Vec<AccountId>> {
    let rows: Vec<(AccountId,)> = tx.all(SENDERS, &[&account, &Ids::of(ids.iter().copied())]).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

pub(in crate::notifications) async fn pending(conn: &Conn, account: AccountId) -> Result<Pending> {
    conn.one(PENDING, &[&account, &COUNTED]).await
}

pub(in crate::notifications) async fn insert(tx: &Tx, account: AccountId, from: AccountId) -> Result<()> {
    let id: NotificationRequestId = ids::next();
    tx.exec(INSERT, &[&id, &account, &from, &tx.now]).await?;
    Ok(())
}

/// Leaves `most` notifications that are held back from the sender of `row`.
pub(in crate::notifications) async fn trim(tx: &Tx, row: &Notification, most: i64) -> Result<()> {
    tx.exec(TRIM, &[&row.account_id, &row.from_account_id, &(most - 1)]).await?;
    Ok(())
}

pub(in crate::notifications) async fn release(tx: &Tx, account: AccountId, from: &[AccountId]) -> Result<()> {
    tx.exec(RELEASE, &[&account, &Ids::of(from.iter().copied())]).await?;
    Ok(())
}

pub(in crate::notifications) async fn delete_held(tx: &Tx, account: AccountId, from: &[AccountId]) -> Result<()> {
    tx.exec(DELETE_HELD, &[&account, &Ids::of(from.iter().copied())]).await?;
    Ok(())
}

pub(in crate::notifications) async fn delete(tx: &Tx, account: AccountId, from: &[AccountId]) -> Result<()> {
    tx.exec(DELETE, &[&account, &Ids::of(from.iter().copied())]).await?;
    Ok(())
}
