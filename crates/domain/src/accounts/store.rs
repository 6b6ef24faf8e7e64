//! Rows of accounts.

use super::Account;
use crate::{
    Result,
    db::{Conn, Ids},
    ids::AccountId,
    sql,
};

sql! {
    BY_ID = "SELECT ", Account::COLUMNS, " FROM accounts WHERE id = $1";
    BY_IDS = "SELECT ", Account::COLUMNS, " FROM accounts WHERE id = ANY($1)";
    BY_HANDLE = "SELECT ", Account::COLUMNS, " FROM accounts WHERE lower(username) = lower($1) AND COALESCE(domain, '') = $2";
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
