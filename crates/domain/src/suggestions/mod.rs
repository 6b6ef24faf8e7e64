//! Whom one could follow: those whom one's friends follow, and people of this site who post and want to be found.

mod store;

use crate::{
    Result, Time,
    accounts::{self, Account},
    db::{Conn, Db},
    ids::{self, AccountId, StatusId},
};
use std::{collections::HashSet, time::Duration};

/// How long ago a post makes somebody active.
const ACTIVE: Duration = Duration::from_secs(30 * 86_400);
/// Dismissals that one person has; with more the oldest are forgotten.
const DISMISSALS: i64 = 1_000;

/// Why somebody is suggested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    FriendsOfFriends,
    Active,
}

#[derive(Clone, Debug)]
pub struct Suggestion {
    pub account: Account,
    pub why: Why,
}

/// At most `limit` people whom `me` neither follows nor asked to, blocked, muted or dismissed, friends of friends first.
/// Only accounts that want to be found.
pub async fn list(conn: &Conn, me: AccountId, limit: i64) -> Result<Vec<Suggestion>> {
    let now = Time::now();
    let mut found: Vec<(AccountId, Why)> = Vec::new();
    let friends = store::friends_of_friends(conn, me, now, limit).await?;
    found.extend(friends.into_iter().map(|id| (id, Why::FriendsOfFriends)));
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    if found.len() < wanted {
        let since: StatusId = ids::floor(now.minus(ACTIVE));
        let active = store::active(conn, me, (now, since), limit).await?;
        found.extend(active.into_iter().map(|id| (id, Why::Active)));
    }
    let mut seen = HashSet::new();
    found.retain(|(id, _)| seen.insert(*id));
    found.truncate(wanted);
    let mut rows = accounts::visible_among(conn, found.iter().map(|(id, _)| *id)).await?;
    rows.sort_by_key(|a| found.iter().position(|(id, _)| *id == a.id));
    let why = |id: AccountId| found.iter().find(|(other, _)| *other == id).map_or(Why::Active, |(_, why)| *why);
    Ok(rows.into_iter().map(|account| Suggestion { why: why(account.id), account }).collect())
}

/// `target` is suggested to `me` no more. Nothing happens when there is no such account.
pub async fn dismiss(db: &Db, me: AccountId, target: AccountId) -> Result<()> {
    let tx = db.begin().await?;
    if store::insert_dismissal(&tx, me, target).await? {
        store::trim_dismissals(&tx, me, DISMISSALS).await?;
    }
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::users::{self, NewUser};

    #[tokio::test]
    async fn the_oldest_dismissals_are_forgotten() {
        let (_dir, db) = users::tests::database().await;
        let site = users::tests::site();
        let mut targets = Vec::new();
        for name in ["a", "b", "c", "me"] {
            targets.push(users::create(&db, &site, NewUser::named(name)).await.unwrap().1.id);
        }
        let me = targets.pop().unwrap();
        let tx = db.begin().await.unwrap();
        for (n, target) in (0..).zip(&targets) {
            assert!(store::insert_dismissal_at(&tx, me, *target, Time(n)).await.unwrap());
        }
        assert!(!store::insert_dismissal(&tx, me, targets[0]).await.unwrap(), "once is enough");
        assert!(!store::insert_dismissal(&tx, me, AccountId(1)).await.unwrap(), "nobody");
        store::trim_dismissals(&tx, me, 2).await.unwrap();
        assert!(store::insert_dismissal(&tx, me, targets[0]).await.unwrap(), "it was forgotten");
        assert!(!store::insert_dismissal(&tx, me, targets[1]).await.unwrap());
        tx.commit().await.unwrap();
    }
}
