//! Announce: somebody elsewhere boosts something.

use super::{create, group, inner, relay};
use crate::documents::{Activity, Object, PUBLIC};
use crate::resolve::{self, Budget};
use crate::statuses::arrive;
use crate::{Federation, boxed};
use domain::accounts::{Account, remote as accounts};
use domain::db::Conn;
use domain::statuses::{self, Visibility, consent::Deed, remote, remote::How};
use domain::{Error, Result, follows};

pub(super) async fn apply(federation: &Federation, from: &Account, activity: &Activity) -> Result<()> {
    if let Some(relay) = relay::of(federation, from).await? {
        let uri = activity.object_id().ok_or(Error::NotFound)?;
        return relay::import(federation, &relay, uri).await;
    }
    if let Some(inner) = inner(activity) {
        return boxed(|| group::apply(federation, from, (activity, inner))).await;
    }
    let (Some(uri), Some(id)) = (activity.object_id(), activity.id.as_deref()) else { return Err(Error::NotFound) };
    let conn = federation.db.read().await?;
    let known = remote::by_uri(&conn, uri).await?;
    let ours = known.as_ref().is_some_and(|s| s.local);
    if !ours && !follows::remote::is_followed_here(&conn, from.id).await? {
        return Err(Error::forbidden("Nobody here follows"));
    }
    let visibility = visibility(&conn, from, activity).await?;
    drop(conn);
    let original = match (known, activity.object()) {
        (Some(status), _) => status,
        // What is not for everybody is sent along by its author, who alone may boost it.
        (None, Some(Object::Note(note))) if visibility == Visibility::Private => {
            create::check(from, note)?;
            arrive::take(federation, note, from, (How::Sent, Budget::SENT)).await?.ok_or(Error::Gone)?
        }
        (None, _) => resolve::status::by_author(federation, (uri, &from.uri), Budget::SENT).await?,
    };
    // A boost of a boost is one of what that boosts.
    let original = match original.reblog_of_id {
        None => original,
        Some(id) => statuses::store::by_id(&federation.db.read().await?, id).await?.ok_or(Error::NotFound)?,
    };
    let approval = (id, activity.approved_by.as_deref());
    if !federation.may((from, Deed::Boost), &original, approval).await? {
        return Err(Error::forbidden("Its author does not let them boost it"));
    }
    let made = (id, visibility, activity.published);
    remote::boost(&federation.db, &federation.site, (from.id, original.id), made).await.map(drop)
}

pub(super) async fn visibility(conn: &Conn, from: &Account, activity: &Activity) -> Result<Visibility> {
    let everybody = |list: &[String]| list.iter().any(|uri| uri == PUBLIC);
    if everybody(&activity.to) {
        return Ok(Visibility::Public);
    }
    if everybody(&activity.cc) {
        return Ok(Visibility::Unlisted);
    }
    let followers = accounts::store::actor(conn, from.id).await?.and_then(|a| a.followers);
    let to_followers = followers.is_some_and(|f| activity.to.contains(&f) || activity.cc.contains(&f));
    if to_followers { Ok(Visibility::Private) } else { Err(Error::forbidden("A boost for nobody")) }
}
