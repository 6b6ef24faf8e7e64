//! Who signed a request: the one place where a stranger becomes somebody.

use super::asking;
use crate::documents::{Document, Key, KeyMaterial, host, same_origin};
use crate::policy::BLOCKED;
use crate::resolve::account;
use crate::signatures::{self, Incoming, Ours, PublicKey, Signed};
use crate::{AsSent, Federation, Refusal};
use axum::http::request::Parts;
use domain::Time;
use domain::accounts::{self, Account, remote};
use domain::ids::AccountId;
use domain::site::ClientIp;
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
/// longer fits. Of two signatures by different keys the second counts where the first cannot be verified.
pub(crate) async fn of(federation: &Federation, parts: &Parts, body: &[u8]) -> Result<(Account, Signed), Refusal> {
    let site = &federation.site;
    let web = host(&site.base_url).unwrap_or_default();
    let hosts = [web.as_str(), site.domain.as_str()];
    let scheme = site.base_url.split_once("://").map_or("https", |(scheme, _)| scheme);
    let uri = parts.extensions.get::<AsSent>().map_or(&parts.uri, |sent| &sent.0);
    let request = Incoming { method: &parts.method, uri, headers: &parts.headers, body };
    let signed = signatures::parse(&request, &Ours { hosts: &hosts, scheme }, Time::now());
    let signed = signed.map_err(|refusal| match refusal {
        signatures::Refusal::Malformed(why) => Refusal::Bad(why),
        other => Refusal::Unsigned(other.to_string()),
    })?;
    let sender = parts.extensions.get::<ClientIp>().map(|client| client.0);
    let (first, second) = signed.apart();
    match (by(federation, &first, sender).await, second) {
        (Err(refusal), Some(second)) if !matches!(refusal, Refusal::Internal(_)) => {
            match by(federation, &second, sender).await {
                Ok(account) => Ok((account, second)),
                Err(_) => Err(refusal),
            }
        }
        (outcome, _) => Ok((outcome?, first)),
    }
}

/// Who made this signature.
async fn by(federation: &Federation, signed: &Signed, sender: Option<IpAddr>) -> Result<Account, Refusal> {
    if federation.is_ours(&signed.key_id) {
        return Err(Refusal::Unsigned("no server signs with a key of ours".into()));
    }
    // Before anything is fetched or computed for them.
    if !federation.policy.admits_address(&signed.key_id).await? {
        return Err(Refusal::Forbidden(BLOCKED));
    }
    let Some((owner, key)) = known(federation, signed).await? else {
        return asked(federation, (signed, sender), None).await;
    };
    match signed.verify(&key) {
        Ok(()) => match present(federation, owner).await? {
            Some(account) => Ok(account),
            // Forgotten meanwhile, perhaps by another process: a stranger now.
            None => {
                federation.known.forget(owner);
                asked(federation, (signed, sender), None).await
            }
        },
        Err(signatures::Refusal::Mismatch | signatures::Refusal::Algorithm) => {
            asked(federation, (signed, sender), Some(owner)).await
        }
        Err(other) => Err(Refusal::Unsigned(other.to_string())),
    }
}

/// What comes of asking others for a key, which was `owner`'s until now; [`Refusal::Later`] without asking where that
/// failed lately.
async fn asked(
    federation: &Federation,
    (signed, sender): (&Signed, Option<IpAddr>),
    owner: Option<AccountId>,
) -> Result<Account, Refusal> {
    let key = signed.key_id.as_str();
    let silent = host(key).is_some_and(|host| federation.fetcher.is_silent(&host));
    if silent || federation.trouble.rests(key, sender, Instant::now()) {
        return Err(Refusal::Later);
    }
    let outcome = match asking::about(federation, key, owner).await {
        Ok(owner) => verified(federation, signed, owner).await,
        Err(failure) => Err(failure.into()),
    };
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

type Owned = (AccountId, PublicKey);

/// The key if it is known, from memory or from the database.
async fn known(federation: &Federation, signed: &Signed) -> Result<Option<Owned>, Refusal> {
    let now = Instant::now();
    if let Some(known) = federation.known.find(&signed.key_id, now) {
        return Ok(Some(known));
    }
    let row = remote::store::key(&federation.db.read().await?, &signed.key_id).await?;
    let Some((row, key)) = row.and_then(|row| parsed(&row.pem).map(|key| (row, key))) else { return Ok(None) };
    federation.known.keep(&signed.key_id, (row.account_id, key.clone()), now);
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

async fn present(federation: &Federation, id: AccountId) -> domain::Result<Option<Account>> {
    accounts::store::by_id(&federation.db.read().await?, id).await
}

/// Whether an actor was looked at so lately that looking again would show the same keys.
pub(super) async fn is_fresh(federation: &Federation, owner: AccountId) -> domain::Result<bool> {
    let actor = remote::store::actor(&federation.db.read().await?, owner).await?;
    Ok(actor.is_some_and(|a| Time::now().since(a.fetched_at) < FRESH))
}

/// Reads the actor whose key this is, or may be: an unknown one's, or the one of `owner` once more, because the key may
/// have been changed. One that was read just now is not asked again. Whether the key is theirs is for who verifies.
pub(super) async fn ask(federation: &Federation, key_id: &str, owner: Option<AccountId>) -> Result<AccountId, Failure> {
    let before = match owner {
        Some(owner) => present(federation, owner).await?,
        None => None,
    };
    let known = match before {
        Some(account) => Ok(account),
        None => {
            let uri = owner_of(federation, key_id).await?;
            let known = remote::by_uri(&federation.db.read().await?, &uri).await?;
            known.filter(|account| !account.is_local()).ok_or(uri)
        }
    };
    let uri = match known {
        Ok(account) if is_fresh(federation, account.id).await? => {
            federation.known.forget_key(key_id);
            return Ok(account.id);
        }
        Ok(account) => account.uri,
        Err(uri) => uri,
    };
    Ok(account::fetch(federation, &uri).await?.id)
}

async fn verified(federation: &Federation, signed: &Signed, asked: AccountId) -> Result<Account, Refusal> {
    match known(federation, signed).await? {
        Some((owner, key)) if owner == asked => match signed.verify(&key) {
            Ok(()) => present(federation, owner).await?.ok_or(Refusal::Later),
            Err(refusal) => Err(Refusal::Unsigned(refusal.to_string())),
        },
        _ => Err(Refusal::Unsigned("the key belongs to somebody else, or to nobody".into())),
    }
}

/// Why a key cannot be had: told to all who wait for it.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    Later,
    Gone,
    /// The key's name is none.
    Bad(&'static str),
    Refused(String),
    Internal(String),
}

impl From<domain::Error> for Failure {
    fn from(error: domain::Error) -> Self {
        match error {
            domain::Error::Unreachable(_) | domain::Error::Busy(_) => Self::Later,
            domain::Error::Internal(_) => Self::Internal(error.to_string()),
            domain::Error::Gone => Self::Gone,
            other => Self::Refused(format!("the key cannot be had: {other}")),
        }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Later => Self::Later,
            Failure::Gone => Self::KeyGone,
            Failure::Bad(why) => Self::Bad(why),
            Failure::Refused(why) => Self::Unsigned(why),
            Failure::Internal(why) => Self::Internal(domain::Error::internal(why)),
        }
    }
}

/// Whose key this is, by its name: an actor with a fragment, or a document of its own that names its owner. That the
/// owner names the key too is found out when the actor is read.
async fn owner_of(federation: &Federation, key_id: &str) -> Result<String, Failure> {
    if let Some((actor, _)) = key_id.split_once('#') {
        return Ok(actor.to_owned());
    }
    let url = Url::parse(key_id).map_err(|_| Failure::Bad("the key's name is no address"))?;
    let signer = federation.site_signer().await?;
    let fetched = federation.fetcher.document(&url, Some(&signer)).await;
    let fetched = fetched.map_err(|error| crate::resolve::failed(&url, error))?;
    let owner = match Document::read(&fetched.value) {
        Ok(Document::Key(key)) => key.owner,
        Ok(Document::Actor(actor)) => actor.keys.first().map_or(actor.id, |key| key.owner.clone()),
        _ => return Err(Failure::Refused("the key's name leads to no key".into())),
    };
    if same_origin(&owner, key_id) { Ok(owner) } else { Err(Failure::Refused("the key's owner is elsewhere".into())) }
}
