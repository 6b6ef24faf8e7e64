//! Undo: something is taken back. What it was should be shown; a name alone is looked for among what is known.

use super::{follow, inner, like, local};
use crate::Federation;
use crate::documents::{Activity, Verb};
use domain::accounts::Account;
use domain::statuses::remote;
use domain::{Error, Result, blocks, follows};

pub(super) async fn apply(federation: &Federation, from: &Account, activity: &Activity) -> Result<()> {
    let Some(what) = inner(activity) else { return by_name(federation, from, activity).await };
    if what.actor != from.uri {
        return Err(Error::forbidden("Nobody takes back what others did"));
    }
    match what.verb {
        Verb::Follow => follow::undo(federation, from, what).await,
        Verb::Like | Verb::EmojiReact => like::undo(federation, from, what).await,
        Verb::Announce => {
            let original = match what.object_id() {
                None => None,
                Some(uri) => remote::by_uri(&federation.db.read().await?, uri).await?.map(|s| s.id),
            };
            remote::unboost(&federation.db, from.id, (what.id.as_deref(), original)).await
        }
        Verb::Block => {
            let target = local(federation, what.object_id()).await?;
            blocks::unblocked_by(&federation.db, from.id, target.id).await
        }
        _ => Ok(()),
    }
}

async fn by_name(federation: &Federation, from: &Account, activity: &Activity) -> Result<()> {
    let uri = activity.object_id().ok_or(Error::NotFound)?;
    let follow = follows::remote::by_uri(&federation.db.read().await?, uri).await?;
    match follow.filter(|(follower, _)| *follower == from.id) {
        Some((follower, followee)) => follows::remote::undone(&federation.db, follower, followee).await,
        None => remote::unboost(&federation.db, from.id, (Some(uri), None)).await,
    }
}
