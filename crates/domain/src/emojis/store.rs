//! Rows of custom emoji.

use super::Emoji;
use crate::{
    Result,
    db::{Conn, Ids, Texts, Tx},
    ids::EmojiId,
    sql,
};

/// Emoji in the answer to a client; more than anybody scrolls through.
const MOST: i64 = 10_000;

sql! {
    BY_SHORTCODES = "SELECT ", Emoji::COLUMNS, " FROM custom_emojis WHERE shortcode = ANY($1) AND domain IS NULL";
    BY_CODES_AND_DOMAINS = "SELECT ", Emoji::COLUMNS, " FROM custom_emojis WHERE shortcode = ANY($1) \
        AND COALESCE(domain, '') = ANY($2)";
    BY_ID = "SELECT ", Emoji::COLUMNS, " FROM custom_emojis WHERE id = $1";
    BY_IDS = "SELECT ", Emoji::COLUMNS, " FROM custom_emojis WHERE id = ANY($1)";
    BY_DOMAIN = "SELECT ", Emoji::COLUMNS, " FROM custom_emojis WHERE COALESCE(domain, '') = $1 ORDER BY shortcode LIMIT $2";
    NAMING = "SELECT ", Emoji::COLUMNS, " FROM custom_emojis WHERE image = ANY($1) OR image_static = ANY($1)";
    LIST = "SELECT ", Emoji::COLUMNS, " FROM custom_emojis WHERE domain IS NULL ORDER BY lower(shortcode), shortcode LIMIT $1";
    INSERT = "INSERT INTO custom_emojis (", Emoji::COLUMNS, ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
        ON CONFLICT DO NOTHING";
    UPDATE = "UPDATE custom_emojis SET image = $2, image_static = $3, uri = $4, changed_at = $5, seen_at = $6 WHERE id = $1";
    DELETE = "DELETE FROM custom_emojis WHERE id = $1";
}

pub(super) async fn by_shortcodes(conn: &Conn, shortcodes: Vec<String>) -> Result<Vec<Emoji>> {
    conn.all(BY_SHORTCODES, &[&Texts(shortcodes)]).await
}

pub(super) async fn list(conn: &Conn) -> Result<Vec<Emoji>> {
    conn.all(LIST, &[&MOST]).await
}

pub(super) async fn by_codes_and_domains(conn: &Conn, codes: Vec<String>, domains: Vec<String>) -> Result<Vec<Emoji>> {
    conn.all(BY_CODES_AND_DOMAINS, &[&Texts(codes), &Texts(domains)]).await
}

pub(super) async fn by_id(conn: &Conn, id: EmojiId) -> Result<Option<Emoji>> {
    conn.opt(BY_ID, &[&id]).await
}

pub(super) async fn by_ids(conn: &Conn, ids: &Ids) -> Result<Vec<Emoji>> {
    conn.all(BY_IDS, &[ids]).await
}

pub(super) async fn by_domain(conn: &Conn, domain: &str) -> Result<Vec<Emoji>> {
    conn.all(BY_DOMAIN, &[&domain, &MOST]).await
}

pub(super) async fn naming(conn: &Conn, keys: &[String]) -> Result<Vec<Emoji>> {
    conn.all(NAMING, &[&Texts(keys.to_vec())]).await
}

/// False when there is one of this shortcode and server.
pub(super) async fn insert(tx: &Tx, e: &Emoji) -> Result<bool> {
    let values: [&dyn crate::db::Param; 11] = [
        &e.id,
        &e.shortcode,
        &e.domain,
        &e.image,
        &e.image_static,
        &e.category,
        &e.visible_in_picker,
        &e.created_at,
        &e.uri,
        &e.changed_at,
        &e.seen_at,
    ];
    Ok(tx.exec(INSERT, &values).await? > 0)
}

/// What may change of one of another server.
pub(super) async fn update(tx: &Tx, e: &Emoji) -> Result<()> {
    tx.exec(UPDATE, &[&e.id, &e.image, &e.image_static, &e.uri, &e.changed_at, &e.seen_at]).await?;
    Ok(())
}

pub(super) async fn delete(tx: &Tx, id: EmojiId) -> Result<()> {
    tx.exec(DELETE, &[&id]).await?;
    Ok(())
}
