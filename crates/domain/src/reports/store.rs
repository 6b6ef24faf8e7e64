//! Rows of reports, and of the notifications that are about them.

use super::{Report, Which};
use crate::{
    Result, Time,
    db::{Conn, Ids, Tx},
    ids::{self, AccountId, NotificationId, ReportId},
    notifications::Kind,
    page::Page,
    sql,
};

const WHERE: &str = " FROM reports WHERE (resolved_at IS NULL) = $1 AND id < $2 AND id > $3 ORDER BY id ";

sql! {
    INSERT = "INSERT INTO reports (", Report::COLUMNS, ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    COUNT_SINCE = "SELECT COUNT(*) FROM reports WHERE account_id = $1 AND created_at > $2";
    // From the reports of lately, by their ids, to who made them: a domain may have very many accounts.
    COUNT_OF_DOMAIN_SINCE = "SELECT COUNT(*) FROM reports r WHERE r.id > $3 AND r.created_at > $2 \
        AND (SELECT a.domain FROM accounts a WHERE a.id = r.account_id) = $1";
    SAME_IS_OPEN = "SELECT 1::bigint FROM reports WHERE account_id = $1 AND target_id = $2 AND statuses_json = $3 AND comment = $4 \
        AND resolved_at IS NULL LIMIT 1";
    BY_IDS = "SELECT ", Report::COLUMNS, " FROM reports WHERE id = ANY($1)";
    NEWEST = "SELECT ", Report::COLUMNS, WHERE, "DESC LIMIT $4";
    OLDEST = "SELECT ", Report::COLUMNS, WHERE, "ASC LIMIT $4";
    UPDATE_RESOLVED = "UPDATE reports SET resolved_at = $2 WHERE id = $1";
    ADMINS = "SELECT account_id FROM users WHERE role >= 2 AND NOT disabled ORDER BY id LIMIT 50";
    INSERT_NOTIFICATION = "INSERT INTO notifications (id, account_id, from_account_id, kind, group_key, created_at, report_id) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    BY_NOTIFICATIONS = "SELECT id, report_id FROM notifications WHERE id = ANY($1) AND report_id IS NOT NULL";
}

pub(super) async fn insert(tx: &Tx, r: &Report) -> Result<()> {
    let values: crate::db::Params<'_> = &[
        &r.id,
        &r.account_id,
        &r.target_id,
        &r.category,
        &r.comment,
        &r.statuses_json,
        &r.rules_json,
        &r.forward,
        &r.created_at,
        &r.resolved_at,
    ];
    tx.exec(INSERT, values).await?;
    Ok(())
}

pub(super) async fn count_since(conn: &Conn, who: AccountId, since: Time) -> Result<i64> {
    let (n,): (i64,) = conn.one(COUNT_SINCE, &[&who, &since]).await?;
    Ok(n)
}

pub(super) async fn count_of_domain_since(conn: &Conn, domain: &str, since: Time) -> Result<i64> {
    let floor: ReportId = ids::floor(since);
    let (n,): (i64,) = conn.one(COUNT_OF_DOMAIN_SINCE, &[&domain, &since, &floor]).await?;
    Ok(n)
}

/// Whether somebody said just this already, and nobody has dealt with it.
pub(super) async fn same_is_open(conn: &Conn, r: &Report) -> Result<bool> {
    conn.exists(SAME_IS_OPEN, &[&r.account_id, &r.target_id, &r.statuses_json, &r.comment]).await
}

pub async fn by_ids(conn: &Conn, ids: impl IntoIterator<Item = ReportId>) -> Result<Vec<Report>> {
    let ids = Ids::of(ids);
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    conn.all(BY_IDS, &[&ids]).await
}

pub(super) async fn list(conn: &Conn, which: Which, page: Page) -> Result<Vec<Report>> {
    let open = which == Which::Open;
    conn.all(page.pick(NEWEST, OLDEST), &[&open, &page.before, &page.after, &page.limit]).await
}

pub(super) async fn update_resolved(tx: &Tx, id: ReportId, at: Option<Time>) -> Result<()> {
    tx.exec(UPDATE_RESOLVED, &[&id, &at]).await?;
    Ok(())
}

/// Owners and admins, as far as there are few.
pub(super) async fn admins(conn: &Conn) -> Result<Vec<AccountId>> {
    Ok(conn.all::<(AccountId,)>(ADMINS, &[]).await?.into_iter().map(|(id,)| id).collect())
}

pub(super) async fn insert_notification(
    tx: &Tx,
    (id, account): (NotificationId, AccountId),
    (from, report): (AccountId, ReportId),
) -> Result<()> {
    let group = format!("ungrouped-{id}");
    tx.exec(INSERT_NOTIFICATION, &[&id, &account, &from, &Kind::AdminReport, &group, &tx.now, &report]).await?;
    Ok(())
}

/// The report that each of the notifications is about.
pub async fn by_notifications(
    conn: &Conn,
    ids: impl IntoIterator<Item = NotificationId>,
) -> Result<Vec<(NotificationId, ReportId)>> {
    let ids = Ids::of(ids);
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    conn.all(BY_NOTIFICATIONS, &[&ids]).await
}
