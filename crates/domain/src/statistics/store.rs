//! The numbers in one statement.

use super::Statistics;
use crate::{Result, Time, db::Conn, ids::StatusId, sql};

// What a row of `weeks` counts.
pub(super) const STATUSES: i64 = 1;
pub(super) const LOGINS: i64 = 2;
pub(super) const REGISTRATIONS: i64 = 3;

sql! {
    // The numbers are the constants above; ids carry their milliseconds.
    WEEKS = "SELECT 1::bigint, ((id >> 16) - $1) / 604800000, COUNT(*) FROM statuses \
            WHERE id >= $2 AND local AND reblog_of_id IS NULL GROUP BY ((id >> 16) - $1) / 604800000 UNION ALL \
        SELECT 2::bigint, (last_active_at - $1) / 604800000, COUNT(*) FROM users \
            WHERE last_active_at >= $1 GROUP BY (last_active_at - $1) / 604800000 UNION ALL \
        SELECT 3::bigint, (created_at - $1) / 604800000, COUNT(*) FROM users \
            WHERE created_at >= $1 GROUP BY (created_at - $1) / 604800000";
    COUNT = "SELECT COUNT(*), \
        COALESCE(CAST(SUM(CASE WHEN last_active_at >= $1 THEN 1 ELSE 0 END) AS BIGINT), 0), \
        COALESCE(CAST(SUM(CASE WHEN last_active_at >= $2 THEN 1 ELSE 0 END) AS BIGINT), 0), \
        (SELECT COALESCE(CAST(SUM(statuses_count) AS BIGINT), 0) FROM accounts WHERE domain IS NULL), \
        (SELECT COUNT(*) FROM statuses WHERE local AND in_reply_to_id IS NOT NULL), \
        (SELECT COUNT(DISTINCT domain) FROM accounts WHERE domain IS NOT NULL) \
        FROM users WHERE approved AND NOT disabled AND confirmed_at IS NOT NULL";
}

/// (what, number of the week, how many)
pub(super) async fn weeks(conn: &Conn, (first, from): (Time, StatusId)) -> Result<Vec<(i64, i64, i64)>> {
    conn.all(WEEKS, &[&first, &from]).await
}

pub(super) async fn count(conn: &Conn, month: Time, halfyear: Time) -> Result<Statistics> {
    conn.one(COUNT, &[&month, &halfyear]).await
}
