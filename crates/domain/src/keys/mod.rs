//! Our own key pairs: what other servers know the site and its people by. Made by whoever knows how, kept here.

mod store;

use crate::{
    Result, Time,
    db::{Conn, Db},
    deliveries::{self, News},
    ids::{self, AccountId, ActivityId},
    jobs::Job,
    row,
};
use std::time::Duration;

/// How long a key is kept that signs no more but the word that it does not. Until then a change is under way.
const RETIRED: Duration = deliveries::KEPT;

/// The site itself, among the owners of keys.
pub const SITE: AccountId = AccountId(0);

/// A key pair as text.
#[derive(Clone, Debug)]
pub struct Pair {
    pub private_key: String,
    /// PEM
    pub public_key: String,
}

row! {
    /// A pair that signs, and when it took the place of another.
    pub struct Kept {
        pub private_key: String,
        /// PEM
        pub public_key: String,
        pub rotated_at: Option<Time>,
    }
}

impl Kept {
    /// Whether some may not have heard of it.
    fn is_new(&self, now: Time) -> bool {
        self.rotated_at.is_some_and(|at| now.since(at) < RETIRED)
    }
}

/// What to do with a key that took the place of another just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Haste {
    /// It stays: who did not hear of it yet would never hear of the next.
    Patient,
    /// It goes, too.
    Forced,
}

/// The pair of an account, or of the [`SITE`].
pub async fn by_owner(conn: &Conn, owner: AccountId) -> Result<Option<Kept>> {
    store::by_owner(conn, owner).await
}

/// Keeps `pair` unless there is one already; answers the one that is kept.
pub async fn keep(db: &Db, owner: AccountId, pair: Pair) -> Result<Kept> {
    let tx = db.begin().await?;
    store::insert(&tx, owner, &pair).await?;
    let kept = store::by_owner(&tx, owner).await?;
    tx.commit().await?;
    let Pair { private_key, public_key } = pair;
    Ok(kept.unwrap_or(Kept { private_key, public_key, rotated_at: None }))
}

/// Those of `accounts` whose key took the place of another so lately that some may not have heard of it.
pub async fn under_way(conn: &Conn, accounts: &[AccountId]) -> Result<Vec<AccountId>> {
    store::rotated(conn, accounts, Time::now().minus(RETIRED)).await
}

/// Has the keys of these accounts, or of the [`SITE`], changed by jobs, one each `pause`: all who follow them ask for the new
/// ones.
pub async fn rotate_later(db: &Db, accounts: &[AccountId], (pause, haste): (Duration, Haste)) -> Result<()> {
    let mut tx = db.begin().await?;
    let mut at = tx.now;
    let forced = haste == Haste::Forced;
    for account in accounts {
        tx.enqueue_at(Job::RotateKeys { account: *account, rotation: ids::next(), forced }, at).await?;
        at = at.plus(pause);
    }
    tx.commit().await?;
    db.wake().ring();
    Ok(())
}

/// `pair` signs for the account from now on. What tells of it, which ends in `rotation`, is signed with the old one:
/// some never ask again for a key that they know. False when that was done before, there is no key yet, or the last
/// change is under way and this one is not forced.
pub async fn rotate(db: &Db, account: AccountId, (pair, rotation): (&Pair, ActivityId), haste: Haste) -> Result<bool> {
    let mut tx = db.begin().await?;
    let kept = store::by_owner(&tx, account).await?;
    if haste == Haste::Patient && kept.is_some_and(|kept| kept.is_new(tx.now)) {
        return Ok(false);
    }
    if !store::rotate(&tx, account, (pair, rotation)).await? {
        return Ok(false);
    }
    // Also without followers: it may have written to people, follow some, or answer them.
    deliveries::tell(&mut tx, News::KeysRotated { account, telling: rotation }).await?;
    tx.commit().await?;
    Ok(true)
}

/// The same for the site, under both of its names.
pub async fn rotate_site(db: &Db, (pair, rotation): (&Pair, ActivityId), haste: Haste) -> Result<bool> {
    let mut tx = db.begin().await?;
    let kept = store::by_owner(&tx, SITE).await?;
    if haste == Haste::Patient && kept.is_some_and(|kept| kept.is_new(tx.now)) {
        return Ok(false);
    }
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
