//! Rows of accounts.

use super::{Account, Defaults, Search};
use crate::{
    Result,
    db::{Conn, Ids, Texts, Tx},
    ids::AccountId,
    sql,
    text::{
        self,
        search::{fts5, index_tokens, index_tsvector, tsquery},
    },
    users::Role,
};

const PRESENT: &str = "NOT EXISTS (SELECT 1 FROM users u WHERE u.account_id = accounts.id \
     AND (u.confirmed_at IS NULL OR NOT u.approved))";

// Searching: FTS5 on one engine, tsvector on the other. Parameters: words, viewer (or 0), only whom they follow,
// the exact name in lower case, limit, offset.
// Limited accounts are found by who follows them and by who knows their name.
const SEARCH_WHERE: &str = ") AND suspended_at IS NULL AND moved_to_id IS NULL AND (NOT $3::boolean OR EXISTS (SELECT 1 \
     FROM follows f WHERE f.account_id = $2 AND f.target_id = accounts.id)) AND (silenced_at IS NULL OR id = $2 \
     OR lower(username) = $4 OR EXISTS (SELECT 1 FROM follows f WHERE f.account_id = $2 AND f.target_id = accounts.id)) AND ";
const SEARCH_ORDER: &str = " ORDER BY CASE WHEN lower(username) <> $4 THEN 2 WHEN domain IS NULL THEN 0 ELSE 1 END, \
     CASE WHEN EXISTS (SELECT 1 FROM follows f WHERE f.account_id = $2 AND f.target_id = accounts.id) \
     OR EXISTS (SELECT 1 FROM follows f WHERE f.target_id = $2 AND f.account_id = accounts.id) THEN 0 ELSE 1 END, \
     followers_count DESC, id LIMIT $5 OFFSET $6";
// A word that half the accounts have is not sorted whole: so many candidates are looked at.
const SQLITE_SEARCH: &str = const_format::concatcp!(
    "SELECT ",
    Account::COLUMNS,
    " FROM accounts WHERE id IN (SELECT rowid FROM account_search WHERE account_search MATCH $1 LIMIT 2000",
    SEARCH_WHERE,
    PRESENT,
    SEARCH_ORDER
);
const POSTGRES_SEARCH: &str = const_format::concatcp!(
    "SELECT ",
    Account::COLUMNS,
    " FROM accounts WHERE id IN (SELECT id FROM account_search WHERE words @@ $1::text::tsquery LIMIT 2000",
    SEARCH_WHERE,
    PRESENT,
    SEARCH_ORDER
);
const SQLITE_INDEX: &str = "INSERT INTO account_search (rowid, words) VALUES ($1, $2)";
const SQLITE_FORGET: &str = "DELETE FROM account_search WHERE rowid = $1";
const POSTGRES_INDEX: &str = "INSERT INTO account_search (id, words) VALUES ($1, $2::text::tsvector) \
     ON CONFLICT (id) DO UPDATE SET words = excluded.words";

sql! {
    BY_ID = "SELECT ", Account::COLUMNS, " FROM accounts WHERE id = $1";
    BY_IDS = "SELECT ", Account::COLUMNS, " FROM accounts WHERE id = ANY($1)";
    BY_HANDLE = "SELECT ", Account::COLUMNS, " FROM accounts WHERE lower(username) = lower($1) AND COALESCE(domain, '') = $2";
    BY_HANDLES = "SELECT ", Account::COLUMNS, " FROM accounts WHERE lower(username) = ANY($1) AND COALESCE(domain, '') = ANY($2)";
    // Sign-ups that wait for something are nobody yet.
    VISIBLE = "SELECT ", Account::COLUMNS, " FROM accounts WHERE id = ANY($1) AND ", PRESENT;
    INSERT = "INSERT INTO accounts (", Account::COLUMNS, ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, \
        $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33) ON CONFLICT DO NOTHING";
    NAMING = "SELECT ", Account::COLUMNS, " FROM accounts \
        WHERE avatar = ANY($1) OR avatar_static = ANY($1) OR header = ANY($1) OR header_static = ANY($1)";
    UPDATE_PROFILE = "UPDATE accounts SET display_name = $2, note = $3, note_html = $4, avatar = $5, avatar_static = $6, \
        header = $7, header_static = $8, avatar_description = $9, header_description = $10, fields_json = $11, \
        emojis_json = $12, kind = $13, locked = $14, discoverable = $15, indexable = $16, hide_collections = $17, \
        attribution_domains_json = $18 WHERE id = $1";
    UPDATE_DEFAULTS = "UPDATE users SET default_visibility = COALESCE($2::bigint, default_visibility), \
        default_sensitive = COALESCE($3::boolean, default_sensitive), \
        default_language = CASE WHEN $4::text IS NULL THEN default_language WHEN $4 = '' THEN NULL ELSE $4 END, \
        default_quote_policy = COALESCE($5::bigint, default_quote_policy), \
        default_content_type = COALESCE($6::bigint, default_content_type) WHERE account_id = $1";
    // Written, the row of somebody whom many follow at once would be there a thousand times until PostgreSQL tidies up.
    LOCK = "SELECT 1::bigint FROM accounts WHERE id = $1 FOR NO KEY UPDATE";
    // Of accounts elsewhere these are what their servers say: perhaps less than is known here.
    COUNT_FOLLOWERS = "UPDATE accounts SET followers_count = CASE WHEN followers_count + $2::bigint < 0 THEN 0 \
        ELSE followers_count + $2::bigint END WHERE id = $1";
    COUNT_FOLLOWING = "UPDATE accounts SET following_count = CASE WHEN following_count + $2::bigint < 0 THEN 0 \
        ELSE following_count + $2::bigint END WHERE id = $1";
    UPDATE_ROLE = "UPDATE accounts SET role = $2 WHERE id = $1";
    COUNT_STATUS = "UPDATE accounts SET statuses_count = CASE WHEN statuses_count + $2::bigint < 0 THEN 0 \
        ELSE statuses_count + $2::bigint END, \
        last_status_at = CASE WHEN $2::bigint > 0 THEN $3::bigint ELSE last_status_at END WHERE id = $1";
}

pub async fn by_id(conn: &Conn, id: AccountId) -> Result<Option<Account>> {
    conn.opt(BY_ID, &[&id]).await
}

pub async fn by_ids(conn: &Conn, ids: impl IntoIterator<Item = AccountId>) -> Result<Vec<Account>> {
    let ids = Ids::of(ids);
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    conn.all(BY_IDS, &[&ids]).await
}

/// Those that name one of these files. Looks through all there are.
pub async fn naming(conn: &Conn, keys: &[String]) -> Result<Vec<Account>> {
    conn.all(NAMING, &[&Texts(keys.to_vec())]).await
}

/// `domain` None: local. Letter case does not matter.
pub async fn by_handle(conn: &Conn, username: &str, domain: Option<&str>) -> Result<Option<Account>> {
    conn.opt(BY_HANDLE, &[&username, &domain.unwrap_or_default()]).await
}

/// Those of the handles that are known, in the order asked for.
pub(crate) async fn by_handles(conn: &Conn, handles: &[text::Handle]) -> Result<Vec<Account>> {
    if handles.is_empty() {
        return Ok(Vec::new());
    }
    let names = Texts(handles.iter().map(|h| h.username.to_ascii_lowercase()).collect());
    let domains = Texts(handles.iter().map(|h| h.domain.clone().unwrap_or_default()).collect());
    let found: Vec<Account> = conn.all(BY_HANDLES, &[&names, &domains]).await?;
    let key = |a: &Account| (a.username.to_ascii_lowercase(), a.domain.clone());
    let mut by_key: std::collections::HashMap<_, _> = found.into_iter().map(|a| (key(&a), a)).collect();
    Ok(handles.iter().filter_map(|h| by_key.remove(&(h.username.to_ascii_lowercase(), h.domain.clone()))).collect())
}

/// One status more (`by` 1) or less (-1).
pub(crate) async fn count_status(tx: &Tx, id: AccountId, by: i64) -> Result<()> {
    tx.exec(COUNT_STATUS, &[&id, &by, &tx.now]).await?;
    Ok(())
}

pub(super) async fn visible(conn: &Conn, ids: &[AccountId]) -> Result<Vec<Account>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    conn.all(VISIBLE, &[&Ids::of(ids.iter().copied())]).await
}

/// False when there is one of this name or this address already.
pub(super) async fn insert(tx: &Tx, a: &Account) -> Result<bool> {
    let values: [&dyn crate::db::Param; 33] = [
        &a.id,
        &a.username,
        &a.domain,
        &a.display_name,
        &a.note,
        &a.note_html,
        &a.uri,
        &a.url,
        &a.avatar,
        &a.avatar_static,
        &a.header,
        &a.header_static,
        &a.avatar_description,
        &a.header_description,
        &a.fields_json,
        &a.emojis_json,
        &a.kind,
        &a.locked,
        &a.discoverable,
        &a.indexable,
        &a.hide_collections,
        &a.memorial,
        &a.attribution_domains_json,
        &a.moved_to_id,
        &a.statuses_count,
        &a.followers_count,
        &a.following_count,
        &a.created_at,
        &a.last_status_at,
        &a.silenced_at,
        &a.suspended_at,
        &a.has_remote_followers,
        &a.role,
    ];
    Ok(tx.exec(INSERT, &values).await? > 0)
}

/// Writes what `update_profile` may change.
pub(super) async fn update_profile(tx: &Tx, a: &Account) -> Result<()> {
    let values: [&dyn crate::db::Param; 18] = [
        &a.id,
        &a.display_name,
        &a.note,
        &a.note_html,
        &a.avatar,
        &a.avatar_static,
        &a.header,
        &a.header_static,
        &a.avatar_description,
        &a.header_description,
        &a.fields_json,
        &a.emojis_json,
        &a.kind,
        &a.locked,
        &a.discoverable,
        &a.indexable,
        &a.hide_collections,
        &a.attribution_domains_json,
    ];
    tx.exec(UPDATE_PROFILE, &values).await?;
    Ok(())
}

/// Writes those of the posting defaults that are given.
pub(super) async fn update_defaults(tx: &Tx, id: AccountId, defaults: &Defaults) -> Result<()> {
    let Defaults { visibility, sensitive, language, quote_policy, content_type } = defaults;
    tx.exec(UPDATE_DEFAULTS, &[&id, visibility, sensitive, language, quote_policy, content_type]).await?;
    Ok(())
}

/// Holds off others who change what two accounts are to each other, until this transaction ends.
pub(crate) async fn lock_pair(tx: &Tx, a: AccountId, b: AccountId) -> Result<()> {
    tx.exists(LOCK, &[&a.min(b)]).await?;
    Ok(())
}

/// `follower` follows one more (`by` 1) or less (-1), and `followee` is followed by one more or less.
pub(crate) async fn count_follow(tx: &Tx, follower: AccountId, followee: AccountId, by: i64) -> Result<()> {
    let mut updates = [(follower, COUNT_FOLLOWING), (followee, COUNT_FOLLOWERS)];
    // Always the lower id first, so that two of these cannot wait for each other.
    updates.sort_by_key(|(id, _)| *id);
    for (id, sql) in updates {
        tx.exec(sql, &[&id, &by]).await?;
    }
    Ok(())
}

/// Part of writing the user's role.
pub(crate) async fn update_role(tx: &Tx, id: AccountId, role: Role) -> Result<()> {
    tx.exec(UPDATE_ROLE, &[&id, &role]).await?;
    Ok(())
}

/// Makes the account findable by `words` and by nothing else.
pub(super) async fn put_words(tx: &Tx, id: AccountId, words: &str) -> Result<()> {
    if tx.is_postgres() {
        tx.exec(POSTGRES_INDEX, &[&id, &index_tsvector(words)]).await?;
    } else {
        tx.exec(SQLITE_FORGET, &[&id]).await?;
        tx.exec(SQLITE_INDEX, &[&id, &index_tokens(words)]).await?;
    }
    Ok(())
}

pub(super) async fn search(conn: &Conn, search: &Search<'_>, terms: &[text::search::Term]) -> Result<Vec<Account>> {
    let (sql, words) =
        if conn.is_postgres() { (POSTGRES_SEARCH, tsquery(terms)) } else { (SQLITE_SEARCH, fts5(terms)) };
    let Some(words) = words else { return Ok(Vec::new()) };
    let viewer = search.viewer.unwrap_or(AccountId(0));
    let name = search.typed().to_lowercase().replace('\0', "");
    conn.all(sql, &[&words, &viewer, &search.following, &name, &search.limit, &search.offset]).await
}
