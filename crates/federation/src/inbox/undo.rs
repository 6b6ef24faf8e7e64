//! Undo: something is taken back. What it was should be shown; a name alone is looked for among what is known. What has not
//! come yet is remembered by its name, so that it does not come afterwards.

use super::{create, follow, inner, like, local};
use crate::Federation;
use crate::documents::{Activity, Verb, same_origin};
use domain::accounts::Account;
use domain::statuses::{actions, remote};
use domain::{Error, Result, blocks, follows, tombstones};

pub(super) async fn apply(federation: &Federation, from: &Account, activity: &Activity) -> Result<()> {
    let Some(what) = inner(activity) else { return by_name(federation, from, activity).await };
    if what.actor != from.uri {
        return Err(Error::forbidden("Nobody takes back what others did"));
    }
    // Only a name on their own server is theirs to take away.
    let name = what.id.as_deref().filter(|id| same_origin(id, &from.uri));
    match what.verb {
        Verb::Follow => match (follow::undo(federation, from, what).await?, name) {
            (false, Some(name)) => tombstones::remember(&federation.db, name).await,
            _ => Ok(()),
        },
        Verb::Like | Verb::EmojiReact => {
            remember(federation, name).await?;
            like::undo(federation, from, what).await
        }
        Verb::Announce => {
            let original = match what.object_id() {
                None => None,
                Some(uri) => remote::by_uri(&federation.db.read().await?, uri).await?.map(|s| s.id),
            };
            remote::unboost(&federation.db, from.id, (name, original)).await
        }
        Verb::Delete => {
            let uri = what.object_id().filter(|uri| same_origin(uri, &from.uri)).ok_or(Error::NotFound)?;
            create::restored(federation, (uri, &from.uri)).await
        }
        Verb::Block => {
            remember(federation, name).await?;
            let target = local(federation, what.object_id()).await?;
            blocks::unblocked_by(&federation.db, from.id, target.id).await
        }
        _ => Ok(()),
    }
}

async fn remember(federation: &Federation, name: Option<&str>) -> Result<()> {
    match name {
        Some(name) => tombstones::remember(&federation.db, name).await,
        None => Ok(()),
    }
}

async fn by_name(federation: &Federation, from: &Account, activity: &Activity) -> Result<()> {
    let uri = activity.object_id().filter(|uri| same_origin(uri, &from.uri)).ok_or(Error::NotFound)?;
    let follow = follows::remote::by_uri(&federation.db.read().await?, uri).await?;
    if let Some((follower, followee)) = follow.filter(|(follower, _)| *follower == from.id) {
        return follows::remote::undone(&federation.db, (follower, followee), Some(uri)).await.map(drop);
    }
    if actions::undo_named(&federation.db, from.id, uri).await?
        || blocks::unblocked_by_name(&federation.db, from.id, uri).await?
    {
        return Ok(());
    }
    // A boost, or what has not come yet.
    remote::unboost(&federation.db, from.id, (Some(uri), None)).await
}
