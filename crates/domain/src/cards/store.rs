//! Rows of previews.

use super::{Preview, State};
use crate::{
    Result, Time,
    db::{Conn, Ids, Tx},
    ids::{CardId, StatusId},
    sql,
};

sql! {
    BY_ID = "SELECT ", Preview::COLUMNS, " FROM preview_cards WHERE id = $1";
    BY_URL = "SELECT ", Preview::COLUMNS, " FROM preview_cards WHERE url = $1";
    READY = "SELECT ", Preview::COLUMNS, " FROM preview_cards WHERE id = ANY($1) AND state = 1";
    PAIRS = "SELECT status_id, card_id FROM status_cards WHERE status_id = ANY($1)";
    INSERT = "INSERT INTO preview_cards (id, url, state, asked_at) VALUES ($1, $2, 0, $3) ON CONFLICT (url) DO NOTHING";
    BEGIN = "UPDATE preview_cards SET asked_at = $2 WHERE id = $1";
    UPDATE = "UPDATE preview_cards SET state = $2, card_json = $3 WHERE id = $1";
    ATTACH = "INSERT INTO status_cards (status_id, card_id) VALUES ($1, $2) \
        ON CONFLICT (status_id) DO UPDATE SET card_id = excluded.card_id";
    DETACH = "DELETE FROM status_cards WHERE status_id = $1 RETURNING card_id";
    // One that another post is being given at this moment is passed over.
    DELETE_IF_UNUSED = "DELETE FROM preview_cards WHERE id IN \
        (SELECT id FROM preview_cards WHERE id = $1 FOR UPDATE SKIP LOCKED) AND NOT EXISTS \
        (SELECT 1 FROM status_cards s WHERE s.card_id = preview_cards.id) RETURNING ", Preview::COLUMNS;
    LIST = "SELECT ", Preview::COLUMNS, " FROM preview_cards WHERE id > $1 ORDER BY id LIMIT $2";
    IS_ATTACHED = "SELECT 1::bigint FROM status_cards WHERE status_id = $1";
    INSERT_HINT = "INSERT INTO card_hints (status_id, url) VALUES ($1, $2) \
        ON CONFLICT (status_id) DO UPDATE SET url = excluded.url";
    HINT = "SELECT url FROM card_hints WHERE status_id = $1";
    DELETE_HINT = "DELETE FROM card_hints WHERE status_id = $1";
    STATUSES = "SELECT status_id FROM status_cards WHERE card_id = $1 ORDER BY status_id DESC LIMIT $2";
    COUNT_OLD = "SELECT COUNT(*) FROM preview_cards WHERE asked_at < $1";
    DELETE_OLD = "DELETE FROM preview_cards WHERE id IN (SELECT id FROM preview_cards WHERE asked_at < $1 LIMIT $2) \
        RETURNING ", Preview::COLUMNS;
    DELETE_UNUSED = "DELETE FROM preview_cards WHERE id IN (SELECT c.id FROM preview_cards c WHERE c.asked_at < $1 \
        AND NOT EXISTS (SELECT 1 FROM status_cards s WHERE s.card_id = c.id) LIMIT $2) RETURNING ", Preview::COLUMNS;
}

pub(super) async fn by_id(conn: &Conn, id: CardId) -> Result<Option<Preview>> {
    conn.opt(BY_ID, &[&id]).await
}

pub(super) async fn by_url(conn: &Conn, url: &str) -> Result<Option<Preview>> {
    conn.opt(BY_URL, &[&url]).await
}

pub(super) async fn ready(conn: &Conn, ids: impl IntoIterator<Item = CardId>) -> Result<Vec<Preview>> {
    let ids = Ids::of(ids);
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    conn.all(READY, &[&ids]).await
}

pub(super) async fn pairs(conn: &Conn, statuses: &Ids) -> Result<Vec<(StatusId, CardId)>> {
    conn.all(PAIRS, &[statuses]).await
}

/// Nothing when there is one of this address.
pub(super) async fn insert(tx: &Tx, id: CardId, url: &str) -> Result<()> {
    tx.exec(INSERT, &[&id, &url, &tx.now]).await?;
    Ok(())
}

pub(super) async fn begin(tx: &Tx, id: CardId, at: Time) -> Result<()> {
    tx.exec(BEGIN, &[&id, &at]).await?;
    Ok(())
}

pub(super) async fn update(tx: &Tx, id: CardId, (state, card): (State, &str)) -> Result<()> {
    tx.exec(UPDATE, &[&id, &state, &card]).await?;
    Ok(())
}

pub(super) async fn attach(tx: &Tx, status: StatusId, card: CardId) -> Result<()> {
    tx.exec(ATTACH, &[&status, &card]).await?;
    Ok(())
}

/// What it showed.
pub(super) async fn detach(tx: &Tx, status: StatusId) -> Result<Option<CardId>> {
    Ok(tx.opt::<(CardId,)>(DETACH, &[&status]).await?.map(|(card,)| card))
}

/// What it was, unless a post shows it.
pub(super) async fn delete_if_unused(tx: &Tx, id: CardId) -> Result<Option<Preview>> {
    tx.opt(DELETE_IF_UNUSED, &[&id]).await
}

/// By their ids.
pub(super) async fn list(conn: &Conn, after: CardId, limit: i64) -> Result<Vec<Preview>> {
    conn.all(LIST, &[&after, &limit]).await
}

pub(super) async fn is_attached(conn: &Conn, status: StatusId) -> Result<bool> {
    conn.exists(IS_ATTACHED, &[&status]).await
}

/// In the place of the one that was there.
pub(super) async fn insert_hint(tx: &Tx, status: StatusId, url: &str) -> Result<()> {
    tx.exec(INSERT_HINT, &[&status, &url]).await?;
    Ok(())
}

pub(super) async fn hint(conn: &Conn, status: StatusId) -> Result<Option<String>> {
    Ok(conn.opt::<(String,)>(HINT, &[&status]).await?.map(|(url,)| url))
}

pub(super) async fn delete_hint(tx: &Tx, status: StatusId) -> Result<()> {
    tx.exec(DELETE_HINT, &[&status]).await?;
    Ok(())
}

pub(super) async fn statuses(conn: &Conn, card: CardId, limit: i64) -> Result<Vec<StatusId>> {
    Ok(conn.all::<(StatusId,)>(STATUSES, &[&card, &limit]).await?.into_iter().map(|(id,)| id).collect())
}

pub(super) async fn count_old(conn: &Conn, before: Time) -> Result<u64> {
    let (n,): (i64,) = conn.one(COUNT_OLD, &[&before]).await?;
    Ok(n.unsigned_abs())
}

pub(super) async fn delete_old(tx: &Tx, before: Time, limit: i64) -> Result<Vec<Preview>> {
    tx.all(DELETE_OLD, &[&before, &limit]).await
}

pub(super) async fn delete_unused(tx: &Tx, before: Time, limit: i64) -> Result<Vec<Preview>> {
    tx.all(DELETE_UNUSED, &[&before, &limit]).await
}
