//! The numbers in one statement.

use super::Statistics;
use crate::{Result, Time, db::Conn, sql};

sql! {
    COUNT = "SELECT COUNT(*), \
        COALESCE(CAST(SUM(CASE WHEN last_active_at >= $1 THEN 1 ELSE 0 END) AS BIGINT), 0), \
        COALESCE(CAST(SUM(CASE WHEN last_active_at >= $2 THEN 1 ELSE 0 END) AS BIGINT), 0), \
        (SELECT COALESCE(CAST(SUM(statuses_count) AS BIGINT), 0) FROM accounts WHERE domain IS NULL), \
        (SELECT COUNT(DISTINCT domain) FROM accounts WHERE domain IS NOT NULL) \
        FROM users WHERE approved AND NOT disabled AND confirmed_at IS NOT NULL";
}

pub(super) async fn count(conn: &Conn, month: Time, halfyear: Time) -> Result<Statistics> {
    conn.one(COUNT, &[&month, &halfyear]).await
}
