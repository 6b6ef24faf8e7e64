//! Move: somebody elsewhere went to another account, and takes along who follows them.

use crate::Federation;
use crate::documents::{Activity, Object};
use crate::resolve;
use domain::accounts::Account;
use domain::{Error, Result, Time, moves};
use std::time::Duration;

/// How long a move to another server that came to nothing is not looked at again: whoever says it without end has that
/// server asked no more often.
const REFUSED: Duration = Duration::from_secs(300);

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
    // Who is here is not asked for anywhere.
    let asked = (!federation.is_ours(target)).then(|| format!("{} {target}", from.uri));
    if asked.as_deref().is_some_and(|asked| federation.unmoved.has(asked)) {
        return Err(Error::forbidden("It came to nothing a moment ago"));
    }
    let outcome = arrive(federation, from, target).await;
    if let (Err(Error::NotFound | Error::Gone | Error::Forbidden(_) | Error::Invalid { .. }), Some(asked)) =
        (&outcome, &asked)
    {
        federation.unmoved.begin(asked, REFUSED);
    }
    outcome
}

async fn arrive(federation: &Federation, from: &Account, target: &str) -> Result<()> {
    let to = resolve::moves::fresh(federation, target).await?;
    if to.uri != target {
        return Err(Error::forbidden("It leads to another account"));
    }
    moves::arrived(&federation.db, from.id, to.id).await
}
