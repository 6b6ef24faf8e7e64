//! Keys at hand: ours, made when they are first needed, and those of others that were needed lately.

use crate::Federation;
use crate::signatures::{KeyError, KeyPair, PublicKey, Signer};
use domain::deliveries::Activity;
use domain::ids::{AccountId, ActivityId};
use domain::jobs::Outcome;
use domain::keys::Haste;
use domain::{Error, Result, Time, accounts, keys};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// What stands behind an actor's name in the name of its key.
const FRAGMENT: &str = "#main-key";
/// Stands before the number of a change in the name of what tells of it.
pub(crate) const ROTATION: &str = "keys/";
/// Keys kept at hand; when there are more, the collection begins anew.
const MOST: usize = 10_000;
/// How long a pair counts as the one of now without a look: another process may have changed it.
const FRESH: Duration = Duration::from_secs(10);
/// The same for a key of somebody else.
const KNOWN: Duration = Duration::from_secs(60);

/// Where new pairs come from.
pub type Maker = Box<dyn Fn() -> std::result::Result<Arc<KeyPair>, KeyError> + Send + Sync>;

/// Our own pairs, parsed, and when each was last seen to be the one of now.
#[derive(Default)]
pub(crate) struct Own {
    pairs: Mutex<HashMap<AccountId, (Held, Instant)>>,
    /// Unless they are made when they are needed.
    maker: OnceLock<Maker>,
}

/// A pair of ours, and when it took the place of another.
#[derive(Clone)]
pub(crate) struct Held {
    pub pair: Arc<KeyPair>,
    pub rotated_at: Option<Time>,
}

/// Keys of others by their names, parsed, with whose they are and when they were read.
#[derive(Default)]
pub(crate) struct Known(Mutex<HashMap<String, (AccountId, PublicKey, Instant)>>);

impl Own {
    fn find(&self, owner: AccountId) -> Option<(Held, Instant)> {
        self.pairs.lock().unwrap_or_else(PoisonError::into_inner).get(&owner).cloned()
    }
    /// Looked up again before it is used again.
    pub(crate) fn forget(&self, owner: AccountId) {
        self.pairs.lock().unwrap_or_else(PoisonError::into_inner).remove(&owner);
    }
    fn keep(&self, owner: AccountId, held: Held) {
        let mut kept = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(owner, (held, Instant::now()));
    }
}

impl Known {
    pub(crate) fn find(&self, id: &str, now: Instant) -> Option<(AccountId, PublicKey)> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (owner, key, read) = kept.get(id)?;
        (now.saturating_duration_since(*read) < KNOWN).then(|| (*owner, key.clone()))
    }
    pub(crate) fn keep(&self, id: &str, (owner, key): (AccountId, PublicKey), now: Instant) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(id.to_owned(), (owner, key, now));
    }
    /// What of `owner` is at hand may be old.
    pub(crate) fn forget(&self, owner: AccountId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, (whose, ..)| *whose != owner);
    }
    /// The key of this name is read again before it is used again.
    pub(crate) fn forget_key(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

/// The name of the key of `actor`, who is here.
pub(crate) fn key_id(actor: &str) -> String {
    format!("{actor}{FRAGMENT}")
}

impl Federation {
    /// Signs for a local account, whose name among servers is `uri`.
    pub(crate) async fn signer(&self, owner: AccountId, uri: &str) -> Result<Signer> {
        Ok(Signer::new(key_id(uri), self.pair(owner).await?))
    }

    /// Signs for the site itself.
    pub(crate) async fn site_signer(&self) -> Result<Signer> {
        self.signer(keys::SITE, &self.site_uri()).await
    }

    /// Signs an activity on its way: with the key of now, unless it says that there is another than before.
    pub(crate) async fn signer_of(&self, activity: &Activity) -> Result<Signer> {
        let (owner, actor) = (activity.account_id, activity.actor.as_str());
        let Some(rotation) = rotation_of(activity) else { return self.signer(owner, actor).await };
        // Nothing of the database is held while the other key is looked for.
        let retired = keys::retired(&self.db.read().await?, owner, rotation).await?;
        match retired {
            None => self.signer(owner, actor).await,
            Some(pem) => {
                let pair = KeyPair::from_pem(&pem).map_err(unusable)?;
                Ok(Signer::new(key_id(actor), Arc::new(pair)))
            }
        }
    }

    /// The pair of an account here or of the site; made when there is none.
    pub(crate) async fn pair(&self, owner: AccountId) -> Result<Arc<KeyPair>> {
        Ok(self.held(owner).await?.pair)
    }

    /// The same, with when it took the place of another.
    pub(crate) async fn held(&self, owner: AccountId) -> Result<Held> {
        let at_hand = self.own.find(owner);
        if let Some((held, seen)) = &at_hand
            && seen.elapsed() < FRESH
        {
            return Ok(held.clone());
        }
        let kept = keys::by_owner(&self.db.read().await?, owner).await?;
        let kept = match kept {
            Some(kept) => kept,
            None => keys::keep(&self.db, owner, self.made().await?).await?,
        };
        // Reading a key takes longer than comparing it.
        let pair = match at_hand.filter(|(held, _)| held.pair.public_pem() == kept.public_key) {
            Some((held, _)) => held.pair,
            None => Arc::new(KeyPair::from_pem(&kept.private_key).map_err(unusable)?),
        };
        let held = Held { pair, rotated_at: kept.rotated_at };
        self.own.keep(owner, held.clone());
        Ok(held)
    }

    /// Takes new pairs of ours from `maker`: tests have no time to compute one for everybody in them.
    #[must_use]
    pub fn with_pairs(self, maker: Maker) -> Self {
        self.own.maker.get_or_init(|| maker);
        self
    }

    /// A new pair takes tenths of a second of computing.
    async fn made(&self) -> Result<keys::Pair> {
        let federation = self.clone();
        let make = move || match federation.own.maker.get() {
            Some(maker) => maker(),
            None => KeyPair::generate().map(Arc::new),
        };
        let pair = tokio::task::spawn_blocking(make).await?.map_err(unusable)?;
        let private_key = pair.private_pem().map_err(unusable)?;
        Ok(keys::Pair { private_key, public_key: pair.public_pem().to_owned() })
    }
}

/// Which change of its actor's key an activity tells of.
pub(crate) fn rotation_of(activity: &Activity) -> Option<ActivityId> {
    let name = activity.uri.strip_prefix(activity.actor.as_str())?.strip_prefix('#')?;
    name.strip_prefix(ROTATION)?.parse().ok()
}

/// Makes another key for somebody here, or for the site, and tells of it. Safe to repeat.
pub async fn rotate(
    federation: &Federation,
    account: AccountId,
    (rotation, haste): (ActivityId, Haste),
) -> Result<Outcome> {
    if account == keys::SITE {
        if keys::by_owner(&federation.db.read().await?, account).await?.is_some() {
            keys::rotate_site(&federation.db, (&federation.made().await?, rotation), haste).await?;
            federation.own.forget(account);
        }
        return Ok(Outcome::Done);
    }
    let conn = federation.db.read().await?;
    let found = accounts::store::by_id(&conn, account).await?;
    found.filter(|a| a.is_local() && a.suspended_at.is_none()).ok_or(Error::NotFound)?;
    // What nobody has seen need not be changed.
    let known = keys::by_owner(&conn, account).await?.is_some();
    drop(conn);
    if known {
        let changed = keys::rotate(&federation.db, account, (&federation.made().await?, rotation), haste).await?;
        federation.own.forget(account);
        if !changed {
            tracing::info!(%account, "another key was made before, and not everybody knows it yet");
        }
    }
    Ok(Outcome::Done)
}

fn unusable(error: KeyError) -> Error {
    Error::internal(format!("a key of ours: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_others_are_read_again_after_a_while() {
        let (known, now) = (Known::default(), Instant::now());
        let key = KeyPair::generate().unwrap().public_key().unwrap();
        known.keep("https://a.example/users/1#main-key", (AccountId(1), key.clone()), now);
        known.keep("https://a.example/users/1#other", (AccountId(1), key), now);
        let finds = |name: &str, at| known.find(&format!("https://a.example/users/1#{name}"), at).is_some();
        assert!(finds("main-key", now + KNOWN / 2) && !finds("main-key", now + KNOWN));
        known.forget_key("https://a.example/users/1#other");
        assert!(finds("main-key", now) && !finds("other", now));
        known.forget(AccountId(1));
        assert!(!finds("main-key", now));
    }
}
