//! Rows of what only accounts of other servers have.

use super::{Account, Reach};
use crate::{
    Result, Time,
    db::{Conn, Ids, Tx},
    domain_blocks::name,
    ids::AccountId,
    row, sql,
};

row! {
    /// Where an account of another server is reached.
    pub struct Actor {
        pub account_id: AccountId,
        pub kind: String,
        pub inbox: String,
        pub shared_inbox: Option<String>,
        pub outbox: Option<String>,
        pub followers: Option<String>,
        pub following: Option<String>,
        pub featured: Option<String>,
        pub fetched_at: Time,
        /// JSON of the names among servers that it says to have too
        pub also_known_as_json: String,
        /// Where it says that it went
        pub moved_to: Option<String>,
        pub featured_tags: Option<String>,
        /// Posts for everybody, and those not in public lists, are for nobody who is not signed in
        pub hides_public: bool,
        pub hides_unlisted: bool,
        /// Since when its own server says that it is suspended.
        pub suspended_at: Option<Time>,
    }
}

impl Actor {
    /// Its other names among servers, as it says itself.
    pub fn also_known_as(&self) -> Vec<String> {
        serde_json::from_str(&self.also_known_as_json).unwrap_or_default()
    }
}

row! {
    /// A public key, by the address that signatures name.
    pub struct Key {
        pub id: String,
        pub account_id: AccountId,
        pub pem: String,
    }
}

const KNOWN: &str = " WHERE domain IS NOT NULL AND suspended_at IS NULL AND ($1::text IS NULL OR domain = $1)";

sql! {
    BY_URI = "SELECT ", Account::COLUMNS, " FROM accounts WHERE uri = $1";
    UPDATE_COUNTS = "UPDATE accounts SET statuses_count = COALESCE($2::bigint, statuses_count), \
        followers_count = COALESCE($3::bigint, followers_count), following_count = COALESCE($4::bigint, following_count), \
        hide_collections = COALESCE($5::boolean, hide_collections) \
        WHERE id = $1 AND domain IS NOT NULL";
    BY_URIS = "SELECT ", Account::COLUMNS, " FROM accounts WHERE uri = ANY($1)";
    // A page may be said to be several people's: whose servers say so.
    BY_URLS = "SELECT ", Account::COLUMNS, " FROM accounts WHERE url = ANY($1) AND suspended_at IS NULL ORDER BY id LIMIT 200";
    UPDATE = "UPDATE accounts SET username = $2, domain = $3, display_name = $4, note = $5, note_html = $6, uri = $7, url = $8, \
        avatar = $9, header = $10, avatar_description = $11, header_description = $12, fields_json = $13, kind = $14, \
        locked = $15, discoverable = $16, indexable = $17, memorial = $18, emojis_json = $19, \
        attribution_domains_json = $20 WHERE id = $1";
    ACTOR = "SELECT ", Actor::COLUMNS, " FROM actors WHERE account_id = $1";
    ACTORS = "SELECT ", Actor::COLUMNS, " FROM actors WHERE account_id = ANY($1)";
    PUT_ACTOR = "INSERT INTO actors (", Actor::COLUMNS, ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, NULL) \
        ON CONFLICT (account_id) DO UPDATE SET kind = excluded.kind, inbox = excluded.inbox, shared_inbox = excluded.shared_inbox, \
        outbox = excluded.outbox, followers = excluded.followers, following = excluded.following, featured = excluded.featured, \
        fetched_at = excluded.fetched_at, also_known_as_json = excluded.also_known_as_json, moved_to = excluded.moved_to, \
        featured_tags = excluded.featured_tags, hides_public = excluded.hides_public, \
        hides_unlisted = excluded.hides_unlisted";
    SUSPEND = "UPDATE accounts SET suspended_at = COALESCE(suspended_at, $2::bigint) WHERE id = $1";
    LIFT = "UPDATE accounts SET suspended_at = NULL WHERE id = $1 AND suspended_at = $2";
    MARK_SUSPENDED = "UPDATE actors SET suspended_at = $2 WHERE account_id = $1";
    KEY = "SELECT ", Key::COLUMNS, " FROM actor_keys WHERE id = $1";
    KEYS = "SELECT ", Key::COLUMNS, " FROM actor_keys WHERE account_id = $1 ORDER BY id LIMIT 100";
    PUT_KEY = "INSERT INTO actor_keys (", Key::COLUMNS, ") VALUES ($1, $2, $3) \
        ON CONFLICT (id) DO UPDATE SET account_id = excluded.account_id, pem = excluded.pem";
    DELETE_KEYS = "DELETE FROM actor_keys WHERE account_id = $1";
    DOMAINS = "SELECT DISTINCT domain FROM accounts WHERE domain IS NOT NULL ORDER BY domain LIMIT $1";
    COUNT = "SELECT COUNT(*) FROM accounts", KNOWN;
    LIST = "SELECT id FROM accounts", KNOWN, " AND id > $2 ORDER BY id LIMIT $3";
    // Only whoever lives where the inbox is: there is no index of inboxes, which would be longer than it is worth.
    BY_SHARED_INBOX = "SELECT account_id FROM actors WHERE host = $1 AND shared_inbox = $2 ORDER BY fetched_at DESC LIMIT 1";
    SHARERS = "SELECT COUNT(*), COALESCE(SUM(CASE WHEN shared_inbox = $2 THEN 1 ELSE 0 END), 0) FROM \
        (SELECT r.shared_inbox FROM actors r JOIN accounts a ON a.id = r.account_id \
        WHERE r.host = $1 AND a.suspended_at IS NULL ORDER BY r.account_id LIMIT $3) AS known";
    BY_INBOX = "SELECT account_id FROM actors WHERE host = $1 AND inbox = $2 LIMIT 1";
    SHARE_ELSEWHERE = "UPDATE actors SET shared_inbox = $3 WHERE account_id IN \
        (SELECT account_id FROM actors WHERE host = $1 AND shared_inbox = $2 LIMIT $4)";
    MARK_FOLLOWED = "UPDATE accounts SET has_remote_followers = $2 WHERE id = $1 AND has_remote_followers <> $2";
}

pub(super) async fn by_uri(conn: &Conn, uri: &str) -> Result<Option<Account>> {
    conn.opt(BY_URI, &[&uri]).await
}

/// Those that are known, in no order.
pub async fn by_uris(conn: &Conn, uris: Vec<String>) -> Result<Vec<Account>> {
    if uris.is_empty() {
        return Ok(Vec::new());
    }
    conn.all(BY_URIS, &[&crate::db::Texts(uris)]).await
}

/// Those whose pages these are.
pub async fn by_urls(conn: &Conn, urls: Vec<String>) -> Result<Vec<Account>> {
    if urls.is_empty() {
        return Ok(Vec::new());
    }
    conn.all(BY_URLS, &[&crate::db::Texts(urls)]).await
}

pub(super) async fn update(tx: &Tx, a: &Account) -> Result<()> {
    let values: [&dyn crate::db::Param; 20] = [
        &a.id,
        &a.username,
        &a.domain,
        &a.display_name,
        &a.note,
        &a.note_html,
        &a.uri,
        &a.url,
        &a.avatar,
        &a.header,
        &a.avatar_description,
        &a.header_description,
        &a.fields_json,
        &a.kind,
        &a.locked,
        &a.discoverable,
        &a.indexable,
        &a.memorial,
        &a.emojis_json,
        &a.attribution_domains_json,
    ];
    tx.exec(UPDATE, &values).await?;
    Ok(())
}

pub async fn actor(conn: &Conn, id: AccountId) -> Result<Option<Actor>> {
    conn.opt(ACTOR, &[&id]).await
}

pub async fn actors(conn: &Conn, ids: impl IntoIterator<Item = AccountId>) -> Result<Vec<Actor>> {
    let ids = Ids::of(ids);
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    conn.all(ACTORS, &[&ids]).await
}

pub(super) async fn put_actor(tx: &Tx, id: AccountId, r: &Reach) -> Result<()> {
    let known_as = serde_json::to_string(&r.also_known_as)?;
    let values: [&dyn crate::db::Param; 14] = [
        &id,
        &r.kind,
        &r.inbox,
        &r.shared_inbox,
        &r.outbox,
        &r.followers,
        &r.following,
        &r.featured,
        &tx.now,
        &known_as,
        &r.moved_to,
        &r.featured_tags,
        &r.hides_public,
        &r.hides_unlisted,
    ];
    tx.exec(PUT_ACTOR, &values).await?;
    Ok(())
}

/// What is None stays as it is.
pub(super) async fn update_counts(tx: &Tx, id: AccountId, told: ([Option<i64>; 3], Option<bool>)) -> Result<()> {
    let ([statuses, followers, following], hidden) = told;
    tx.exec(UPDATE_COUNTS, &[&id, &statuses, &followers, &following, &hidden]).await?;
    Ok(())
}

/// Hides an account, if nothing hides it yet, because its server says so.
pub(super) async fn suspend(tx: &Tx, id: AccountId) -> Result<()> {
    tx.exec(SUSPEND, &[&id, &tx.now]).await?;
    tx.exec(MARK_SUSPENDED, &[&id, &Some(tx.now)]).await?;
    Ok(())
}

/// Shows an account again that is hidden since `at` because its server said so. False when it is hidden for another reason.
pub(super) async fn lift(tx: &Tx, id: AccountId, at: Time) -> Result<bool> {
    forget_suspension(tx, id).await?;
    Ok(tx.exec(LIFT, &[&id, &at]).await? > 0)
}

/// What hides it is of this site from now on.
pub(super) async fn forget_suspension(tx: &Tx, id: AccountId) -> Result<()> {
    tx.exec(MARK_SUSPENDED, &[&id, &None::<Time>]).await?;
    Ok(())
}

pub async fn key(conn: &Conn, id: &str) -> Result<Option<Key>> {
    conn.opt(KEY, &[&id]).await
}

/// All that the account signs with.
pub async fn keys(conn: &Conn, account: AccountId) -> Result<Vec<Key>> {
    conn.all(KEYS, &[&account]).await
}

pub(super) async fn put_key(tx: &Tx, key: &Key) -> Result<()> {
    tx.exec(PUT_KEY, &[&key.id, &key.account_id, &key.pem]).await?;
    Ok(())
}

pub(super) async fn delete_keys(tx: &Tx, id: AccountId) -> Result<()> {
    tx.exec(DELETE_KEYS, &[&id]).await?;
    Ok(())
}

/// Whether posts of `id` have to be told elsewhere.
pub(crate) async fn mark_followed(tx: &Tx, id: AccountId, followed: bool) -> Result<()> {
    tx.exec(MARK_FOLLOWED, &[&id, &followed]).await?;
    Ok(())
}

/// (accounts on `host`, those of them that share `inbox`), among the first so many
pub(super) async fn sharers(conn: &Conn, (host, inbox): (&str, &str), limit: i64) -> Result<(i64, i64)> {
    conn.one(SHARERS, &[&host, &inbox, &limit]).await
}

/// Whoever of those that share `inbox` was read last.
pub async fn by_shared_inbox(conn: &Conn, inbox: &str) -> Result<Option<AccountId>> {
    Ok(conn.opt::<(AccountId,)>(BY_SHARED_INBOX, &[&name::of_address(inbox), &inbox]).await?.map(|(id,)| id))
}

/// Up to `limit` of those that share one inbox share another.
pub(super) async fn share_elsewhere(tx: &Tx, (from, to): (&str, &str), limit: i64) -> Result<u64> {
    tx.exec(SHARE_ELSEWHERE, &[&name::of_address(from), &from, &to, &limit]).await
}

pub async fn by_inbox(conn: &Conn, inbox: &str) -> Result<Option<AccountId>> {
    Ok(conn.opt::<(AccountId,)>(BY_INBOX, &[&name::of_address(inbox), &inbox]).await?.map(|(id,)| id))
}

pub(super) async fn domains(conn: &Conn, limit: i64) -> Result<Vec<String>> {
    Ok(conn.all::<(String,)>(DOMAINS, &[&limit]).await?.into_iter().map(|(domain,)| domain).collect())
}

pub(super) async fn count(conn: &Conn, domain: Option<&str>) -> Result<i64> {
    let (n,): (i64,) = conn.one(COUNT, &[&domain]).await?;
    Ok(n)
}

pub(super) async fn list(conn: &Conn, domain: Option<&str>, after: AccountId, limit: i64) -> Result<Vec<AccountId>> {
    Ok(conn.all::<(AccountId,)>(LIST, &[&domain, &after, &limit]).await?.into_iter().map(|(id,)| id).collect())
}
