//! Rows of follows and of requests to follow.

use crate::{
    Result, Time,
    db::{Conn, Ids, Tx},
    ids::{AccountId, FollowId},
    page::Page,
    row, sql,
};

row! {
    /// `account_id` follows `target_id`, or asks to.
    pub struct Follow {
        pub id: FollowId,
        pub account_id: AccountId,
        pub target_id: AccountId,
        pub show_reblogs: bool,
        /// Tell of every new status.
        pub notify: bool,
        /// JSON of languages; None: all.
        pub languages_json: Option<String>,
        pub created_at: Time,
        /// Its name among servers, when one of the two is elsewhere.
        pub uri: Option<String>,
    }
}

const VALUES: &str = ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
const PAIR: &str = " WHERE account_id = $1 AND target_id = $2";
// What the viewer $5 does not want to see, or may not.
const SHOWN: &str = " AND a.suspended_at IS NULL AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.account_id = $5 AND b.target_id = a.id) \
     AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.account_id = a.id AND b.target_id = $5) \
     AND NOT EXISTS (SELECT 1 FROM mutes m WHERE m.account_id = $5 AND m.target_id = a.id AND (m.expires_at IS NULL OR m.expires_at > $6)) \
     ORDER BY f.id ";
const FOLLOWERS: &str = "SELECT f.id, f.account_id FROM follows f JOIN accounts a ON a.id = f.account_id \
     WHERE f.target_id = $1 AND f.id < $2 AND f.id > $3";
const FOLLOWING: &str = "SELECT f.id, f.target_id FROM follows f JOIN accounts a ON a.id = f.target_id \
     WHERE f.account_id = $1 AND f.id < $2 AND f.id > $3";
const REQUESTS: &str = "SELECT f.id, f.account_id FROM follow_requests f JOIN accounts a ON a.id = f.account_id \
     WHERE f.target_id = $1 AND f.id < $2 AND f.id > $3 AND a.suspended_at IS NULL ORDER BY f.id ";

sql! {
    FIND = "SELECT ", Follow::COLUMNS, " FROM follows", PAIR;
    FIND_REQUEST = "SELECT ", Follow::COLUMNS, " FROM follow_requests", PAIR;
    INSERT = "INSERT INTO follows (", Follow::COLUMNS, VALUES;
    INSERT_REQUEST = "INSERT INTO follow_requests (", Follow::COLUMNS, VALUES;
    UPDATE = "UPDATE follows SET show_reblogs = $2, notify = $3, languages_json = $4 WHERE id = $1";
    UPDATE_REQUEST = "UPDATE follow_requests SET show_reblogs = $2, notify = $3, languages_json = $4 WHERE id = $1";
    UPDATE_URI = "UPDATE follows SET uri = $2 WHERE id = $1";
    DELETE = "DELETE FROM follows", PAIR, " RETURNING ", Follow::COLUMNS;
    DELETE_REQUEST = "DELETE FROM follow_requests", PAIR, " RETURNING ", Follow::COLUMNS;
    FOLLOWERS_NEWEST = FOLLOWERS, SHOWN, "DESC LIMIT $4";
    FOLLOWERS_OLDEST = FOLLOWERS, SHOWN, "ASC LIMIT $4";
    FOLLOWING_NEWEST = FOLLOWING, SHOWN, "DESC LIMIT $4";
    FOLLOWING_OLDEST = FOLLOWING, SHOWN, "ASC LIMIT $4";
    REQUESTS_NEWEST = REQUESTS, "DESC LIMIT $4";
    REQUESTS_OLDEST = REQUESTS, "ASC LIMIT $4";
    ALL_REQUESTS = "SELECT ", Follow::COLUMNS, " FROM follow_requests WHERE target_id = $1 ORDER BY id LIMIT $2";
    COUNT_REQUESTS = "SELECT COUNT(*) FROM (SELECT f.id FROM follow_requests f JOIN accounts a ON a.id = f.account_id \
        WHERE f.target_id = $1 AND a.suspended_at IS NULL LIMIT 40) AS waiting";
    COUNT_ALL_REQUESTS = "SELECT COUNT(*) FROM (SELECT id FROM follow_requests WHERE target_id = $1 LIMIT $2) AS waiting";
    BY_URI = "SELECT account_id, target_id FROM follow_requests WHERE uri = $1 UNION ALL \
        SELECT account_id, target_id FROM follows WHERE uri = $1 LIMIT 1";
    CONCERNED = "SELECT target_id FROM follows WHERE target_id = ANY($1) UNION SELECT account_id FROM follows WHERE account_id = ANY($1)";
    IS_FOLLOWED_HERE = "SELECT 1::bigint FROM follows f JOIN users u ON u.account_id = f.account_id WHERE f.target_id = $1 LIMIT 1";
    FOLLOWER_URIS = "SELECT a.uri FROM follows f JOIN accounts a ON a.id = f.account_id \
        WHERE f.target_id = $1 AND a.suspended_at IS NULL ORDER BY f.id DESC LIMIT $3 OFFSET $2";
    FOLLOWING_URIS = "SELECT a.uri FROM follows f JOIN accounts a ON a.id = f.target_id \
        WHERE f.account_id = $1 AND a.suspended_at IS NULL ORDER BY f.id DESC LIMIT $3 OFFSET $2";
    // By what their names begin with.
    FOLLOWER_URIS_AT = "SELECT a.uri FROM follows f JOIN accounts a ON a.id = f.account_id WHERE f.target_id = $1 \
        AND a.suspended_at IS NULL AND SUBSTR(a.uri, 1, LENGTH($2)) = $2 ORDER BY f.id DESC LIMIT $3";
    FOLLOWS_AT = "SELECT 1::bigint FROM follows f JOIN accounts a ON a.id = f.target_id \
        WHERE f.account_id = $1 AND SUBSTR(a.uri, 1, LENGTH($2)) = $2 LIMIT 1";
    FOLLOWERS_HERE = "SELECT f.account_id, a.uri FROM follows f JOIN accounts a ON a.id = f.account_id \
        WHERE f.target_id = $1 AND a.domain IS NULL ORDER BY f.id LIMIT $2";
    IDS_OF_DOMAIN = "SELECT f.account_id, f.target_id FROM follows f JOIN accounts a ON a.id = f.target_id \
        WHERE f.account_id = $1 AND a.domain = $2 UNION SELECT f.account_id, f.target_id FROM follows f \
        JOIN accounts a ON a.id = f.account_id WHERE f.target_id = $1 AND a.domain = $2 \
        UNION SELECT r.account_id, r.target_id FROM follow_requests r JOIN accounts a ON a.id = r.target_id \
        WHERE r.account_id = $1 AND a.domain = $2 UNION SELECT r.account_id, r.target_id FROM follow_requests r \
        JOIN accounts a ON a.id = r.account_id WHERE r.target_id = $1 AND a.domain = $2 LIMIT $3";
}

pub async fn find(conn: &Conn, account: AccountId, target: AccountId) -> Result<Option<Follow>> {
    conn.opt(FIND, &[&account, &target]).await
}

pub(crate) async fn find_request(conn: &Conn, account: AccountId, target: AccountId) -> Result<Option<Follow>> {
    conn.opt(FIND_REQUEST, &[&account, &target]).await
}

/// False when there was one already.
pub(super) async fn insert(tx: &Tx, f: &Follow) -> Result<bool> {
    write(tx, INSERT, f).await
}

pub(super) async fn insert_request(tx: &Tx, f: &Follow) -> Result<bool> {
    write(tx, INSERT_REQUEST, f).await
}

async fn write(tx: &Tx, sql: &'static str, f: &Follow) -> Result<bool> {
    let row: crate::db::Params<'_> =
        &[&f.id, &f.account_id, &f.target_id, &f.show_reblogs, &f.notify, &f.languages_json, &f.created_at, &f.uri];
    Ok(tx.exec(sql, row).await? > 0)
}

pub(super) async fn update(tx: &Tx, f: &Follow) -> Result<()> {
    tx.exec(UPDATE, &[&f.id, &f.show_reblogs, &f.notify, &f.languages_json]).await?;
    Ok(())
}

pub(super) async fn update_request(tx: &Tx, f: &Follow) -> Result<()> {
    tx.exec(UPDATE_REQUEST, &[&f.id, &f.show_reblogs, &f.notify, &f.languages_json]).await?;
    Ok(())
}

/// The follow has another name among servers now: it was asked for once more.
pub(super) async fn update_uri(tx: &Tx, id: FollowId, uri: &str) -> Result<()> {
    tx.exec(UPDATE_URI, &[&id, &uri]).await?;
    Ok(())
}

/// What it was; None when there was none.
pub(super) async fn delete(tx: &Tx, account: AccountId, target: AccountId) -> Result<Option<Follow>> {
    tx.opt(DELETE, &[&account, &target]).await
}

/// What it was; None when there was none.
pub(super) async fn delete_request(tx: &Tx, account: AccountId, target: AccountId) -> Result<Option<Follow>> {
    tx.opt(DELETE_REQUEST, &[&account, &target]).await
}

type Rows = Result<Vec<(i64, AccountId)>>;

/// (follow, follower), in the order read.
pub(super) async fn list_followers(conn: &Conn, of: AccountId, viewer: Option<AccountId>, page: Page) -> Rows {
    let viewer = viewer.unwrap_or(AccountId(0));
    let sql = page.pick(FOLLOWERS_NEWEST, FOLLOWERS_OLDEST);
    conn.all(sql, &[&of, &page.before, &page.after, &page.limit, &viewer, &Time::now()]).await
}

/// (follow, followed), in the order read.
pub(super) async fn list_following(conn: &Conn, of: AccountId, viewer: Option<AccountId>, page: Page) -> Rows {
    let viewer = viewer.unwrap_or(AccountId(0));
    let sql = page.pick(FOLLOWING_NEWEST, FOLLOWING_OLDEST);
    conn.all(sql, &[&of, &page.before, &page.after, &page.limit, &viewer, &Time::now()]).await
}

/// (request, who asks), in the order read.
pub(super) async fn list_requests(conn: &Conn, me: AccountId, page: Page) -> Rows {
    let sql = page.pick(REQUESTS_NEWEST, REQUESTS_OLDEST);
    conn.all(sql, &[&me, &page.before, &page.after, &page.limit]).await
}

pub(super) async fn list_all_requests(conn: &Conn, me: AccountId, limit: i64) -> Result<Vec<Follow>> {
    conn.all(ALL_REQUESTS, &[&me, &limit]).await
}

pub(super) async fn count_requests(conn: &Conn, me: AccountId) -> Result<i64> {
    let (n,): (i64,) = conn.one(COUNT_REQUESTS, &[&me]).await?;
    Ok(n)
}

/// (follower, followed) between `me` and accounts of `domain`, either way; who only asked to is a follower, too.
pub(crate) async fn list_with_domain(
    conn: &Conn,
    me: AccountId,
    domain: &str,
    limit: i64,
) -> Result<Vec<(AccountId, AccountId)>> {
    conn.all(IDS_OF_DOMAIN, &[&me, &domain, &limit]).await
}

pub(super) async fn count_all_requests(conn: &Conn, me: AccountId, limit: i64) -> Result<i64> {
    let (n,): (i64,) = conn.one(COUNT_ALL_REQUESTS, &[&me, &limit]).await?;
    Ok(n)
}

pub(super) async fn by_uri(conn: &Conn, uri: &str) -> Result<Option<(AccountId, AccountId)>> {
    conn.opt(BY_URI, &[&uri]).await
}

pub(super) async fn concerned(conn: &Conn, accounts: &Ids) -> Result<Vec<AccountId>> {
    Ok(conn.all::<(AccountId,)>(CONCERNED, &[accounts]).await?.into_iter().map(|(id,)| id).collect())
}

pub(super) async fn is_followed_here(conn: &Conn, account: AccountId) -> Result<bool> {
    conn.exists(IS_FOLLOWED_HERE, &[&account]).await
}

pub(super) async fn follower_uris(conn: &Conn, of: AccountId, skip: i64, limit: i64) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = conn.all(FOLLOWER_URIS, &[&of, &skip, &limit]).await?;
    Ok(rows.into_iter().map(|(uri,)| uri).collect())
}

pub(super) async fn following_uris(conn: &Conn, of: AccountId, skip: i64, limit: i64) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = conn.all(FOLLOWING_URIS, &[&of, &skip, &limit]).await?;
    Ok(rows.into_iter().map(|(uri,)| uri).collect())
}

pub(super) async fn follower_uris_at(conn: &Conn, of: AccountId, place: &str, limit: i64) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = conn.all(FOLLOWER_URIS_AT, &[&of, &place, &limit]).await?;
    Ok(rows.into_iter().map(|(uri,)| uri).collect())
}

pub(super) async fn follows_at(conn: &Conn, account: AccountId, place: &str) -> Result<bool> {
    conn.exists(FOLLOWS_AT, &[&account, &place]).await
}

pub(super) async fn followers_here(conn: &Conn, of: AccountId, limit: i64) -> Result<Vec<(AccountId, String)>> {
    conn.all(FOLLOWERS_HERE, &[&of, &limit]).await
}
