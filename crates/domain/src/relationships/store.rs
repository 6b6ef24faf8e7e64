//! Rows between accounts.

use crate::{
    Result, Time,
    db::{Conn, Ids, Tx},
    ids::{self, AccountId, EndorsementId},
    page::Page,
    row, sql,
};

// What a row of `between` says.
pub(super) const FOLLOWS: i64 = 1;
pub(super) const FOLLOWED_BY: i64 = 2;
pub(super) const BLOCKS: i64 = 3;
pub(super) const BLOCKED_BY: i64 = 4;
pub(super) const MUTES: i64 = 5;
pub(super) const REQUESTS: i64 = 6;
pub(super) const REQUESTED_BY: i64 = 7;
pub(super) const DOMAIN_BLOCKS: i64 = 8;
pub(super) const ENDORSES: i64 = 9;
pub(super) const NOTES: i64 = 10;

row! {
    /// One thing that `me` is to `id`.
    pub(super) struct Found {
        pub(super) id: AccountId,
        pub(super) what: i64,
        /// 1: reblogs shown, notifications muted. 2: notified of posts
        pub(super) flags: i64,
        /// Languages of a follow, or the note
        pub(super) text: Option<String>,
        pub(super) until: Option<Time>,
    }
}

const FOLLOW_FLAGS: &str = "(CASE WHEN show_reblogs THEN 1 ELSE 0 END + CASE WHEN notify THEN 2 ELSE 0 END)::bigint";
const ENDORSED_WHERE: &str = " FROM endorsements e JOIN accounts a ON a.id = e.target_id \
     WHERE e.account_id = $1 AND e.id < $2 AND e.id > $3 AND a.suspended_at IS NULL ORDER BY e.id ";

sql! {
    // The numbers are those of `Relations`.
    WITH_AUTHORS = "SELECT target_id, 1::bigint FROM follows WHERE account_id = $1 AND target_id = ANY($2) UNION ALL \
        SELECT target_id, 2::bigint FROM blocks WHERE account_id = $1 AND target_id = ANY($2) UNION ALL \
        SELECT account_id, 3::bigint FROM blocks WHERE target_id = $1 AND account_id = ANY($2) UNION ALL \
        SELECT target_id, 4::bigint FROM mutes WHERE account_id = $1 AND target_id = ANY($2) \
            AND (expires_at IS NULL OR expires_at > $3) UNION ALL \
        SELECT a.id, 5::bigint FROM account_domain_blocks d JOIN accounts a ON a.domain = d.domain \
            WHERE d.account_id = $1 AND a.id = ANY($2) UNION ALL \
        SELECT id, 6::bigint FROM accounts WHERE id = ANY($2) AND suspended_at IS NOT NULL UNION ALL \
        SELECT id, 7::bigint FROM accounts WHERE id = ANY($2) AND silenced_at IS NOT NULL UNION ALL \
        SELECT account_id, 8::bigint FROM actors WHERE account_id = ANY($2) AND hides_public AND $1 = 0 UNION ALL \
        SELECT account_id, 9::bigint FROM actors WHERE account_id = ANY($2) AND hides_unlisted AND $1 = 0";
    // The same for many viewers; what is so for everybody stands under the viewer 0.
    VIEWERS_WITH_AUTHORS = "SELECT account_id, target_id, 1::bigint FROM follows WHERE account_id = ANY($1) AND target_id = ANY($2) UNION ALL \
        SELECT account_id, target_id, 2::bigint FROM blocks WHERE account_id = ANY($1) AND target_id = ANY($2) UNION ALL \
        SELECT target_id, account_id, 3::bigint FROM blocks WHERE target_id = ANY($1) AND account_id = ANY($2) UNION ALL \
        SELECT account_id, target_id, 4::bigint FROM mutes WHERE account_id = ANY($1) AND target_id = ANY($2) \
            AND (expires_at IS NULL OR expires_at > $3) UNION ALL \
        SELECT d.account_id, a.id, 5::bigint FROM account_domain_blocks d JOIN accounts a ON a.domain = d.domain \
            WHERE d.account_id = ANY($1) AND a.id = ANY($2) UNION ALL \
        SELECT 0::bigint, id, 6::bigint FROM accounts WHERE id = ANY($2) AND suspended_at IS NOT NULL UNION ALL \
        SELECT 0::bigint, id, 7::bigint FROM accounts WHERE id = ANY($2) AND silenced_at IS NOT NULL";
    // The numbers are the constants above.
    BETWEEN = "SELECT target_id, 1::bigint, ", FOLLOW_FLAGS, ", languages_json, NULL::bigint \
            FROM follows WHERE account_id = $1 AND target_id = ANY($2) UNION ALL \
        SELECT account_id, 2::bigint, 0::bigint, NULL, NULL FROM follows WHERE target_id = $1 AND account_id = ANY($2) UNION ALL \
        SELECT target_id, 3::bigint, 0::bigint, NULL, NULL FROM blocks WHERE account_id = $1 AND target_id = ANY($2) UNION ALL \
        SELECT account_id, 4::bigint, 0::bigint, NULL, NULL FROM blocks WHERE target_id = $1 AND account_id = ANY($2) UNION ALL \
        SELECT target_id, 5::bigint, (CASE WHEN notifications THEN 1 ELSE 0 END)::bigint, NULL, expires_at \
            FROM mutes WHERE account_id = $1 AND target_id = ANY($2) AND (expires_at IS NULL OR expires_at > $3) UNION ALL \
        SELECT target_id, 6::bigint, ", FOLLOW_FLAGS, ", languages_json, NULL \
            FROM follow_requests WHERE account_id = $1 AND target_id = ANY($2) UNION ALL \
        SELECT account_id, 7::bigint, 0::bigint, NULL, NULL FROM follow_requests WHERE target_id = $1 AND account_id = ANY($2) UNION ALL \
        SELECT a.id, 8::bigint, 0::bigint, NULL, NULL FROM account_domain_blocks d JOIN accounts a ON a.domain = d.domain \
            WHERE d.account_id = $1 AND a.id = ANY($2) UNION ALL \
        SELECT target_id, 9::bigint, 0::bigint, NULL, NULL FROM endorsements WHERE account_id = $1 AND target_id = ANY($2) UNION ALL \
        SELECT target_id, 10::bigint, 0::bigint, comment, NULL FROM account_notes WHERE account_id = $1 AND target_id = ANY($2)";
    PUT_NOTE = "INSERT INTO account_notes (account_id, target_id, comment) VALUES ($1, $2, $3) \
        ON CONFLICT (account_id, target_id) DO UPDATE SET comment = excluded.comment";
    DELETE_NOTE = "DELETE FROM account_notes WHERE account_id = $1 AND target_id = $2";
    INSERT_ENDORSEMENT = "INSERT INTO endorsements (id, account_id, target_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    DELETE_ENDORSEMENT = "DELETE FROM endorsements WHERE account_id = $1 AND target_id = $2";
    ENDORSED_NEWEST = "SELECT e.id, e.target_id", ENDORSED_WHERE, "DESC LIMIT $4";
    ENDORSED_OLDEST = "SELECT e.id, e.target_id", ENDORSED_WHERE, "ASC LIMIT $4";
    FAMILIAR = "SELECT f.target_id, f.account_id FROM follows f \
        JOIN follows mine ON mine.account_id = $1 AND mine.target_id = f.account_id \
        JOIN accounts a ON a.id = f.account_id JOIN accounts t ON t.id = f.target_id \
        WHERE f.target_id = ANY($2) AND NOT COALESCE(t.hide_collections, FALSE) \
        AND NOT COALESCE(a.hide_collections, FALSE) AND a.suspended_at IS NULL ORDER BY f.id DESC LIMIT $3";
}

pub(super) async fn with_authors(
    conn: &Conn,
    viewer: AccountId,
    authors: impl IntoIterator<Item = AccountId>,
    now: Time,
) -> Result<Vec<(AccountId, i64)>> {
    let authors = Ids::of(authors);
    if authors.is_empty() {
        return Ok(Vec::new());
    }
    conn.all(WITH_AUTHORS, &[&viewer, &authors, &now]).await
}

/// (viewer, author, what), for each of many viewers.
pub(super) async fn viewers_with_authors(
    conn: &Conn,
    viewers: &[AccountId],
    authors: impl IntoIterator<Item = AccountId>,
    now: Time,
) -> Result<Vec<(AccountId, AccountId, i64)>> {
    let viewers = Ids::of(viewers.iter().copied());
    conn.all(VIEWERS_WITH_AUTHORS, &[&viewers, &Ids::of(authors), &now]).await
}

pub(super) async fn between(conn: &Conn, me: AccountId, others: &[AccountId], now: Time) -> Result<Vec<Found>> {
    if others.is_empty() {
        return Ok(Vec::new());
    }
    conn.all(BETWEEN, &[&me, &Ids::of(others.iter().copied()), &now]).await
}

pub(super) async fn put_note(tx: &Tx, me: AccountId, target: AccountId, comment: &str) -> Result<()> {
    tx.exec(PUT_NOTE, &[&me, &target, &comment]).await?;
    Ok(())
}

pub(super) async fn delete_note(tx: &Tx, me: AccountId, target: AccountId) -> Result<()> {
    tx.exec(DELETE_NOTE, &[&me, &target]).await?;
    Ok(())
}

pub(super) async fn insert_endorsement(tx: &Tx, me: AccountId, target: AccountId) -> Result<()> {
    let id: EndorsementId = ids::next();
    tx.exec(INSERT_ENDORSEMENT, &[&id, &me, &target]).await?;
    Ok(())
}

pub(crate) async fn delete_endorsement(tx: &Tx, me: AccountId, target: AccountId) -> Result<()> {
    tx.exec(DELETE_ENDORSEMENT, &[&me, &target]).await?;
    Ok(())
}

pub(super) async fn endorsed(conn: &Conn, of: AccountId, page: Page) -> Result<Vec<(i64, AccountId)>> {
    let sql = page.pick(ENDORSED_NEWEST, ENDORSED_OLDEST);
    conn.all(sql, &[&of, &page.before, &page.after, &page.limit]).await
}

/// (somebody, a follower of theirs whom `me` follows), the latest follow first.
pub(super) async fn familiar(
    conn: &Conn,
    me: AccountId,
    targets: impl IntoIterator<Item = AccountId>,
    limit: i64,
) -> Result<Vec<(AccountId, AccountId)>> {
    let targets = Ids::of(targets);
    if targets.is_empty() {
        return Ok(Vec::new());
    }
    conn.all(FAMILIAR, &[&me, &targets, &limit]).await
}
