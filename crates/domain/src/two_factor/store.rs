//! Rows of second factors and recovery codes.

use super::{Factor, Secret};
use crate::{
    Result,
    db::{Conn, Tx},
    ids::UserId,
    sql,
};

sql! {
    OF_USER = "SELECT ", Factor::COLUMNS, " FROM two_factor WHERE user_id = $1";
    ON = "SELECT 1::bigint FROM two_factor WHERE user_id = $1 AND enabled_at IS NOT NULL";
    PREPARE = "INSERT INTO two_factor (user_id, secret, last_step, created_at) VALUES ($1, $2, -1, $3) \
        ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at \
        WHERE two_factor.enabled_at IS NULL";
    // The secret may have been made anew meanwhile.
    ENABLE = "UPDATE two_factor SET enabled_at = $4, last_step = $3 WHERE user_id = $1 AND secret = $2 AND enabled_at IS NULL";
    USE_STEP = "UPDATE two_factor SET last_step = $2 WHERE user_id = $1 AND last_step < $2 AND enabled_at IS NOT NULL";
    DELETE = "DELETE FROM two_factor WHERE user_id = $1";
    INSERT_CODE = "INSERT INTO recovery_codes (user_id, code_hash) VALUES ($1, $2)";
    USE_CODE = "DELETE FROM recovery_codes WHERE user_id = $1 AND code_hash = $2";
    DELETE_CODES = "DELETE FROM recovery_codes WHERE user_id = $1";
    COUNT_CODES = "SELECT COUNT(*) FROM recovery_codes WHERE user_id = $1";
}

pub(super) async fn of_user(conn: &Conn, user: UserId) -> Result<Option<Factor>> {
    conn.opt(OF_USER, &[&user]).await
}

pub(super) async fn is_on(conn: &Conn, user: UserId) -> Result<bool> {
    conn.exists(ON, &[&user]).await
}

/// False when one is in force.
pub(super) async fn prepare(tx: &Tx, user: UserId, secret: &Secret) -> Result<bool> {
    Ok(tx.exec(PREPARE, &[&user, secret, &tx.now]).await? > 0)
}

/// False when it is in force already, or another one was prepared.
pub(super) async fn enable(tx: &Tx, factor: &Factor, step: i64) -> Result<bool> {
    Ok(tx.exec(ENABLE, &[&factor.user_id, &factor.secret, &step, &tx.now]).await? > 0)
}

/// False when a code of this step or a later one was used already: of two who try the same, one gets in.
pub(super) async fn use_step(tx: &Tx, user: UserId, step: i64) -> Result<bool> {
    Ok(tx.exec(USE_STEP, &[&user, &step]).await? > 0)
}

pub(super) async fn delete(tx: &Tx, user: UserId) -> Result<bool> {
    Ok(tx.exec(DELETE, &[&user]).await? > 0)
}

pub(super) async fn insert_code(tx: &Tx, user: UserId, hash: &str) -> Result<()> {
    tx.exec(INSERT_CODE, &[&user, &hash]).await?;
    Ok(())
}

/// False when there is no such code, or it was used.
pub(super) async fn use_code(tx: &Tx, user: UserId, hash: &str) -> Result<bool> {
    Ok(tx.exec(USE_CODE, &[&user, &hash]).await? > 0)
}

pub(super) async fn delete_codes(tx: &Tx, user: UserId) -> Result<()> {
    tx.exec(DELETE_CODES, &[&user]).await?;
    Ok(())
}

pub(super) async fn count_codes(conn: &Conn, user: UserId) -> Result<i64> {
    let (n,): (i64,) = conn.one(COUNT_CODES, &[&user]).await?;
    Ok(n)
}
