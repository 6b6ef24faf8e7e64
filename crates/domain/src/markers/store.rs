//! Rows of markers.

use super::Marker;
use crate::{
    Result,
    db::{Conn, Tx},
    ids::AccountId,
    sql,
};

sql! {
    LIST = "SELECT ", Marker::COLUMNS, " FROM markers WHERE account_id = $1 ORDER BY timeline";
    UPSERT = "INSERT INTO markers (account_id, timeline, last_read_id, version, updated_at) VALUES ($1, $2, $3, 1, $4) \
        ON CONFLICT (account_id, timeline) DO UPDATE SET last_read_id = excluded.last_read_id, \
        version = markers.version + 1, updated_at = excluded.updated_at";
}

pub(super) async fn list(conn: &Conn, owner: AccountId) -> Result<Vec<Marker>> {
    conn.all(LIST, &[&owner]).await
}

pub(super) async fn upsert(tx: &Tx, owner: AccountId, timeline: &str, last_read_id: i64) -> Result<()> {
    tx.exec(UPSERT, &[&owner, &timeline, &last_read_id, &tx.now]).await?;
    Ok(())
}
