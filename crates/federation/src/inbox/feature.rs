//! Add and Remove: what somebody elsewhere pins to their profile, posts and hashtags.

use crate::Federation;
use crate::documents::{Activity, Object, Verb};
use crate::resolve::{self, Budget};
use domain::accounts::{Account, remote as accounts};
use domain::statuses::remote;
use domain::{Error, Result, tags};

pub(super) async fn apply(federation: &Federation, from: &Account, activity: &Activity) -> Result<()> {
    let target = activity.target.as_ref().and_then(Object::id).ok_or(Error::NotFound)?;
    let conn = federation.db.read().await?;
    let lists = accounts::store::actor(&conn, from.id).await?.map(|actor| [actor.featured, actor.featured_tags]);
    if !lists.is_some_and(|lists| lists.iter().flatten().any(|list| list == target)) {
        return Err(Error::forbidden("It is not a list of theirs"));
    }
    drop(conn);
    if let Some(Object::Other { kind, name: Some(name), .. }) = activity.object()
        && kind == "Hashtag"
    {
        return match activity.verb {
            Verb::Add => tags::remote::feature(&federation.db, from.id, name).await,
            _ => tags::remote::unfeature(&federation.db, from.id, name).await,
        };
    }
    let uri = activity.object_id().ok_or(Error::NotFound)?;
    let status = match activity.verb {
        Verb::Add => resolve::status::by_author(federation, (uri, &from.uri), Budget::SENT).await?,
        _ => remote::by_uri(&federation.db.read().await?, uri).await?.ok_or(Error::NotFound)?,
    };
    if status.account_id != from.id {
        return Err(Error::forbidden("It is not by who pins it"));
    }
    remote::pin(&federation.db, &status, activity.verb == Verb::Add).await
}
