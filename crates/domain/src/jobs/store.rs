//! Rows of the queue.

use super::{LEASE, MAX_ATTEMPTS, Queue, State};
use crate::{
    Result, Time,
    db::{Conn, Ids, Tx},
    ids::JobId,
    row, sql,
};

row! {
    /// A job as it lies in the queue.
    pub struct JobRow {
        pub id: JobId,
        pub queue: Queue,
        pub state: State,
        pub payload: String,
        pub attempts: i64,
        pub run_at: Time,
        pub last_error: Option<String>,
        pub created_at: Time,
    }
}

pub(super) struct NewJob {
    pub id: JobId,
    pub queue: Queue,
    pub payload: String,
    pub run_at: Time,
}

sql! {
    INSERT = "INSERT INTO jobs (id, queue, state, payload, run_at, created_at) VALUES ($1, $2, 0, $3, $4, $5)";
    ANY_DUE = "SELECT 1::bigint FROM jobs WHERE queue = $1 AND state = 0 AND run_at <= $2 LIMIT 1";
    ANY_WITH_PAYLOAD = "SELECT 1::bigint FROM jobs WHERE payload = $1 AND state IN (0, 1) LIMIT 1";
    CLAIM = "UPDATE jobs SET state = 1, claimed_until = $1, attempts = attempts + 1 WHERE id IN \
        (SELECT id FROM jobs WHERE queue = $2 AND state = 0 AND run_at <= $3 ORDER BY run_at, id LIMIT $4 FOR UPDATE SKIP LOCKED) \
        RETURNING id, payload, attempts";
    RENEW = "UPDATE jobs SET claimed_until = $1 WHERE id = ANY($2) AND state = 1";
    DELETE = "DELETE FROM jobs WHERE id = $1";
    RETRY_AT = "UPDATE jobs SET state = 0, claimed_until = NULL, run_at = $2, last_error = $3 WHERE id = $1";
    POSTPONE = "UPDATE jobs SET state = 0, claimed_until = NULL, run_at = $2, attempts = attempts - 1 WHERE id = $1";
    BURY = "UPDATE jobs SET state = 2, claimed_until = NULL, last_error = $2 WHERE id = $1";
    // What ended the program as often as a job may be tried is not tried again.
    RELEASE = "UPDATE jobs SET state = CASE WHEN attempts >= $2 THEN 2 ELSE 0 END, claimed_until = NULL, \
        last_error = CASE WHEN attempts >= $2 THEN 'the program ended while it ran' ELSE last_error END \
        WHERE state = 1 AND claimed_until < $1";
    COUNTS = "SELECT queue, state, COUNT(*) FROM jobs GROUP BY queue, state ORDER BY queue, state";
    LIST = "SELECT ", JobRow::COLUMNS, " FROM jobs WHERE state = $1 ORDER BY id DESC LIMIT $2";
    REVIVE = "UPDATE jobs SET state = 0, attempts = 0, run_at = $1 WHERE state = 2 AND id >= $2 AND id <= $3";
    HASTEN = "UPDATE jobs SET run_at = $2 WHERE queue = $1 AND state = 0 AND run_at > $2 AND payload LIKE $3";
    DISCARD = "DELETE FROM jobs WHERE id = $1 AND state = 2";
}

pub(super) async fn insert(tx: &Tx, job: &NewJob, now: Time) -> Result<()> {
    tx.exec(INSERT, &[&job.id, &job.queue, &job.payload, &job.run_at, &now]).await?;
    Ok(())
}

pub(super) async fn any_due(conn: &Conn, queue: Queue, now: Time) -> Result<bool> {
    conn.exists(ANY_DUE, &[&queue, &now]).await
}

pub(super) async fn any_with_payload(conn: &Conn, payload: &str) -> Result<bool> {
    conn.exists(ANY_WITH_PAYLOAD, &[&payload]).await
}

pub(super) async fn claim(tx: &Tx, queue: Queue, limit: i64) -> Result<Vec<(JobId, String, i64)>> {
    tx.all(CLAIM, &[&tx.now.plus(LEASE), &queue, &tx.now, &limit]).await
}

pub(super) async fn renew(tx: &Tx, running: &[JobId]) -> Result<u64> {
    tx.exec(RENEW, &[&tx.now.plus(LEASE), &Ids::of(running.iter().copied())]).await
}

pub(super) async fn delete(tx: &Tx, id: JobId) -> Result<()> {
    tx.exec(DELETE, &[&id]).await?;
    Ok(())
}

pub(super) async fn retry_at(tx: &Tx, id: JobId, at: Time, why: &str) -> Result<()> {
    tx.exec(RETRY_AT, &[&id, &at, &why]).await?;
    Ok(())
}

pub(super) async fn postpone(tx: &Tx, id: JobId, at: Time) -> Result<()> {
    tx.exec(POSTPONE, &[&id, &at]).await?;
    Ok(())
}

pub(super) async fn bury(tx: &Tx, id: JobId, why: &str) -> Result<()> {
    tx.exec(BURY, &[&id, &why]).await?;
    Ok(())
}

pub(super) async fn release(tx: &Tx, before: Time) -> Result<u64> {
    tx.exec(RELEASE, &[&before, &MAX_ATTEMPTS]).await
}

pub(super) async fn counts(conn: &Conn) -> Result<Vec<(Queue, State, i64)>> {
    conn.all(COUNTS, &[]).await
}

pub(super) async fn list(conn: &Conn, state: State, limit: i64) -> Result<Vec<JobRow>> {
    conn.all(LIST, &[&state, &limit]).await
}

pub(super) async fn revive(tx: &Tx, id: Option<JobId>) -> Result<u64> {
    let (low, high) = id.map_or((JobId(0), JobId(i64::MAX)), |id| (id, id));
    tx.exec(REVIVE, &[&tx.now, &low, &high]).await
}

pub(super) async fn discard(tx: &Tx, id: JobId) -> Result<u64> {
    tx.exec(DISCARD, &[&id]).await
}

/// Those of a queue whose payload fits are due now.
pub(super) async fn hasten(tx: &Tx, queue: Queue, payload: &str) -> Result<u64> {
    tx.exec(HASTEN, &[&queue, &tx.now, &payload]).await
}
