//! Rows of rules about other servers, and the marks that they leave on accounts.

use super::{DomainBlock, allows::DomainAllow};
use crate::{
    Result, Time,
    db::{Conn, Texts, Tx},
    emojis::Emoji,
    ids::{self, AccountId, DomainBlockId, JobId},
    row, settings, sql,
};

/// Rules that are kept in mind; the longest lists that are passed around have some thousands.
const MOST: i64 = 100_000;
/// Changes whenever a rule does.
const VERSION: &str = "domain_rules";

row! {
    /// What marking an account takes.
    pub struct Marked {
        pub id: AccountId,
        pub domain: String,
        pub host: String,
        pub silenced_at: Option<Time>,
        pub suspended_at: Option<Time>,
    }
}

const MARKED_FROM: &str = "SELECT a.id, a.domain, COALESCE(r.host, ''), a.silenced_at, a.suspended_at FROM accounts a \
    LEFT JOIN actors r ON r.account_id = a.id ";

// The accounts of some names, in handles or of servers.
const OF_NAMES: &str =
    "(SELECT id FROM accounts WHERE domain = ANY($1) UNION SELECT account_id FROM actors WHERE host = ANY($1))";

sql! {
    LIST = "SELECT ", DomainBlock::COLUMNS, " FROM domain_blocks ORDER BY domain LIMIT $1";
    BY_DOMAIN = "SELECT ", DomainBlock::COLUMNS, " FROM domain_blocks WHERE domain = $1";
    BY_DOMAINS = "SELECT ", DomainBlock::COLUMNS, " FROM domain_blocks WHERE domain = ANY($1)";
    PUT = "INSERT INTO domain_blocks (", DomainBlock::COLUMNS, ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
        ON CONFLICT (domain) DO UPDATE SET severity = excluded.severity, reject_media = excluded.reject_media, \
        reject_reports = excluded.reject_reports, private_comment = excluded.private_comment, \
        public_comment = excluded.public_comment, obfuscate = excluded.obfuscate";
    DELETE = "DELETE FROM domain_blocks WHERE id = $1";
    LIST_ALLOWS = "SELECT ", DomainAllow::COLUMNS, " FROM domain_allows ORDER BY domain LIMIT $1";
    INSERT_ALLOW = "INSERT INTO domain_allows (", DomainAllow::COLUMNS, ") VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    DELETE_ALLOW = "DELETE FROM domain_allows WHERE domain = $1";
    NAMES = "SELECT domain FROM accounts WHERE domain IS NOT NULL UNION SELECT host FROM actors WHERE host <> '' \
        UNION SELECT domain FROM custom_emojis WHERE domain IS NOT NULL";
    MARKED = MARKED_FROM, "WHERE a.domain IS NOT NULL AND a.id = $1";
    ACCOUNTS = MARKED_FROM, "WHERE a.domain IS NOT NULL AND a.id > $2 AND a.id IN \
        (SELECT id FROM accounts WHERE domain = $1 UNION SELECT account_id FROM actors WHERE host = $1) ORDER BY a.id LIMIT $3";
    UPDATE_MARKS = "UPDATE accounts SET silenced_at = $2, suspended_at = $3 WHERE id = $1 \
        AND COALESCE(silenced_at, 0) = $4 AND COALESCE(suspended_at, 0) = $5";
    SUSPEND = "UPDATE accounts SET suspended_at = $2 WHERE id = $1 AND suspended_at IS NULL";
    SILENCE = "UPDATE accounts SET silenced_at = COALESCE(silenced_at, $2::bigint) WHERE id = $1";
    PUT_HOST = "UPDATE actors SET host = $2 WHERE account_id = $1";
    FOLLOWS = "SELECT account_id, target_id FROM follows WHERE account_id = $1 UNION \
        SELECT account_id, target_id FROM follows WHERE target_id = $1 UNION \
        SELECT account_id, target_id FROM follow_requests WHERE account_id = $1 UNION \
        SELECT account_id, target_id FROM follow_requests WHERE target_id = $1 LIMIT $2";
    EXTENT = "SELECT (SELECT COUNT(*) FROM accounts WHERE domain IS NOT NULL AND id IN ", OF_NAMES, "), \
        (SELECT COUNT(*) FROM follows WHERE account_id IN ", OF_NAMES, " OR target_id IN ", OF_NAMES, ") + \
        (SELECT COUNT(*) FROM follow_requests WHERE account_id IN ", OF_NAMES, " OR target_id IN ", OF_NAMES, ")";
    CONTENTS = "SELECT (SELECT COUNT(*) FROM accounts WHERE domain IS NOT NULL AND id IN ", OF_NAMES, "), \
        (SELECT COUNT(*) FROM statuses WHERE account_id IN ", OF_NAMES, "), \
        (SELECT COUNT(*) FROM media_attachments WHERE account_id IN ", OF_NAMES, "), \
        (SELECT COUNT(*) FROM custom_emojis WHERE domain = ANY($1))";
    DELETE_EMOJIS = "DELETE FROM custom_emojis WHERE domain = $1 RETURNING ", Emoji::COLUMNS;
    DELETE_HOST = "DELETE FROM hosts WHERE host = $1";
}

pub(super) async fn list(conn: &Conn) -> Result<Vec<DomainBlock>> {
    conn.all(LIST, &[&MOST]).await
}

pub(super) async fn by_domain(conn: &Conn, domain: &str) -> Result<Option<DomainBlock>> {
    conn.opt(BY_DOMAIN, &[&domain]).await
}

pub(super) async fn by_domains(conn: &Conn, domains: Vec<String>) -> Result<Vec<DomainBlock>> {
    if domains.is_empty() {
        return Ok(Vec::new());
    }
    conn.all(BY_DOMAINS, &[&Texts(domains)]).await
}

pub(super) async fn put(tx: &Tx, b: &DomainBlock) -> Result<()> {
    let values: crate::db::Params<'_> = &[
        &b.id,
        &b.domain,
        &b.severity,
        &b.reject_media,
        &b.reject_reports,
        &b.private_comment,
        &b.public_comment,
        &b.obfuscate,
        &b.created_at,
    ];
    tx.exec(PUT, values).await?;
    Ok(())
}

pub(super) async fn delete(tx: &Tx, id: DomainBlockId) -> Result<()> {
    tx.exec(DELETE, &[&id]).await?;
    Ok(())
}

pub(super) async fn list_allows(conn: &Conn) -> Result<Vec<DomainAllow>> {
    conn.all(LIST_ALLOWS, &[&MOST]).await
}

pub(super) async fn insert_allow(tx: &Tx, a: &DomainAllow) -> Result<()> {
    tx.exec(INSERT_ALLOW, &[&a.id, &a.domain, &a.created_at]).await?;
    Ok(())
}

/// False when there was none.
pub(super) async fn delete_allow(tx: &Tx, domain: &str) -> Result<bool> {
    Ok(tx.exec(DELETE_ALLOW, &[&domain]).await? > 0)
}

pub(super) async fn version(conn: &Conn) -> Result<Option<String>> {
    settings::store::by_key(conn, VERSION).await
}

/// Whoever holds rules at hand learns that there are others.
pub(super) async fn touch(tx: &Tx) -> Result<()> {
    settings::store::put(tx, VERSION, &ids::next::<JobId>().to_string()).await
}

/// All names of servers that are known, in handles or of servers.
pub(super) async fn names(conn: &Conn) -> Result<Vec<String>> {
    Ok(conn.all::<(String,)>(NAMES, &[]).await?.into_iter().map(|(name,)| name).collect())
}

/// Accounts of one name, by id.
pub(crate) async fn accounts(conn: &Conn, (name, after): (&str, AccountId), limit: i64) -> Result<Vec<Marked>> {
    conn.all(ACCOUNTS, &[&name, &after, &limit]).await
}

pub(super) async fn marked(conn: &Conn, id: AccountId) -> Result<Option<Marked>> {
    conn.opt(MARKED, &[&id]).await
}

/// Marks an account otherwise. False when its marks are no longer what they were.
pub(super) async fn update_marks(
    tx: &Tx,
    was: &Marked,
    (silenced, suspended): (Option<Time>, Option<Time>),
) -> Result<bool> {
    let before = |at: Option<Time>| at.unwrap_or(Time(0));
    let before = (before(was.silenced_at), before(was.suspended_at));
    Ok(tx.exec(UPDATE_MARKS, &[&was.id, &silenced, &suspended, &before.0, &before.1]).await? > 0)
}

/// False when it was hidden already.
pub(super) async fn suspend(tx: &Tx, id: AccountId, at: Time) -> Result<bool> {
    Ok(tx.exec(SUSPEND, &[&id, &at]).await? > 0)
}

pub(super) async fn silence(tx: &Tx, id: AccountId, at: Time) -> Result<()> {
    tx.exec(SILENCE, &[&id, &at]).await?;
    Ok(())
}

pub(super) async fn put_host(tx: &Tx, id: AccountId, host: &str) -> Result<()> {
    tx.exec(PUT_HOST, &[&id, &host]).await?;
    Ok(())
}

/// (follower, followed) of follows and requests of one account, either way.
pub(super) async fn follows(conn: &Conn, id: AccountId, limit: i64) -> Result<Vec<(AccountId, AccountId)>> {
    conn.all(FOLLOWS, &[&id, &limit]).await
}

/// Accounts of these names, and their follows and requests.
pub(super) async fn extent(conn: &Conn, names: Vec<String>) -> Result<(i64, i64)> {
    conn.one(EXTENT, &[&Texts(names)]).await
}

/// Accounts, statuses, attachments and emoji of these names.
pub(super) async fn contents(conn: &Conn, names: Vec<String>) -> Result<(i64, i64, i64, i64)> {
    conn.one(CONTENTS, &[&Texts(names)]).await
}

/// What they were.
pub(super) async fn delete_emojis(tx: &Tx, domain: &str) -> Result<Vec<Emoji>> {
    tx.all(DELETE_EMOJIS, &[&domain]).await
}

pub(super) async fn delete_host(tx: &Tx, host: &str) -> Result<()> {
    tx.exec(DELETE_HOST, &[&host]).await?;
    Ok(())
}
