//! What is told to others: from news to an activity, from the activity to inboxes, and each delivery until it succeeds
//! or is given up.

pub(crate) mod compose;
mod featured;
mod flag;
pub(crate) mod moved;
mod quotes;
mod reactions;
mod recipients;
mod relays;
mod turn;
mod updates;

use crate::Federation;
use crate::documents::{Activity, PUBLIC, host};
use crate::fetch::Error as FetchError;
use crate::follows;
use crate::signatures::{Payload, sign_linked_data};
use domain::accounts::remote;
use domain::deliveries::{self, New, News};
use domain::ids::{ActivityId, JobId};
use domain::jobs::Outcome;
use domain::{Result, Time, hosts};
use moved::Away;
use std::time::Duration;
use tokio::sync::Semaphore;
use url::Url;

/// The first pause between two attempts, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(24 * 3600));
/// When one more connection to a host is too many.
const MOMENT: Duration = Duration::from_secs(2);
/// Of these only so many run at once: deliveries to hosts that failed when they were last asked. Whoever answers never waits
/// for many that do not, nor for their names to be looked up.
const DOUBTFUL: usize = 48;
/// How long the others of them are put off, and up to how much longer.
const PUT_OFF: Duration = Duration::from_secs(15);

/// The places of deliveries to hosts that failed.
pub(crate) struct Doubtful(Semaphore);

impl Default for Doubtful {
    fn default() -> Self {
        Self(Semaphore::new(DOUBTFUL))
    }
}

/// Makes the activity of `news` and hands it to everybody who should get it, in its turn among the jobs that do. Safe to
/// repeat: what was handed over is not handed over again.
pub async fn tell(federation: &Federation, job: JobId, news: &News) -> Result<Outcome> {
    if let turn::Turn::At(at) = turn::to_tell(federation, job, news).await? {
        return Ok(Outcome::Postponed(at));
    }
    if let News::Passed { activity, .. } = news {
        return pass_on(federation, news, *activity).await;
    }
    let Some(told) = compose::news(federation, news).await? else { return Ok(Outcome::Done) };
    if let Some(status) = updates::hidden(news, &told) {
        let count = updates::to_each(federation, (news, status), &told).await?;
        tracing::debug!(uri = told.activity.id, count, "told to each who was named before");
        return Ok(Outcome::Done);
    }
    let inboxes = recipients::of(federation, news).await?;
    if inboxes.is_empty() {
        deliveries::mark_unfollowed(&federation.db, told.account).await?;
    }
    let Some(uri) = told.activity.id.as_deref() else { return Ok(Outcome::Done) };
    let body = written(federation, &told, &inboxes).await?;
    let kept_as = kept_as(news, uri);
    let (account, actor) = (told.account, told.activity.actor.as_str());
    let (about, place, pace) = (turn::thing(news, actor), turn::place(news), turn::pace(news));
    let new = New { uri: &kept_as, account, actor, body: &body, about, place, pace };
    let count = deliveries::send(&federation.db, new, &inboxes).await?;
    tracing::debug!(uri, count, "told to other servers");
    Ok(Outcome::Done)
}

/// What somebody else said about a status goes to others as it came, but not back to where it came from; and in its turn
/// with what is said of the status itself.
async fn pass_on(federation: &Federation, news: &News, id: ActivityId) -> Result<Outcome> {
    let kept = deliveries::store::by_id(&federation.db.read().await?, id).await?;
    let Some(kept) = kept else { return Ok(Outcome::Done) };
    let mut inboxes = recipients::of(federation, news).await?;
    let origin = host(&kept.uri);
    inboxes.retain(|inbox| host(inbox) != origin);
    deliveries::bring(&federation.db, (id, turn::thing(news, &kept.actor)), &inboxes).await?;
    Ok(Outcome::Done)
}

/// The text of an activity, the same for everybody who gets it. Relays that pass on what they are sent want a Linked Data
/// signature in it: it has one when such a relay gets it and it is for everybody.
async fn written(federation: &Federation, told: &Told, inboxes: &[String]) -> Result<String> {
    let mut document = told.activity.to_json();
    let public = told.activity.to.iter().any(|to| to == PUBLIC);
    if public
        && relays::is_among(&federation.db.read().await?, inboxes).await?
        && let Some(map) = document.as_object_mut()
    {
        let signer = federation.signer(told.account, &told.activity.actor).await?;
        if let Err(error) = sign_linked_data(map, (&signer.key_id, &signer.key), Time::now()) {
            // Relays may drop it now; nobody else has to miss it.
            tracing::warn!(uri = told.activity.id, %error, "an activity for relays could not be signed");
        }
    }
    Ok(document.to_string())
}

/// The name under which an activity is kept and told once: its own, unless it is meant to be told more than once.
fn kept_as(news: &News, uri: &str) -> String {
    match news {
        News::QuoteRequested { again: again @ 1.., .. } => format!("{uri} {again}"),
        News::StatusApproved { .. } => format!("{uri} approved"),
        News::LikeKept { telling, .. } => format!("{uri} {telling}"),
        _ => uri.to_owned(),
    }
}

/// An activity, and the account that says it.
pub(crate) struct Told {
    pub account: domain::ids::AccountId,
    pub activity: Activity,
}

/// Brings one activity to one inbox, in the turn of the job that does.
pub async fn deliver(federation: &Federation, job: JobId, (id, inbox): (ActivityId, &str)) -> Result<Outcome> {
    let conn = federation.db.read().await?;
    let Some(activity) = deliveries::store::by_id(&conn, id).await? else { return Ok(Outcome::Done) };
    let (Ok(url), Some(name)) = (Url::parse(inbox), host(inbox)) else { return Ok(Outcome::Done) };
    let known = hosts::by_name(&conn, &name).await?;
    drop(conn);
    let now = Time::now();
    if now > activity.kept_until {
        tracing::info!(inbox, uri = activity.uri, "a delivery was tried for long enough");
        return Ok(Outcome::Done);
    }
    // The end of an account is told also where nothing else is sent any more.
    let is_the_end = activity.uri == format!("{}#delete", activity.actor);
    let resting = known.as_ref().filter(|host| !(is_the_end && host.is_given_up())).and_then(|h| h.resting_until);
    if let Some(until) = resting.filter(|until| *until > now) {
        return Ok(Outcome::Postponed(until.plus(jitter(MOMENT * 30, job.0))));
    }
    let fails = known.as_ref().is_some_and(|host| host.failures > 0);
    let doubtful = fails.then(|| federation.doubtful.0.try_acquire());
    if matches!(doubtful, Some(Err(_))) {
        return Ok(Outcome::Postponed(now.plus(PUT_OFF + jitter(PUT_OFF * 2, job.0))));
    }
    match turn::of(federation, &activity, (job, inbox)).await? {
        turn::Turn::Now => {}
        turn::Turn::At(at) => return Ok(Outcome::Postponed(at)),
        turn::Turn::Never => return Ok(Outcome::Done),
    }
    let signer = federation.signer_of(&activity).await?;
    let extra = follows::headers(federation, &activity, inbox).await?;
    let payload = Payload::new(activity.body.as_bytes().to_vec());
    let fetcher = &federation.fetcher;
    let outcome = match activity.is_farewell {
        true => fetcher.farewell(&url, &payload, &signer).await,
        false => fetcher.deliver(&url, &payload, &signer, &extra).await,
    };
    match outcome {
        Ok(_) => {
            if known.is_some_and(|h| h.is_troubled()) {
                hosts::answered(&federation.db, &name).await?;
            }
            Ok(Outcome::Done)
        }
        Err(error) => failed(federation, (&activity, inbox, &name), error).await,
    }
}

/// What becomes of a delivery that did not succeed.
async fn failed(
    federation: &Federation,
    (activity, inbox, host): (&deliveries::Activity, &str, &str),
    error: FetchError,
) -> Result<Outcome> {
    let now = Time::now();
    match error {
        FetchError::Busy => Ok(Outcome::Postponed(now.plus(MOMENT))),
        error if error.passes() => {
            let why = error.to_string();
            if error.is_of_the_host() || matches!(error, FetchError::Status { status: 500.., .. }) {
                hosts::failed(&federation.db, host, &why).await?;
            } else if matches!(error, FetchError::Status { status: 401, .. }) {
                // It answers, but nothing of ours arrives there.
                hosts::complained(&federation.db, host, &why).await?;
            }
            let wish = error.retry_after().filter(|wish| !wish.is_zero());
            if let (FetchError::Status { status: 429 | 503, .. }, Some(wish)) = (&error, wish) {
                hosts::wants_rest(&federation.db, host, (wish, &why)).await?;
            }
            let pause = error.retry_after().unwrap_or_default().max(pause(now.since(activity.created_at)));
            Ok(Outcome::RetryAt(now.plus(pause + jitter(pause / 5, activity.id.0)), why))
        }
        error if error.is_gone() => {
            gone(federation, inbox, host).await?;
            tracing::info!(inbox, uri = activity.uri, "there is nobody any more");
            Ok(Outcome::Done)
        }
        FetchError::Status { status: 413, .. } => {
            // A fault of ours as much as theirs: somebody should see it.
            let why = format!("{host} takes nothing of {} bytes (413): {}", activity.body.len(), activity.uri);
            tracing::warn!(inbox, uri = activity.uri, bytes = activity.body.len(), "too large for another server");
            hosts::complained(&federation.db, host, &why).await?;
            Ok(Outcome::GiveUp(why))
        }
        error => refused(federation, (activity.id, inbox), (error, now.since(activity.created_at))).await,
    }
}

/// It was understood and is not wanted, or the inbox is not there any more: perhaps somewhere else. `tried`: for how long.
async fn refused(
    federation: &Federation,
    (id, inbox): (ActivityId, &str),
    (error, tried): (FetchError, Duration),
) -> Result<Outcome> {
    let away = Away::of(&error);
    let now = if away.is_some() { moved::now(federation, inbox).await? } else { None };
    if let Some(now) = now {
        let moved = deliveries::readdress(&federation.db, inbox, &now).await?;
        tracing::info!(inbox, now, moved, "an inbox is somewhere else");
        // This delivery is one of them.
        return Ok(Outcome::Postponed(Time::now()));
    }
    if away == Some(Away::Redirect) {
        // Whoever sends everybody away for a while comes back, or says where they are.
        let pause = pause(tried);
        return Ok(Outcome::RetryAt(Time::now().plus(pause + jitter(pause / 5, id.0)), error.to_string()));
    }
    tracing::info!(inbox, %id, %error, "a delivery was refused");
    Ok(Outcome::Done)
}

/// What had this inbox says that it is gone: a whole server, or somebody there, who is asked for once more.
async fn gone(federation: &Federation, inbox: &str, host: &str) -> Result<()> {
    let conn = federation.db.read_long().await?;
    // Where people have a say in what is at which path, one of them is not the server.
    if remote::is_inbox_of_all(&conn, inbox, host).await? {
        drop(conn);
        return hosts::gone(&federation.db, host, "it says that it is gone (410)").await.map(drop);
    }
    let account = match remote::store::by_inbox(&conn, inbox).await? {
        None => remote::store::by_shared_inbox(&conn, inbox).await?,
        account => account,
    };
    drop(conn);
    match account {
        Some(account) => remote::refresh_later(&federation.db, account).await,
        None => Ok(()),
    }
}

/// Twice as long as it was tried already: 1, 3, 9 and 27 minutes, hours, a day.
fn pause(tried: Duration) -> Duration {
    (tried * 2).clamp(PAUSE.0, PAUSE.1)
}

/// Keeps what failed together from coming back together.
fn jitter(most: Duration, id: i64) -> Duration {
    let millis = u64::try_from(most.as_millis()).unwrap_or(u64::MAX).max(1);
    let turn = Time::now().millis().unsigned_abs() ^ id.unsigned_abs().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Duration::from_millis(turn % millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_day() {
        let (mut tried, mut attempts) = (Duration::ZERO, Vec::new());
        while tried < deliveries::KEPT {
            tried += pause(tried);
            attempts.push(tried.as_secs() / 60);
        }
        // Minutes after the first attempt. The last is beyond what is kept: it is dropped then.
        assert_eq!(attempts, [1, 3, 9, 27, 81, 243, 729, 2169, 3609, 5049]);
        assert_eq!((pause(Duration::ZERO), pause(Duration::MAX / 4)), PAUSE);
        assert!(Duration::from_secs(5049 * 60) < deliveries::ENDS_KEPT, "an end outlives what it ends");
    }

    #[test]
    fn what_failed_together_comes_back_apart() {
        let most = Duration::from_secs(12);
        let pauses: Vec<Duration> = (0..200).map(|n| jitter(most, n * 1_000_003)).collect();
        assert!(pauses.iter().all(|pause| *pause < most));
        let early = pauses.iter().filter(|pause| **pause < most / 2).count();
        assert!((60..=140).contains(&early), "{early} of 200 in the first half");
        assert_eq!(jitter(Duration::ZERO, 1), Duration::ZERO);
    }
}
