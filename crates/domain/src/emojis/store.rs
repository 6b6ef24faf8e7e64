//! Rows of custom emoji.

use super::Emoji;
use crate::{
    Result,
    db::{Conn, Texts, Tx},
    ids::EmojiId,
    sql,
};

/// Emoji in the answer to a client; more than anybody scrolls through.
const MOST: i64 = 10_000;

sql! {
    BY_SHORTCODES = "SELECT ", Emoji::COLUMNS, " FROM custom_emojis WHERE shortcode = ANY($1) AND COALESCE(domain, '') = ''";
    LIST = "SELECT ", Emoji::COLUMNS, " FROM custom_emojis WHERE COALESCE(domain, '') = '' ORDER BY lower(shortcode), shortcode LIMIT $1";
    INSERT = "INSERT INTO custom_emojis (", Emoji::COLUMNS, ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    DELETE = "DELETE FROM custom_emojis WHERE id = $1";
}

pub(super) async fn by_shortcodes(conn: &Conn, shortcodes: Vec<String>) -> Result<Vec<Emoji>> {
    conn.all(BY_SHORTCODES, &[&Texts(shortcodes)]).await
}

pub(super) async fn list(conn: &Conn) -> Result<Vec<Emoji>> {
    conn.all(LIST, &[&MOST]).await
}

pub(super) async fn insert(tx: &Tx, e: &Emoji) -> Result<()> {
    tx.exec(
        INSERT,
        &[&e.id, &e.shortcode, &e.domain, &e.image, &e.image_static, &e.category, &e.visible_in_picker, &e.created_at],
    )
    .await?;
    Ok(())
}

pub(super) async fn delete(tx: &Tx, id: EmojiId) -> Result<()> {
    tx.exec(DELETE, &[&id]).await?;
    Ok(())
}
