//! Update: a post was edited, a poll counted, a profile changed.

use super::create;
use super::signer::kept;
use crate::Federation;
use crate::documents::{Activity, Actor, Note, Object, same_origin};
use crate::resolve::{self, Budget, account};
use crate::statuses::arrive;
use domain::accounts::{Account, remote as people};
use domain::statuses::remote::{self, How, Outcome};
use domain::{Error, Result, Time};
use std::time::Duration;

/// An edit of something older than this that never came is not news.
const LATE: Duration = Duration::from_secs(24 * 3600);

pub(super) async fn apply(federation: &Federation, from: &Account, activity: &Activity) -> Result<()> {
    match activity.object() {
        Some(Object::Actor(actor)) if actor.id == from.uri => profile(federation, from, actor).await,
        Some(Object::Actor(_)) => Err(Error::forbidden("Nobody changes others")),
        Some(Object::Note(note)) => edit(federation, from, note).await,
        Some(Object::Id(uri)) if *uri == from.uri => account::fetch(federation, uri).await.map(drop),
        Some(Object::Id(uri)) if !same_origin(uri, &from.uri) => Err(Error::forbidden("It is not on their server")),
        Some(Object::Id(uri)) => named(federation, (uri, &from.uri)).await,
        _ => Ok(()),
    }
}

async fn named(federation: &Federation, (uri, author): (&str, &str)) -> Result<()> {
    let known = remote::by_uri(&federation.db.read().await?, uri).await?;
    match known {
        Some(_) => resolve::status::refetch(federation, uri, Budget::SENT).await.map(drop),
        None => create::passed_on(federation, (uri, author)).await,
    }
}

/// New keys are asked for where they are from: what was sent may have waited here for long, and have been changed since.
async fn profile(federation: &Federation, from: &Account, actor: &Actor) -> Result<()> {
    let mut sent: Vec<(String, String)> = actor.keys.iter().map(kept).collect();
    let known = people::store::keys(&federation.db.read().await?, from.id).await?;
    let mut known: Vec<(String, String)> = known.into_iter().map(|key| (key.id, key.pem)).collect();
    sent.sort();
    known.sort();
    if sent == known {
        account::take(federation, actor).await?;
    } else {
        account::fetch(federation, &from.uri).await?;
    }
    federation.known.forget(from.id);
    Ok(())
}

async fn edit(federation: &Federation, from: &Account, note: &Note) -> Result<()> {
    // Nothing is looked up for what is not here.
    let known = remote::by_uri(&federation.db.read().await?, &note.id).await?;
    if create::of_a_group(from, note) {
        return match known {
            Some(_) => resolve::status::refetch(federation, &note.id, Budget::SENT).await.map(drop),
            None => Ok(()),
        };
    }
    create::check(from, note)?;
    if known.is_none() {
        let late = note.published.is_some_and(|at| Time::now().since(at) > LATE);
        return if late { Ok(()) } else { create::take(federation, from, note).await };
    }
    let arrived = federation.arrived(note, from, (How::Sent, Budget::SENT)).await?;
    match arrive::edit(federation, &arrived).await? {
        Outcome::Changed(_) | Outcome::Stale(_) => Ok(()),
        Outcome::Unknown => arrive::take(federation, note, from, (How::Sent, Budget::SENT)).await.map(drop),
    }
}
