//! Rows of statuses that quote another.

use super::remote::Known;
use crate::{
    Result, Time,
    db::{Conn, Tx},
    ids::{AccountId, StatusId},
    page::Page,
    sql,
    statuses::{QuotePolicy, QuoteState, Status},
};

/// Quoters told of an edit.
const QUOTERS: i64 = 1_000;

const WHERE: &str = " FROM statuses WHERE quote_of_id = $1 AND quote_state = 2 AND id < $2 AND id > $3 ORDER BY id ";

sql! {
    NEWEST = "SELECT ", Status::COLUMNS, WHERE, "DESC LIMIT $4";
    OLDEST = "SELECT ", Status::COLUMNS, WHERE, "ASC LIMIT $4";
    QUOTERS_OF = "SELECT s.account_id, s.id FROM statuses s JOIN users u ON u.account_id = s.account_id \
        WHERE s.quote_of_id = $1 AND s.quote_state = 2 ORDER BY s.id DESC LIMIT $2";
    UPDATE_STATE = "UPDATE statuses SET quote_state = $3 WHERE id = $1 AND quote_state = $2";
    PUT = "UPDATE statuses SET quote_of_id = $2, quote_state = $3 WHERE id = $1";
    KNOWN = "SELECT quoted_uri, stamp_uri, checked_at FROM quotes WHERE status_id = $1";
    MARK_CHECKED = "UPDATE quotes SET checked_at = $2 WHERE status_id = $1";
    KEEP = "INSERT INTO quotes (status_id, quoted_uri, stamp_uri) VALUES ($1, $2, $3) \
        ON CONFLICT (status_id) DO UPDATE SET quoted_uri = excluded.quoted_uri, stamp_uri = excluded.stamp_uri";
    DELETE = "DELETE FROM quotes WHERE status_id = $1";
    BY_STAMP = "SELECT status_id FROM quotes WHERE stamp_uri = $1 ORDER BY status_id LIMIT 20";
    UPDATE_POLICY = "UPDATE statuses SET quote_policy = $2, quote_manual = $3 WHERE id = $1";
}

/// Only those whose quote is accepted.
pub(super) async fn list(conn: &Conn, id: StatusId, page: Page) -> Result<Vec<Status>> {
    conn.all(page.pick(NEWEST, OLDEST), &[&id, &page.before, &page.after, &page.limit]).await
}

/// Local authors of accepted quotes, each with the quoting status.
pub(super) async fn quoters(conn: &Conn, id: StatusId) -> Result<Vec<(AccountId, StatusId)>> {
    conn.all(QUOTERS_OF, &[&id, &QUOTERS]).await
}

/// False when the state is another by now.
pub(super) async fn update_state(tx: &Tx, id: StatusId, (from, to): (QuoteState, QuoteState)) -> Result<bool> {
    Ok(tx.exec(UPDATE_STATE, &[&id, &from, &to]).await? > 0)
}

/// Who may quote it, and who when its author agrees.
pub(in crate::statuses) async fn update_policy(
    tx: &Tx,
    id: StatusId,
    (policy, manual): (QuotePolicy, QuotePolicy),
) -> Result<()> {
    tx.exec(UPDATE_POLICY, &[&id, &policy, &manual]).await?;
    Ok(())
}

/// What the quote shows from now on, and whether it may.
pub(super) async fn put(tx: &Tx, id: StatusId, (quoted, state): (Option<StatusId>, QuoteState)) -> Result<()> {
    tx.exec(PUT, &[&id, &quoted, &state]).await?;
    Ok(())
}

/// The name of what is quoted, and of the stamp that allows it, and when that was seen.
pub(super) async fn known(conn: &Conn, id: StatusId) -> Result<Option<Known>> {
    let row: Option<(String, Option<String>, Option<Time>)> = conn.opt(KNOWN, &[&id]).await?;
    Ok(row.map(|(quoted_uri, stamp, checked_at)| Known { quoted_uri, stamp, checked_at }))
}

pub(super) async fn mark_checked(tx: &Tx, id: StatusId, at: Time) -> Result<()> {
    tx.exec(MARK_CHECKED, &[&id, &at]).await?;
    Ok(())
}

pub(super) async fn keep(tx: &Tx, id: StatusId, (quoted, stamp): (&str, Option<&str>)) -> Result<()> {
    tx.exec(KEEP, &[&id, &quoted, &stamp]).await?;
    Ok(())
}

pub(super) async fn delete(tx: &Tx, id: StatusId) -> Result<()> {
    tx.exec(DELETE, &[&id]).await?;
    Ok(())
}

/// Nearly always one: a stamp is for one quote.
pub(super) async fn by_stamp(conn: &Conn, stamp: &str) -> Result<Vec<StatusId>> {
    let rows: Vec<(StatusId,)> = conn.all(BY_STAMP, &[&stamp]).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}
