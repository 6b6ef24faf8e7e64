//! Following somebody who moved: the follow goes along.

use super::{Follow, check, part, start, store, tell};
use crate::{
    Result,
    accounts::{self, Account},
    db::Db,
    deliveries::News,
    ids::{self, AccountId},
    lists,
};

/// `follower`, who is here, follows `to` the way they followed `from`, which moved there, and is in the same lists with
/// it. What of `from` is in the feed stays. Whoever may not follow the new account keeps the old one; safe to repeat.
pub(crate) async fn migrate(db: &Db, follower: AccountId, (from, to): (&Account, &Account)) -> Result<()> {
    let mut tx = db.begin().await?;
    // Both pairs, in the order in which everybody takes them.
    let mut pairs = [follower.min(from.id), follower.min(to.id)];
    pairs.sort_unstable();
    for id in pairs {
        accounts::store::lock_pair(&tx, id, id).await?;
    }
    let Some(old) = store::find(&tx, follower, from.id).await? else { return Ok(()) };
    check(&tx, follower, to).await?;
    lists::carry(&tx, follower, (from.id, to.id)).await?;
    let follows = store::find(&tx, follower, to.id).await?.is_some();
    if !follows && store::find_request(&tx, follower, to.id).await?.is_none() {
        let new = Follow { id: ids::next(), target_id: to.id, created_at: tx.now, uri: None, ..old };
        if to.is_local() {
            // Who moved here has agreed to their followers' coming along.
            start(&mut tx, &new).await?;
        } else {
            let account = accounts::store::by_id(&tx, follower).await?;
            let uri = account.map(|account| format!("{}#follows/{}", account.uri, new.id));
            let new = Follow { uri, ..new };
            store::insert_request(&tx, &new).await?;
            tell(&mut tx, &new, |bond| News::Followed { bond }).await?;
        }
    }
    if let Some(was) = part(&tx, follower, from.id).await? {
        tell(&mut tx, &was, |bond| News::Unfollowed { bond }).await?;
    }
    tx.commit().await
}
