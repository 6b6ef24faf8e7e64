//! Keys at hand: ours, made when they are first needed, and those of others that were needed lately.

use crate::Federation;
use crate::signatures::{KeyPair, PublicKey, Signer};
use domain::ids::AccountId;
use domain::{Error, Result, keys};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What stands behind an actor's name in the name of its key.
pub(crate) const FRAGMENT: &str = "#main-key";
/// Keys kept at hand; when there are more, the collection begins anew.
const MOST: usize = 10_000;

/// Our own pairs, parsed.
#[derive(Default)]
pub(crate) struct Own(Mutex<HashMap<AccountId, Arc<KeyPair>>>);

/// Keys of others by their names, parsed, with whose they are.
#[derive(Default)]
pub(crate) struct Known(Mutex<HashMap<String, (AccountId, PublicKey)>>);

impl Own {
    fn find(&self, owner: AccountId) -> Option<Arc<KeyPair>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&owner).cloned()
    }
    fn keep(&self, owner: AccountId, pair: Arc<KeyPair>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(owner, pair);
    }
}

impl Known {
    pub(crate) fn find(&self, id: &str) -> Option<(AccountId, PublicKey)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }
    pub(crate) fn keep(&self, id: &str, key: (AccountId, PublicKey)) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(id.to_owned(), key);
    }
    /// What of `owner` is at hand may be old.
    pub(crate) fn forget(&self, owner: AccountId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, (whose, _)| *whose != owner);
    }
}

impl Federation {
    /// Signs for a local account, whose name among servers is `uri`.
    pub(crate) async fn signer(&self, owner: AccountId, uri: &str) -> Result<Signer> {
        Ok(Signer::new(format!("{uri}{FRAGMENT}"), self.pair(owner).await?))
    }

    /// Signs for the site itself.
    pub(crate) async fn site_signer(&self) -> Result<Signer> {
        self.signer(keys::SITE, &self.site_uri()).await
    }

    /// The pair of an account here or of the site; made when there is none.
    pub(crate) async fn pair(&self, owner: AccountId) -> Result<Arc<KeyPair>> {
        if let Some(pair) = self.own.find(owner) {
            return Ok(pair);
        }
        let kept = keys::by_owner(&self.db.read().await?, owner).await?;
        let kept = match kept {
            Some(kept) => kept,
            None => keys::keep(&self.db, owner, made().await?).await?,
        };
        let pair = Arc::new(KeyPair::from_pem(&kept.private_key).map_err(unusable)?);
        self.own.keep(owner, pair.clone());
        Ok(pair)
    }
}

/// A new pair takes tenths of a second of computing.
async fn made() -> Result<keys::Pair> {
    let pair = tokio::task::spawn_blocking(KeyPair::generate).await?.map_err(unusable)?;
    let private_key = pair.private_pem().map_err(unusable)?;
    Ok(keys::Pair { private_key, public_key: pair.public_pem().to_owned() })
}

fn unusable(error: crate::signatures::KeyError) -> Error {
    Error::internal(format!("a key of ours: {error}"))
}
