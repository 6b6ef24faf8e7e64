//! Works at the queue: so many jobs of each kind at once, woken when one is added, finishing what has begun when the
//! server stops. A job that is more than one call to the domain or to federation has a file.

mod apply_domain_blocks;
mod delete_files;
mod fetch_quote;
mod forget_copies;
mod housekeeping;
mod lanes;
mod line;
pub(crate) mod mirror_media;
mod process_media;
mod prune_media;
mod refresh_account;
mod room;

use self::lanes::Lanes;
use self::line::Line;
use self::room::Place;
use crate::remote::Remote;
use crate::server::Parts;
use domain::ids::JobId;
use domain::jobs::{self, Claimed, Job, Outcome, Queue, Release};
use domain::keys::Haste;
use domain::{moves, polls, scheduled};
use federation::boxed;
use federation::fetch::Asked;
use federation::resolve;
use futures_util::FutureExt as _;
use std::any::Any;
use std::collections::HashSet;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const QUEUES: [Queue; 6] = [Queue::Default, Queue::Push, Queue::Pull, Queue::Mailers, Queue::Media, Queue::Scheduler];

/// Between two looks at the queue when nobody rings: commands and other processes cannot ring.
const LOOK: Duration = Duration::from_secs(1);
/// After a job has ended, so that others that end now are replaced together with it.
const GATHER: Duration = Duration::from_millis(1);
/// Between two tries to write down how a job ended; how many while others write, and how many after other errors.
const WRITE_AGAIN: Duration = Duration::from_secs(1);
const PATIENCE: u32 = 30;
const TRIES: u32 = 3;
/// Between two renewals of what is running; a third of [`jobs::LEASE`].
const RENEW: Duration = Duration::from_secs(20);
/// Between two looks for work that a process left behind.
const RESCUE: Duration = Duration::from_secs(30);
const HOUR: Duration = Duration::from_secs(3600);
/// No job may take longer; it is tried again.
const JOB_LIMIT: Duration = Duration::from_secs(900);

/// Whether the regular jobs are put into the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounds {
    Hourly,
    /// For tests that want to see only what they caused.
    Never,
}

/// The workers of this process.
pub struct Worker {
    parts: Parts,
    remote: Remote,
    rounds: Rounds,
    lines: [Line; 6],
    running: Arc<Mutex<HashSet<JobId>>>,
    /// Rings when a job has ended, or goes on aside.
    ended: Arc<Notify>,
    tasks: TaskTracker,
}

impl Worker {
    pub fn new(parts: Parts, rounds: Rounds) -> Self {
        let jobs = &parts.config.jobs;
        let lanes = Lanes::new((jobs.at_once(Queue::Pull), jobs.at_once(Queue::Default)));
        let lines = QUEUES.map(|queue| Line::new(queue, jobs.at_once(queue), lanes.clone()));
        let (running, ended, tasks) = (Arc::default(), Arc::default(), TaskTracker::new());
        let remote = Remote::new(&parts);
        Self { parts, remote, rounds, lines, running, ended, tasks }
    }

    /// With the edge of this process: what is removed goes from its cache, too.
    pub(crate) fn beside(self, remote: Remote) -> Self {
        Self { remote, ..self }
    }

    /// Works until `stop` is cancelled and what was begun has ended.
    pub async fn run(self, stop: CancellationToken) {
        if !self.parts.db.is_postgres() {
            // One process on this data: whatever is claimed was claimed by one that is gone.
            report("release of jobs", jobs::release(&self.parts.db, Release::All).await);
        }
        let drained = CancellationToken::new();
        let working = async {
            self.take_until(&stop).await;
            self.tasks.close();
            self.tasks.wait().await;
            drained.cancel();
        };
        tokio::join!(working, self.look_after(&drained));
    }

    /// Starts jobs as they fall due.
    async fn take_until(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let mut rung = pin!(self.parts.db.wake().rung().fuse());
            // Listening begins with the first poll: a bell between the look and the wait must not be lost.
            let _ = rung.as_mut().now_or_never();
            let mut full = false;
            for line in &self.lines {
                let taken = line.take(&self.parts.db, |claimed, place| self.start(claimed, place)).await;
                full |= taken != line::Taken::AllJobs;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = rung => {}
                () = self.ended.notified(), if full => tokio::time::sleep(GATHER).await,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    fn start(&self, claimed: Claimed, mut place: Place) {
        let (parts, remote) = (self.parts.clone(), self.remote.clone());
        let (running, ended) = (self.running.clone(), self.ended.clone());
        lock(&running).insert(claimed.id);
        self.tasks.spawn(async move {
            let asked = Asked::default();
            let working = pin!(asked.clone().during(work((&parts, &remote), &claimed)));
            let outcome = place.during((&asked, &ended), working).await;
            log(&claimed, &outcome);
            write_down(&parts, &claimed, outcome).await;
            lock(&running).remove(&claimed.id);
            drop(place);
            ended.notify_one();
        });
    }

    /// Keeps claims, frees what others left behind, puts in the regular jobs.
    async fn look_after(&self, drained: &CancellationToken) {
        let db = &self.parts.db;
        let (mut renew, mut rescue, mut hour) =
            (tokio::time::interval(RENEW), tokio::time::interval(RESCUE), tokio::time::interval(HOUR));
        loop {
            tokio::select! {
                () = drained.cancelled() => return,
                _ = renew.tick() => report("renewal of jobs", self.renew().await),
                _ = rescue.tick() => report("rescue of jobs", self.rescue().await),
                _ = hour.tick(), if self.rounds == Rounds::Hourly => {
                    report("hourly round", jobs::ensure_housekeeping(db).await);
                }
            }
        }
    }

    async fn renew(&self) -> domain::Result<()> {
        let running: Vec<JobId> = lock(&self.running).iter().copied().collect();
        jobs::renew(&self.parts.db, &running).await
    }

    /// Our own come first: while nothing can be written, claims run out whose jobs still run.
    async fn rescue(&self) -> domain::Result<u64> {
        self.renew().await?;
        jobs::release(&self.parts.db, Release::Expired).await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn report<T>(what: &str, result: domain::Result<T>) {
    if let Err(error) = result {
        tracing::error!(error = format!("{error:#}"), "{what} failed");
    }
}

/// Does the work, within its time. A panic costs this job one attempt and nothing else.
async fn work(with: (&Parts, &Remote), claimed: &Claimed) -> Outcome {
    let Some(job) = &claimed.job else {
        return Outcome::GiveUp(
            "written by another version of this program, which this one does not understand".into(),
        );
    };
    let done = AssertUnwindSafe(perform(with, (job, claimed))).catch_unwind();
    match tokio::time::timeout(JOB_LIMIT, done).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panic)) => Outcome::Retry(format!("panicked: {}", panic_text(panic.as_ref()))),
        Err(_) => Outcome::Retry(format!("took longer than {JOB_LIMIT:?}")),
    }
}

async fn perform((parts, remote): (&Parts, &Remote), (job, claimed): (&Job, &Claimed)) -> Outcome {
    let (id, attempt) = (claimed.id, claimed.attempts);
    let ended = match job {
        Job::ProcessMedia { media } => boxed(|| process_media::run(parts, *media)).await,
        Job::DeleteFiles { keys } => boxed(|| delete_files::run((parts, remote), keys)).await,
        Job::PublishScheduled { scheduled } => {
            boxed(|| done(scheduled::publish_due(&parts.db, &parts.site, *scheduled))).await
        }
        Job::ClosePoll { poll } => boxed(|| done(polls::close(&parts.db, *poll))).await,
        Job::Tell { news } => boxed(|| federation::deliver::tell(&parts.federation, id, news)).await,
        Job::Deliver { activity, inbox, .. } => {
            boxed(|| federation::deliver::deliver(&parts.federation, id, (*activity, inbox))).await
        }
        Job::Receive { arrival, .. } => boxed(|| federation::inbox::apply(&parts.federation, *arrival)).await,
        Job::RefreshAccount { account, .. } => boxed(|| refresh_account::run(parts, *account)).await,
        Job::FetchPins { account, .. } => boxed(|| done(resolve::pins::fetch(&parts.federation, *account))).await,
        Job::ApplyDomainBlock { domain, was } => {
            let was = [*was];
            boxed(|| apply_domain_blocks::run(parts, std::slice::from_ref(domain), &was)).await
        }
        Job::ApplyDomainBlocks { domains, was } => boxed(|| apply_domain_blocks::run(parts, domains, was)).await,
        Job::FetchThread { status } => boxed(|| done(resolve::thread::fetch(&parts.federation, *status))).await,
        Job::FetchQuote { status, left } => boxed(|| fetch_quote::run(parts, *status, *left)).await,
        Job::CheckStamp { status } => boxed(|| fetch_quote::stamp(parts, *status)).await,
        Job::CheckMove { account } => boxed(|| done(resolve::moves::check(&parts.federation, *account))).await,
        Job::Carry { carry } => boxed(|| done(moves::carry(&parts.db, *carry))).await,
        Job::FetchCard { card } => boxed(|| mirror_media::card((parts, remote), *card, attempt)).await,
        Job::MirrorMedia { status } => boxed(|| mirror_media::status((parts, remote), *status)).await,
        Job::MirrorAccount { account } => boxed(|| mirror_media::account((parts, remote), *account)).await,
        Job::ForgetCopies { files } => boxed(|| forget_copies::files((parts, remote), files)).await,
        Job::ForgetAccount { account, after } => {
            boxed(|| forget_copies::account((parts, remote), (*account, *after))).await
        }
        Job::ForgetServer { domain, after } => boxed(|| forget_copies::server((parts, remote), (domain, *after))).await,
        Job::ForgetCards { after } => boxed(|| forget_copies::cards((parts, remote), *after)).await,
        Job::MendFollows { account, url, digest } => {
            boxed(|| done(federation::follows::mend(&parts.federation, *account, (url, digest)))).await
        }
        Job::RotateKeys { account, rotation, forced } => {
            let haste = if *forced { Haste::Forced } else { Haste::Patient };
            boxed(|| federation::rotate_keys(&parts.federation, *account, (*rotation, haste))).await
        }
        Job::Housekeeping => boxed(|| housekeeping::run(parts)).await,
    };
    ended.unwrap_or_else(outcome_of)
}

async fn done<T>(work: impl Future<Output = domain::Result<T>>) -> domain::Result<Outcome> {
    work.await.map(|_| Outcome::Done)
}

/// The one mapping from what went wrong to what happens with a job.
fn outcome_of(error: domain::Error) -> Outcome {
    use domain::Error;
    match error {
        // What the job was about has gone meanwhile.
        Error::NotFound | Error::Gone => Outcome::Done,
        Error::Forbidden(_) | Error::Invalid { .. } | Error::Conflict(_) => Outcome::GiveUp(error.to_string()),
        Error::Busy(_) | Error::Unreachable(_) => Outcome::Retry(error.to_string()),
        Error::Internal(cause) => Outcome::Retry(format!("{cause:#}")),
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text")
}

fn log(claimed: &Claimed, outcome: &Outcome) {
    let (id, job, attempts) = (claimed.id.0, Shown(claimed.job.as_ref()), claimed.attempts);
    match outcome {
        Outcome::Done => tracing::debug!(id, %job, "job done"),
        Outcome::Postponed(_) => tracing::debug!(id, %job, "job put off"),
        Outcome::RetryAt(_, why) => tracing::info!(id, %job, attempts, why, "job failed, to be tried again"),
        Outcome::Retry(why) => tracing::warn!(id, %job, attempts, why, "job failed, to be tried again"),
        Outcome::GiveUp(why) => tracing::error!(id, %job, why, "job given up: see `noren jobs list`"),
    }
}

/// A job as `noren jobs list` shows it.
struct Shown<'a>(Option<&'a Job>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.and_then(|job| serde_json::to_string(job).ok()) {
            Some(text) => f.write_str(&text),
            None => f.write_str("of an unknown kind"),
        }
    }
}

/// Writes down how it ended, when that can be done: its claim is kept meanwhile. When it cannot be done at all the claim
/// runs out and the job is done again.
async fn write_down(parts: &Parts, claimed: &Claimed, outcome: Outcome) {
    let mut tries = 0;
    while let Err(error) = jobs::finish(&parts.db, claimed, outcome.clone()).await {
        tries += 1;
        let busy = matches!(error, domain::Error::Busy(_));
        if tries >= (if busy { PATIENCE } else { TRIES }) {
            return report::<()>("writing down a job's end", Err(error));
        }
        tracing::warn!(id = claimed.id.0, %error, "the end of a job cannot be written down now");
        tokio::time::sleep(WRITE_AGAIN).await;
    }
}

#[cfg(test)]
mod tests;
