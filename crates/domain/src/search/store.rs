//! The word index. The two engines differ here: FTS5 tables against tsvector columns.

use super::Query;
use crate::{
    Result,
    db::{Conn, Tx},
    ids::{Id, StatusId},
    sql,
    tags::Tag,
    text::search,
};

const SQLITE_PUT: &str = "INSERT INTO status_search (rowid, words) VALUES ($1, $2)";
const SQLITE_DELETE: &str = "DELETE FROM status_search WHERE rowid = $1";
const SQLITE_FIND: &str = "SELECT rowid FROM status_search WHERE status_search MATCH $1 AND rowid < $2 AND rowid > $3 \
     AND ($4 = 0 OR EXISTS (SELECT 1 FROM statuses WHERE id = status_search.rowid AND account_id = $4)) \
     ORDER BY rowid DESC LIMIT $5";
const POSTGRES_PUT: &str = "INSERT INTO status_search (id, words) VALUES ($1, $2::text::tsvector) \
     ON CONFLICT (id) DO UPDATE SET words = excluded.words";
const POSTGRES_DELETE: &str = "DELETE FROM status_search WHERE id = $1";
const POSTGRES_FIND: &str = "SELECT id FROM status_search WHERE words @@ $1::text::tsquery AND id < $2 AND id > $3 \
     AND ($4::bigint = 0 OR EXISTS (SELECT 1 FROM statuses WHERE statuses.id = status_search.id AND account_id = $4)) \
     ORDER BY id DESC LIMIT $5";

sql! {
    FIND_TAGS = "SELECT ", Tag::COLUMNS, " FROM tags WHERE name >= $1 AND name < $2 ORDER BY length(name), name LIMIT $3 OFFSET $4";
}

pub(super) async fn put_status(tx: &Tx, id: StatusId, text: &str) -> Result<()> {
    if tx.is_postgres() {
        tx.exec(POSTGRES_PUT, &[&id, &search::index_tsvector(text)]).await?;
    } else {
        tx.exec(SQLITE_DELETE, &[&id]).await?;
        tx.exec(SQLITE_PUT, &[&id, &search::index_tokens(text)]).await?;
    }
    Ok(())
}

pub(super) async fn delete_status(tx: &Tx, id: StatusId) -> Result<()> {
    tx.exec(if tx.is_postgres() { POSTGRES_DELETE } else { SQLITE_DELETE }, &[&id]).await?;
    Ok(())
}

pub(super) async fn find_statuses(
    conn: &Conn,
    terms: &[search::Term],
    query: &Query<'_>,
    limit: i64,
) -> Result<Vec<StatusId>> {
    let (sql, asked) =
        if conn.is_postgres() { (POSTGRES_FIND, search::tsquery(terms)) } else { (SQLITE_FIND, search::fts5(terms)) };
    let Some(asked) = asked else { return Ok(Vec::new()) };
    let author = query.author.map_or(0, Id::raw);
    let rows: Vec<(StatusId,)> = conn.all(sql, &[&asked, &query.before, &query.after, &author, &limit]).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

pub(super) async fn find_tags(conn: &Conn, start: &str, offset: i64, limit: i64) -> Result<Vec<Tag>> {
    // Bytewise upper bound of everything that starts so.
    let end = format!("{start}\u{10ffff}");
    conn.all(FIND_TAGS, &[&start, &end, &limit, &offset]).await
}
