//! Following across servers: what others ask of people here, and how they answer what people here ask.

use super::{Follow, Wish, accept, check, end, grant, start, store, told, withdraw};
use crate::{
    Error, Result,
    accounts::{self, Account, remote::fetching_pins},
    db::{Conn, Db, Ids, Tx},
    deliveries::{self, Bond, News},
    ids::{self, AccountId},
    jobs::{self, Job},
    notifications::{self, Kind},
    tombstones,
};

/// Requests from elsewhere that may wait for one account.
const WAITING: i64 = 5_000;

/// `follower`, of another server, wants to follow `followee`, who is here; `uri` is the name of the wish. Granted, kept
/// to be answered, or refused, and the other server is told. Asked again it is answered again.
pub async fn asked(db: &Db, follower: &Account, followee: &Account, uri: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    accounts::store::lock_pair(&tx, follower.id, followee.id).await?;
    if !may(&tx, follower.id, followee).await? {
        let bond = Bond { account: follower.id, target: followee.id, uri: uri.to_owned(), id: ids::next() };
        deliveries::tell(&mut tx, News::FollowRejected { bond }).await?;
        return tx.commit().await;
    }
    let follow = Wish::default().follow(&tx, (follower, followee))?;
    let follow = Follow { uri: Some(uri.to_owned()), ..follow };
    if let Some(known) = store::find(&tx, follower.id, followee.id).await? {
        // One that comes late, of a name that was given up, is answered and changes nothing.
        if known.uri.as_deref() != Some(uri) && !tombstones::is_past(&tx, uri).await? {
            remember(&tx, Some(&known)).await?;
            store::update_uri(&tx, known.id, uri).await?;
        }
        accept(&mut tx, &follow).await?;
    } else if followee.locked || follower.silenced_at.is_some() {
        // A repeated wish takes the place of the first: its name is what the answer must carry.
        let before = store::delete_request(&tx, follower.id, followee.id).await?;
        remember(&tx, before.as_ref().filter(|before| before.uri != follow.uri)).await?;
        if store::count_all_requests(&tx, followee.id, WAITING).await? < WAITING {
            store::insert_request(&tx, &follow).await?;
            notifications::notify(&mut tx, told(&follow, Kind::FollowRequest)).await?;
        }
    } else {
        start(&mut tx, &follow).await?;
        accept(&mut tx, &follow).await?;
    }
    tx.commit().await
}

async fn may(tx: &Tx, follower: AccountId, followee: &Account) -> Result<bool> {
    match check(tx, follower, followee).await {
        Ok(()) => Ok(true),
        Err(Error::Forbidden(_) | Error::NotFound) => Ok(false),
        Err(error) => Err(error),
    }
}

/// `follower`, of another server, takes back the follow that they call `name`, or the wish for one. False when there was
/// none. Some give another name each time they speak of it: only a name that is known to be that of an earlier follow says
/// that it is not this one.
pub async fn undone(db: &Db, (follower, followee): (AccountId, AccountId), name: Option<&str>) -> Result<bool> {
    let tx = db.begin().await?;
    // Before the rows of the follow, as everybody does: a block, an Undo and a Reject may come at once.
    accounts::store::lock_pair(&tx, follower, followee).await?;
    if let Some(name) = name
        && tombstones::is_past(&tx, name).await?
    {
        let (follow, request) =
            (store::find(&tx, follower, followee).await?, store::find_request(&tx, follower, followee).await?);
        if follow.iter().chain(&request).any(|standing| standing.uri.as_deref().is_some_and(|uri| uri != name)) {
            return Ok(true);
        }
    }
    let ended = end(&tx, follower, followee).await?;
    let withdrawn = withdraw(&tx, follower, followee).await?;
    remember(&tx, ended.as_ref().or(withdrawn.as_ref())).await?;
    tx.commit().await?;
    Ok(ended.is_some() || withdrawn.is_some())
}

/// What this follow is called is no name of one that stands any more.
async fn remember(tx: &Tx, was: Option<&Follow>) -> Result<()> {
    match was.and_then(|was| was.uri.as_deref()) {
        Some(uri) => tombstones::put_past(tx, uri).await,
        None => Ok(()),
    }
}

/// `followee`, of another server, lets `follower`, who is here, follow. Nothing when they did not ask.
pub async fn accepted(db: &Db, follower: AccountId, followee: AccountId) -> Result<()> {
    let mut tx = db.begin().await?;
    accounts::store::lock_pair(&tx, follower, followee).await?;
    if let Some(request) = store::find_request(&tx, follower, followee).await? {
        grant(&mut tx, request).await?;
        let job = fetching_pins(&tx, followee).await?;
        tx.enqueue(job).await?;
    }
    tx.commit().await
}

/// `followee`, of another server, does not let `follower`, who is here, follow, or no longer.
pub async fn rejected(db: &Db, follower: AccountId, followee: AccountId) -> Result<()> {
    let tx = db.begin().await?;
    accounts::store::lock_pair(&tx, follower, followee).await?;
    end(&tx, follower, followee).await?;
    withdraw(&tx, follower, followee).await?;
    tx.commit().await
}

/// (follower, followed) of the follow that has this name among servers, granted or not.
pub async fn by_uri(conn: &Conn, uri: &str) -> Result<Option<(AccountId, AccountId)>> {
    store::by_uri(conn, uri).await
}

/// Whether `follower` follows `followee` now, or asks to.
pub async fn stands(conn: &Conn, follower: AccountId, followee: AccountId) -> Result<bool> {
    let follows = store::find(conn, follower, followee).await?.is_some();
    Ok(follows || store::find_request(conn, follower, followee).await?.is_some())
}

/// Whether anybody here follows `account`.
pub async fn is_followed_here(conn: &Conn, account: AccountId) -> Result<bool> {
    store::is_followed_here(conn, account).await
}

/// Those of these accounts who follow somebody or are followed.
pub async fn concerned(conn: &Conn, accounts: impl IntoIterator<Item = AccountId>) -> Result<Vec<AccountId>> {
    let ids = Ids::of(accounts);
    if ids.is_empty() { Ok(Vec::new()) } else { store::concerned(conn, &ids).await }
}

/// Names of those who follow `of`, latest first; pages go by number from 0. For other servers: without who hides.
pub async fn follower_uris(conn: &Conn, of: AccountId, (page, length): (i64, i64)) -> Result<Vec<String>> {
    store::follower_uris(conn, of, page.saturating_mul(length), length).await
}

/// Names of those whom `of` follows, as [`follower_uris`].
pub async fn following_uris(conn: &Conn, of: AccountId, (page, length): (i64, i64)) -> Result<Vec<String>> {
    store::following_uris(conn, of, page.saturating_mul(length), length).await
}

/// Names of those who follow `of` and are at the server whose accounts' names begin with `place`, latest first.
pub async fn follower_uris_at(conn: &Conn, of: AccountId, (place, limit): (&str, i64)) -> Result<Vec<String>> {
    store::follower_uris_at(conn, of, place, limit).await
}

/// Who here follows `of`, and their names among servers.
pub async fn followers_here(conn: &Conn, of: AccountId, limit: i64) -> Result<Vec<(AccountId, String)>> {
    store::followers_here(conn, of, limit).await
}

/// Whether `account` follows somebody at the server of this origin.
pub async fn follows_at(conn: &Conn, account: AccountId, origin: &str) -> Result<bool> {
    store::follows_at(conn, account, &format!("{origin}/")).await
}

/// Has a job compare what the server of `account` says about its followers here.
pub async fn mend_later(db: &Db, account: AccountId, (url, digest): (&str, &str)) -> Result<()> {
    jobs::ensure(db, Job::MendFollows { account, url: url.to_owned(), digest: digest.to_owned() }).await
}

/// The server of `followee` counts `follower`, who is here, among the followers: they are one if they asked for it,
/// else it is told that they are not.
pub async fn counted(db: &Db, follower: &Account, followee: AccountId) -> Result<()> {
    let mut tx = db.begin().await?;
    accounts::store::lock_pair(&tx, follower.id, followee).await?;
    if store::find(&tx, follower.id, followee).await?.is_some() {
        return Ok(());
    }
    if let Some(request) = store::find_request(&tx, follower.id, followee).await? {
        grant(&mut tx, request).await?;
        let job = fetching_pins(&tx, followee).await?;
        tx.enqueue(job).await?;
        return tx.commit().await;
    }
    // How they once asked is not known any more; who asked whom is what counts.
    let id = ids::next();
    let bond = Bond { account: follower.id, target: followee, uri: format!("{}#follows/{id}", follower.uri), id };
    deliveries::tell(&mut tx, News::Unfollowed { bond }).await?;
    tx.commit().await
}
