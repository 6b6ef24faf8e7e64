//! Rows of accounts.

use super::Account;
use crate::{
    Result,
    db::{Conn, Ids, Texts, Tx},
    ids::AccountId,
    sql, text,
};

sql! {
    BY_ID = "SELECT ", Account::COLUMNS, " FROM accounts WHERE id = $1";
    BY_IDS = "SELECT ", Account::COLUMNS, " FROM accounts WHERE id = ANY($1)";
    BY_HANDLE = "SELECT ", Account::COLUMNS, " FROM accounts WHERE lower(username) = lower($1) AND COALESCE(domain, '') = $2";
    BY_HANDLES = "SELECT ", Account::COLUMNS, " FROM accounts WHERE lower(username) = ANY($1) AND COALESCE(domain, '') = ANY($2)";
    COUNT_STATUS = "UPDATE accounts SET statuses_count = statuses_count + $2::bigint, \
        last_status_at = CASE WHEN $2::bigint > 0 THEN $3::bigint ELSE last_status_at END WHERE id = $1";
}

pub async fn by_id(conn: &Conn, id: AccountId) -> Result<Option<Account>> {
    conn.opt(BY_ID, &[&id]).await
}

pub async fn by_ids(conn: &Conn, ids: impl IntoIterator<Item = AccountId>) -> Result<Vec<Account>> {
    let ids = Ids::of(ids);
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    conn.all(BY_IDS, &[&ids]).await
}

/// `domain` None: local. Letter case does not matter.
pub async fn by_handle(conn: &Conn, username: &str, domain: Option<&str>) -> Result<Option<Account>> {
    conn.opt(BY_HANDLE, &[&username, &domain.unwrap_or_default()]).await
}

/// Those of the handles that are known, in the order asked for.
pub async fn by_handles(conn: &Conn, handles: &[text::Handle]) -> Result<Vec<Account>> {
    if handles.is_empty() {
        return Ok(Vec::new());
    }
    let names = Texts(handles.iter().map(|h| h.username.to_ascii_lowercase()).collect());
    let domains = Texts(handles.iter().map(|h| h.domain.clone().unwrap_or_default()).collect());
    let found: Vec<Account> = conn.all(BY_HANDLES, &[&names, &domains]).await?;
    let key = |a: &Account| (a.username.to_ascii_lowercase(), a.domain.clone());
    let mut by_key: std::collections::HashMap<_, _> = found.into_iter().map(|a| (key(&a), a)).collect();
    Ok(handles.iter().filter_map(|h| by_key.remove(&(h.username.to_ascii_lowercase(), h.domain.clone()))).collect())
}

/// One status more (`by` 1) or less (-1).
pub(crate) async fn count_status(tx: &Tx, id: AccountId, by: i64) -> Result<()> {
    tx.exec(COUNT_STATUS, &[&id, &by, &tx.now]).await?;
    Ok(())
}
