//! Update: a post was edited, a poll counted, a profile changed.

use super::create;
use crate::Federation;
use crate::documents::{Activity, Note, Object};
use crate::resolve::{self, Budget, account};
use crate::statuses::arrive;
use domain::accounts::Account;
use domain::statuses::remote::{self, How, Outcome};
use domain::{Error, Result, Time};
use std::time::Duration;

/// An edit of something older than this that never came is not news.
const LATE: Duration = Duration::from_secs(24 * 3600);

pub(super) async fn apply(federation: &Federation, from: &Account, activity: &Activity) -> Result<()> {
    match activity.object() {
        Some(Object::Actor(actor)) if actor.id == from.uri => {
            account::take(federation, actor).await?;
            federation.known.forget(from.id);
            Ok(())
        }
        Some(Object::Actor(_)) => Err(Error::forbidden("Nobody changes others")),
        Some(Object::Note(note)) => edit(federation, from, note).await,
        Some(Object::Id(uri)) if *uri == from.uri => account::fetch(federation, uri).await.map(drop),
        Some(Object::Id(uri)) => resolve::status::refetch(federation, uri, Budget::SENT).await.map(drop),
        _ => Ok(()),
    }
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
    match remote::edit(&federation.db, &arrived).await? {
        Outcome::Changed(_) | Outcome::Stale(_) => Ok(()),
        Outcome::Unknown => arrive::take(federation, note, from, (How::Sent, Budget::SENT)).await.map(drop),
    }
}
