//! Rows of users.

use super::User;
use crate::{
    Result,
    db::{Conn, Param, Tx},
    ids::{AccountId, StatusId, UserId},
    sql,
};

const SQLITE_FORGET: &str = "DELETE FROM account_search WHERE rowid = $1";

sql! {
    BY_ID = "SELECT ", User::COLUMNS, " FROM users WHERE id = $1";
    BY_ACCOUNT = "SELECT ", User::COLUMNS, " FROM users WHERE account_id = $1";
    BY_EMAIL = "SELECT ", User::COLUMNS, " FROM users WHERE lower(email) = lower($1) AND email <> ''";
    LIST = "SELECT ", User::COLUMNS, " FROM users WHERE id > $1 ORDER BY id LIMIT $2";
    FIRST_OWNER = "SELECT ", User::COLUMNS, " FROM users WHERE role = 3 AND NOT disabled ORDER BY id LIMIT 1";
    WAITING = "SELECT ", User::COLUMNS, " FROM users WHERE NOT approved AND NOT disabled AND id > $1 ORDER BY id LIMIT $2";
    COUNT_WAITING = "SELECT COUNT(*) FROM users WHERE NOT approved AND NOT disabled";
    APPROVE = "UPDATE users SET approved = TRUE WHERE id = $1 AND NOT approved AND NOT disabled";
    REFUSE = "UPDATE users SET disabled = TRUE WHERE id = $1 AND NOT approved";
    ANY = "SELECT 1::bigint FROM users LIMIT 1";
    OTHER_OWNER = "SELECT 1::bigint FROM users u JOIN accounts a ON a.id = u.account_id \
        WHERE u.role = 3 AND NOT u.disabled AND a.suspended_at IS NULL AND u.id <> $1 LIMIT 1";
    INSERT = "INSERT INTO users (", User::COLUMNS, ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, \
        $15, $16, $17, $18, $19, $20) ON CONFLICT DO NOTHING";
    UPDATE = "UPDATE users SET email = $2, role = $3, locale = $4, confirmed_at = $5, approved = $6, disabled = $7 WHERE id = $1 \
        AND ($2 = '' OR NOT EXISTS (SELECT 1 FROM users o WHERE lower(o.email) = lower($2) AND o.email <> '' AND o.id <> $1))";
    UPDATE_PASSWORD = "UPDATE users SET password_hash = $2 WHERE id = $1";
    UPDATE_SEEN = "UPDATE users SET last_active_at = $2 WHERE id = $1";
    DISABLE = "UPDATE users SET disabled = TRUE WHERE id = $1";
    UNSUSPEND = "UPDATE accounts SET suspended_at = NULL WHERE id = $1";
    SILENCE = "UPDATE accounts SET silenced_at = COALESCE(silenced_at, $2::bigint) WHERE id = $1";
    UNSILENCE = "UPDATE accounts SET silenced_at = NULL WHERE id = $1";
    SUSPEND = "UPDATE accounts SET suspended_at = COALESCE(suspended_at, $2::bigint) WHERE id = $1";
    STATUSES = "SELECT id FROM statuses WHERE account_id = $1 ORDER BY id DESC LIMIT $2";
    MEDIA_KEYS = "SELECT upload, original, small FROM media_attachments WHERE account_id = $1";
    UNCOUNT_FOLLOWED = "UPDATE accounts SET followers_count = followers_count - 1 WHERE followers_count > 0 AND id IN \
        (SELECT target_id FROM follows WHERE account_id = $1)";
    UNCOUNT_FOLLOWERS = "UPDATE accounts SET following_count = following_count - 1 WHERE following_count > 0 AND id IN \
        (SELECT account_id FROM follows WHERE target_id = $1)";
    UNCOUNT_FAVOURITES = "UPDATE statuses SET favourites_count = favourites_count - 1 WHERE favourites_count > 0 AND id IN \
        (SELECT status_id FROM favourites WHERE account_id = $1)";
    DELETE_ACCOUNT = "DELETE FROM accounts WHERE id = $1";
}

pub async fn by_id(conn: &Conn, id: UserId) -> Result<Option<User>> {
    conn.opt(BY_ID, &[&id]).await
}

pub async fn by_account(conn: &Conn, id: AccountId) -> Result<Option<User>> {
    conn.opt(BY_ACCOUNT, &[&id]).await
}

/// Letter case does not matter.
pub(super) async fn by_email(conn: &Conn, email: &str) -> Result<Option<User>> {
    conn.opt(BY_EMAIL, &[&email]).await
}

pub(super) async fn list(conn: &Conn, after: UserId, limit: i64) -> Result<Vec<User>> {
    conn.all(LIST, &[&after, &limit]).await
}

pub(super) async fn unsuspend(tx: &Tx, id: AccountId) -> Result<()> {
    tx.exec(UNSUSPEND, &[&id]).await?;
    Ok(())
}

pub(super) async fn silence(tx: &Tx, id: AccountId) -> Result<()> {
    tx.exec(SILENCE, &[&id, &tx.now]).await?;
    Ok(())
}

pub(super) async fn unsilence(tx: &Tx, id: AccountId) -> Result<()> {
    tx.exec(UNSILENCE, &[&id]).await?;
    Ok(())
}

/// Who owns the site, the first of several.
pub(super) async fn first_owner(conn: &Conn) -> Result<Option<User>> {
    conn.opt(FIRST_OWNER, &[]).await
}

pub(super) async fn waiting(conn: &Conn, after: UserId, limit: i64) -> Result<Vec<User>> {
    conn.all(WAITING, &[&after, &limit]).await
}

pub(super) async fn count_waiting(conn: &Conn) -> Result<i64> {
    let (n,): (i64,) = conn.one(COUNT_WAITING, &[]).await?;
    Ok(n)
}

/// False when they do not wait.
pub(super) async fn approve(tx: &Tx, id: UserId) -> Result<bool> {
    Ok(tx.exec(APPROVE, &[&id]).await? > 0)
}

/// From now on they do not wait any more, and cannot be approved. False when they did not wait.
pub(super) async fn refuse(tx: &Tx, id: UserId) -> Result<bool> {
    Ok(tx.exec(REFUSE, &[&id]).await? > 0)
}

pub(super) async fn any(conn: &Conn) -> Result<bool> {
    conn.exists(ANY, &[]).await
}

/// Whether somebody else owns the site too.
pub(super) async fn other_owner(conn: &Conn, id: UserId) -> Result<bool> {
    conn.exists(OTHER_OWNER, &[&id]).await
}

/// False when the e-mail address is taken.
pub(super) async fn insert(tx: &Tx, u: &User) -> Result<bool> {
    let values: [&dyn Param; 20] = [
        &u.id,
        &u.account_id,
        &u.email,
        &u.password_hash,
        &u.role,
        &u.locale,
        &u.reason,
        &u.confirmed_at,
        &u.approved,
        &u.disabled,
        &u.default_visibility,
        &u.default_sensitive,
        &u.default_language,
        &u.default_quote_policy,
        &u.expand_media,
        &u.expand_spoilers,
        &u.autoplay_gifs,
        &u.created_at,
        &u.last_active_at,
        &u.default_content_type,
    ];
    Ok(tx.exec(INSERT, &values).await? > 0)
}

/// Writes what `modify` may change. False when the e-mail address is taken.
pub(super) async fn update(tx: &Tx, u: &User) -> Result<bool> {
    let values: [&dyn Param; 7] = [&u.id, &u.email, &u.role, &u.locale, &u.confirmed_at, &u.approved, &u.disabled];
    Ok(tx.exec(UPDATE, &values).await? > 0)
}

pub(super) async fn update_password(tx: &Tx, id: UserId, hash: &str) -> Result<bool> {
    Ok(tx.exec(UPDATE_PASSWORD, &[&id, &hash]).await? > 0)
}

pub(super) async fn update_seen(tx: &Tx, id: UserId) -> Result<()> {
    tx.exec(UPDATE_SEEN, &[&id, &tx.now]).await?;
    Ok(())
}

pub(super) async fn disable(tx: &Tx, id: UserId) -> Result<()> {
    tx.exec(DISABLE, &[&id]).await?;
    Ok(())
}

pub(crate) async fn suspend(tx: &Tx, id: AccountId) -> Result<()> {
    tx.exec(SUSPEND, &[&id, &tx.now]).await?;
    Ok(())
}

pub(crate) async fn statuses(conn: &Conn, id: AccountId, limit: i64) -> Result<Vec<StatusId>> {
    let rows: Vec<(StatusId,)> = conn.all(STATUSES, &[&id, &limit]).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Store keys of all files that were uploaded.
pub(super) async fn media_keys(conn: &Conn, id: AccountId) -> Result<Vec<String>> {
    type Keys = (Option<String>, Option<String>, Option<String>);
    let rows: Vec<Keys> = conn.all(MEDIA_KEYS, &[&id]).await?;
    Ok(rows.into_iter().flat_map(|(a, b, c)| [a, b, c]).flatten().collect())
}

/// Takes the account out of what others count.
pub(crate) async fn uncount(tx: &Tx, id: AccountId) -> Result<()> {
    for sql in [UNCOUNT_FOLLOWED, UNCOUNT_FOLLOWERS, UNCOUNT_FAVOURITES] {
        tx.exec(sql, &[&id]).await?;
    }
    Ok(())
}

/// Everything that belongs to the account goes with it, by foreign keys.
pub(crate) async fn delete_account(tx: &Tx, id: AccountId) -> Result<()> {
    if !tx.is_postgres() {
        tx.exec(SQLITE_FORGET, &[&id]).await?;
    }
    tx.exec(DELETE_ACCOUNT, &[&id]).await?;
    Ok(())
}
