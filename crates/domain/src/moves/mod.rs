//! Accounts that move. Two accounts belong together when each says so: the new one names the old one among its other
//! names (aliases), the old one says where it went. Who follows the old one then follows the new one.

mod carry;
mod store;

pub use carry::{Carry, What, carry};

use crate::{
    Error, Result, Time,
    accounts::{self, Account, remote},
    db::{Conn, Db, Tx},
    deliveries::{self, News},
    ids::{self, AccountId, AliasId},
    jobs::Job,
    row,
};
use std::time::Duration;

/// Between two moves of one account.
pub const COOLDOWN: Duration = Duration::from_secs(7 * 24 * 3600);
/// Other names of one account.
const ALIASES: i64 = 50;

row! {
    /// Another name of an account here.
    pub struct Alias {
        pub id: AliasId,
        pub account_id: AccountId,
        /// The other account's name among servers.
        pub uri: String,
        /// What people call it.
        pub acct: String,
    }
}

row! {
    /// That somebody moved.
    pub struct Move {
        pub account_id: AccountId,
        pub target_id: AccountId,
        pub moved_at: Time,
    }
}

/// Other names of an account here, the first one first.
pub async fn aliases(conn: &Conn, account: AccountId) -> Result<Vec<Alias>> {
    store::aliases(conn, account, ALIASES).await
}

/// Somebody here says that `other` is theirs too; again is fine. [`Error::Invalid`] for oneself and over fifty.
pub async fn add_alias(db: &Db, account: AccountId, other: &Account) -> Result<()> {
    if other.id == account {
        return Err(Error::invalid("Alias", "is this very account"));
    }
    let mut tx = db.begin().await?;
    accounts::store::lock_pair(&tx, account, account).await?;
    let alias = Alias { id: ids::next(), account_id: account, uri: other.uri.clone(), acct: other.acct() };
    if store::insert_alias(&tx, &alias).await? {
        if store::count_aliases(&tx, account).await? > ALIASES {
            return Err(Error::invalid("base", format!("An account can have {ALIASES} aliases at most")));
        }
        tell_of_profile(&mut tx, account).await?;
    }
    tx.commit().await
}

/// Ends [`add_alias`], by what people call the other account or by its name among servers. [`Error::NotFound`] when there
/// is no such alias.
pub async fn remove_alias(db: &Db, account: AccountId, named: &str) -> Result<()> {
    let named = named.trim().trim_start_matches('@');
    let mut tx = db.begin().await?;
    if !store::delete_alias(&tx, account, named).await? {
        return Err(Error::NotFound);
    }
    tell_of_profile(&mut tx, account).await?;
    tx.commit().await
}

async fn tell_of_profile(tx: &mut Tx, account: AccountId) -> Result<()> {
    deliveries::tell(tx, News::ProfileChanged { account, telling: ids::next() }).await
}

/// Whether `account` says that it is `uri` too, by what is known of it here.
async fn is_also(conn: &Conn, account: &Account, uri: &str) -> Result<bool> {
    if account.is_local() {
        return store::has_alias(conn, account.id, uri).await;
    }
    let actor = remote::store::actor(conn, account.id).await?;
    Ok(actor.is_some_and(|actor| actor.also_known_as().iter().any(|name| name == uri)))
}

/// The last move of an account, whether it was taken back or not.
pub async fn last(conn: &Conn, account: AccountId) -> Result<Option<Move>> {
    store::last(conn, account).await
}

/// Whether `from` may move to `to`, by what is known of both: different accounts, of which the new one says that it is
/// the old one too and has not moved on itself. [`Error::Forbidden`] says why not.
pub async fn check(conn: &Conn, from: &Account, to: &Account) -> Result<()> {
    if from.id == to.id {
        return Err(Error::forbidden("Nobody moves to where they are"));
    }
    if to.suspended_at.is_some() {
        return Err(Error::NotFound);
    }
    let moved_on = match to.is_local() {
        true => to.moved_to_id.is_some(),
        false => remote::store::actor(conn, to.id).await?.is_some_and(|actor| actor.moved_to.is_some()),
    };
    if moved_on {
        return Err(Error::forbidden(format!("{} has moved on itself", to.acct())));
    }
    match is_also(conn, to, &from.uri).await? {
        true => Ok(()),
        false => Err(Error::forbidden(format!("{} does not name {} among its aliases", to.acct(), from.uri))),
    }
}

/// Whether somebody here may leave now for `to`: as [`check`], and not again within a week.
pub async fn check_leave(conn: &Conn, from: &Account, to: &Account) -> Result<()> {
    check(conn, from, to).await?;
    match last(conn, from.id).await?.map(|last| last.moved_at.plus(COOLDOWN)).filter(|end| *end > Time::now()) {
        None => Ok(()),
        Some(end) => Err(Error::forbidden(format!("The last move is not a week ago: wait until {}", end.iso()))),
    }
}

/// Somebody here leaves for `to`: their profile says so, their followers are told and come along, and they can do nothing
/// here any more but take it back. Errors as of [`check_leave`].
pub async fn leave(db: &Db, from: AccountId, to: AccountId) -> Result<()> {
    let mut tx = db.begin().await?;
    let (from, to) = locked(&tx, from, to).await?;
    check_leave(&tx, &from, &to).await?;
    begin(&mut tx, &from, &to).await?;
    tell_of_profile(&mut tx, from.id).await?;
    deliveries::tell(&mut tx, News::Moved { account: from.id, target: to.id, telling: ids::next() }).await?;
    tx.commit().await
}

/// Somebody who moved uses the account here again. Followers who went do not come back by it.
/// [`Error::NotFound`] when they had not moved.
pub async fn come_back(db: &Db, account: AccountId) -> Result<()> {
    let mut tx = db.begin().await?;
    let known = accounts::store::by_id(&tx, account).await?.ok_or(Error::NotFound)?;
    if known.moved_to_id.is_none() {
        return Err(Error::NotFound);
    }
    store::update_moved_to(&tx, account, None).await?;
    tell_of_profile(&mut tx, account).await?;
    tx.commit().await
}

/// `from`, of another server, says that it moved to `to`, of which what is known was looked at just now. Those here who
/// follow it come along. Said again it changes nothing; [`Error::Forbidden`] as of [`check`], and for another move within a
/// week.
pub async fn arrived(db: &Db, from: AccountId, to: AccountId) -> Result<()> {
    let mut tx = db.begin().await?;
    let (from, to) = locked(&tx, from, to).await?;
    let lately = last(&tx, from.id).await?.filter(|last| tx.now.since(last.moved_at) < COOLDOWN);
    match lately {
        Some(last) if last.target_id == to.id => return Ok(()),
        Some(_) => return Err(Error::forbidden("It moved somewhere else less than a week ago")),
        None => {}
    }
    check(&tx, &from, &to).await?;
    begin(&mut tx, &from, &to).await?;
    tx.commit().await
}

async fn locked(tx: &Tx, from: AccountId, to: AccountId) -> Result<(Account, Account)> {
    accounts::store::lock_pair(tx, from, from).await?;
    let from = accounts::store::by_id(tx, from).await?.ok_or(Error::NotFound)?;
    Ok((from, accounts::store::by_id(tx, to).await?.ok_or(Error::NotFound)?))
}

async fn begin(tx: &mut Tx, from: &Account, to: &Account) -> Result<()> {
    store::put(tx, &Move { account_id: from.id, target_id: to.id, moved_at: tx.now }).await?;
    store::update_moved_to(tx, from.id, Some(to.id)).await?;
    tx.enqueue(Job::Carry { carry: Carry::first(from.id, to.id) }).await
}

/// What the profile of an account of another server says about where it went, and is confirmed there or not: shown, and
/// nobody comes along by it. None: it went nowhere. `said`: what it said when that was looked at; when it says something
/// else by now, that is looked at by a job of its own.
pub async fn redirect(db: &Db, from: AccountId, (said, to): (Option<&str>, Option<&Account>)) -> Result<()> {
    let tx = db.begin().await?;
    let known = accounts::store::by_id(&tx, from).await?.ok_or(Error::NotFound)?;
    let actor = accounts::remote::store::actor(&tx, from).await?;
    if actor.and_then(|actor| actor.moved_to).as_deref() != said {
        return Ok(());
    }
    let to = match to {
        None => None,
        Some(to) => match check(&tx, &known, to).await {
            Ok(()) => Some(to.id),
            Err(Error::Forbidden(_) | Error::NotFound) => None,
            Err(error) => return Err(error),
        },
    };
    store::update_moved_to(&tx, from, to).await?;
    tx.commit().await
}

#[cfg(test)]
mod tests;
