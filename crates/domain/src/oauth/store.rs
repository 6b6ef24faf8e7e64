//! Rows of applications, codes and tokens.

use super::{App, Authorised, Issued, codes::Code, tokens::TokenRow};
use crate::{
    Result, Time,
    db::{Conn, Ids, Tx},
    ids::{AppId, TokenId, UserId},
    sql,
};

sql! {
    APP_BY_ID = "SELECT ", App::COLUMNS, " FROM oauth_apps WHERE id = $1";
    APP_BY_CLIENT_ID = "SELECT ", App::COLUMNS, " FROM oauth_apps WHERE client_id = $1";
    NAMES = "SELECT id, name, website FROM oauth_apps WHERE id = ANY($1)";
    INSERT_APP = "INSERT INTO oauth_apps (", App::COLUMNS, ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    MARK_USED = "UPDATE oauth_apps SET used = TRUE WHERE id = $1 AND NOT used";
    DELETE_UNUSED_APPS = "DELETE FROM oauth_apps WHERE NOT used AND created_at < $1";
    INSERT_CODE = "INSERT INTO oauth_codes (", Code::COLUMNS, ", code_hash) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    TAKE_CODE = "DELETE FROM oauth_codes WHERE code_hash = $1 RETURNING ", Code::COLUMNS;
    DELETE_EXPIRED_CODES = "DELETE FROM oauth_codes WHERE expires_at <= $1";
    DELETE_CODES_OF_USER = "DELETE FROM oauth_codes WHERE user_id = $1";
    TOKEN_BY_HASH = "SELECT t.id, t.app_id, t.scopes, u.id, u.account_id, u.approved, u.disabled, u.confirmed_at, u.last_active_at, \
        a.suspended_at, a.moved_to_id FROM oauth_tokens t LEFT JOIN users u ON u.id = t.user_id LEFT JOIN accounts a ON a.id = u.account_id \
        WHERE t.token_hash = $1";
    INSERT_TOKEN = "INSERT INTO oauth_tokens (id, token_hash, app_id, user_id, scopes, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
    DELETE_TOKEN = "DELETE FROM oauth_tokens WHERE id = $1";
    DELETE_OF_USER = "DELETE FROM oauth_tokens WHERE user_id = $1 RETURNING id";
    DELETE_WITH_SIBLINGS = "DELETE FROM oauth_tokens WHERE user_id = $1 AND (id = $2 OR app_id = \
        (SELECT app_id FROM oauth_tokens WHERE user_id = $1 AND id = $2)) RETURNING id";
    OF_USER = "SELECT id FROM oauth_tokens WHERE user_id = $1";
    AUTHORISED = "SELECT ", Authorised::FROM_BOTH, " FROM oauth_tokens t LEFT JOIN oauth_apps a ON a.id = t.app_id \
        WHERE t.user_id = $1 ORDER BY t.id DESC LIMIT $2";
}

pub(super) async fn app_by_id(conn: &Conn, id: AppId) -> Result<Option<App>> {
    conn.opt(APP_BY_ID, &[&id]).await
}

pub(super) async fn app_by_client_id(conn: &Conn, client_id: &str) -> Result<Option<App>> {
    // PostgreSQL cannot even compare a text with a NUL.
    if client_id.contains('\0') {
        return Ok(None);
    }
    conn.opt(APP_BY_CLIENT_ID, &[&client_id]).await
}

pub(super) async fn names(conn: &Conn, ids: &[AppId]) -> Result<Vec<(AppId, String, Option<String>)>> {
    conn.all(NAMES, &[&Ids::of(ids.iter().copied())]).await
}

pub(super) async fn insert_app(tx: &Tx, a: &App) -> Result<()> {
    let values: [&dyn crate::db::Param; 8] =
        [&a.id, &a.client_id, &a.secret_hash, &a.name, &a.website, &a.redirect_uris, &a.scopes, &a.created_at];
    tx.exec(INSERT_APP, &values).await?;
    Ok(())
}

/// From now on the application is kept.
pub(super) async fn mark_used(tx: &Tx, id: AppId) -> Result<()> {
    tx.exec(MARK_USED, &[&id]).await?;
    Ok(())
}

pub(super) async fn delete_unused_apps(tx: &Tx, before: Time) -> Result<u64> {
    tx.exec(DELETE_UNUSED_APPS, &[&before]).await
}

pub(super) async fn insert_code(tx: &Tx, c: &Code, hash: &str) -> Result<()> {
    let values: [&dyn crate::db::Param; 7] =
        [&c.app_id, &c.user_id, &c.scopes, &c.redirect_uri, &c.challenge, &c.expires_at, &hash];
    tx.exec(INSERT_CODE, &values).await?;
    Ok(())
}

/// The code, which is gone with this: only one gets it.
pub(super) async fn take_code(tx: &Tx, hash: &str) -> Result<Option<Code>> {
    tx.opt(TAKE_CODE, &[&hash]).await
}

pub(super) async fn delete_expired_codes(tx: &Tx) -> Result<u64> {
    tx.exec(DELETE_EXPIRED_CODES, &[&tx.now]).await
}

pub(crate) async fn delete_codes_of_user(tx: &Tx, user: UserId) -> Result<()> {
    tx.exec(DELETE_CODES_OF_USER, &[&user]).await?;
    Ok(())
}

pub(super) async fn token_by_hash(conn: &Conn, hash: &str) -> Result<Option<TokenRow>> {
    conn.opt(TOKEN_BY_HASH, &[&hash]).await
}

pub(super) async fn insert_token(tx: &Tx, issued: &Issued, (app, user): (Option<AppId>, Option<UserId>)) -> Result<()> {
    let hash = crate::secrets::hash(&issued.token);
    tx.exec(INSERT_TOKEN, &[&issued.id, &hash, &app, &user, &issued.scopes.to_string(), &issued.created_at]).await?;
    Ok(())
}

pub(super) async fn delete_token(tx: &Tx, id: TokenId) -> Result<()> {
    tx.exec(DELETE_TOKEN, &[&id]).await?;
    Ok(())
}

/// Which were deleted.
pub(crate) async fn delete_of_user(tx: &Tx, user: UserId) -> Result<Vec<TokenId>> {
    Ok(only(tx.all(DELETE_OF_USER, &[&user]).await?))
}

/// Deletes a token and the user's others of the same application. Which were deleted.
pub(super) async fn delete_with_siblings(tx: &Tx, user: UserId, id: TokenId) -> Result<Vec<TokenId>> {
    Ok(only(tx.all(DELETE_WITH_SIBLINGS, &[&user, &id]).await?))
}

pub(crate) async fn token_ids(conn: &Conn, user: UserId) -> Result<Vec<TokenId>> {
    Ok(only(conn.all(OF_USER, &[&user]).await?))
}

fn only<T>(rows: Vec<(T,)>) -> Vec<T> {
    rows.into_iter().map(|(value,)| value).collect()
}

pub(super) async fn authorised(conn: &Conn, user: UserId, limit: i64) -> Result<Vec<Authorised>> {
    conn.all(AUTHORISED, &[&user, &limit]).await
}
