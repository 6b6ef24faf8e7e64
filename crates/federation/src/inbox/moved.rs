//! Move: somebody elsewhere went to another account, and takes along who follows them.

use crate::Federation;
use crate::documents::{Activity, Object};
use crate::resolve;
use domain::accounts::Account;
use domain::{Error, Result, Time, moves};

pub(super) async fn apply(federation: &Federation, from: &Account, activity: &Activity) -> Result<()> {
    let target = activity.target.as_ref().and_then(Object::id).ok_or(Error::NotFound)?;
    if activity.object_id() != Some(from.uri.as_str()) {
        return Err(Error::forbidden("Nobody moves others"));
    }
    if target == from.uri {
        return Err(Error::forbidden("Nobody moves to where they are"));
    }
    // Before anybody is asked: a Move can be sent as often as one likes.
    let last = moves::last(&federation.db.read().await?, from.id).await?;
    if last.is_some_and(|last| Time::now().since(last.moved_at) < moves::COOLDOWN) {
        return Ok(());
    }
    let to = resolve::moves::fresh(federation, target).await?;
    if to.uri != target {
        return Err(Error::forbidden("It leads to another account"));
    }
    moves::arrived(&federation.db, from.id, to.id).await
}
