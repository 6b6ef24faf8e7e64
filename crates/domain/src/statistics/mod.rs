//! How large this site is: public numbers, for the instance's description and for discovery.

mod store;

use crate::{Result, Time, db::Conn, row};
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
        /// Other sites that are known.
        pub domains: i64,
    }
}

const DAY: Duration = Duration::from_secs(86_400);

/// Counted now: reads whole tables. Whoever shows it keeps it for some minutes.
pub async fn count(conn: &Conn, now: Time) -> Result<Statistics> {
    store::count(conn, now.minus(30 * DAY), now.minus(180 * DAY)).await
}
