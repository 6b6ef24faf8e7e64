//! Who signed a request: the one place where a stranger becomes somebody.

use crate::documents::{Document, Key, KeyMaterial, host, same_origin};
use crate::policy::BLOCKED;
use crate::resolve::account;
use crate::signatures::{self, Incoming, Ours, PublicKey, Signed};
use crate::{Federation, Refusal};
use axum::http::request::Parts;
use domain::Time;
use domain::accounts::{self, Account, remote};
use domain::site::ClientIp;
use std::future::Future;
use std::net::IpAddr;
use std::time::{Duration, Instant};
use url::Url;

/// A key that does not fit is fetched anew, unless it was fetched this lately.
const FRESH: Duration = Duration::from_secs(60);

/// The account that signed a request without a body. [`Refusal::Unsigned`] when nobody did.
pub(crate) async fn of_request(federation: &Federation, parts: &Parts) -> Result<Account, Refusal> {
    of(federation, parts, &[]).await.map(|(account, _)| account)
}

/// The account that signed this request, with this body, and its signature. Fetches the key when it is not known, or no
/// longer fits.
pub(crate) async fn of(federation: &Federation, parts: &Parts, body: &[u8]) -> Result<(Account, Signed), Refusal> {
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
    let sender = parts.extensions.get::<ClientIp>().map(|client| client.0);
    let asking = match known(federation, &signed).await? {
        None => asked(federation, (&signed, sender), fetched(federation, &signed)).await,
        Some((owner, key)) => match signed.verify(&key) {
            Ok(()) => match present(federation, owner).await? {
                Some(account) => Ok(account),
                // Forgotten meanwhile, perhaps by another process: a stranger now.
                None => {
                    federation.known.forget(owner);
                    asked(federation, (&signed, sender), fetched(federation, &signed)).await
                }
            },
            Err(signatures::Refusal::Mismatch | signatures::Refusal::Algorithm) => {
                asked(federation, (&signed, sender), renewed(federation, &signed, owner)).await
            }
            Err(other) => Err(Refusal::Unsigned(other.to_string())),
        },
    };
    Ok((asking?, signed))
}

/// What comes of `asking` others for a key; [`Refusal::Later`] without asking where that failed lately.
async fn asked(
    federation: &Federation,
    (signed, sender): (&Signed, Option<IpAddr>),
    asking: impl Future<Output = Result<Account, Refusal>>,
) -> Result<Account, Refusal> {
    let key = signed.key_id.as_str();
    let silent = host(key).is_some_and(|host| federation.fetcher.is_silent(&host));
    if silent || federation.trouble.rests(key, sender, Instant::now()) {
        return Err(Refusal::Later);
    }
    let outcome = asking.await;
    if matches!(outcome, Err(Refusal::Later)) {
        federation.trouble.unanswered(key, Instant::now());
    }
    if let (Err(Refusal::Later | Refusal::KeyGone | Refusal::Unsigned(_)), Some(sender)) = (&outcome, sender) {
        federation.trouble.by(sender, Instant::now());
    }
    outcome
}

/// What tells a request that was signed from every other: not the words of its headers, to which anybody who holds it can
/// add something, but the signature that was found to fit.
pub(crate) async fn proof(federation: &Federation, signed: &Signed) -> Result<Vec<u8>, Refusal> {
    let (_, key) = known(federation, signed).await?.ok_or_else(|| Refusal::Unsigned("the key is gone".into()))?;
    Ok(signed.bytes(&key).to_vec())
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

async fn present(federation: &Federation, id: domain::ids::AccountId) -> Result<Option<Account>, Refusal> {
    Ok(accounts::store::by_id(&federation.db.read().await?, id).await?)
}

/// Somebody unknown: their actor is fetched, and must own the key.
async fn fetched(federation: &Federation, signed: &Signed) -> Result<Account, Refusal> {
    let uri = owner_of(federation, &signed.key_id).await?;
    let known = remote::by_uri(&federation.db.read().await?, &uri).await?;
    if let Some(known) = known
        && is_fresh(federation, known.id).await?
    {
        return Err(Refusal::Unsigned("the key belongs to nobody".into()));
    }
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
    let Some(before) = present(federation, owner).await? else { return fetched(federation, signed).await };
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
        domain::Error::Gone => Refusal::KeyGone,
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
