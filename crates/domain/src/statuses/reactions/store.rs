//! Rows of emoji on statuses.

use super::{Counted, Reaction};
use crate::{
    Result,
    db::{Conn, Ids, Tx},
    ids::{AccountId, FavouriteId, ReactionId, StatusId},
    sql,
};

sql! {
    INSERT = "INSERT INTO reactions (id, account_id, status_id, name, picture, favours, uri) \
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    NAMED = "SELECT status_id, name FROM reactions WHERE account_id = $1 AND uri = $2 LIMIT 1";
    DELETE = "DELETE FROM reactions WHERE id = $1";
    CLEAR = "DELETE FROM reactions WHERE status_id = $1 AND account_id = $2 RETURNING ", Reaction::COLUMNS;
    FAVOURS = "UPDATE reactions SET favours = TRUE WHERE id = $1";
    FAVOURITE_BY = "SELECT id FROM favourites WHERE account_id = $1 AND status_id = $2";
    OF = "SELECT ", Reaction::COLUMNS, " FROM reactions WHERE status_id = $1 AND account_id = $2 ORDER BY id LIMIT 100";
    LIST = "SELECT ", Reaction::COLUMNS, " FROM reactions WHERE status_id = $1 ORDER BY id LIMIT $2";
    IS_THERE = "SELECT 1::bigint FROM reactions WHERE status_id = $1 AND name = $2 LIMIT 1";
    NAMES = "SELECT COUNT(DISTINCT name) FROM reactions WHERE status_id = $1";
    COUNTED = "SELECT status_id, name, COALESCE(MAX(picture), ''), COUNT(*), \
        MAX(CASE WHEN account_id = $1 THEN 1::bigint ELSE 0::bigint END) FROM reactions \
        WHERE status_id = ANY($2) AND (SELECT a.suspended_at FROM accounts a WHERE a.id = reactions.account_id) IS NULL \
        GROUP BY status_id, name ORDER BY status_id, MIN(id)";
}

/// False when it is there already. `uri`: what another server calls it.
pub(super) async fn insert(tx: &Tx, (status, uri): (StatusId, Option<&str>), r: &Reaction) -> Result<bool> {
    Ok(tx.exec(INSERT, &[&r.id, &r.account_id, &status, &r.name, &r.picture, &r.favours, &uri]).await? > 0)
}

pub(super) async fn named(conn: &Conn, who: AccountId, uri: &str) -> Result<Option<(StatusId, String)>> {
    conn.opt(NAMED, &[&who, &uri]).await
}

pub(super) async fn delete(tx: &Tx, id: ReactionId) -> Result<()> {
    tx.exec(DELETE, &[&id]).await?;
    Ok(())
}

/// What was there.
pub(super) async fn clear(tx: &Tx, who: AccountId, id: StatusId) -> Result<Vec<Reaction>> {
    tx.all(CLEAR, &[&id, &who]).await
}

pub(super) async fn favours(tx: &Tx, id: ReactionId) -> Result<()> {
    tx.exec(FAVOURS, &[&id]).await?;
    Ok(())
}

pub(super) async fn of(conn: &Conn, who: AccountId, id: StatusId) -> Result<Vec<Reaction>> {
    conn.all(OF, &[&id, &who]).await
}

/// The first of them.
pub(super) async fn list(conn: &Conn, id: StatusId, limit: i64) -> Result<Vec<Reaction>> {
    conn.all(LIST, &[&id, &limit]).await
}

pub(super) async fn is_there(conn: &Conn, id: StatusId, name: &str) -> Result<bool> {
    conn.exists(IS_THERE, &[&id, &name]).await
}

/// How many different ones.
pub(super) async fn names(conn: &Conn, id: StatusId) -> Result<i64> {
    let (count,): (i64,) = conn.one(NAMES, &[&id]).await?;
    Ok(count)
}

pub(super) async fn counted(conn: &Conn, viewer: AccountId, statuses: Ids) -> Result<Vec<Counted>> {
    conn.all(COUNTED, &[&viewer, &statuses]).await
}

/// The favourite of `who`, with an emoji or by itself.
pub(super) async fn favourite_by(conn: &Conn, who: AccountId, id: StatusId) -> Result<Option<FavouriteId>> {
    Ok(conn.opt::<(FavouriteId,)>(FAVOURITE_BY, &[&who, &id]).await?.map(|(id,)| id))
}
