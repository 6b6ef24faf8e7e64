//! Rows between accounts.

use crate::{
    Result, Time,
    db::{Conn, Ids},
    ids::AccountId,
    sql,
};

sql! {
    // The numbers are those of `Relations`.
    WITH_AUTHORS = "SELECT target_id, 1::bigint FROM follows WHERE account_id = $1 AND target_id = ANY($2) UNION ALL \
        SELECT target_id, 2::bigint FROM blocks WHERE account_id = $1 AND target_id = ANY($2) UNION ALL \
        SELECT account_id, 3::bigint FROM blocks WHERE target_id = $1 AND account_id = ANY($2) UNION ALL \
        SELECT target_id, 4::bigint FROM mutes WHERE account_id = $1 AND target_id = ANY($2) AND (expires_at IS NULL OR expires_at > $3) UNION ALL \
        SELECT a.id, 5::bigint FROM account_domain_blocks d JOIN accounts a ON a.domain = d.domain WHERE d.account_id = $1 AND a.id = ANY($2) UNION ALL \
        SELECT id, 6::bigint FROM accounts WHERE id = ANY($2) AND suspended_at IS NOT NULL";
}

pub(super) async fn with_authors(
    conn: &Conn,
    viewer: AccountId,
    authors: impl IntoIterator<Item = AccountId>,
    now: Time,
) -> Result<Vec<(AccountId, i64)>> {
    conn.all(WITH_AUTHORS, &[&viewer, &Ids::of(authors), &now]).await
}
