//! Rows of the queue.

use super::{LEASE, MAX_ATTEMPTS, Queue, State};
use crate::{
    Result, Time,
    db::{Conn, Ids, Texts, Tx},
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

row! {
    /// A job as it is taken.
    pub struct Taken {
        pub id: JobId,
        pub payload: String,
        pub attempts: i64,
        pub lane: Option<String>,
    }
}

pub(super) struct NewJob {
    pub id: JobId,
    pub queue: Queue,
    pub lane: Option<String>,
    pub about: Option<i64>,
    pub payload: String,
    pub run_at: Time,
}

// Those of lanes that are full are passed over.
const DUE: &str = "FROM jobs WHERE queue = $1 AND state = 0 AND run_at <= $2 AND (lane IS NULL OR lane <> ALL($3))";

sql! {
    INSERT = "INSERT INTO jobs (id, queue, state, lane, payload, run_at, created_at, about) VALUES ($1, $2, 0, $3, $4, $5, $6, $7)";
    ANY_DUE = "SELECT 1::bigint ", DUE, " LIMIT 1";
    // Word for word what the index is about, or it is not used; nor would SQLite use it for a payload that is just equal,
    // which it puts into the first comparison. Of those only what waits: what runs may have read what it is about before.
    ANY_WITH_PAYLOAD = "SELECT 1::bigint FROM jobs WHERE substr(payload, 1, 100) = $2 AND payload || '' = $1 \
        AND state IN (0, 1) AND state + 0 = 0 AND lane IS NULL AND queue <> 0 LIMIT 1";
    ANY_IN_LANE = "SELECT 1::bigint FROM jobs WHERE lane = $1 AND state = 0 AND payload = $2 LIMIT 1";
    LEFT = "SELECT run_at FROM jobs WHERE about = $1 AND state <> 2 ORDER BY id LIMIT 1";
    // What it is about as that is now, not as it was when it was taken: the inbox may be somewhere else since.
    BEFORE = "SELECT run_at FROM jobs WHERE about = (SELECT about FROM jobs WHERE id = $1) AND id < $1 AND state <> 2 \
        ORDER BY id LIMIT 1";
    // What is to be told later and was not tried says what is true then.
    TOLD_BEFORE = "SELECT run_at FROM jobs WHERE about = (SELECT about FROM jobs WHERE id = $1) AND id < $1 AND state <> 2 \
        AND (state = 1 OR attempts > 0 OR run_at <= $2) ORDER BY id LIMIT 1";
    WITH_TEXT = "SELECT id, payload FROM jobs WHERE lane = $1 AND state = 0 AND replace(payload, $2, '') <> payload \
        UNION ALL SELECT id, payload FROM jobs \
        WHERE claimed_until > 0 AND state = 1 AND lane || '' = $1 AND replace(payload, $2, '') <> payload LIMIT $3";
    REPLACE = "UPDATE jobs SET lane = $2, about = $3, payload = $4 WHERE id = $1";
    CLAIM = "UPDATE jobs SET state = 1, claimed_until = $4, attempts = attempts + 1 WHERE id IN \
        (SELECT id ", DUE, " ORDER BY run_at, id LIMIT $5 FOR UPDATE SKIP LOCKED) RETURNING ", Taken::COLUMNS;
    // + 0: by the lane, not through all that is due in the queue.
    CLAIM_OF_LANE = "UPDATE jobs SET state = 1, claimed_until = $4, attempts = attempts + 1 WHERE id IN \
        (SELECT id FROM jobs WHERE lane = $1 AND queue + 0 = $2 AND state = 0 AND run_at <= $3 ORDER BY run_at, id LIMIT $5 \
        FOR UPDATE SKIP LOCKED) RETURNING ", Taken::COLUMNS;
    GIVE_BACK = "UPDATE jobs SET state = 0, claimed_until = NULL, attempts = attempts - 1 WHERE id = ANY($1) AND state = 1";
    // What is being written down as ended by somebody else is passed over: neither waits for the other.
    RENEW = "UPDATE jobs SET claimed_until = $1 WHERE id IN \
        (SELECT id FROM jobs WHERE id = ANY($2) AND state = 1 FOR UPDATE SKIP LOCKED)";
    DELETE = "DELETE FROM jobs WHERE id = ANY($1)";
    RETRY_AT = "UPDATE jobs SET state = 0, claimed_until = NULL, run_at = $2, last_error = $3 WHERE id = $1";
    POSTPONE = "UPDATE jobs SET state = 0, claimed_until = NULL, run_at = $2, attempts = attempts - 1 WHERE id = $1";
    BURY = "UPDATE jobs SET state = 2, claimed_until = NULL, last_error = $2 WHERE id = $1";
    // What ended the program as often as a job may be tried is not tried again.
    RELEASE = "UPDATE jobs SET state = CASE WHEN attempts >= $2 THEN 2 ELSE 0 END, claimed_until = NULL, \
        last_error = CASE WHEN attempts >= $2 THEN 'the program ended while it ran' ELSE last_error END \
        WHERE state = 1 AND claimed_until < $1";
    COUNTS = "SELECT queue, state, COUNT(*) FROM jobs GROUP BY queue, state ORDER BY queue, state";
    OLDEST_DUE = "SELECT queue, MIN(run_at) FROM jobs WHERE state = 0 AND run_at <= $1 GROUP BY queue";
    LIST = "SELECT ", JobRow::COLUMNS, " FROM jobs WHERE state = $1 ORDER BY id DESC LIMIT $2";
    LIST_ALL = "SELECT ", JobRow::COLUMNS, " FROM jobs ORDER BY id DESC LIMIT $1";
    REVIVE = "UPDATE jobs SET state = 0, attempts = 0, run_at = $1 WHERE state = 2 AND id >= $2 AND id <= $3";
    // What makes activities is in no lane: when it is due is when something is to be said.
    HASTEN = "UPDATE jobs SET run_at = $2 WHERE queue = $1 AND lane IS NOT NULL AND state = 0 AND run_at > $2";
    WAITING = "SELECT COUNT(*) FROM jobs WHERE queue = $1 AND lane IS NOT NULL AND state = 0 AND ($2 = '' OR lane = $2)";
    HASTEN_LANE = "UPDATE jobs SET run_at = $2 WHERE lane = $1 AND state = 0 AND run_at > $2";
    REST = "UPDATE jobs SET run_at = $2 WHERE id IN \
        (SELECT id FROM jobs WHERE lane = $1 AND state = 0 AND run_at < $2 ORDER BY run_at LIMIT $3 FOR UPDATE SKIP LOCKED)";
    DISCARD = "DELETE FROM jobs WHERE id = $1 AND state = 2 RETURNING payload";
    PRUNE = "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE state = 2 AND run_at < $1 ORDER BY id LIMIT 5000) \
        RETURNING payload";
}

#[cfg(test)]
const PLANS: [&str; 4] = [
    const_format::concatcp!("EXPLAIN QUERY PLAN ", ANY_WITH_PAYLOAD),
    const_format::concatcp!("EXPLAIN QUERY PLAN ", BEFORE),
    const_format::concatcp!("EXPLAIN QUERY PLAN ", TOLD_BEFORE),
    const_format::concatcp!("EXPLAIN QUERY PLAN ", WITH_TEXT),
];

pub(super) async fn insert(tx: &Tx, job: &NewJob, now: Time) -> Result<()> {
    tx.exec(INSERT, &[&job.id, &job.queue, &job.lane, &job.payload, &job.run_at, &now, &job.about]).await?;
    Ok(())
}

pub(super) async fn any_due(conn: &Conn, queue: Queue, full: &Texts) -> Result<bool> {
    conn.exists(ANY_DUE, &[&queue, &Time::now(), full]).await
}

/// Of those that wait or run, are in no lane and apply nothing that arrived.
pub(super) async fn any_with_payload(conn: &Conn, payload: &str) -> Result<bool> {
    let beginning: String = payload.chars().take(100).collect();
    conn.exists(ANY_WITH_PAYLOAD, &[&payload, &beginning]).await
}

/// Of those that wait; looks at no other lane.
pub(super) async fn any_in_lane(conn: &Conn, lane: &str, payload: &str) -> Result<bool> {
    conn.exists(ANY_IN_LANE, &[&lane, &payload]).await
}

/// When the oldest runs again of those with this number that have not ended.
pub(crate) async fn left(conn: &Conn, about: i64) -> Result<Option<Time>> {
    Ok(conn.opt::<(Time,)>(LEFT, &[&about]).await?.map(|(at,)| at))
}

/// When the oldest job runs again that takes turns with `job`, has not ended and was added before it.
pub(super) async fn before(conn: &Conn, job: JobId) -> Result<Option<Time>> {
    Ok(conn.opt::<(Time,)>(BEFORE, &[&job]).await?.map(|(at,)| at))
}

/// The same of those that run, were tried, or are due before `soon`.
pub(super) async fn told_before(conn: &Conn, job: JobId, soon: Time) -> Result<Option<Time>> {
    Ok(conn.opt::<(Time,)>(TOLD_BEFORE, &[&job, &soon]).await?.map(|(at,)| at))
}

/// Up to `limit` of those of a lane that wait or run and have `text` in them.
pub(super) async fn with_text(conn: &Conn, (lane, text): (&str, &str), limit: i64) -> Result<Vec<(JobId, String)>> {
    conn.all(WITH_TEXT, &[&lane, &text, &limit]).await
}

/// It does something else when it is next taken.
pub(super) async fn replace(
    tx: &Tx,
    id: JobId,
    (lane, about, payload): (Option<String>, Option<i64>, &str),
) -> Result<()> {
    tx.exec(REPLACE, &[&id, &lane, &about, &payload]).await?;
    Ok(())
}

pub(super) async fn claim(tx: &Tx, queue: Queue, (limit, full): (i64, &Texts)) -> Result<Vec<Taken>> {
    tx.all(CLAIM, &[&queue, &tx.now, full, &tx.now.plus(LEASE), &limit]).await
}

pub(super) async fn claim_of_lane(tx: &Tx, (queue, lane): (Queue, &str), limit: i64) -> Result<Vec<Taken>> {
    tx.all(CLAIM_OF_LANE, &[&lane, &queue, &tx.now, &tx.now.plus(LEASE), &limit]).await
}

pub(super) async fn give_back(tx: &Tx, ids: Ids) -> Result<()> {
    tx.exec(GIVE_BACK, &[&ids]).await?;
    Ok(())
}

pub(super) async fn renew(tx: &Tx, running: &[JobId]) -> Result<u64> {
    tx.exec(RENEW, &[&tx.now.plus(LEASE), &Ids::of(running.iter().copied())]).await
}

pub(super) async fn delete(tx: &Tx, ids: Ids) -> Result<()> {
    if !ids.is_empty() {
        tx.exec(DELETE, &[&ids]).await?;
    }
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

/// How many jobs are in each queue and state.
pub async fn counts(conn: &Conn) -> Result<Vec<(Queue, State, i64)>> {
    conn.all(COUNTS, &[]).await
}

pub(super) async fn list(conn: &Conn, state: State, limit: i64) -> Result<Vec<JobRow>> {
    conn.all(LIST, &[&state, &limit]).await
}

pub(super) async fn oldest_due(conn: &Conn, now: Time) -> Result<Vec<(Queue, Time)>> {
    conn.all(OLDEST_DUE, &[&now]).await
}

pub(super) async fn list_all(conn: &Conn, limit: i64) -> Result<Vec<JobRow>> {
    conn.all(LIST_ALL, &[&limit]).await
}

pub(super) async fn revive(tx: &Tx, id: Option<JobId>) -> Result<u64> {
    let (low, high) = id.map_or((JobId(0), JobId(i64::MAX)), |id| (id, id));
    tx.exec(REVIVE, &[&tx.now, &low, &high]).await
}

/// What it was; None when there is no such dead letter.
pub(super) async fn discard(tx: &Tx, id: JobId) -> Result<Option<String>> {
    Ok(tx.opt::<(String,)>(DISCARD, &[&id]).await?.map(|(payload,)| payload))
}

/// Dead letters that were last tried before then; what they were.
pub(super) async fn prune(tx: &Tx, before: Time) -> Result<Vec<String>> {
    Ok(tx.all::<(String,)>(PRUNE, &[&before]).await?.into_iter().map(|(payload,)| payload).collect())
}

/// What waits in lanes of a queue: in this one, or in all.
pub(super) async fn waiting(conn: &Conn, queue: Queue, lane: Option<&str>) -> Result<i64> {
    Ok(conn.one::<(i64,)>(WAITING, &[&queue, &lane.unwrap_or_default()]).await?.0)
}

/// What waits in lanes of a queue is due now.
pub(super) async fn hasten(tx: &Tx, queue: Queue) -> Result<u64> {
    tx.exec(HASTEN, &[&queue, &tx.now]).await
}

pub(super) async fn hasten_lane(tx: &Tx, lane: &str) -> Result<u64> {
    tx.exec(HASTEN_LANE, &[&lane, &tx.now]).await
}

/// Up to `limit` of a lane are not due before `until`.
pub(super) async fn rest(tx: &Tx, (lane, until): (&str, Time), limit: i64) -> Result<u64> {
    tx.exec(REST, &[&lane, &until, &limit]).await
}

/// How SQLite looks for the same job, for what goes before another, and for deliveries to one inbox.
#[cfg(test)]
pub(super) async fn plans(conn: &Conn) -> Result<[String; 4]> {
    let steps =
        |rows: Vec<(i64, i64, i64, String)>| rows.into_iter().map(|(.., step)| step).collect::<Vec<_>>().join("; ");
    Ok([
        steps(conn.all(PLANS[0], &[&"a", &"a"]).await?),
        steps(conn.all(PLANS[1], &[&1_i64]).await?),
        steps(conn.all(PLANS[2], &[&1_i64, &1_i64]).await?),
        steps(conn.all(PLANS[3], &[&"a", &"a", &1_i64]).await?),
    ])
}
