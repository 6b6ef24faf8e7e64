//! What was said by somebody else than who brings it, and carries a proof of that (FEP-8b32): it counts as if who said it
//! had sent it. Whatever is wrong with the proof, the thing is asked for where it is from, as if there were none.

use super::signer;
use crate::Federation;
use crate::documents::{Activity, Verb, same_origin};
use crate::resolve::account;
use crate::signatures::{Proof, PublicKey};
use domain::accounts::{Account, remote};
use domain::{Result, Time};
use serde_json::Value;

/// Who said this, and what of it they signed; None when they have to be asked.
///
/// Only for what is true once and for all: what turns something on and off could be brought again after it was taken back.
/// Only of who is known here: of strangers nothing is fetched that would not have been fetched without a proof.
pub(super) async fn said(
    federation: &Federation,
    value: &Value,
    activity: &Activity,
) -> Result<Option<(Account, Activity)>> {
    if !activity.carries_proof || !matches!(activity.verb, Verb::Create | Verb::Update | Verb::Delete) {
        return Ok(None);
    }
    let Some(proof) = Proof::read(value, Time::now()) else { return Ok(None) };
    let author = remote::by_uri(&federation.db.read().await?, &activity.actor).await?;
    let Some(author) = author.filter(|author| !author.is_local() && author.suspended_at.is_none()) else {
        return Ok(None);
    };
    if !same_origin(&proof.key_id, &author.uri) || !federation.policy.admits_address(&author.uri).await? {
        return Ok(None);
    }
    let mut said = verified(federation, &proof, &author).await?;
    // As with requests: the key may have been changed, or be newer than what is known of its owner.
    if said.is_none()
        && !signer::is_fresh(federation, author.id).await?
        && account::fetch(federation, &author.uri).await.is_ok()
    {
        said = verified(federation, &proof, &author).await?;
    }
    let said = said.and_then(|value| Some(Activity::read(&value).ok()?.revealed(&value)));
    let Some(said) = said else { return Ok(None) };
    let own = said.actor == author.uri && said.id.as_ref().is_none_or(|id| same_origin(id, &author.uri));
    Ok(own.then_some((author, said)))
}

/// With a key that the author's actor names for this: those for requests are kept in another form.
async fn verified(federation: &Federation, proof: &Proof, author: &Account) -> Result<Option<Value>> {
    let key = remote::store::key(&federation.db.read().await?, &proof.key_id).await?;
    let key = key.filter(|key| key.account_id == author.id).and_then(|key| PublicKey::from_multibase(&key.pem).ok());
    Ok(key.and_then(|key| proof.verify(&key)))
}
