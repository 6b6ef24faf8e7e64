//! Keys that are being asked for. Whoever sent the request waits for a moment and then comes again; the asking goes on, so
//! that also people on slow servers are known in the end. Once for each key, however many sign with it.

use super::signer::{self, Failure};
use crate::Federation;
use crate::documents::host;
use domain::ids::AccountId;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::timeout;

/// How long a request waits. Some hang up after ten seconds, and the answer should come within five.
const PATIENCE: Duration = Duration::from_secs(4);
/// Keys that are asked for at once: in all, and of one server.
const MOST: usize = 256;
const OF_A_HOST: usize = 32;

/// What came of it: whose key it is said to be, after their actor was read.
pub(super) type Outcome = Result<AccountId, Failure>;

/// By the addresses that the names of the keys lead to.
#[derive(Default)]
pub(crate) struct Asking(Mutex<HashMap<String, watch::Receiver<Option<Outcome>>>>);

impl Asking {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, watch::Receiver<Option<Outcome>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among those that are asked for, given back in any case.
struct Place {
    federation: Federation,
    address: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.federation.asking.lock().remove(&self.address);
    }
}

/// What asking for a key comes to. [`Failure::Later`] where that takes longer than anybody should wait, or too many are
/// asked for. `owner`: whose it was until now.
pub(super) async fn about(federation: &Federation, key_id: &str, owner: Option<AccountId>) -> Outcome {
    let Some(mut outcome) = join(federation, key_id, owner) else { return Err(Failure::Later) };
    match timeout(PATIENCE, outcome.wait_for(Option::is_some)).await {
        Ok(Ok(outcome)) => outcome.clone().unwrap_or(Err(Failure::Later)),
        _ => Err(Failure::Later),
    }
}

/// Begins to ask, or joins whoever did.
fn join(federation: &Federation, key_id: &str, owner: Option<AccountId>) -> Option<watch::Receiver<Option<Outcome>>> {
    let address = key_id.split_once('#').map_or(key_id, |(address, _)| address).to_owned();
    let mut asking = federation.asking.lock();
    if let Some(outcome) = asking.get(&address) {
        return Some(outcome.clone());
    }
    let at = host(&address);
    if asking.len() >= MOST || asking.keys().filter(|known| host(known) == at).count() >= OF_A_HOST {
        return None;
    }
    let (tell, outcome) = watch::channel(None);
    asking.insert(address.clone(), outcome.clone());
    drop(asking);
    let place = Place { federation: federation.clone(), address };
    let key_id = key_id.to_owned();
    tokio::spawn(async move {
        let outcome = signer::ask(&place.federation, &key_id, owner).await;
        if matches!(outcome, Err(Failure::Later)) {
            place.federation.trouble.unanswered(&key_id, Instant::now());
        }
        // Whoever comes from now on looks at what is kept.
        drop(place);
        tell.send_replace(Some(outcome));
    });
    Some(outcome)
}
