//! Rows of other servers.

use super::Host;
use crate::{
    Result, Time,
    db::{Conn, Tx},
    sql,
};
use std::collections::HashSet;

sql! {
    BY_NAME = "SELECT ", Host::COLUMNS, " FROM hosts WHERE host = $1";
    LIST = "SELECT ", Host::COLUMNS, " FROM hosts ORDER BY CASE WHEN failures > 0 THEN 0 ELSE 1 END, COALESCE(last_failure_at, 0) DESC, host LIMIT $1";
    TROUBLED = "SELECT ", Host::COLUMNS, " FROM hosts WHERE failures > 0 OR last_error IS NOT NULL \
        ORDER BY CASE WHEN failures > 0 THEN 0 ELSE 1 END, COALESCE(last_failure_at, 0) DESC, host LIMIT $1";
    COUNTS = "SELECT COUNT(*), COALESCE(SUM(CASE WHEN resting_until > $1 THEN 1 ELSE 0 END), 0) FROM hosts WHERE failures > 0";
    PUT = "INSERT INTO hosts (", Host::COLUMNS, ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (host) DO UPDATE SET \
        failures = excluded.failures, failing_since = excluded.failing_since, resting_until = excluded.resting_until, \
        last_error = excluded.last_error, last_failure_at = excluded.last_failure_at, failed_days = excluded.failed_days";
    GIVEN_UP = "SELECT host FROM hosts WHERE failed_days >= 7 AND resting_until > $1 LIMIT $2";
    FORGET_DAYS = "UPDATE hosts SET failed_days = 0 WHERE host = $1";
    WAKE = "UPDATE hosts SET resting_until = NULL WHERE $1 = '' OR host = $1";
    RESET = "UPDATE hosts SET failures = 0, failed_days = 0, failing_since = NULL, resting_until = NULL, last_error = NULL, \
        last_success_at = $2 WHERE host = $1";
}

pub(super) async fn by_name(conn: &Conn, host: &str) -> Result<Option<Host>> {
    conn.opt(BY_NAME, &[&host]).await
}

pub(super) async fn list(conn: &Conn, limit: i64) -> Result<Vec<Host>> {
    conn.all(LIST, &[&limit]).await
}

pub(super) async fn list_troubled(conn: &Conn, limit: i64) -> Result<Vec<Host>> {
    conn.all(TROUBLED, &[&limit]).await
}

/// (failing, resting)
pub(super) async fn counts(conn: &Conn, now: Time) -> Result<(i64, i64)> {
    conn.one(COUNTS, &[&now]).await
}

pub(super) async fn put(tx: &Tx, h: &Host) -> Result<()> {
    let values: crate::db::Params<'_> = &[
        &h.host,
        &h.failures,
        &h.failing_since,
        &h.resting_until,
        &h.last_error,
        &h.last_success_at,
        &h.last_failure_at,
        &h.failed_days,
    ];
    tx.exec(PUT, values).await?;
    Ok(())
}

pub(super) async fn given_up(conn: &Conn, (now, limit): (Time, i64)) -> Result<HashSet<String>> {
    Ok(conn.all::<(String,)>(GIVEN_UP, &[&now, &limit]).await?.into_iter().map(|(host,)| host).collect())
}

pub(super) async fn forget_days(tx: &Tx, host: &str) -> Result<()> {
    tx.exec(FORGET_DAYS, &[&host]).await?;
    Ok(())
}

pub(super) async fn reset(tx: &Tx, host: &str) -> Result<()> {
    tx.exec(RESET, &[&host, &tx.now]).await?;
    Ok(())
}

/// None: all.
pub(super) async fn wake(tx: &Tx, host: Option<&str>) -> Result<()> {
    tx.exec(WAKE, &[&host.unwrap_or_default()]).await?;
    Ok(())
}
