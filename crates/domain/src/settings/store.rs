//! Rows of settings.

use crate::{
    Result,
    db::{Conn, Tx},
    sql,
};

pub(super) const SITE_DOMAIN: &str = "site_domain";
pub(super) const INSTANCE: &str = "instance";
/// What the link to the first start carries, until it was used.
pub(crate) const SETUP_TOKEN: &str = "setup_token";

sql! {
    BY_KEY = "SELECT value FROM settings WHERE key = $1";
    PUT = "INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    PUT_NEW = "INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = settings.value";
    DELETE = "DELETE FROM settings WHERE key = $1";
    MOVE_ACCOUNTS = "UPDATE accounts SET uri = replace(uri, $1, $2), url = replace(url, $1, $2), \
        note_html = replace(note_html, $1, $2), fields_json = replace(fields_json, $1, $2) WHERE domain IS NULL";
    MOVE_STATUSES = "UPDATE statuses SET uri = replace(uri, $1, $2), url = replace(url, $1, $2), \
        content = replace(content, $1, $2), mentions_json = replace(mentions_json, $1, $2) WHERE local";
    MOVE_EDITS = "UPDATE status_edits SET content = replace(content, $1, $2)";
}

pub(crate) async fn by_key(conn: &Conn, key: &str) -> Result<Option<String>> {
    Ok(conn.opt::<(String,)>(BY_KEY, &[&key]).await?.map(|(value,)| value))
}

pub(crate) async fn put(tx: &Tx, key: &str, value: &str) -> Result<()> {
    tx.exec(PUT, &[&key, &value]).await?;
    Ok(())
}

/// Writes `value` unless there is one; either way others who do the same wait until this transaction ends.
pub(crate) async fn put_new(tx: &Tx, key: &str, value: &str) -> Result<()> {
    tx.exec(PUT_NEW, &[&key, &value]).await?;
    Ok(())
}

pub(crate) async fn delete(tx: &Tx, key: &str) -> Result<()> {
    tx.exec(DELETE, &[&key]).await?;
    Ok(())
}

/// `from` and `to` end with a slash, so that no port or name is taken for the beginning of another.
pub(super) async fn replace_links(tx: &Tx, from: &str, to: &str) -> Result<()> {
    for sql in [MOVE_ACCOUNTS, MOVE_STATUSES, MOVE_EDITS] {
        tx.exec(sql, &[&from, &to]).await?;
    }
    Ok(())
}
