//! Rows of sessions.

use super::Session;
use crate::{
    Result, Time,
    db::{Conn, Tx},
    ids::{SessionId, UserId},
    sql,
};

sql! {
    BY_HASH = "SELECT ", Session::COLUMNS, " FROM sessions WHERE token_hash = $1 AND expires_at > $2";
    OF_USER = "SELECT ", Session::COLUMNS, " FROM sessions WHERE user_id = $1 AND expires_at > $2 ORDER BY id DESC LIMIT $3";
    INSERT = "INSERT INTO sessions (", Session::COLUMNS, ", token_hash) VALUES ($1, $2, $3, $4, $5, $6)";
    DELETE = "DELETE FROM sessions WHERE user_id = $1 AND id = $2";
    DELETE_OF_USER = "DELETE FROM sessions WHERE user_id = $1 AND id <> $2";
    DELETE_OLDEST = "DELETE FROM sessions WHERE user_id = $1 AND id NOT IN \
        (SELECT id FROM sessions WHERE user_id = $1 ORDER BY id DESC LIMIT $2)";
    DELETE_EXPIRED = "DELETE FROM sessions WHERE expires_at <= $1";
    CHALLENGED = "SELECT user_id FROM sign_in_challenges WHERE token_hash = $1 AND expires_at > $2";
    INSERT_CHALLENGE = "INSERT INTO sign_in_challenges (user_id, token_hash, expires_at) VALUES ($1, $2, $3)";
    DELETE_CHALLENGE = "DELETE FROM sign_in_challenges WHERE token_hash = $1";
    DELETE_CHALLENGES = "DELETE FROM sign_in_challenges WHERE user_id = $1";
    DELETE_OLDEST_CHALLENGES = "DELETE FROM sign_in_challenges WHERE user_id = $1 AND token_hash NOT IN \
        (SELECT token_hash FROM sign_in_challenges WHERE user_id = $1 ORDER BY expires_at DESC LIMIT $2)";
    DELETE_EXPIRED_CHALLENGES = "DELETE FROM sign_in_challenges WHERE expires_at <= $1";
}

pub(super) async fn by_hash(conn: &Conn, hash: &str, now: Time) -> Result<Option<Session>> {
    conn.opt(BY_HASH, &[&hash, &now]).await
}

pub(super) async fn of_user(conn: &Conn, user: UserId, now: Time, limit: i64) -> Result<Vec<Session>> {
    conn.all(OF_USER, &[&user, &now, &limit]).await
}

pub(super) async fn insert(tx: &Tx, s: &Session, hash: &str) -> Result<()> {
    tx.exec(INSERT, &[&s.id, &s.user_id, &s.user_agent, &s.created_at, &s.expires_at, &hash]).await?;
    Ok(())
}

pub(super) async fn delete(tx: &Tx, user: UserId, id: SessionId) -> Result<bool> {
    Ok(tx.exec(DELETE, &[&user, &id]).await? > 0)
}

/// Ends all sessions of a user but `keep`.
pub(crate) async fn delete_of_user(tx: &Tx, user: UserId, keep: Option<SessionId>) -> Result<()> {
    tx.exec(DELETE_OF_USER, &[&user, &keep.unwrap_or(SessionId(0))]).await?;
    Ok(())
}

/// Leaves the newest `keep`.
pub(super) async fn delete_oldest(tx: &Tx, user: UserId, keep: i64) -> Result<()> {
    tx.exec(DELETE_OLDEST, &[&user, &keep]).await?;
    Ok(())
}

pub(super) async fn delete_expired(tx: &Tx) -> Result<u64> {
    tx.exec(DELETE_EXPIRED, &[&tx.now]).await
}

/// Whose code is waited for.
pub(super) async fn challenged(conn: &Conn, hash: &str, now: Time) -> Result<Option<UserId>> {
    Ok(conn.opt::<(UserId,)>(CHALLENGED, &[&hash, &now]).await?.map(|(user,)| user))
}

pub(super) async fn insert_challenge(tx: &Tx, (user, hash): (UserId, &str), until: Time) -> Result<()> {
    tx.exec(INSERT_CHALLENGE, &[&user, &hash, &until]).await?;
    Ok(())
}

pub(super) async fn delete_challenge(tx: &Tx, hash: &str) -> Result<bool> {
    Ok(tx.exec(DELETE_CHALLENGE, &[&hash]).await? > 0)
}

/// Whoever is in the middle of signing in as this user starts over.
pub(crate) async fn delete_challenges(tx: &Tx, user: UserId) -> Result<()> {
    tx.exec(DELETE_CHALLENGES, &[&user]).await?;
    Ok(())
}

/// Leaves the newest `keep`.
pub(super) async fn delete_oldest_challenges(tx: &Tx, user: UserId, keep: i64) -> Result<()> {
    tx.exec(DELETE_OLDEST_CHALLENGES, &[&user, &keep]).await?;
    Ok(())
}

pub(super) async fn delete_expired_challenges(tx: &Tx) -> Result<u64> {
    tx.exec(DELETE_EXPIRED_CHALLENGES, &[&tx.now]).await
}
