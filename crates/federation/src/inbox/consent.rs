//! Accept and Reject of what people here did with posts of others: favourites, answers, boosts (GoToSocial's interaction
//! policies).

use crate::Federation;
use crate::documents::{Activity, Object, Verb, same_origin};
use domain::accounts::Account;
use domain::statuses::consent::{self, Like};
use domain::statuses::remote;
use domain::{Error, Result};

/// What favourites and emoji have behind the name of whose they are.
const LIKES: &str = "#likes/";
const REACTIONS: &str = "#reactions/";

/// Applies an Accept or Reject if it answers something that was done here; false when it is about something else.
pub(super) async fn answered(federation: &Federation, from: &Account, activity: &Activity) -> Result<bool> {
    let Some(name) = name(activity).filter(|name| federation.is_ours(name)) else { return Ok(false) };
    if let Some(like) = like(name) {
        match activity.verb {
            // It was told to nobody else, so that nothing is left to do.
            Verb::Accept => {}
            _ => consent::refused_like(&federation.db, like, from.id).await?,
        }
        return Ok(true);
    }
    let conn = federation.db.read().await?;
    let status = match (remote::by_uri(&conn, name).await?, name.strip_suffix("/activity")) {
        (None, Some(note)) => remote::by_uri(&conn, note).await?,
        (found, _) => found,
    };
    drop(conn);
    let Some(status) = status.filter(|s| s.local) else { return Ok(false) };
    match (&activity.verb, &activity.result) {
        (Verb::Accept, Some(approval)) if same_origin(approval, &from.uri) => {
            consent::given(&federation.db, status.id, (from.id, approval)).await?;
        }
        (Verb::Accept, _) => return Err(Error::forbidden("A consent that cannot be looked at")),
        _ => consent::refused(&federation.db, status.id, from.id).await?,
    }
    Ok(true)
}

/// The name of what is answered: of the thing itself, also where it is shown, or of what was asked for.
fn name(activity: &Activity) -> Option<&str> {
    match activity.object()? {
        Object::Activity(it) if matches!(it.verb, Verb::Other(_)) => it.instrument.as_ref()?.id(),
        it => it.id(),
    }
}

fn like(name: &str) -> Option<Like> {
    let behind = |mark: &str| name.rsplit_once(mark).map(|(_, id)| id);
    let favourite = behind(LIKES).and_then(|id| id.parse().ok()).map(Like::Favourite);
    favourite.or_else(|| behind(REACTIONS).and_then(|id| id.parse().ok()).map(Like::Reaction))
}
