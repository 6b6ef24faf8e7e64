//! How large this site is: public numbers, for the instance's description and for discovery.

mod store;

use crate::{
    Result, Time,
    db::Conn,
    ids::{self, StatusId},
    row,
};
use std::time::Duration;

row! {
    /// Numbers of local people and what they wrote.
    pub struct Statistics {
        /// Confirmed, approved, not disabled.
        pub users: i64,
        /// Of these, seen within 30 days.
        pub active_month: i64,
        /// Of these, seen within 180 days.
        pub active_halfyear: i64,
        pub statuses: i64,
        /// Of these, what answers something.
        pub answers: i64,
        /// Other sites that are known.
        pub domains: i64,
    }
}

const DAY: Duration = Duration::from_secs(86_400);

/// What happened here in one week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Week {
    /// Its Monday, at midnight.
    pub start: Time,
    /// Posts, boosts left out.
    pub statuses: i64,
    /// People who were here last in this week: nobody keeps when they were here before.
    pub logins: i64,
    pub registrations: i64,
}

const WEEK: i64 = 7 * 86_400_000;
const WEEKS: i64 = 12;
/// From the Monday before 1970 to the start of 1970.
const MONDAY: i64 = 3 * 86_400_000;

/// The last twelve weeks, this one first. Reads all statuses of that time: whoever shows it keeps it.
pub async fn weeks(conn: &Conn, now: Time) -> Result<Vec<Week>> {
    let this = (now.millis() + MONDAY).div_euclid(WEEK) * WEEK - MONDAY;
    let first = Time(this - (WEEKS - 1) * WEEK);
    let from: StatusId = ids::floor(first);
    let counted = store::weeks(conn, (first, from)).await?;
    let count = |what: i64, week: i64| {
        counted.iter().filter(|(w, n, _)| (*w, *n) == (what, week)).map(|(_, _, count)| count).sum()
    };
    let week = |n: i64| Week {
        start: Time(first.millis() + n * WEEK),
        statuses: count(store::STATUSES, n),
        logins: count(store::LOGINS, n),
        registrations: count(store::REGISTRATIONS, n),
    };
    Ok((0..WEEKS).rev().map(week).collect())
}

/// Counted now: reads whole tables. Whoever shows it keeps it for some minutes.
pub async fn count(conn: &Conn, now: Time) -> Result<Statistics> {
    store::count(conn, now.minus(30 * DAY), now.minus(180 * DAY)).await
}
