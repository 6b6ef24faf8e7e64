//! The persistent queue. A job is a row, added in the transaction that caused it; it is safe to run twice, and a crash
//! costs no more than running it again.

mod store;

use crate::{
    Result, Time,
    db::{Conn, Db, Tx, stored_enum},
    deliveries::News,
    ids::{self, AccountId, ActivityId, ArrivalId, JobId, MediaId, PollId, ScheduledId},
    moves::Carry,
};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;

pub use store::JobRow;

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

/// Work to do later. Carries ids only; its JSON form is part of the stored format: rows outlive releases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "snake_case")]
pub enum Job {
    /// Turns an upload into an original, a small version and a blurhash.
    ProcessMedia {
        media: MediaId,
    },
    /// Removes files that no row names any more.
    DeleteFiles {
        keys: Vec<String>,
    },
    PublishScheduled {
        scheduled: ScheduledId,
    },
    /// Tells author and voters that a poll has ended.
    ClosePoll {
        poll: PollId,
    },
    /// Makes the activity that tells other servers, and hands it to whoever should get it.
    Tell {
        news: News,
    },
    /// Brings one activity to one inbox.
    Deliver {
        activity: ActivityId,
        inbox: String,
    },
    /// Applies what another server sent.
    Receive {
        arrival: ArrivalId,
    },
    /// Asks another server how one of its accounts is now.
    RefreshAccount {
        account: AccountId,
    },
    /// Fetches what an account elsewhere has pinned.
    FetchPins {
        account: AccountId,
    },
    /// Asks where an account elsewhere says it went whether it came from there.
    CheckMove {
        account: AccountId,
    },
    /// Carries what people here have with an account that moved over to the new one.
    Carry {
        carry: Carry,
    },
    /// Removes expired sessions, codes, idempotency keys and uploads that were never attached; comes back every hour.
    Housekeeping,
}

impl Job {
    pub fn queue(&self) -> Queue {
        match self {
            Self::ProcessMedia { .. } | Self::DeleteFiles { .. } => Queue::Media,
            Self::ClosePoll { .. } | Self::Receive { .. } => Queue::Default,
            Self::Tell { .. } | Self::Deliver { .. } => Queue::Push,
            Self::RefreshAccount { .. } | Self::FetchPins { .. } | Self::CheckMove { .. } | Self::Carry { .. } => {
                Queue::Pull
            }
            Self::PublishScheduled { .. } | Self::Housekeeping => Queue::Scheduler,
        }
    }
}

/// How a job ended.
#[derive(Debug)]
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

/// A job taken by a worker.
#[derive(Debug)]
pub struct Claimed {
    pub id: JobId,
    /// None: a payload this program does not know (written by another version); it must be given up, not dropped.
    pub job: Option<Job>,
    pub attempts: i64,
}

/// How long a claim holds without being renewed.
pub const LEASE: Duration = Duration::from_secs(60);
/// Attempts before a job is put among the dead letters: with the pauses below, about two days.
pub const MAX_ATTEMPTS: i64 = 16;

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
    let row = store::NewJob { id: ids::next(), queue: job.queue(), payload: serde_json::to_string(job)?, run_at: at };
    store::insert(tx, &row, tx.now).await
}

/// Takes up to `limit` jobs that are due, oldest first.
pub async fn claim(db: &Db, queue: Queue, limit: i64) -> Result<Vec<Claimed>> {
    // A look before the write: an idle server must not take the writer every second.
    if !store::any_due(&db.read().await?, queue, Time::now()).await? {
        return Ok(Vec::new());
    }
    let tx = db.begin().await?;
    let rows = store::claim(&tx, queue, limit).await?;
    tx.commit().await?;
    Ok(rows
        .into_iter()
        .map(|(id, payload, attempts)| Claimed { id, job: serde_json::from_str(&payload).ok(), attempts })
        .collect())
}

/// Keeps claims of work that is still running.
pub async fn renew(db: &Db, running: &[JobId]) -> Result<()> {
    if running.is_empty() {
        return Ok(());
    }
    let tx = db.begin().await?;
    store::renew(&tx, running).await?;
    tx.commit().await
}

/// Writes down how a job ended.
pub async fn finish(db: &Db, claimed: &Claimed, outcome: Outcome) -> Result<()> {
    let tx = db.begin().await?;
    match outcome {
        Outcome::Done => store::delete(&tx, claimed.id).await?,
        Outcome::RetryAt(at, why) => store::retry_at(&tx, claimed.id, at, &why).await?,
        Outcome::Postponed(at) => store::postpone(&tx, claimed.id, at).await?,
        Outcome::Retry(why) if claimed.attempts < MAX_ATTEMPTS => {
            store::retry_at(&tx, claimed.id, tx.now.plus(pause(claimed.attempts)), &why).await?;
        }
        Outcome::Retry(why) | Outcome::GiveUp(why) => store::bury(&tx, claimed.id, &why).await?,
    }
    tx.commit().await
}

/// The pause before attempt `n + 1`: grows with the fourth power, as Mastodon's queue does, plus 15 seconds.
fn pause(attempts: i64) -> Duration {
    let n = u64::try_from(attempts.clamp(0, MAX_ATTEMPTS)).unwrap_or(0);
    Duration::from_secs(n.pow(4) + 15)
}

/// Gives back claims whose lease has run out; all of them when `everything` (at start, with one process on the data).
pub async fn release(db: &Db, everything: Release) -> Result<u64> {
    let tx = db.begin().await?;
    let before = match everything {
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
    All,
    Expired,
}

/// Makes sure that the hourly round is in the queue once.
pub async fn ensure_housekeeping(db: &Db) -> Result<()> {
    ensure(db, Job::Housekeeping).await
}

/// Whether the very same waits or runs.
pub(crate) async fn is_queued(conn: &Conn, job: &Job) -> Result<bool> {
    store::any_with_payload(conn, &serde_json::to_string(job)?).await
}

/// Adds a job unless the same is in the queue.
pub(crate) async fn ensure(db: &Db, job: Job) -> Result<()> {
    let mut tx = db.begin().await?;
    let payload = serde_json::to_string(&job)?;
    if !store::any_with_payload(&tx, &payload).await? {
        tx.enqueue(job).await?;
    }
    tx.commit().await
}

/// Deliveries that wait are due now: those to `host`, or all. How many.
pub(crate) async fn hasten_deliveries(tx: &Tx, host: Option<&str>) -> Result<u64> {
    // A host name has nothing that would mean something else to LIKE but the underscore, which then fits more.
    let inbox = host.map_or_else(|| "%".to_owned(), |host| format!("%://{host}/%"));
    store::hasten(tx, Queue::Push, &inbox).await
}

/// How many jobs are in each queue and state.
pub async fn counts(conn: &Conn) -> Result<Vec<(Queue, State, i64)>> {
    store::counts(conn).await
}

/// Jobs of one state, newest first, at most `limit`.
pub async fn list(conn: &Conn, state: State, limit: i64) -> Result<Vec<JobRow>> {
    store::list(conn, state, limit).await
}

/// Puts dead letters back into their queue: one, or all. The number put back.
pub async fn retry_dead(db: &Db, id: Option<JobId>) -> Result<u64> {
    let tx = db.begin().await?;
    let n = store::revive(&tx, id).await?;
    tx.commit().await?;
    db.wake().ring();
    Ok(n)
}

/// Removes a dead letter for good.
pub async fn discard_dead(db: &Db, id: JobId) -> Result<u64> {
    let tx = db.begin().await?;
    let n = store::discard(&tx, id).await?;
    tx.commit().await?;
    Ok(n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::StatusId;

    /// Rows outlive releases: a changed spelling here would strand them.
    #[test]
    fn stored_form_is_fixed() {
        for (job, json) in [
            (Job::ProcessMedia { media: MediaId(7) }, r#"{"job":"process_media","media":"7"}"#),
            (Job::DeleteFiles { keys: vec!["a/b".into()] }, r#"{"job":"delete_files","keys":["a/b"]}"#),
            (Job::PublishScheduled { scheduled: ScheduledId(8) }, r#"{"job":"publish_scheduled","scheduled":"8"}"#),
            (Job::ClosePoll { poll: PollId(9) }, r#"{"job":"close_poll","poll":"9"}"#),
            (Job::Receive { arrival: ArrivalId(3) }, r#"{"job":"receive","arrival":"3"}"#),
            (
                Job::Deliver { activity: ActivityId(4), inbox: "https://a.example/inbox".into() },
                r#"{"job":"deliver","activity":"4","inbox":"https://a.example/inbox"}"#,
            ),
            (
                Job::Tell { news: News::StatusCreated { status: StatusId(5) } },
                r#"{"job":"tell","news":{"news":"status_created","status":"5"}}"#,
            ),
            (Job::RefreshAccount { account: AccountId(6) }, r#"{"job":"refresh_account","account":"6"}"#),
            (Job::FetchPins { account: AccountId(6) }, r#"{"job":"fetch_pins","account":"6"}"#),
            (Job::Housekeeping, r#"{"job":"housekeeping"}"#),
        ] {
            assert_eq!(serde_json::to_string(&job).unwrap(), json);
            assert_eq!(serde_json::from_str::<Job>(json).unwrap(), job);
        }
    }

    #[test]
    fn pauses_grow_to_two_days_in_all() {
        let total: Duration = (1..MAX_ATTEMPTS).map(pause).sum();
        assert!(total > Duration::from_secs(36 * 3600) && total < Duration::from_secs(72 * 3600), "{total:?}");
    }
}
