//! Other servers as machines: which of them answer, and when to ask one again that does not.

mod store;

use crate::{
    Result, Time,
    db::{Conn, Db},
    jobs, row,
};
use std::time::Duration;
use url::Url;

/// Failures in a row after which a host rests.
const PATIENCE: i64 = 3;
/// Failures within this time are one: so many deliveries may fail together.
const TOGETHER: Duration = Duration::from_secs(10);
/// The first rest; each further failure doubles it.
const REST: Duration = Duration::from_secs(60);
const LONGEST_REST: Duration = Duration::from_secs(3 * 3600);

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

/// How many fail now, and how many of them are left in peace.
pub async fn counts(conn: &Conn) -> Result<(i64, i64)> {
    store::counts(conn, Time::now()).await
}

/// Writes down that `host` could not be reached or could not answer; the longer that goes on, the longer it rests.
pub async fn failed(db: &Db, host: &str, why: &str) -> Result<Host> {
    let tx = db.begin().await?;
    let before = store::by_name(&tx, host).await?;
    let together = before.as_ref().and_then(|h| h.last_failure_at).is_some_and(|at| tx.now.since(at) < TOGETHER);
    let failures = before.as_ref().map_or(0, |h| h.failures);
    let failures = if together { failures.max(1) } else { failures + 1 };
    let why: String = why.chars().take(500).collect();
    let row = Host {
        host: host.to_owned(),
        failures,
        failing_since: before.as_ref().and_then(|h| h.failing_since).or(Some(tx.now)),
        resting_until: rest(failures).map(|rest| tx.now.plus(rest)),
        last_error: Some(why),
        last_success_at: before.as_ref().and_then(|h| h.last_success_at),
        last_failure_at: Some(tx.now),
    };
    store::put(&tx, &row).await?;
    if let Some(until) = row.resting_until {
        // What waits need not find that out one by one.
        jobs::rest(&tx, host, until).await?;
    }
    tx.commit().await?;
    Ok(row)
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
        assert_eq!((host.failures, host.failing_since), (0, None));
        assert!(host.last_success_at.is_some());
    }

    #[test]
    fn rests_grow_and_end() {
        let minutes = |n: i64| rest(n).map(|d| d.as_secs() / 60);
        assert_eq!((minutes(1), minutes(2), minutes(3)), (None, None, Some(1)));
        assert_eq!((minutes(4), minutes(6), minutes(1000)), (Some(2), Some(8), Some(180)));
    }
}
