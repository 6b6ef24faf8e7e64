//! The persistent queue. A job is a row, added in the transaction that caused it; it is safe to run twice, and a crash
//! costs no more than running it again.

mod claim;
mod dead;
mod job;
mod store;

use crate::{
    Result, Time, arrivals,
    db::{Conn, Crowded, Db, Ids, Tx, stored_enum},
    hosts,
    ids::{self, ArrivalId, JobId},
};
use futures_util::FutureExt as _;
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;

pub use claim::{Claimed, claim, claim_of_lanes, give_back, renew};
pub use dead::{discard as discard_dead, retry as retry_dead, sweep};
pub use job::{Job, SENDER, SHARED};
pub(crate) use store::left;
pub use store::{JobRow, counts};

stored_enum! {
    /// Queues have workers of their own, so that slow work of one kind does not hold up another.
    pub enum Queue {
        Default = 0 => "default",
        Push = 1 => "push",
        Pull = 2 => "pull",
        Mailers = 3 => "mailers",
        Media = 4 => "media",
        Scheduler = 5 => "scheduler",
    }
}

stored_enum! {
    pub enum State {
        Waiting = 0 => "waiting",
        Running = 1 => "running",
        Dead = 2 => "dead",
    }
}

/// How a job ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    Done,
    /// Not now; tried again with growing pauses until attempts run out.
    Retry(String),
    /// Tried again at this time, however often it was tried before.
    RetryAt(Time, String),
    /// Could not be begun: another time, as if it had not been tried.
    Postponed(Time),
    /// Never; kept among the dead letters for a person to see.
    GiveUp(String),
}

/// How long a claim holds without being renewed.
pub const LEASE: Duration = Duration::from_secs(60);
/// Attempts before a job is put among the dead letters: with the pauses below, about two days.
pub(crate) const MAX_ATTEMPTS: i64 = 16;
/// Put off in one transaction.
const AT_REST: i64 = 2_000;

/// Rings when this process added a job, so that workers need not wait for their next look.
#[derive(Clone, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    pub fn ring(&self) {
        self.0.notify_waiters();
    }
    pub async fn rung(&self) {
        self.0.notified().await;
    }
}

pub(crate) async fn insert(tx: &Tx, job: &Job, at: Time) -> Result<()> {
    let (queue, lane, about) = (job.queue(), job.lane(), job.about());
    let row = store::NewJob { id: ids::next(), queue, lane, about, payload: serde_json::to_string(job)?, run_at: at };
    store::insert(tx, &row, tx.now).await
}

/// The end of one.
pub(crate) struct End {
    id: JobId,
    attempts: i64,
    /// What it applied.
    arrival: Option<ArrivalId>,
    outcome: Outcome,
}

impl Crowded for End {
    fn bytes(&self) -> usize {
        match &self.outcome {
            Outcome::Done | Outcome::Postponed(_) => 0,
            Outcome::Retry(why) | Outcome::RetryAt(_, why) | Outcome::GiveUp(why) => why.len(),
        }
    }
}

/// Writes down how a job ended. [`Error::Busy`](crate::Error::Busy) when that cannot be done now.
pub async fn finish(db: &Db, claimed: &Claimed, outcome: Outcome) -> Result<()> {
    let arrival = match &claimed.job {
        Some(Job::Receive { arrival, .. }) => Some(*arrival),
        _ => None,
    };
    let end = End { id: claimed.id, attempts: claimed.attempts, arrival, outcome };
    db.crowds.ends.join(db, end, |db, ends| finish_all(db, ends).boxed()).await
}

async fn finish_all(db: &Db, ends: &[End]) -> Result<Vec<()>> {
    let tx = db.begin().await?;
    let done = || ends.iter().filter(|end| matches!(end.outcome, Outcome::Done));
    store::delete(&tx, Ids::of(done().map(|end| end.id))).await?;
    let applied = Ids::of(done().filter_map(|end| end.arrival));
    if !applied.is_empty() {
        arrivals::applied(&tx, applied).await?;
    }
    for end in ends {
        match &end.outcome {
            Outcome::Done => {}
            Outcome::RetryAt(at, why) => store::retry_at(&tx, end.id, *at, why).await?,
            Outcome::Postponed(at) => store::postpone(&tx, end.id, *at).await?,
            Outcome::Retry(why) if end.attempts < MAX_ATTEMPTS => {
                store::retry_at(&tx, end.id, tx.now.plus(pause(end.attempts)), why).await?;
            }
            Outcome::Retry(why) | Outcome::GiveUp(why) => store::bury(&tx, end.id, why).await?,
        }
    }
    tx.commit().await?;
    Ok(ends.iter().map(|_| ()).collect())
}

/// The pause before attempt `n + 1`: grows with the fourth power, as Mastodon's queue does, plus 15 seconds.
fn pause(attempts: i64) -> Duration {
    let n = u64::try_from(attempts.clamp(0, MAX_ATTEMPTS)).unwrap_or(0);
    Duration::from_secs(n.pow(4) + 15)
}

/// Gives back claims.
pub async fn release(db: &Db, which: Release) -> Result<u64> {
    let tx = db.begin().await?;
    let before = match which {
        Release::All => Time(i64::MAX),
        Release::Expired => tx.now,
    };
    let n = store::release(&tx, before).await?;
    tx.commit().await?;
    if n > 0 {
        db.wake().ring();
    }
    Ok(n)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// At the start, with one process on the data.
    All,
    /// Whose lease has run out.
    Expired,
}

/// Makes sure that the hourly round waits in the queue once.
pub async fn ensure_housekeeping(db: &Db) -> Result<()> {
    ensure(db, Job::Housekeeping).await
}

/// Whether the very same waits. One that runs may have read what it is about before that changed.
pub(crate) async fn is_queued(conn: &Conn, job: &Job) -> Result<bool> {
    store::any_with_payload(conn, &serde_json::to_string(job)?).await
}

/// Adds a job unless the same waits in the queue.
pub(crate) async fn ensure(db: &Db, job: Job) -> Result<()> {
    let mut tx = db.begin().await?;
    let payload = serde_json::to_string(&job)?;
    let known = match job.lane() {
        Some(lane) => store::any_in_lane(&tx, &lane, &payload).await?,
        None => store::any_with_payload(&tx, &payload).await?,
    };
    if !known {
        tx.enqueue(job).await?;
    }
    tx.commit().await
}

/// Deliveries that wait: those to `host`, or all. What has yet to make an activity is none.
pub async fn waiting_deliveries(conn: &Conn, host: Option<&str>) -> Result<i64> {
    store::waiting(conn, Queue::Push, host).await
}

/// Deliveries that wait are due now: those to `host`, or all. How many.
pub(crate) async fn hasten_deliveries(tx: &Tx, host: Option<&str>) -> Result<u64> {
    match host {
        Some(host) => store::hasten_lane(tx, host).await,
        None => store::hasten(tx, Queue::Push).await,
    }
}

/// Deliveries to the inbox `from`, also those that run, go to `to` when they are next tried, and have their turns there: up
/// to `limit`. How many.
pub(crate) async fn readdress(tx: &Tx, (from, to): (&str, &str), limit: i64) -> Result<u64> {
    let Some(lane) = hosts::of(from) else { return Ok(0) };
    let names_it = format!("\"inbox\":{}", serde_json::to_string(from)?);
    let mut changed = 0;
    for (id, payload) in store::with_text(tx, (&lane, &names_it), limit).await? {
        if let Ok(Job::Deliver { activity, inbox, about }) = serde_json::from_str(&payload)
            && inbox == from
        {
            let job = Job::Deliver { activity, inbox: to.to_owned(), about };
            store::replace(tx, id, (job.lane(), job.about(), &serde_json::to_string(&job)?)).await?;
            changed += 1;
        }
    }
    Ok(changed)
}

/// When what is about the same as `job`, and was added before it, is tried again; None when nothing is left of that. One look
/// at an index.
pub async fn before(conn: &Conn, job: JobId) -> Result<Option<Time>> {
    store::before(conn, job).await
}

/// The same without what is not to be begun before `soon`, and was not begun yet.
pub async fn told_before(conn: &Conn, job: JobId, soon: Time) -> Result<Option<Time>> {
    store::told_before(conn, job, soon).await
}

/// What waits to ask `host` waits until `until`: a few at a time, so that others write in between. How many.
pub(crate) async fn rest(db: &Db, host: &str, until: Time) -> Result<u64> {
    let mut resting = 0;
    loop {
        let tx = db.begin_long().await?;
        let n = store::rest(&tx, (host, until), AT_REST).await?;
        tx.commit().await?;
        resting += n;
        if n < AT_REST.unsigned_abs() {
            return Ok(resting);
        }
    }
}

/// Since when the oldest that is due waits, in each queue where something is due.
pub async fn oldest_due(conn: &Conn) -> Result<Vec<(Queue, Time)>> {
    store::oldest_due(conn, Time::now()).await
}

/// Jobs of one state, newest first, at most `limit`.
pub async fn list(conn: &Conn, state: State, limit: i64) -> Result<Vec<JobRow>> {
    store::list(conn, state, limit).await
}

/// Jobs of all states as they are at one moment, newest first, at most `limit`.
pub async fn list_all(conn: &Conn, limit: i64) -> Result<Vec<JobRow>> {
    store::list_all(conn, limit).await
}

#[cfg(test)]
mod tests;
