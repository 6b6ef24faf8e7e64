//! Add and Remove: what somebody elsewhere pins to their profile.

use crate::Federation;
use crate::documents::{Activity, Verb};
use crate::resolve::{self, Budget};
use domain::accounts::{Account, remote as accounts};
use domain::statuses::remote;
use domain::{Error, Result};

pub(super) async fn apply(federation: &Federation, from: &Account, activity: &Activity) -> Result<()> {
    let (Some(uri), Some(target)) = (activity.object_id(), activity.target.as_ref().and_then(|t| t.id())) else {
        return Err(Error::NotFound);
    };
    let conn = federation.db.read().await?;
    let featured = accounts::store::actor(&conn, from.id).await?.and_then(|a| a.featured);
    if featured.as_deref() != Some(target) {
        return Err(Error::forbidden("It is not their list of pinned posts"));
    }
    drop(conn);
    let status = match activity.verb {
        Verb::Add => resolve::status::by_uri(federation, uri, Budget::SENT).await?,
        _ => remote::by_uri(&federation.db.read().await?, uri).await?.ok_or(Error::NotFound)?,
    };
    if status.account_id != from.id {
        return Err(Error::forbidden("It is not by who pins it"));
    }
    remote::pin(&federation.db, &status, activity.verb == Verb::Add).await
}
