//! Rows of media attachments.

use super::Attachment;
use crate::{
    Result,
    db::{Conn, Ids, Tx},
    ids::{AccountId, MediaId, StatusId},
    sql,
};

sql! {
    BY_ID = "SELECT ", Attachment::COLUMNS, " FROM media_attachments WHERE id = $1";
    BY_IDS = "SELECT ", Attachment::COLUMNS, " FROM media_attachments WHERE id = ANY($1)";
    BY_STATUSES = "SELECT ", Attachment::COLUMNS, " FROM media_attachments WHERE status_id = ANY($1) ORDER BY status_id, position, id";
    ATTACH = "UPDATE media_attachments SET status_id = $1, position = $2 WHERE id = $3 AND account_id = $4 AND state = 1 \
        AND (status_id IS NULL OR status_id = $1)";
    DETACH = "UPDATE media_attachments SET status_id = NULL WHERE status_id = $1 AND id <> ALL($2)";
    UPDATE_DESCRIPTION = "UPDATE media_attachments SET description = $2 WHERE id = $1";
    UPDATE_FOCUS = "UPDATE media_attachments SET focus_x = $2, focus_y = $3 WHERE id = $1";
    DELETE = "DELETE FROM media_attachments WHERE id = $1";
}

pub async fn by_id(conn: &Conn, id: MediaId) -> Result<Option<Attachment>> {
    conn.opt(BY_ID, &[&id]).await
}

pub async fn by_ids(conn: &Conn, ids: &[MediaId]) -> Result<Vec<Attachment>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    conn.all(BY_IDS, &[&Ids::of(ids.iter().copied())]).await
}

/// In the order they stand in their statuses.
pub async fn by_statuses(conn: &Conn, ids: impl IntoIterator<Item = StatusId>) -> Result<Vec<Attachment>> {
    let ids = Ids::of(ids);
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    conn.all(BY_STATUSES, &[&ids]).await
}

/// False when it is not theirs, not ready, or already part of another status.
pub(crate) async fn attach(tx: &Tx, owner: AccountId, status: StatusId, (id, position): (MediaId, i64)) -> Result<bool> {
    Ok(tx.exec(ATTACH, &[&status, &position, &id, &owner]).await? > 0)
}

/// Lets go of what is not in `keep`: the owner may attach it again, housekeeping removes it otherwise.
pub(crate) async fn detach_except(tx: &Tx, status: StatusId, keep: &[MediaId]) -> Result<()> {
    tx.exec(DETACH, &[&status, &Ids::of(keep.iter().copied())]).await?;
    Ok(())
}

pub(crate) async fn update_description(tx: &Tx, id: MediaId, description: &str) -> Result<()> {
    tx.exec(UPDATE_DESCRIPTION, &[&id, &description]).await?;
    Ok(())
}

pub(crate) async fn update_focus(tx: &Tx, id: MediaId, (x, y): (f64, f64)) -> Result<()> {
    tx.exec(UPDATE_FOCUS, &[&id, &x, &y]).await?;
    Ok(())
}

pub(crate) async fn delete(tx: &Tx, id: MediaId) -> Result<()> {
    tx.exec(DELETE, &[&id]).await?;
    Ok(())
}
