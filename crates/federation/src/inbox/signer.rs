//! Who signed a request: the one place where a stranger becomes somebody.

use crate::documents::{Document, Key, KeyMaterial, host, same_origin};
use crate::policy::BLOCKED;
use crate::resolve::account;
use crate::signatures::{self, Incoming, Ours, PublicKey, Signed};
use crate::{Federation, Refusal};
use axum::http::request::Parts;
use domain::Time;
use domain::accounts::{self, Account, remote};
use std::time::Duration;
use url::Url;

/// A key that does not fit is fetched anew, unless it was fetched this lately.
const FRESH: Duration = Duration::from_secs(60);

/// The account that signed a request without a body. [`Refusal::Unsigned`] when nobody did.
pub(crate) async fn of_request(federation: &Federation, parts: &Parts) -> Result<Account, Refusal> {
    of(federation, parts, &[]).await
}

/// The account that signed this request, with this body. Fetches the key when it is not known, or no longer fits.
pub(crate) async fn of(federation: &Federation, parts: &Parts, body: &[u8]) -> Result<Account, Refusal> {
    let site = &federation.site;
    let web = host(&site.base_url).unwrap_or_default();
    let hosts = [web.as_str(), site.domain.as_str()];
    let scheme = site.base_url.split_once("://").map_or("https", |(scheme, _)| scheme);
    let request = Incoming { method: &parts.method, uri: &parts.uri, headers: &parts.headers, body };
    let signed = signatures::parse(&request, &Ours { hosts: &hosts, scheme }, Time::now());
    let signed = signed.map_err(|refusal| match refusal {
        signatures::Refusal::Malformed(why) => Refusal::Bad(why),
        other => Refusal::Unsigned(other.to_string()),
    })?;
    if federation.is_ours(&signed.key_id) {
        return Err(Refusal::Unsigned("no server signs with a key of ours".into()));
    }
    // Before anything is fetched or computed for them.
    if !federation.policy.admits_address(&signed.key_id).await? {
        return Err(Refusal::Forbidden(BLOCKED));
    }
    let (owner, key) = match known(federation, &signed).await? {
        Some(known) => known,
        None => return fetched(federation, &signed).await,
    };
    match signed.verify(&key) {
        Ok(()) => present(federation, owner).await,
        Err(signatures::Refusal::Mismatch | signatures::Refusal::Algorithm) => {
            renewed(federation, &signed, owner).await
        }
        Err(other) => Err(Refusal::Unsigned(other.to_string())),
    }
}

type Owned = (domain::ids::AccountId, PublicKey);

/// The key if it is known, from memory or from the database.
async fn known(federation: &Federation, signed: &Signed) -> Result<Option<Owned>, Refusal> {
    if let Some(known) = federation.known.find(&signed.key_id) {
        return Ok(Some(known));
    }
    let row = remote::store::key(&federation.db.read().await?, &signed.key_id).await?;
    let Some((row, key)) = row.and_then(|row| parsed(&row.pem).map(|key| (row, key))) else { return Ok(None) };
    federation.known.keep(&signed.key_id, (row.account_id, key.clone()));
    Ok(Some((row.account_id, key)))
}

/// A key as it is kept: PEM or a Multikey.
fn parsed(text: &str) -> Option<PublicKey> {
    if text.starts_with("-----") { PublicKey::from_pem(text).ok() } else { PublicKey::from_multibase(text).ok() }
}

/// The text in which a key is kept.
pub(crate) fn kept(key: &Key) -> (String, String) {
    let text = match &key.material {
        KeyMaterial::Pem(text) | KeyMaterial::Multibase(text) => text.clone(),
    };
    (key.id.clone(), text)
}

async fn present(federation: &Federation, id: domain::ids::AccountId) -> Result<Account, Refusal> {
    let account = accounts::store::by_id(&federation.db.read().await?, id).await?;
    account.ok_or_else(|| Refusal::Unsigned("the key's owner is gone".into()))
}

/// Somebody unknown: their actor is fetched, and must own the key.
async fn fetched(federation: &Federation, signed: &Signed) -> Result<Account, Refusal> {
    let uri = owner_of(federation, &signed.key_id).await?;
    let account = account::fetch(federation, &uri).await.map_err(unverifiable)?;
    federation.known.forget(account.id);
    verified(federation, signed, account).await
}

/// Whether an actor was looked at so lately that looking again would show the same keys.
pub(super) async fn is_fresh(federation: &Federation, owner: domain::ids::AccountId) -> domain::Result<bool> {
    let actor = remote::store::actor(&federation.db.read().await?, owner).await?;
    Ok(actor.is_some_and(|a| Time::now().since(a.fetched_at) < FRESH))
}

/// The key may have been changed: once more, with what the actor shows now.
async fn renewed(federation: &Federation, signed: &Signed, owner: domain::ids::AccountId) -> Result<Account, Refusal> {
    if is_fresh(federation, owner).await? {
        return Err(Refusal::Unsigned(signatures::Refusal::Mismatch.to_string()));
    }
    let before = present(federation, owner).await?;
    let account = account::fetch(federation, &before.uri).await.map_err(unverifiable)?;
    federation.known.forget(account.id);
    verified(federation, signed, account).await
}

async fn verified(federation: &Federation, signed: &Signed, account: Account) -> Result<Account, Refusal> {
    match known(federation, signed).await? {
        Some((owner, key)) if owner == account.id => match signed.verify(&key) {
            Ok(()) => Ok(account),
            Err(refusal) => Err(Refusal::Unsigned(refusal.to_string())),
        },
        _ => Err(Refusal::Unsigned("the key belongs to somebody else, or to nobody".into())),
    }
}

fn unverifiable(error: domain::Error) -> Refusal {
    match error {
        domain::Error::Unreachable(_) | domain::Error::Busy(_) => Refusal::Later,
        domain::Error::Internal(_) => Refusal::Internal(error),
        other => Refusal::Unsigned(format!("the key cannot be had: {other}")),
    }
}

/// Whose key this is, by its name: an actor with a fragment, or a document of its own that names its owner. That the
/// owner names the key too is found out when the actor is read.
async fn owner_of(federation: &Federation, key_id: &str) -> Result<String, Refusal> {
    if let Some((actor, _)) = key_id.split_once('#') {
        return Ok(actor.to_owned());
    }
    let url = Url::parse(key_id).map_err(|_| Refusal::Bad("the key's name is no address"))?;
    let signer = federation.site_signer().await?;
    let fetched = federation.fetcher.document(&url, Some(&signer)).await;
    let fetched = fetched.map_err(|error| unverifiable(crate::resolve::failed(&url, error)))?;
    let owner = match Document::read(&fetched.value) {
        Ok(Document::Key(key)) => key.owner,
        Ok(Document::Actor(actor)) => actor.keys.first().map_or(actor.id, |key| key.owner.clone()),
        _ => return Err(Refusal::Unsigned("the key's name leads to no key".into())),
    };
    if same_origin(&owner, key_id) { Ok(owner) } else { Err(Refusal::Unsigned("the key's owner is elsewhere".into())) }
}
