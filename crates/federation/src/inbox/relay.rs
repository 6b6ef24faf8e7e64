//! What relays bring: news of what others posted, never a boost. It is fetched where it is from, unless it proves itself
//! who said it, if the relay has not brought too much lately.

use super::{create, said};
use crate::Federation;
use crate::documents::{Activity, Note, Object, Verb, host};
use crate::resolve::{self, Budget};
use crate::statuses::arrive;
use domain::accounts::Account;
use domain::relays::{self, Relay, State};
use domain::statuses::{Visibility, remote, remote::How};
use domain::{Error, Result};

/// The relay that `from` speaks for.
pub(super) async fn of(federation: &Federation, from: &Account) -> Result<Option<Relay>> {
    relays::spoken_for_by(&federation.db.read().await?, from.id).await
}

/// Fetches a post that a relay speaks of, unless it is here. Only what is for everybody is kept.
pub(super) async fn import(federation: &Federation, relay: &Relay, uri: &str) -> Result<()> {
    if federation.is_ours(uri) || remote::by_uri(&federation.db.read().await?, uri).await?.is_some() {
        return Ok(());
    }
    if !relays::count(&federation.db, relay.id).await? {
        return Err(Error::forbidden("This relay has brought enough for now"));
    }
    let note = resolve::status::document(federation, uri).await.map_err(once)?;
    for_everybody(&note)?;
    resolve::status::take(federation, &note, Budget::RELAYED).await.map(drop).map_err(once)
}

/// What `author` said, with their own proof: a post that is new here is taken as if it had been fetched.
pub(super) async fn proven(
    federation: &Federation,
    relay: &Relay,
    (author, activity): (&Account, &Activity),
) -> Result<()> {
    let Some(Object::Note(note)) = activity.object().filter(|_| activity.verb != Verb::Delete) else {
        return said(federation, author, activity).await;
    };
    if remote::by_uri(&federation.db.read().await?, &note.id).await?.is_some() {
        return if activity.verb == Verb::Create { Ok(()) } else { said(federation, author, activity).await };
    }
    if create::of_a_group(author, note) {
        return import(federation, relay, &note.id).await;
    }
    create::check(author, note)?;
    for_everybody(note)?;
    if note.vote().is_some() {
        return Err(Error::NotFound);
    }
    if !relays::count(&federation.db, relay.id).await? {
        return Err(Error::forbidden("This relay has brought enough for now"));
    }
    arrive::take(federation, note, author, (How::Relayed, Budget::RELAYED)).await.map(drop).map_err(once)
}

fn for_everybody(note: &Note) -> Result<()> {
    match note.visibility(None) {
        Some(Visibility::Public) => Ok(()),
        _ => Err(Error::forbidden("Relays bring only what is for everybody")),
    }
}

/// What cannot be had now is not tried again: a relay must not have us ask the same server for days.
fn once(error: Error) -> Error {
    match error {
        Error::Unreachable(host) => Error::forbidden(format!("{host} does not answer")),
        error => error,
    }
}

/// A relay answers what the site asked of it. False: this is no relay's answer.
pub(super) async fn answered(federation: &Federation, from: &Account, (uri, state): (&str, State)) -> Result<bool> {
    let Some(relay) = relays::store::by_follow(&federation.db.read().await?, uri).await? else { return Ok(false) };
    // Names can be guessed: only who is where the wish was sent answers it.
    let there = host(&from.uri).is_some_and(|name| host(&relay.inbox).is_some_and(|inbox| inbox == name));
    if !there || relay.account_id.is_some_and(|account| account != from.id) {
        return Err(Error::forbidden("It was not asked of them"));
    }
    relays::answered(&federation.db, (relay.id, from.id), state).await?;
    Ok(true)
}
