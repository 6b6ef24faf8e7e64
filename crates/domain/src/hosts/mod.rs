//! Other servers as machines: which of them answer, and when to ask one again that does not.

mod store;

use crate::{
    Result, Time,
    db::{Conn, Db, Tx},
    jobs, row,
};
use std::collections::HashSet;
use std::time::Duration;
use url::Url;

/// Failures in a row after which a host rests.
const PATIENCE: i64 = 3;
/// Failures within this time are one: so many deliveries may fail together.
const TOGETHER: Duration = Duration::from_secs(10);
/// The first rest; each further failure doubles it.
const REST: Duration = Duration::from_secs(60);
const LONGEST_REST: Duration = Duration::from_secs(3 * 3600);
/// One inbox may ask for patience for longer, but not for what goes to the others of its host.
const LONGEST_WISH: Duration = Duration::from_secs(3600);
/// Failures on so many days, and no success between them: the host counts as gone. In the SQL, too.
const DAYS: i64 = 7;
/// Then it is asked this seldom.
const PROBE: Duration = Duration::from_secs(7 * 24 * 3600);
/// Hosts that are gone which are looked at.
const GONE: i64 = 50_000;

row! {
    /// A server that failed at least once.
    pub struct Host {
        pub host: String,
        /// In a row.
        pub failures: i64,
        pub failing_since: Option<Time>,
        /// Nothing is sent before.
        pub resting_until: Option<Time>,
        pub last_error: Option<String>,
        pub last_success_at: Option<Time>,
        pub last_failure_at: Option<Time>,
        /// Days (UTC) on which it failed since it last answered.
        pub failed_days: i64,
    }
}

impl Host {
    /// Nothing is sent there any more, but once a week to see.
    pub fn is_given_up(&self) -> bool {
        self.failed_days >= DAYS
    }

    /// It failed, or refused something, since it last took what it was sent.
    pub fn is_troubled(&self) -> bool {
        self.failures > 0 || self.last_error.is_some()
    }
}

/// The host of an address, with its port if it is not the usual one; lower case.
pub fn of(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let host = url.host_str()?.to_ascii_lowercase();
    Some(url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}")))
}

pub async fn by_name(conn: &Conn, host: &str) -> Result<Option<Host>> {
    store::by_name(conn, host).await
}

/// Those that fail now first, then those that failed last; at most `limit`.
pub async fn list(conn: &Conn, limit: i64) -> Result<Vec<Host>> {
    store::list(conn, limit).await
}

/// The same of those alone with which something is wrong.
pub async fn list_troubled(conn: &Conn, limit: i64) -> Result<Vec<Host>> {
    store::list_troubled(conn, limit).await
}

/// How many fail now, and how many of them are left in peace.
pub async fn counts(conn: &Conn) -> Result<(i64, i64)> {
    store::counts(conn, Time::now()).await
}

/// Writes down that `host` could not be reached or could not answer; the longer that goes on, the longer it rests, and
/// after days of it nothing new is sent there.
pub async fn failed(db: &Db, host: &str, why: &str) -> Result<Host> {
    let tx = db.begin().await?;
    let before = store::by_name(&tx, host).await?;
    let last = before.as_ref().filter(|h| h.failures > 0).and_then(|h| h.last_failure_at);
    let together = last.is_some_and(|at| tx.now.since(at) < TOGETHER);
    let failures = before.as_ref().map_or(0, |h| h.failures);
    let failures = if together { failures.max(1) } else { failures + 1 };
    let days = before.as_ref().map_or(0, |h| h.failed_days);
    let same_day = days > 0 && last.is_some_and(|at| day(at) == day(tx.now));
    let days = if same_day { days } else { days + 1 };
    // What failed with others says nothing new: it rests as long as was said then.
    let until = before.as_ref().and_then(|h| h.resting_until).filter(|until| together && same_day && *until > tx.now);
    let failed = Host { failures, failed_days: days, ..Host::named(host, why) };
    rests(db, tx, before.as_ref(), (failed, until)).await
}

/// `host` answers, and asks to be left in peace for so long: all that waits for it is.
pub async fn wants_rest(db: &Db, host: &str, (wish, why): (Duration, &str)) -> Result<()> {
    let tx = db.begin().await?;
    let before = store::by_name(&tx, host).await?;
    let until = tx.now.plus(wish.min(LONGEST_WISH));
    if before.as_ref().and_then(|known| known.resting_until).is_some_and(|known| known >= until) {
        return Ok(());
    }
    let known = before.unwrap_or_else(|| Host::named(host, why));
    let row = Host { resting_until: Some(until), last_error: Host::named(host, why).last_error, ..known };
    store::put(&tx, &row).await?;
    tx.commit().await?;
    jobs::rest(db, host, until).await?;
    Ok(())
}

/// `host` refused something for a reason that somebody should see.
pub async fn complained(db: &Db, host: &str, why: &str) -> Result<()> {
    let tx = db.begin().await?;
    let known = store::by_name(&tx, host).await?.unwrap_or_else(|| Host::named(host, why));
    store::put(&tx, &Host { last_error: Host::named(host, why).last_error, ..known }).await?;
    tx.commit().await
}

/// `host` says itself that there is nothing any more: it is left in peace at once.
pub async fn gone(db: &Db, host: &str, why: &str) -> Result<Host> {
    let tx = db.begin().await?;
    let before = store::by_name(&tx, host).await?;
    let failures = before.as_ref().map_or(0, |h| h.failures) + 1;
    let failed = Host { failures, failed_days: DAYS, ..Host::named(host, why) };
    rests(db, tx, before.as_ref(), (failed, None)).await
}

/// Writes a failure down, and has what waits for the host wait as long as it rests. `known`: until when that does already.
async fn rests(db: &Db, tx: Tx, before: Option<&Host>, (failed, known): (Host, Option<Time>)) -> Result<Host> {
    let rest = if failed.is_given_up() { Some(PROBE) } else { rest(failed.failures) };
    let row = Host {
        failing_since: before.and_then(|h| h.failing_since).or(Some(tx.now)),
        resting_until: known.or_else(|| rest.map(|rest| tx.now.plus(rest))),
        last_success_at: before.and_then(|h| h.last_success_at),
        last_failure_at: Some(tx.now),
        ..failed
    };
    store::put(&tx, &row).await?;
    tx.commit().await?;
    if let Some(until) = row.resting_until.filter(|_| known.is_none()) {
        // What waits need not find that out one by one.
        jobs::rest(db, &row.host, until).await?;
    }
    Ok(row)
}

impl Host {
    fn named(host: &str, why: &str) -> Self {
        let last_error = Some(why.chars().take(500).collect());
        let (failing_since, resting_until, last_success_at, last_failure_at) = (None, None, None, None);
        let (host, failures, failed_days) = (host.to_owned(), 0, 0);
        Self { host, failures, failing_since, resting_until, last_error, last_success_at, last_failure_at, failed_days }
    }
}

/// Of UTC.
fn day(at: Time) -> i64 {
    at.seconds().div_euclid(24 * 3600)
}

/// Those to which nothing new is sent now.
pub async fn given_up(conn: &Conn) -> Result<HashSet<String>> {
    store::given_up(conn, (Time::now(), GONE)).await
}

/// `host` sent something: days of failing do not count any more, and one that was given up is asked again.
pub async fn heard(db: &Db, host: &str) -> Result<()> {
    let tx = db.begin().await?;
    let Some(known) = store::by_name(&tx, host).await?.filter(|known| known.failed_days > 0) else { return Ok(()) };
    store::forget_days(&tx, host).await?;
    if known.is_given_up() {
        store::wake(&tx, Some(host)).await?;
        jobs::hasten_deliveries(&tx, Some(host)).await?;
    }
    tx.commit().await?;
    db.wake().ring();
    Ok(())
}

fn rest(failures: i64) -> Option<Duration> {
    let over = u32::try_from(failures - PATIENCE).ok()?;
    Some(REST.saturating_mul(2u32.saturating_pow(over.min(16))).min(LONGEST_REST))
}

/// Lets deliveries that wait be tried at once, to one host or to all, rested or not. How many.
pub async fn retry(db: &Db, host: Option<&str>) -> Result<u64> {
    let tx = db.begin().await?;
    store::wake(&tx, host).await?;
    let n = jobs::hasten_deliveries(&tx, host).await?;
    tx.commit().await?;
    db.wake().ring();
    Ok(n)
}

/// `host` answered: it is not failing, whatever it did before. Nothing is written about one that never failed.
pub async fn answered(db: &Db, host: &str) -> Result<()> {
    let tx = db.begin().await?;
    store::reset(&tx, host).await?;
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_fails_together_is_one_failure() {
        let world = crate::accounts::tests::world().await;
        for _ in 0..20 {
            failed(&world.db, "b.example", "no connection").await.unwrap();
        }
        let host = by_name(&world.db.read().await.unwrap(), "b.example").await.unwrap().unwrap();
        assert_eq!((host.failures, host.resting_until), (1, None));
        answered(&world.db, "b.example").await.unwrap();
        let host = by_name(&world.db.read().await.unwrap(), "b.example").await.unwrap().unwrap();
        assert_eq!((host.failures, host.failing_since, host.last_error), (0, None, None));
        assert!(host.last_success_at.is_some());
        assert!(list_troubled(&world.db.read().await.unwrap(), 10).await.unwrap().is_empty());
    }

    async fn on_another_day(world: &crate::accounts::tests::World) {
        let tx = world.db.begin().await.unwrap();
        let earlier = tx.now.minus(Duration::from_secs(24 * 3600));
        tx.exec("UPDATE hosts SET last_failure_at = $1", &[&earlier]).await.unwrap();
        tx.commit().await.unwrap();
    }

    #[tokio::test]
    async fn a_week_of_failures_is_the_end_until_it_is_heard() {
        let world = crate::accounts::tests::world().await;
        let failed = async || super::failed(&world.db, "b.example", "no connection").await.unwrap();
        let given_up = async || super::given_up(&world.db.read().await.unwrap()).await.unwrap();
        for days in 1..DAYS {
            assert_eq!((failed().await.failed_days, failed().await.failed_days), (days, days));
            on_another_day(&world).await;
        }
        assert!(given_up().await.is_empty());
        // A success starts the count anew.
        answered(&world.db, "b.example").await.unwrap();
        for days in 1..=DAYS {
            on_another_day(&world).await;
            assert_eq!(failed().await.failed_days, days);
        }
        assert_eq!(given_up().await, HashSet::from(["b.example".to_owned()]));
        let host = by_name(&world.db.read().await.unwrap(), "b.example").await.unwrap().unwrap();
        assert!(host.is_given_up() && host.resting_until.unwrap() > Time::now().plus(PROBE / 2));
        heard(&world.db, "b.example").await.unwrap();
        heard(&world.db, "unknown.example").await.unwrap();
        let host = by_name(&world.db.read().await.unwrap(), "b.example").await.unwrap().unwrap();
        assert_eq!((host.failed_days, host.resting_until), (0, None));
        assert!(given_up().await.is_empty());
        // Who says that it is gone is believed at once.
        assert!(gone(&world.db, "c.example", "410").await.unwrap().is_given_up());
        retry(&world.db, Some("c.example")).await.unwrap();
        assert!(given_up().await.is_empty());
        assert!(super::failed(&world.db, "c.example", "410").await.unwrap().is_given_up());
        assert!(given_up().await.contains("c.example"));
    }

    async fn at(world: &crate::accounts::tests::World, column: &str) -> Time {
        let sql = match column {
            "hosts" => "SELECT resting_until FROM hosts WHERE host = 'b.example'",
            _ => "SELECT MAX(run_at) FROM jobs WHERE lane = 'b.example'",
        };
        world.db.read().await.unwrap().one::<(Time,)>(sql, &[]).await.unwrap().0
    }

    #[tokio::test]
    async fn what_fails_with_others_moves_nothing_again() {
        let world = crate::accounts::tests::world().await;
        let wait = async || {
            let mut tx = world.db.begin().await.unwrap();
            let inbox = "https://b.example/inbox".to_owned();
            tx.enqueue(jobs::Job::Deliver { activity: crate::ids::ActivityId(1), inbox, about: None }).await.unwrap();
            let now = tx.now;
            tx.commit().await.unwrap();
            now
        };
        wait().await;
        for _ in 0..PATIENCE {
            failed(&world.db, "b.example", "no connection").await.unwrap();
            world.exec("UPDATE hosts SET last_failure_at = $1", crate::ids::AccountId(1)).await;
        }
        let until = at(&world, "hosts").await;
        assert_eq!(at(&world, "jobs").await, until, "what waits rests with its host");
        let tx = world.db.begin().await.unwrap();
        let now = crate::ids::AccountId(tx.now.millis());
        drop(tx);
        world.exec("UPDATE hosts SET last_failure_at = $1", now).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        let added = wait().await;
        failed(&world.db, "b.example", "no connection").await.unwrap();
        assert_eq!(at(&world, "hosts").await, until);
        let due = "SELECT MIN(run_at) FROM jobs WHERE lane = 'b.example'";
        let (due,): (Time,) = world.db.read().await.unwrap().one(due, &[]).await.unwrap();
        assert_eq!(due, added);
    }

    #[test]
    fn rests_grow_and_end() {
        let minutes = |n: i64| rest(n).map(|d| d.as_secs() / 60);
        assert_eq!((minutes(1), minutes(2), minutes(3)), (None, None, Some(1)));
        assert_eq!((minutes(4), minutes(6), minutes(1000)), (Some(2), Some(8), Some(180)));
    }
}
