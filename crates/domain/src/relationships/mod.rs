//! What two accounts are to each other.

pub mod store;

use crate::{Result, Time, db::Conn, ids::AccountId};
use std::collections::HashSet;

/// What a viewer and some authors are to each other: what visibility needs to know, from one query.
#[derive(Debug, Default)]
pub struct Relations(HashSet<(AccountId, i64)>);

const FOLLOWING: i64 = 1;
const BLOCKING: i64 = 2;
const BLOCKED_BY: i64 = 3;
const MUTING: i64 = 4;
const DOMAIN_BLOCKING: i64 = 5;
const SUSPENDED: i64 = 6;

impl Relations {
    pub fn following(&self, author: AccountId) -> bool {
        self.0.contains(&(author, FOLLOWING))
    }
    pub fn blocking(&self, author: AccountId) -> bool {
        self.0.contains(&(author, BLOCKING))
    }
    pub fn blocked_by(&self, author: AccountId) -> bool {
        self.0.contains(&(author, BLOCKED_BY))
    }
    pub fn muting(&self, author: AccountId) -> bool {
        self.0.contains(&(author, MUTING))
    }
    pub fn domain_blocking(&self, author: AccountId) -> bool {
        self.0.contains(&(author, DOMAIN_BLOCKING))
    }
    pub fn suspended(&self, author: AccountId) -> bool {
        self.0.contains(&(author, SUSPENDED))
    }
}

/// Relations between `viewer` (None: anybody) and `authors`.
pub async fn with_authors(
    conn: &Conn,
    viewer: Option<AccountId>,
    authors: impl IntoIterator<Item = AccountId>,
) -> Result<Relations> {
    let rows = store::with_authors(conn, viewer.unwrap_or(AccountId(0)), authors, Time::now()).await?;
    Ok(Relations(rows.into_iter().collect()))
}
