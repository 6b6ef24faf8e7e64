//! Following: who gets whose statuses, and asking for it where the other wants to be asked.
//! The counters of both accounts change with the rows, in the same transaction.

mod migrate;
pub mod remote;
pub mod store;

pub(crate) use migrate::migrate;
pub use store::Follow;

use crate::{
    Error, Result,
    accounts::{self, Account, Listed},
    db::{Conn, Db, Tx},
    deliveries::{self, Bond, News},
    ids::{self, AccountId},
    lists,
    notifications::{self, Kind, New},
    page::Page,
    relationships::{self, Relationship},
    timelines::{self, Parting},
};

/// Everybody may follow so many; above, 1.1 times as many as follow them.
const LIMIT: i64 = 7500;
/// Requests approved at once when somebody stops approving them one by one.
const AT_ONCE: i64 = 1000;

/// How somebody wants to follow; None leaves as it is, and at first: with boosts, quietly, in all languages.
/// <https://docs.joinmastodon.org/methods/accounts/#follow>
#[derive(Clone, Debug, Default)]
pub struct Wish {
    pub reblogs: Option<bool>,
    pub notify: Option<bool>,
    /// Empty: all.
    pub languages: Option<Vec<String>>,
}

impl Wish {
    fn languages_json(&self) -> Result<Option<String>> {
        match &self.languages {
            Some(list) if !list.is_empty() => Ok(Some(serde_json::to_string(list)?)),
            _ => Ok(None),
        }
    }
    /// A new follow, with no name among servers.
    fn follow(&self, tx: &Tx, (follower, followee): (&Account, &Account)) -> Result<Follow> {
        let mut new = Follow {
            id: ids::next(),
            account_id: follower.id,
            target_id: followee.id,
            show_reblogs: true,
            notify: false,
            languages_json: None,
            created_at: tx.now,
            uri: None,
        };
        self.apply(&mut new)?;
        Ok(new)
    }
    fn apply(&self, follow: &mut Follow) -> Result<()> {
        follow.show_reblogs = self.reblogs.unwrap_or(follow.show_reblogs);
        follow.notify = self.notify.unwrap_or(follow.notify);
        if self.languages.is_some() {
            follow.languages_json = self.languages_json()?;
        }
        Ok(())
    }
}

/// Follows, or asks to when the target approves followers (or is not of this server, or `me` is limited).
/// Done again it changes how.
///
/// [`Error::Forbidden`] for oneself, when one has blocked the other, and for accounts that have moved;
/// [`Error::NotFound`] for suspended accounts; [`Error::Invalid`] over the limit.
pub async fn follow(db: &Db, me: AccountId, target: AccountId, wish: &Wish) -> Result<Relationship> {
    if me == target {
        return Err(Error::forbidden("Following your own account is not allowed"));
    }
    let mut tx = db.begin().await?;
    accounts::store::lock_pair(&tx, me, target).await?;
    let followee = accounts::visible(&tx, target).await?;
    check(&tx, me, &followee).await?;
    if let Some(mut existing) = store::find(&tx, me, target).await? {
        wish.apply(&mut existing)?;
        store::update(&tx, &existing).await?;
    } else if let Some(mut existing) = store::find_request(&tx, me, target).await? {
        wish.apply(&mut existing)?;
        store::update_request(&tx, &existing).await?;
    } else {
        let follower = accounts::store::by_id(&tx, me).await?.ok_or(Error::NotFound)?;
        begin(&mut tx, &follower, &followee, wish).await?;
    }
    let shown = relationships::with(&tx, me, target).await?;
    tx.commit().await?;
    Ok(shown)
}

async fn check(tx: &Tx, me: AccountId, followee: &Account) -> Result<()> {
    if followee.suspended_at.is_some() {
        return Err(Error::NotFound);
    }
    let relations = relationships::with_authors(tx, Some(me), [followee.id]).await?;
    let back = relationships::with_authors(tx, Some(followee.id), [me]).await?;
    let apart = relations.blocking(followee.id)
        // Whoever does not want to hear of a server does not tell it anything either.
        || back.domain_blocking(me)
        || relations.blocked_by(followee.id)
        || relations.domain_blocking(followee.id)
        || followee.moved_to_id.is_some();
    if apart { Err(Error::forbidden("This action is not allowed")) } else { Ok(()) }
}

async fn begin(tx: &mut Tx, follower: &Account, followee: &Account, wish: &Wish) -> Result<()> {
    let limit = LIMIT.max(follower.followers_count.saturating_mul(11) / 10);
    if follower.following_count >= limit {
        return Err(Error::invalid("base", format!("You cannot follow more than {limit} people")));
    }
    let mut new = wish.follow(tx, (follower, followee))?;
    if !followee.is_local() {
        new.uri = Some(format!("{}#follows/{}", follower.uri, new.id));
        store::insert_request(tx, &new).await?;
        return tell(tx, &new, |bond| News::Followed { bond }).await;
    }
    if followee.locked || follower.silenced_at.is_some() {
        store::insert_request(tx, &new).await?;
        return notifications::notify(tx, told(&new, Kind::FollowRequest)).await;
    }
    start(tx, &new).await
}

/// Has the other server told, if one of the two is elsewhere: only then has the follow a name.
async fn tell(tx: &mut Tx, follow: &Follow, news: impl FnOnce(Bond) -> News) -> Result<()> {
    let Some(uri) = follow.uri.clone() else { return Ok(()) };
    let bond = Bond { account: follow.account_id, target: follow.target_id, uri, id: ids::next() };
    deliveries::tell(tx, news(bond)).await
}

/// Makes the follow true and tells whom it concerns.
async fn start(tx: &mut Tx, follow: &Follow) -> Result<()> {
    if !store::insert(tx, follow).await? {
        return Ok(());
    }
    accounts::store::count_follow(tx, follow.account_id, follow.target_id, 1).await?;
    timelines::add_author(tx, follow.account_id, follow.target_id).await?;
    notifications::notify(tx, told(follow, Kind::Follow)).await
}

/// What the followed one is told.
fn told(follow: &Follow, kind: Kind) -> New {
    New { account: follow.target_id, from: follow.account_id, kind, status: None }
}

/// Ends a follow with all that came of it. What it was; None when there was none.
pub(crate) async fn end(tx: &Tx, follower: AccountId, followee: AccountId) -> Result<Option<Follow>> {
    let was = part(tx, follower, followee).await?;
    if was.is_some() {
        timelines::remove_author(tx, follower, (followee, Parting::Unfollowed)).await?;
    }
    Ok(was)
}

/// As [`end`], but what is in the feed stays there.
async fn part(tx: &Tx, follower: AccountId, followee: AccountId) -> Result<Option<Follow>> {
    let Some(was) = store::delete(tx, follower, followee).await? else { return Ok(None) };
    accounts::store::count_follow(tx, follower, followee, -1).await?;
    relationships::store::delete_endorsement(tx, follower, followee).await?;
    lists::forget(tx, follower, followee).await?;
    let trace = New { account: followee, from: follower, kind: Kind::Follow, status: None };
    notifications::retract(tx, trace).await?;
    Ok(Some(was))
}

/// Ends a request to follow with all that came of it. What it was; None when there was none.
pub(crate) async fn withdraw(tx: &Tx, follower: AccountId, followee: AccountId) -> Result<Option<Follow>> {
    let was = settle(tx, follower, followee).await?;
    if was.is_some() {
        lists::forget(tx, follower, followee).await?;
    }
    Ok(was)
}

/// Ends what `me` has with `other` either way, follows and requests, and has the other server told. `me` is here.
pub(crate) async fn sever(tx: &mut Tx, me: AccountId, other: AccountId) -> Result<()> {
    for was in [end(tx, me, other).await?, withdraw(tx, me, other).await?].iter().flatten() {
        tell(tx, was, |bond| News::Unfollowed { bond }).await?;
    }
    for was in [end(tx, other, me).await?, withdraw(tx, other, me).await?].iter().flatten() {
        tell(tx, was, |bond| News::FollowRejected { bond }).await?;
    }
    Ok(())
}

/// Takes a request that is answered off the table. What it was; None when there was none.
async fn settle(tx: &Tx, follower: AccountId, followee: AccountId) -> Result<Option<Follow>> {
    let Some(was) = store::delete_request(tx, follower, followee).await? else { return Ok(None) };
    let trace = New { account: followee, from: follower, kind: Kind::FollowRequest, status: None };
    notifications::retract(tx, trace).await?;
    Ok(Some(was))
}

/// Ends a follow or takes back a request; no error when there was neither.
/// <https://docs.joinmastodon.org/methods/accounts/#unfollow>
pub async fn unfollow(db: &Db, me: AccountId, target: AccountId) -> Result<Relationship> {
    let mut tx = db.begin().await?;
    accounts::visible(&tx, target).await?;
    accounts::store::lock_pair(&tx, me, target).await?;
    for was in [end(&tx, me, target).await?, withdraw(&tx, me, target).await?].iter().flatten() {
        tell(&mut tx, was, |bond| News::Unfollowed { bond }).await?;
    }
    let shown = relationships::with(&tx, me, target).await?;
    tx.commit().await?;
    Ok(shown)
}

/// Makes `follower` stop following `me`; no error when they did not.
/// <https://docs.joinmastodon.org/methods/accounts/#remove_from_followers>
pub async fn remove_follower(db: &Db, me: AccountId, follower: AccountId) -> Result<Relationship> {
    let mut tx = db.begin().await?;
    accounts::visible(&tx, follower).await?;
    accounts::store::lock_pair(&tx, me, follower).await?;
    if let Some(was) = end(&tx, follower, me).await? {
        tell(&mut tx, &was, |bond| News::FollowRejected { bond }).await?;
    }
    let shown = relationships::with(&tx, me, follower).await?;
    tx.commit().await?;
    Ok(shown)
}

/// Lets `follower`, who asked, follow. [`Error::NotFound`] when they did not ask.
/// <https://docs.joinmastodon.org/methods/follow_requests/#accept>
pub async fn authorize(db: &Db, me: AccountId, follower: AccountId) -> Result<Relationship> {
    let mut tx = db.begin().await?;
    accounts::store::lock_pair(&tx, me, follower).await?;
    let request = store::find_request(&tx, follower, me).await?.ok_or(Error::NotFound)?;
    welcome(&mut tx, request).await?;
    let shown = relationships::with(&tx, me, follower).await?;
    tx.commit().await?;
    Ok(shown)
}

async fn grant(tx: &mut Tx, request: Follow) -> Result<Follow> {
    settle(tx, request.account_id, request.target_id).await?;
    let follow = Follow { id: ids::next(), created_at: tx.now, ..request };
    start(tx, &follow).await?;
    Ok(follow)
}

/// Grants what somebody asked of somebody here, and has them told.
async fn welcome(tx: &mut Tx, request: Follow) -> Result<()> {
    let follow = grant(tx, request).await?;
    accept(tx, &follow).await
}

/// Somebody elsewhere, if the follow has a name, follows somebody here from now on.
async fn accept(tx: &mut Tx, follow: &Follow) -> Result<()> {
    if follow.uri.is_some() {
        accounts::remote::store::mark_followed(tx, follow.target_id, true).await?;
    }
    tell(tx, follow, |bond| News::FollowAccepted { bond }).await
}

/// Lets everybody follow who asked `me`, up to a thousand: the rest stays to be answered.
pub(crate) async fn authorize_all(tx: &mut Tx, me: AccountId) -> Result<()> {
    for request in store::list_all_requests(tx, me, AT_ONCE).await? {
        welcome(tx, request).await?;
    }
    Ok(())
}

/// Turns a request down. [`Error::NotFound`] when they did not ask.
/// <https://docs.joinmastodon.org/methods/follow_requests/#reject>
pub async fn reject(db: &Db, me: AccountId, follower: AccountId) -> Result<Relationship> {
    let mut tx = db.begin().await?;
    accounts::store::lock_pair(&tx, me, follower).await?;
    let was = withdraw(&tx, follower, me).await?.ok_or(Error::NotFound)?;
    tell(&mut tx, &was, |bond| News::FollowRejected { bond }).await?;
    let shown = relationships::with(&tx, me, follower).await?;
    tx.commit().await?;
    Ok(shown)
}

/// Who asks to follow `me`, latest first.
pub async fn requests(conn: &Conn, me: AccountId, page: Page) -> Result<Vec<Listed>> {
    let rows = page.newest_first(store::list_requests(conn, me, page).await?);
    accounts::listed(conn, rows).await
}

/// How many ask to follow `me`, counted up to 40 as Mastodon does.
pub async fn requests_count(conn: &Conn, me: AccountId) -> Result<i64> {
    store::count_requests(conn, me).await
}

/// Followers of `of`, latest first, as far as `viewer` may see them: nothing when `of` hides them or has blocked the
/// viewer; without those whom the viewer has blocked or muted or who blocked the viewer.
pub async fn followers(conn: &Conn, of: &Account, viewer: Option<AccountId>, page: Page) -> Result<Vec<Listed>> {
    if is_hidden(conn, of, viewer).await? {
        return Ok(Vec::new());
    }
    let rows = page.newest_first(store::list_followers(conn, of.id, viewer, page).await?);
    accounts::listed(conn, rows).await
}

/// Whom `of` follows, latest first; rules as for [`followers`].
pub async fn following(conn: &Conn, of: &Account, viewer: Option<AccountId>, page: Page) -> Result<Vec<Listed>> {
    if is_hidden(conn, of, viewer).await? {
        return Ok(Vec::new());
    }
    let rows = page.newest_first(store::list_following(conn, of.id, viewer, page).await?);
    accounts::listed(conn, rows).await
}

async fn is_hidden(conn: &Conn, of: &Account, viewer: Option<AccountId>) -> Result<bool> {
    if viewer == Some(of.id) {
        return Ok(false);
    }
    if of.suspended_at.is_some() || of.hide_collections == Some(true) {
        return Ok(true);
    }
    Ok(viewer.is_some() && relationships::with_authors(conn, viewer, [of.id]).await?.blocked_by(of.id))
}

#[cfg(test)]
mod tests;
