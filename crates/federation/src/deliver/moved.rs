//! Inboxes that are somewhere else now. Where to is not what a redirect says, which is never followed with what was signed
//! for another address: whoever had the inbox is read again, and what they show counts.

use crate::Federation;
use crate::fetch::Error as FetchError;
use crate::resolve::account;
use domain::accounts::{self, remote};
use domain::{Error, Result, Time, hosts};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Who was read this lately is not read again: what they show is where things were sent.
const FRESH: Duration = Duration::from_secs(300);
const MOST: usize = 4096;

/// Where inboxes are now that were somewhere else. What is on its way to them, and whoever is known to be reached there, is
/// written down anew when they are found; this is for what was addressed meanwhile. Bounded, and in memory only.
#[derive(Default)]
pub(crate) struct Moved(Mutex<HashMap<String, String>>);

impl Moved {
    fn find(&self, inbox: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(inbox).cloned()
    }

    fn put(&self, inbox: &str, now: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        // Whoever comes back is not sent away again.
        known.remove(now);
        known.insert(inbox.to_owned(), now.to_owned());
    }
}

/// What an inbox answers that is no longer there, or not there: is it a redirect, and should be looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Away {
    Redirect,
    Absent,
}

impl Away {
    pub(super) fn of(error: &FetchError) -> Option<Self> {
        match error {
            FetchError::Status { status: 300..400, .. } => Some(Self::Redirect),
            FetchError::Status { status: 404, .. } => Some(Self::Absent),
            _ => None,
        }
    }
}

/// Where `inbox` is now, as whoever had it says. None: nowhere else, as far as can be found out now.
pub(super) async fn now(federation: &Federation, inbox: &str) -> Result<Option<String>> {
    if let Some(known) = federation.moved.find(inbox) {
        return Ok(Some(known));
    }
    let conn = federation.db.read_long().await?;
    let (owner, shared) = match remote::store::by_shared_inbox(&conn, inbox).await? {
        Some(owner) => (Some(owner), true),
        None => (remote::store::by_inbox(&conn, inbox).await?, false),
    };
    let Some(owner) = owner else { return Ok(None) };
    let account = accounts::store::by_id(&conn, owner).await?.filter(|a| a.suspended_at.is_none());
    let actor = remote::store::actor(&conn, owner).await?;
    drop(conn);
    let Some(account) = account.filter(|_| actor.is_none_or(|a| Time::now().since(a.fetched_at) > FRESH)) else {
        return Ok(None);
    };
    match account::fetch(federation, &account.uri).await {
        Ok(_) => {}
        Err(error @ (Error::Internal(_) | Error::Busy(_))) => return Err(error),
        // Gone with their inbox: looked at by a job, which knows what to do then.
        Err(Error::Gone) => {
            remote::refresh_later(&federation.db, owner).await?;
            return Ok(None);
        }
        Err(_) => return Ok(None),
    }
    let actor = remote::store::actor(&federation.db.read().await?, owner).await?;
    let Some(actor) = actor else { return Ok(None) };
    let same_server = |now: &&str| *now != inbox && hosts::of(now) == hosts::of(inbox);
    if shared && let Some(now) = actor.shared_inbox.as_deref().filter(same_server) {
        // What one of them says is so for all who share it: they are not asked one after the other. Not that they are all
        // reached at another server: that says each of them.
        remote::share_elsewhere(&federation.db, inbox, now).await?;
    }
    let now = Some(if shared { actor.shared_inbox.unwrap_or(actor.inbox) } else { actor.inbox });
    let now = now.filter(|now| now != inbox);
    if let Some(now) = &now {
        federation.moved.put(inbox, now);
    }
    Ok(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_back_is_not_sent_round_in_circles() {
        let moved = Moved::default();
        moved.put("a", "b");
        assert_eq!((moved.find("a").as_deref(), moved.find("b")), (Some("b"), None));
        moved.put("b", "a");
        assert_eq!((moved.find("a"), moved.find("b").as_deref()), (None, Some("a")));
        for n in 0..2 * MOST {
            moved.put(&n.to_string(), "c");
        }
        assert!(moved.0.lock().unwrap().len() <= MOST);
    }

    #[test]
    fn what_says_that_it_is_elsewhere() {
        for (status, away) in [
            (301, Some(Away::Redirect)),
            (308, Some(Away::Redirect)),
            (404, Some(Away::Absent)),
            (410, None),
            (403, None),
        ] {
            assert_eq!(
                Away::of(&FetchError::Status { status, retry_after: None, note: String::new() }),
                away,
                "{status}"
            );
        }
        assert_eq!(Away::of(&FetchError::TimedOut), None);
    }
}
