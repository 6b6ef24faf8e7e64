//! What people talk about these days: counted from the latest public posts, when somebody asks.

mod store;

use crate::{
    Result, Time,
    db::Conn,
    ids::{self, AccountId, StatusId},
    statuses::{
        self,
        visibility::{self, Place, Shown},
    },
    tags::Tag,
};
use std::time::Duration;

/// How far back is looked.
const DAYS: u32 = 7;
const DAY: Duration = Duration::from_secs(86_400);

fn since(now: Time) -> StatusId {
    ids::floor(now.minus(DAY * DAYS))
}

/// Tags that more than one account used within the week, the one with most accounts first.
pub async fn tags(conn: &Conn, offset: i64, limit: i64) -> Result<Vec<Tag>> {
    store::tags(conn, since(Time::now()), (limit, offset)).await
}

/// Public posts of the week that were boosted or favourited more than once, by people who want to be found, the most
/// liked first, as far as `viewer` may see them.
pub async fn statuses(conn: &Conn, viewer: Option<AccountId>, offset: i64, limit: i64) -> Result<Shown> {
    let ids = store::statuses(conn, since(Time::now()), (limit, offset)).await?;
    let mut found = statuses::store::by_ids(conn, ids.iter().copied()).await?;
    found.sort_by_key(|s| ids.iter().position(|id| *id == s.id));
    visibility::filter(conn, viewer, found, Place::Listed).await
}
