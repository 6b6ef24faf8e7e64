//! Rows of invites.

use super::Invite;
use crate::{
    Result, Time,
    db::{Conn, Tx},
    ids::InviteId,
    sql,
};

sql! {
    LIST = "SELECT ", Invite::COLUMNS, " FROM invites ORDER BY id DESC LIMIT $1";
    COUNT = "SELECT COUNT(*) FROM invites";
    BY_CODE = "SELECT ", Invite::COLUMNS, " FROM invites WHERE code = $1";
    INSERT = "INSERT INTO invites (", Invite::COLUMNS, ") VALUES ($1, $2, $3, $4, $5, $6, $7)";
    TAKE = "UPDATE invites SET uses = uses + 1 WHERE code = $1 AND (max_uses IS NULL OR uses < max_uses) \
        AND (expires_at IS NULL OR expires_at > $2)";
    DELETE = "DELETE FROM invites WHERE id = $1";
    DELETE_BY_CODE = "DELETE FROM invites WHERE code = $1";
    DELETE_OVER = "DELETE FROM invites WHERE expires_at <= $1 OR (uses >= max_uses AND created_at <= $1)";
}

pub(super) async fn list(conn: &Conn, limit: i64) -> Result<Vec<Invite>> {
    conn.all(LIST, &[&limit]).await
}

pub(super) async fn count(conn: &Conn) -> Result<i64> {
    let (n,): (i64,) = conn.one(COUNT, &[]).await?;
    Ok(n)
}

pub(super) async fn by_code(conn: &Conn, code: &str) -> Result<Option<Invite>> {
    conn.opt(BY_CODE, &[&code]).await
}

pub(super) async fn insert(tx: &Tx, i: &Invite) -> Result<()> {
    tx.exec(INSERT, &[&i.id, &i.code, &i.user_id, &i.uses, &i.max_uses, &i.expires_at, &i.created_at]).await?;
    Ok(())
}

/// False when it is not there, used up or over: of two who take the last use one gets it.
pub(super) async fn take(tx: &Tx, code: &str) -> Result<bool> {
    Ok(tx.exec(TAKE, &[&code, &tx.now]).await? > 0)
}

pub(super) async fn delete(tx: &Tx, id: InviteId) -> Result<bool> {
    Ok(tx.exec(DELETE, &[&id]).await? > 0)
}

pub(super) async fn delete_by_code(tx: &Tx, code: &str) -> Result<bool> {
    Ok(tx.exec(DELETE_BY_CODE, &[&code]).await? > 0)
}

pub(super) async fn delete_over(tx: &Tx, before: Time) -> Result<u64> {
    tx.exec(DELETE_OVER, &[&before]).await
}
