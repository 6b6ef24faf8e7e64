//! The directory's two orders.

use super::{Order, Query};
use crate::{Result, Time, accounts::Account, db::Conn, ids::AccountId, sql};

const WHERE: &str = " FROM accounts WHERE discoverable AND suspended_at IS NULL AND silenced_at IS NULL AND moved_to_id IS NULL \
     AND (NOT $3::boolean OR domain IS NULL) \
     AND NOT EXISTS (SELECT 1 FROM users u WHERE u.account_id = accounts.id AND (u.confirmed_at IS NULL OR NOT u.approved)) \
     AND NOT EXISTS (SELECT 1 FROM blocks x WHERE x.account_id = $1 AND x.target_id = accounts.id) \
     AND NOT EXISTS (SELECT 1 FROM blocks x WHERE x.account_id = accounts.id AND x.target_id = $1) \
     AND NOT EXISTS (SELECT 1 FROM mutes x WHERE x.account_id = $1 AND x.target_id = accounts.id \
        AND (x.expires_at IS NULL OR x.expires_at > $2)) \
     AND NOT EXISTS (SELECT 1 FROM account_domain_blocks x WHERE x.account_id = $1 AND x.domain = accounts.domain) ";

sql! {
    // Sorted by when they posted last are the newest 20000 who want to be found.
    ACTIVE = "SELECT ", Account::COLUMNS, WHERE, "AND id IN (SELECT id FROM accounts WHERE discoverable ORDER BY id DESC LIMIT 20000) \
        ORDER BY COALESCE(last_status_at, 0) DESC, id DESC LIMIT $4 OFFSET $5";
    NEW = "SELECT ", Account::COLUMNS, WHERE, "ORDER BY id DESC LIMIT $4 OFFSET $5";
}

pub(super) async fn list(conn: &Conn, viewer: AccountId, now: Time, query: Query) -> Result<Vec<Account>> {
    let Query { order, local, offset, limit } = query;
    let sql = match order {
        Order::Active => ACTIVE,
        Order::New => NEW,
    };
    conn.all(sql, &[&viewer, &now, &local, &limit, &offset]).await
}
