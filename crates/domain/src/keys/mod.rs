//! Our own key pairs: what other servers know the site and its people by. Made by whoever knows how, kept here.

mod store;

use crate::{
    Result,
    accounts::Account,
    db::{Conn, Db},
    deliveries::{self, News},
    ids::{self, AccountId, ActivityId},
    jobs::Job,
    row,
};
use std::time::Duration;

/// How long a key is kept that signs no more but the word that it does not.
const RETIRED: Duration = deliveries::KEPT;

/// The site itself, among the owners of keys.
pub const SITE: AccountId = AccountId(0);

row! {
    /// A key pair as text.
    pub struct Pair {
        pub private_key: String,
        /// PEM
        pub public_key: String,
    }
}

/// The pair of an account, or of the [`SITE`].
pub async fn by_owner(conn: &Conn, owner: AccountId) -> Result<Option<Pair>> {
    store::by_owner(conn, owner).await
}

/// Keeps `pair` unless there is one already; answers the one that is kept.
pub async fn keep(db: &Db, owner: AccountId, pair: Pair) -> Result<Pair> {
    let tx = db.begin().await?;
    store::insert(&tx, owner, &pair).await?;
    let kept = store::by_owner(&tx, owner).await?;
    tx.commit().await?;
    Ok(kept.unwrap_or(pair))
}

/// Has the keys of these accounts, or of the [`SITE`], changed by jobs, one each `pause`: all who follow them ask for the new ones.
pub async fn rotate_later(db: &Db, accounts: &[AccountId], pause: Duration) -> Result<()> {
    let mut tx = db.begin().await?;
    let mut at = tx.now;
    for account in accounts {
        tx.enqueue_at(Job::RotateKeys { account: *account, rotation: ids::next() }, at).await?;
        at = at.plus(pause);
    }
    tx.commit().await?;
    db.wake().ring();
    Ok(())
}

/// `pair` signs for the account from now on. What tells of it, which ends in `rotation`, is signed with the old one:
/// some never ask again for a key that they know. False when that was done before, or there is no key yet.
pub async fn rotate(db: &Db, account: &Account, (pair, rotation): (&Pair, ActivityId)) -> Result<bool> {
    let mut tx = db.begin().await?;
    if !store::rotate(&tx, account.id, (pair, rotation)).await? {
        return Ok(false);
    }
    if account.has_remote_followers {
        deliveries::tell(&mut tx, News::KeysRotated { account: account.id, telling: rotation }).await?;
    }
    tx.commit().await?;
    Ok(true)
}

/// The same for the site, under both of its names.
pub async fn rotate_site(db: &Db, pair: &Pair, rotation: ActivityId) -> Result<bool> {
    let mut tx = db.begin().await?;
    if !store::rotate(&tx, SITE, (pair, rotation)).await? {
        return Ok(false);
    }
    for relay in [false, true] {
        deliveries::tell(&mut tx, News::SiteKeysRotated { relay, telling: rotation }).await?;
    }
    tx.commit().await?;
    Ok(true)
}

/// The private key that signs the activity of `rotation`, as long as it is kept.
pub async fn retired(conn: &Conn, owner: AccountId, rotation: ActivityId) -> Result<Option<String>> {
    store::retired(conn, owner, rotation).await
}

/// People here with keys that others may know, in the order they came, those behind `after`.
pub async fn list(conn: &Conn, after: AccountId, limit: i64) -> Result<Vec<AccountId>> {
    store::list(conn, after, limit).await
}

/// Forgets old keys. How many.
pub async fn sweep(db: &Db) -> Result<u64> {
    let tx = db.begin().await?;
    let n = store::forget_retired(&tx, tx.now.minus(RETIRED)).await?;
    tx.commit().await?;
    Ok(n)
}
