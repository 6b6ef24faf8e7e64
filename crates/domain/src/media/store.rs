//! Rows of media attachments.

use super::{Attachment, State};
use crate::{
    Result, Time,
    db::{Conn, Ids, Texts, Tx},
    ids::{AccountId, MediaId, StatusId},
    sql,
};

sql! {
    BY_ID = "SELECT ", Attachment::COLUMNS, " FROM media_attachments WHERE id = $1";
    BY_IDS = "SELECT ", Attachment::COLUMNS, " FROM media_attachments WHERE id = ANY($1)";
    BY_STATUSES = "SELECT ", Attachment::COLUMNS, " FROM media_attachments WHERE status_id = ANY($1) ORDER BY status_id, position, id";
    OF_ACCOUNT = "SELECT ", Attachment::COLUMNS, " FROM media_attachments WHERE account_id = $1 AND status_id IS NOT NULL \
        AND loose_since >= $2 AND id > $3 ORDER BY id LIMIT $4";
    NAMING = "SELECT ", Attachment::COLUMNS, " FROM media_attachments \
        WHERE original = ANY($1) OR small = ANY($1) OR upload = ANY($1)";
    INSERT = "INSERT INTO media_attachments (", Attachment::COLUMNS, ") \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";
    TAKE_PROCESSING = "UPDATE media_attachments SET state = $2, upload = NULL WHERE id = $1 AND state = 0 \
        RETURNING ", Attachment::COLUMNS;
    // Changes nothing: holds the row until the transaction ends, on both engines.
    TAKE_LOOSE = "UPDATE media_attachments SET status_id = NULL WHERE id = $1 AND account_id = $2 AND status_id IS NULL \
        RETURNING ", Attachment::COLUMNS;
    UPDATE_VERSIONS = "UPDATE media_attachments SET kind = $2, original = $3, small = $4, content_type = $5, file_size = $6, \
        meta_json = $7, blurhash = $8 WHERE id = $1";
    UPDATE_SEEN = "UPDATE media_attachments SET meta_json = $2, blurhash = $3 WHERE id = $1";
    UPDATE_FAILURE = "UPDATE media_attachments SET failure = $2 WHERE id = $1";
    UPDATE = "UPDATE media_attachments SET description = $2, focus_x = $3, focus_y = $4, small = $5, meta_json = $6, \
        blurhash = $7 WHERE id = $1";
    UPDATE_ELSEWHERE = "UPDATE media_attachments SET position = $2, kind = $3, content_type = $4, meta_json = $5, \
        blurhash = $6, description = $7, focus_x = $8, focus_y = $9 WHERE id = $1";
    ATTACH = "UPDATE media_attachments SET status_id = $1, position = $2 WHERE id = $3 AND account_id = $4 AND state = 1 \
        AND (status_id IS NULL OR status_id = $1)";
    DETACH = "UPDATE media_attachments SET status_id = NULL, loose_since = $3 WHERE status_id = $1 AND id <> ALL($2)";
    UPDATE_DESCRIPTION = "UPDATE media_attachments SET description = NULLIF($2, '') WHERE id = $1";
    UPDATE_FOCUS = "UPDATE media_attachments SET focus_x = $2, focus_y = $3 WHERE id = $1";
    DELETE = "DELETE FROM media_attachments WHERE id = $1";
    // What a scheduled status is going to have is kept; its parameters name ids as JSON strings.
    DELETE_LOOSE = "DELETE FROM media_attachments WHERE status_id IS NULL AND id IN (\
        SELECT m.id FROM media_attachments m WHERE m.status_id IS NULL AND m.loose_since < $1 AND NOT EXISTS (\
        SELECT 1 FROM scheduled_statuses s WHERE s.account_id = m.account_id \
        AND s.params_json LIKE '%\"' || CAST(m.id AS TEXT) || '\"%') ORDER BY m.loose_since LIMIT $2) \
        RETURNING ", Attachment::COLUMNS;
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

/// What hangs on statuses of an account and is known since `since`, in the order of ids.
pub async fn of_account(
    conn: &Conn,
    (account, since): (AccountId, Time),
    (after, limit): (MediaId, i64),
) -> Result<Vec<Attachment>> {
    conn.all(OF_ACCOUNT, &[&account, &since, &after, &limit]).await
}

/// Those that name one of these files.
pub(super) async fn naming(conn: &Conn, keys: &[String]) -> Result<Vec<Attachment>> {
    conn.all(NAMING, &[&Texts(keys.to_vec())]).await
}

/// In the order they stand in their statuses.
pub async fn by_statuses(conn: &Conn, ids: impl IntoIterator<Item = StatusId>) -> Result<Vec<Attachment>> {
    let ids = Ids::of(ids);
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    conn.all(BY_STATUSES, &[&ids]).await
}

pub(super) async fn insert(tx: &Tx, m: &Attachment) -> Result<()> {
    tx.exec(
        INSERT,
        &[
            &m.id,
            &m.account_id,
            &m.status_id,
            &m.position,
            &m.kind,
            &m.state,
            &m.upload,
            &m.original,
            &m.small,
            &m.content_type,
            &m.file_size,
            &m.meta_json,
            &m.blurhash,
            &m.description,
            &m.focus_x,
            &m.focus_y,
            &m.failure,
            &m.loose_since,
        ],
    )
    .await?;
    Ok(())
}

/// Ends the processing of one that is processed; none when it is not.
pub(super) async fn take_processing(tx: &Tx, id: MediaId, state: State) -> Result<Option<Attachment>> {
    tx.opt(TAKE_PROCESSING, &[&id, &state]).await
}

/// Holds the row until the transaction ends, if it is theirs and hangs on no status.
pub(super) async fn take_loose(tx: &Tx, owner: AccountId, id: MediaId) -> Result<Option<Attachment>> {
    tx.opt(TAKE_LOOSE, &[&id, &owner]).await
}

pub(super) async fn update_versions(tx: &Tx, m: &Attachment) -> Result<()> {
    let values: [&dyn crate::db::Param; 8] =
        [&m.id, &m.kind, &m.original, &m.small, &m.content_type, &m.file_size, &m.meta_json, &m.blurhash];
    tx.exec(UPDATE_VERSIONS, &values).await?;
    Ok(())
}

pub(super) async fn update_seen(tx: &Tx, id: MediaId, (meta, blurhash): (&str, &str)) -> Result<()> {
    tx.exec(UPDATE_SEEN, &[&id, &meta, &blurhash]).await?;
    Ok(())
}

pub(super) async fn update_failure(tx: &Tx, id: MediaId, why: &str) -> Result<()> {
    tx.exec(UPDATE_FAILURE, &[&id, &why]).await?;
    Ok(())
}

pub(super) async fn update(tx: &Tx, m: &Attachment) -> Result<()> {
    let values: [&dyn crate::db::Param; 7] =
        [&m.id, &m.description, &m.focus_x, &m.focus_y, &m.small, &m.meta_json, &m.blurhash];
    tx.exec(UPDATE, &values).await?;
    Ok(())
}

/// What its server says of a file that stays where it is.
pub(super) async fn update_elsewhere(tx: &Tx, m: &Attachment) -> Result<()> {
    let values: [&dyn crate::db::Param; 9] = [
        &m.id,
        &m.position,
        &m.kind,
        &m.content_type,
        &m.meta_json,
        &m.blurhash,
        &m.description,
        &m.focus_x,
        &m.focus_y,
    ];
    tx.exec(UPDATE_ELSEWHERE, &values).await?;
    Ok(())
}

/// False when it is not theirs, not ready, or already part of another status.
pub(crate) async fn attach(
    tx: &Tx,
    owner: AccountId,
    status: StatusId,
    (id, position): (MediaId, i64),
) -> Result<bool> {
    Ok(tx.exec(ATTACH, &[&status, &position, &id, &owner]).await? > 0)
}

/// Lets go of what is not in `keep`: the owner may attach it again, housekeeping removes it otherwise.
pub(crate) async fn detach_except(tx: &Tx, status: StatusId, keep: &[MediaId]) -> Result<()> {
    tx.exec(DETACH, &[&status, &Ids::of(keep.iter().copied()), &tx.now]).await?;
    Ok(())
}

/// An empty description is none.
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

/// Removes what has hung on no status since before `before`; answers what it was.
pub(super) async fn delete_loose(tx: &Tx, before: Time, limit: i64) -> Result<Vec<Attachment>> {
    tx.all(DELETE_LOOSE, &[&before, &limit]).await
}
