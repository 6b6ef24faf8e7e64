//! Lists around statuses: who favourited or boosted one, what somebody favourited, bookmarked or pinned.
//! Pages of these go by the rows' own ids, which only the Link header carries.

use super::{
    store,
    visibility::{self, Place, Shown},
};
use crate::{
    Result,
    accounts::Account,
    db::Conn,
    ids::{AccountId, StatusId},
    page::Page,
    relationships,
};

/// A page and the cursors of its first and last row.
#[derive(Debug)]
pub struct Listed<T> {
    pub items: T,
    pub cursors: Option<(i64, i64)>,
    /// How many were found, before what may not be seen was left out.
    pub rows: usize,
}

fn cursors(rows: &[(i64, StatusId)]) -> Option<(i64, i64)> {
    Some((rows.first()?.0, rows.last()?.0))
}

pub async fn favourites(conn: &Conn, who: AccountId, page: Page) -> Result<Listed<Shown>> {
    let rows = page.newest_first(store::favourites_of(conn, who, page).await?);
    in_order(conn, who, rows).await
}

pub async fn bookmarks(conn: &Conn, who: AccountId, page: Page) -> Result<Listed<Shown>> {
    let rows = page.newest_first(store::bookmarks_of(conn, who, page).await?);
    in_order(conn, who, rows).await
}

async fn in_order(conn: &Conn, who: AccountId, rows: Vec<(i64, StatusId)>) -> Result<Listed<Shown>> {
    let mut statuses = store::by_ids(conn, rows.iter().map(|(_, id)| *id)).await?;
    statuses.sort_by_key(|s| rows.iter().position(|(_, id)| *id == s.id));
    let items = visibility::filter(conn, Some(who), statuses, Place::Asked).await?;
    Ok(Listed { items, cursors: cursors(&rows), rows: rows.len() })
}

/// Pinned statuses of a profile, the latest pin first.
pub async fn pinned(conn: &Conn, viewer: Option<AccountId>, owner: AccountId) -> Result<Shown> {
    let ids = store::pins(conn, owner).await?;
    let mut statuses = store::by_ids(conn, ids.iter().copied()).await?;
    statuses.sort_by_key(|s| ids.iter().position(|id| *id == s.id));
    visibility::filter(conn, viewer, statuses, Place::Profile).await
}

pub async fn favourited_by(
    conn: &Conn,
    viewer: Option<AccountId>,
    id: StatusId,
    page: Page,
) -> Result<Listed<Vec<Account>>> {
    let rows = page.newest_first(store::favouriters(conn, id, page).await?);
    people(conn, viewer, rows).await
}

pub async fn reblogged_by(
    conn: &Conn,
    viewer: Option<AccountId>,
    id: StatusId,
    page: Page,
) -> Result<Listed<Vec<Account>>> {
    let rows = page.newest_first(store::reblogger_rows(conn, id, page).await?);
    people(conn, viewer, rows).await
}

/// Those whom the viewer has not blocked or been blocked by.
async fn people(conn: &Conn, viewer: Option<AccountId>, rows: Vec<(i64, AccountId)>) -> Result<Listed<Vec<Account>>> {
    let cursors = rows.first().zip(rows.last()).map(|(first, last)| (first.0, last.0));
    let relations = relationships::with_authors(conn, viewer, rows.iter().map(|r| r.1)).await?;
    let mut items = crate::accounts::store::by_ids(conn, rows.iter().map(|r| r.1)).await?;
    items.sort_by_key(|a| rows.iter().position(|r| r.1 == a.id));
    items.retain(|a| !relations.blocking(a.id) && !relations.blocked_by(a.id) && !relations.suspended(a.id));
    Ok(Listed { items, cursors, rows: rows.len() })
}
