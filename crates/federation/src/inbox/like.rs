//! Like: somebody elsewhere favours a post of ours. A reaction with an emoji counts as that.

use crate::Federation;
use crate::documents::Activity;
use domain::accounts::Account;
use domain::statuses::{Status, actions, remote};
use domain::{Error, Result};

pub(super) async fn apply(federation: &Federation, from: &Account, activity: &Activity) -> Result<()> {
    let status = ours(federation, activity).await?;
    actions::favourite(&federation.db, from.id, status.id).await.map(drop)
}

pub(super) async fn undo(federation: &Federation, from: &Account, activity: &Activity) -> Result<()> {
    let status = ours(federation, activity).await?;
    actions::unfavourite(&federation.db, from.id, status.id).await.map(drop)
}

async fn ours(federation: &Federation, activity: &Activity) -> Result<Status> {
    let uri = activity.object_id().filter(|uri| federation.is_ours(uri)).ok_or(Error::NotFound)?;
    let status = remote::by_uri(&federation.db.read().await?, uri).await?;
    status.filter(|s| s.local).ok_or(Error::NotFound)
}
