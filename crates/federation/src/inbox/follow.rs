//! Follow: somebody elsewhere wants to follow somebody here.

use super::local;
use crate::Federation;
use crate::documents::Activity;
use domain::accounts::Account;
use domain::{Error, Result, follows};

pub(super) async fn apply(federation: &Federation, from: &Account, activity: &Activity) -> Result<()> {
    // Without a name it could not be answered.
    let uri = activity.id.as_deref().ok_or(Error::NotFound)?;
    let target = local(federation, activity.object_id()).await?;
    follows::remote::asked(&federation.db, from, &target, uri).await
}

pub(super) async fn undo(federation: &Federation, from: &Account, activity: &Activity) -> Result<()> {
    let target = local(federation, activity.object_id()).await?;
    follows::remote::undone(&federation.db, from.id, target.id).await
}
