//! Rows of scheduled statuses.

use super::Scheduled;
use crate::{
    Result, Time,
    db::{Conn, Tx},
    ids::{AccountId, ScheduledId},
    page::Page,
    sql,
};
use std::time::Duration;

const WHERE: &str = " FROM scheduled_statuses WHERE account_id = $1 AND id < $2 AND id > $3 ORDER BY id ";

sql! {
    BY_ID = "SELECT ", Scheduled::COLUMNS, " FROM scheduled_statuses WHERE id = $1";
    NEWEST = "SELECT ", Scheduled::COLUMNS, WHERE, "DESC LIMIT $4";
    OLDEST = "SELECT ", Scheduled::COLUMNS, WHERE, "ASC LIMIT $4";
    COUNTS = "SELECT COUNT(*), COUNT(CASE WHEN scheduled_at >= $2 AND scheduled_at < $3 THEN 1 END) FROM scheduled_statuses WHERE account_id = $1";
    INSERT = "INSERT INTO scheduled_statuses (id, account_id, scheduled_at, params_json) VALUES ($1, $2, $3, $4)";
    UPDATE_TIME = "UPDATE scheduled_statuses SET scheduled_at = $2 WHERE id = $1";
    DELETE = "DELETE FROM scheduled_statuses WHERE id = $1";
}

pub(super) async fn by_id(conn: &Conn, id: ScheduledId) -> Result<Option<Scheduled>> {
    conn.opt(BY_ID, &[&id]).await
}

pub(super) async fn list(conn: &Conn, owner: AccountId, p: Page) -> Result<Vec<Scheduled>> {
    conn.all(p.pick(NEWEST, OLDEST), &[&owner, &p.before, &p.after, &p.limit]).await
}

/// In all, and on the day of `at`.
pub(super) async fn counts(conn: &Conn, owner: AccountId, at: Time) -> Result<(i64, i64)> {
    let day = at.midnight();
    conn.one(COUNTS, &[&owner, &day, &day.plus(Duration::from_secs(86_400))]).await
}

pub(super) async fn insert(tx: &Tx, row: &Scheduled) -> Result<()> {
    tx.exec(INSERT, &[&row.id, &row.account_id, &row.scheduled_at, &row.params_json]).await?;
    Ok(())
}

pub(super) async fn update_time(tx: &Tx, id: ScheduledId, at: Time) -> Result<()> {
    tx.exec(UPDATE_TIME, &[&id, &at]).await?;
    Ok(())
}

pub(super) async fn delete(tx: &Tx, id: ScheduledId) -> Result<()> {
    tx.exec(DELETE, &[&id]).await?;
    Ok(())
}
