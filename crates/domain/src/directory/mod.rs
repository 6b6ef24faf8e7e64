//! The directory: accounts that want to be found.

mod store;

use crate::{Result, Time, accounts::Account, db::Conn, ids::AccountId};

/// <https://docs.joinmastodon.org/methods/directory/#query-parameters>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Who posted last first.
    Active,
    /// Who is here for the shortest time first.
    New,
}

/// What part of the directory is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Query {
    pub order: Order,
    /// Only people of this site.
    pub local: bool,
    pub offset: i64,
    pub limit: i64,
}

/// Without those whom `viewer` blocked or who blocked them, muted, or whose server they blocked.
pub async fn list(conn: &Conn, viewer: Option<AccountId>, query: Query) -> Result<Vec<Account>> {
    store::list(conn, viewer.unwrap_or(AccountId(0)), Time::now(), query).await
}
