//! Accept and Reject: how somebody elsewhere answers who wants to follow or quote them, or did something with their posts.

use super::{consent, inner, local, quote, relay};
use crate::Federation;
use crate::documents::{Activity, Verb};
use domain::accounts::Account;
use domain::ids::AccountId;
use domain::relays::State;
use domain::{Error, Result, follows};

pub(super) async fn accept(federation: &Federation, from: &Account, activity: &Activity) -> Result<()> {
    if quote::answered(federation, from, activity).await?
        || consent::answered(federation, from, activity).await?
        || is_of_relay(federation, from, (activity, State::Accepted)).await?
    {
        return Ok(());
    }
    let follower = follower(federation, from, activity).await?;
    follows::remote::accepted(&federation.db, follower, from.id).await
}

pub(super) async fn reject(federation: &Federation, from: &Account, activity: &Activity) -> Result<()> {
    if quote::answered(federation, from, activity).await?
        || consent::answered(federation, from, activity).await?
        || is_of_relay(federation, from, (activity, State::Rejected)).await?
    {
        return Ok(());
    }
    let follower = follower(federation, from, activity).await?;
    follows::remote::rejected(&federation.db, follower, from.id).await
}

async fn is_of_relay(federation: &Federation, from: &Account, (activity, state): (&Activity, State)) -> Result<bool> {
    match activity.object_id() {
        Some(uri) => relay::answered(federation, from, (uri, state)).await,
        None => Ok(false),
    }
}

/// Who here asked to follow `from`: by the name of the follow, else by who is shown to have asked. Nobody answers for
/// others.
async fn follower(federation: &Federation, from: &Account, activity: &Activity) -> Result<AccountId> {
    if let Some(uri) = activity.object_id() {
        let found = follows::remote::by_uri(&federation.db.read().await?, uri).await?;
        if let Some((follower, _)) = found.filter(|(_, followee)| *followee == from.id) {
            return Ok(follower);
        }
    }
    let follow = inner(activity).filter(|f| f.verb == Verb::Follow && f.object_id() == Some(from.uri.as_str()));
    let follow = follow.ok_or_else(|| Error::forbidden("It answers what nobody asked"))?;
    Ok(local(federation, Some(&follow.actor)).await?.id)
}
