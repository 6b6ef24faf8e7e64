//! Rows of what is gone.

use crate::{
    Result, Time,
    db::{Conn, Tx},
    sql,
};

sql! {
    PUT = "INSERT INTO tombstones (uri, gone_at) VALUES ($1, $2) ON CONFLICT (uri) DO UPDATE SET gone_at = excluded.gone_at";
    EXISTS = "SELECT 1::bigint FROM tombstones WHERE uri = $1";
    DELETE = "DELETE FROM tombstones WHERE uri = $1 RETURNING gone_at";
    PRUNE = "DELETE FROM tombstones WHERE uri IN \
        (SELECT uri FROM tombstones WHERE gone_at < $1 ORDER BY gone_at LIMIT $2)";
    PUT_NAME = "INSERT INTO former_names (name, gone_at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    NAME_EXISTS = "SELECT 1::bigint FROM former_names WHERE name = $1";
    DELETE_NAME = "DELETE FROM former_names WHERE name = $1";
}

pub(super) async fn put(tx: &Tx, uri: &str) -> Result<()> {
    tx.exec(PUT, &[&uri, &tx.now]).await?;
    Ok(())
}

pub(super) async fn exists(conn: &Conn, uri: &str) -> Result<bool> {
    conn.exists(EXISTS, &[&uri]).await
}

/// Whether there was one of after `since`.
pub(super) async fn delete(tx: &Tx, uri: &str, since: Time) -> Result<bool> {
    Ok(tx.opt::<(Time,)>(DELETE, &[&uri]).await?.is_some_and(|(at,)| at > since))
}

pub(super) async fn put_name(tx: &Tx, name: &str) -> Result<()> {
    tx.exec(PUT_NAME, &[&name, &tx.now]).await?;
    Ok(())
}

pub(super) async fn name_exists(conn: &Conn, name: &str) -> Result<bool> {
    conn.exists(NAME_EXISTS, &[&name]).await
}

pub(super) async fn delete_name(tx: &Tx, name: &str) -> Result<()> {
    tx.exec(DELETE_NAME, &[&name]).await?;
    Ok(())
}

pub(super) async fn prune(tx: &Tx, before: Time, limit: i64) -> Result<u64> {
    tx.exec(PRUNE, &[&before, &limit]).await
}
