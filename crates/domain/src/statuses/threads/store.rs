//! Rows of threads.

use super::{Fetch, Whose};
use crate::{
    Result, Time,
    db::{Conn, Tx},
    ids::{AccountId, ConversationId, StatusId},
    sql,
    statuses::Status,
};

sql! {
    BY_ID = "SELECT ", Fetch::COLUMNS, " FROM thread_fetches WHERE status_id = $1";
    BEGIN = "INSERT INTO thread_fetches (status_id, started_at, finished_at, found) VALUES ($1, $2, NULL, 0) \
        ON CONFLICT (status_id) DO UPDATE SET started_at = excluded.started_at, finished_at = NULL, found = 0 \
        WHERE thread_fetches.started_at < $3";
    COUNT = "UPDATE thread_fetches SET found = $2 WHERE status_id = $1";
    FINISH = "UPDATE thread_fetches SET finished_at = $2 WHERE status_id = $1";
    OWN = "SELECT ", Status::COLUMNS, " FROM statuses WHERE in_reply_to_id = $1 AND account_id = $2 AND id > $3 \
        ORDER BY id LIMIT $4";
    OTHERS = "SELECT ", Status::COLUMNS, " FROM statuses WHERE in_reply_to_id = $1 AND account_id <> $2 AND id > $3 \
        ORDER BY id LIMIT $4";
    CONVERSATION = "SELECT ", Status::COLUMNS, " FROM statuses WHERE conversation_id = $1 AND id > $2 \
        AND visibility <= 1 AND reblog_of_id IS NULL ORDER BY id LIMIT $3";
}

pub(super) async fn by_id(conn: &Conn, id: StatusId) -> Result<Option<Fetch>> {
    conn.opt(BY_ID, &[&id]).await
}

/// False when one was begun after `before`.
pub(super) async fn begin(tx: &Tx, id: StatusId, before: Time) -> Result<bool> {
    Ok(tx.exec(BEGIN, &[&id, &tx.now, &before]).await? > 0)
}

pub(super) async fn count(tx: &Tx, id: StatusId, found: i64) -> Result<()> {
    tx.exec(COUNT, &[&id, &found]).await?;
    Ok(())
}

pub(super) async fn finish(tx: &Tx, id: StatusId) -> Result<()> {
    tx.exec(FINISH, &[&id, &tx.now]).await?;
    Ok(())
}

pub(super) async fn answers(
    conn: &Conn,
    (parent, author, whose): (StatusId, AccountId, Whose),
    (after, limit): (StatusId, i64),
) -> Result<Vec<Status>> {
    let text = if whose == Whose::Own { OWN } else { OTHERS };
    conn.all(text, &[&parent, &author, &after, &limit]).await
}

pub(super) async fn conversation(
    conn: &Conn,
    id: ConversationId,
    (after, limit): (StatusId, i64),
) -> Result<Vec<Status>> {
    conn.all(CONVERSATION, &[&id, &after, &limit]).await
}
