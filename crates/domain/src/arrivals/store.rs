//! Rows of what arrived.

use super::Arrival;
use crate::{
    Result, Time,
    db::{Conn, Ids, Tx},
    ids::ArrivalId,
    sql,
};

sql! {
    INSERT = "INSERT INTO arrivals (id, uri, account_id, body, arrived_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    BY_ID = "SELECT ", Arrival::COLUMNS, " FROM arrivals WHERE id = $1";
    CLEAR = "UPDATE arrivals SET body = NULL WHERE id = ANY($1)";
    PRUNE = "DELETE FROM arrivals WHERE id IN \
        (SELECT id FROM arrivals WHERE arrived_at < $1 AND body IS NULL ORDER BY arrived_at LIMIT $2)";
}

/// False when there is one of this name from the same signer.
pub(super) async fn insert(tx: &Tx, a: &Arrival) -> Result<bool> {
    Ok(tx.exec(INSERT, &[&a.id, &a.uri, &a.account_id, &a.body, &tx.now]).await? > 0)
}

pub(super) async fn by_id(conn: &Conn, id: ArrivalId) -> Result<Option<Arrival>> {
    conn.opt(BY_ID, &[&id]).await
}

pub(super) async fn clear(tx: &Tx, ids: Ids) -> Result<()> {
    tx.exec(CLEAR, &[&ids]).await?;
    Ok(())
}

/// Up to `limit` of them.
pub(super) async fn prune(tx: &Tx, before: Time, limit: i64) -> Result<u64> {
    tx.exec(PRUNE, &[&before, &limit]).await
}
