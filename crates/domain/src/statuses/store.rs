//! Rows of statuses.

use super::Status;
use crate::{
    Result,
    db::{Conn, Ids},
    ids::StatusId,
    sql,
};

sql! {
    BY_ID = "SELECT ", Status::COLUMNS, " FROM statuses WHERE id = $1";
    BY_IDS = "SELECT ", Status::COLUMNS, " FROM statuses WHERE id = ANY($1)";
}

pub async fn by_id(conn: &Conn, id: StatusId) -> Result<Option<Status>> {
    conn.opt(BY_ID, &[&id]).await
}

pub async fn by_ids(conn: &Conn, ids: impl IntoIterator<Item = StatusId>) -> Result<Vec<Status>> {
    let ids = Ids::of(ids);
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    conn.all(BY_IDS, &[&ids]).await
}
