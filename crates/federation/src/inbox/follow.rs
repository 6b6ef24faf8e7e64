//! Follow: somebody elsewhere wants to follow somebody here.

use super::local;
use crate::Federation;
use crate::documents::Activity;
use domain::accounts::Account;
use domain::{Error, Result, follows, relays};

pub(super) async fn apply(federation: &Federation, from: &Account, activity: &Activity) -> Result<()> {
    // Without a name it could not be answered.
    let uri = activity.id.as_deref().ok_or(Error::NotFound)?;
    if let Some(object) =
        activity.object_id().filter(|it| *it == federation.site_uri() || *it == federation.relay_uri())
    {
        return relays::asked_to_follow(&federation.db, from, (uri, object)).await;
    }
    let target = local(federation, activity.object_id()).await?;
    follows::remote::asked(&federation.db, from, &target, uri).await
}

/// False when there was nothing to undo.
pub(super) async fn undo(federation: &Federation, from: &Account, activity: &Activity) -> Result<bool> {
    let target = local(federation, activity.object_id()).await?;
    follows::remote::undone(&federation.db, (from.id, target.id), activity.id.as_deref()).await
}
