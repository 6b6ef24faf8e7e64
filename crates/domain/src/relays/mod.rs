//! Relays: servers that pass public posts on between those who subscribe to them. What is posted here goes to those that
//! agreed; what they bring is fetched where it is from, within a budget for each.

pub mod store;

pub use store::Relay;

use crate::{
    Error, Result, Time,
    accounts::Account,
    db::{Conn, Db, Tx, stored_enum},
    deliveries::{self, News},
    ids::{self, AccountId, RelayId},
    statuses::{Status, Visibility},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Relays of one site.
const MOST: i64 = 50;
/// What one relay may have us fetch within an hour.
const BUDGET: (i64, Duration) = (3_000, Duration::from_secs(3600));

stored_enum! {
    /// How a relay is spoken to.
    pub enum Style {
        /// Known by its inbox; the public itself is followed; it is sent what followers are sent.
        Mastodon = 0 => "mastodon",
        /// Known by its actor, which follows back; it is sent boosts.
        Litepub = 1 => "litepub",
    }
}

stored_enum! {
    pub enum State {
        Waiting = 0 => "waiting",
        Accepted = 1 => "accepted",
        Rejected = 2 => "rejected",
    }
}

/// A relay to subscribe to.
#[derive(Clone, Debug)]
pub struct New {
    pub style: Style,
    pub url: String,
    pub inbox: String,
    /// Who speaks for it, if that is known already.
    pub account: Option<AccountId>,
    /// The name of the subscription among servers is this and a number.
    pub follow_prefix: String,
}

/// What telling a relay of a subscription takes, also when it was left and its row is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    pub litepub: bool,
    pub inbox: String,
    pub account: Option<AccountId>,
    pub follow_uri: String,
}

impl From<Relay> for Left {
    fn from(relay: Relay) -> Self {
        Self {
            litepub: relay.style == Style::Litepub,
            inbox: relay.inbox,
            account: relay.account_id,
            follow_uri: relay.follow_uri,
        }
    }
}

/// Asks a relay to pass posts on. [`Error::Invalid`] for one that was asked already, and over fifty.
pub async fn subscribe(db: &Db, new: New) -> Result<Relay> {
    let mut tx = db.begin().await?;
    let id: RelayId = ids::next();
    let relay = Relay {
        id,
        style: new.style,
        url: new.url,
        inbox: new.inbox,
        account_id: new.account,
        state: State::Waiting,
        follow_uri: format!("{}{id}", new.follow_prefix),
        created_at: tx.now,
        answered_at: None,
        received: 0,
        received_at: None,
    };
    if !store::insert(&tx, &relay).await? {
        return Err(Error::invalid("Relay", "has been added already"));
    }
    if store::list(&tx, MOST + 1).await?.len() > usize::try_from(MOST).unwrap_or(usize::MAX) {
        return Err(Error::invalid("base", format!("There can be {MOST} relays at most")));
    }
    deliveries::tell(&mut tx, News::RelayFollowed { relay: id }).await?;
    tx.commit().await?;
    Ok(relay)
}

/// Ends [`subscribe`], by the address that was given. [`Error::NotFound`] when there is no such relay.
pub async fn leave(db: &Db, url: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    let relay = store::delete(&tx, url.trim()).await?.ok_or(Error::NotFound)?;
    deliveries::tell(&mut tx, News::RelayLeft { left: relay.into() }).await?;
    tx.commit().await
}

/// All relays, the first one first.
pub async fn list(conn: &Conn) -> Result<Vec<Relay>> {
    store::list(conn, MOST).await
}

/// The relay that `account` speaks for, if it agreed.
pub async fn spoken_for_by(conn: &Conn, account: AccountId) -> Result<Option<Relay>> {
    store::by_account(conn, account).await
}

/// Whether `account` speaks for a relay that was asked, whatever it answered.
async fn is_relay(conn: &Conn, account: AccountId) -> Result<bool> {
    Ok(store::list(conn, MOST).await?.iter().any(|relay| relay.account_id == Some(account)))
}

/// A relay answers; `account` speaks for it from now on.
pub async fn answered(db: &Db, (relay, account): (RelayId, AccountId), state: State) -> Result<()> {
    let tx = db.begin().await?;
    store::answer(&tx, (relay, account), state).await?;
    tx.commit().await
}

/// Counts one thing that a relay brings. False when it has brought enough for now.
pub async fn count(db: &Db, relay: RelayId) -> Result<bool> {
    let (most, span) = BUDGET;
    let tx = db.begin().await?;
    let counted = store::count(&tx, relay, Time::now().minus(span)).await?;
    tx.commit().await?;
    Ok(counted.is_some_and(|n| n <= most))
}

/// Where the relays are that agreed: of one style, or all.
pub async fn inboxes(conn: &Conn, style: Option<Style>) -> Result<Vec<String>> {
    let mut relays = store::list(conn, MOST).await?;
    relays.retain(|relay| relay.state == State::Accepted && style.is_none_or(|style| relay.style == style));
    Ok(relays.into_iter().map(|relay| relay.inbox).collect())
}

/// Whether relays pass on what becomes of `status`: what is for everybody, written by somebody who is not limited.
pub fn is_for_relays(status: &Status, author: &Account) -> bool {
    let open = status.visibility == Visibility::Public && status.reblog_of_id.is_none();
    open && status.local && author.silenced_at.is_none()
}

/// As [`is_for_relays`], when there is any that agreed.
pub(crate) async fn want(tx: &Tx, status: &Status, author: &Account) -> Result<bool> {
    Ok(is_for_relays(status, author) && store::any_accepted(tx).await?)
}

/// Whether there is any that agreed.
pub(crate) async fn any_accepted(conn: &Conn) -> Result<bool> {
    store::any_accepted(conn).await
}

/// Somebody elsewhere asked to follow the site itself: only relays may.
pub async fn asked_to_follow(db: &Db, follower: &Account, (uri, object): (&str, &str)) -> Result<()> {
    let mut tx = db.begin().await?;
    let accepted = is_relay(&tx, follower.id).await?;
    let (follower, uri, object) = (follower.id, uri.to_owned(), object.to_owned());
    let news = News::SiteAnswered { follower, uri, object, accepted, telling: ids::next() };
    deliveries::tell(&mut tx, news).await?;
    tx.commit().await
}

#[cfg(test)]
mod tests;
