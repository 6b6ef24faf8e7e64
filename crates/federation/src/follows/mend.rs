//! What another server says about its followers here, compared with what is known here. Nobody is believed about
//! others: the list must be its own, and nothing is removed unless the list is the one that was announced.

use super::MOST;
use super::digest::Digest;
use super::header::Claim;
use crate::Federation;
use crate::documents::{Collection, Page, ids_in, same_origin};
use crate::resolve::failed;
use axum::http::HeaderMap;
use domain::accounts::{self, Account, remote};
use domain::ids::AccountId;
use domain::{Result, follows};
use std::collections::HashSet;
use std::time::{Duration, Instant};
use url::Url;

/// Pages of a list, and how long reading it may take.
const PAGES: usize = 10;
const LIMIT: Duration = Duration::from_secs(60);
/// Follows that are confirmed or denied at once; the next post tells of the others again.
const MENDED: usize = 200;

/// Takes note of what came along with something that `from` sent. What is not about its own followers is nothing.
pub(crate) async fn claimed(federation: &Federation, from: &Account, headers: &HeaderMap) -> Result<()> {
    let Some(claim) = Claim::of(headers) else { return Ok(()) };
    let actor = remote::store::actor(&federation.db.read().await?, from.id).await?;
    let is_its_own = actor.and_then(|a| a.followers).is_some_and(|followers| followers == claim.collection);
    if !is_its_own || !same_origin(&claim.url, &from.uri) {
        tracing::debug!(uri = from.uri, url = claim.url, "no word about its own followers");
        return Ok(());
    }
    follows::remote::mend_later(&federation.db, from.id, (&claim.url, &claim.digest.to_string())).await
}

/// Compares, and puts both sides right where they differ. Safe to repeat.
pub async fn mend(federation: &Federation, id: AccountId, (url, digest): (&str, &str)) -> Result<()> {
    let conn = federation.db.read_long().await?;
    let account = accounts::store::by_id(&conn, id).await?.filter(|a| !a.is_local() && a.suspended_at.is_none());
    let known = follows::remote::followers_here(&conn, id, MOST).await?;
    drop(conn);
    let (Some(account), Some(announced)) = (account, Digest::read(digest)) else { return Ok(()) };
    if Digest::of(known.iter().map(|(_, uri)| uri.as_str())) == announced {
        return Ok(());
    }
    let Listed { names: listed, whole } = listed(federation, url, &account).await?;
    let following: HashSet<&str> = known.iter().map(|(_, uri)| uri.as_str()).collect();
    let others = listed.iter().filter(|uri| !following.contains(uri.as_str())).take(MENDED).cloned().collect();
    let others = remote::store::by_uris(&federation.db.read().await?, others).await?;
    for other in others.iter().filter(|a| a.is_local() && a.suspended_at.is_none()) {
        follows::remote::counted(&federation.db, other, id).await?;
    }
    // A list that changed since it was announced, that is not whole or not the right one, takes nobody's follow away.
    if !whole || Digest::of(listed.iter().map(String::as_str)) != announced {
        return Ok(());
    }
    for (follower, _) in known.iter().filter(|(_, uri)| !listed.contains(uri)) {
        follows::remote::rejected(&federation.db, *follower, id).await?;
    }
    Ok(())
}

/// The names of our people on a list.
struct Listed {
    names: HashSet<String>,
    /// To its end.
    whole: bool,
}

/// Reads a list. What cannot be had now is left out: the next post tells of it again.
async fn listed(federation: &Federation, url: &str, whose: &Account) -> Result<Listed> {
    let signer = federation.site_signer().await?;
    let (mut names, mut next, until) = (HashSet::new(), Some(url.to_owned()), Instant::now() + LIMIT);
    let mut whole = false;
    for _ in 0..PAGES {
        let Some(at) = next.take() else { break };
        whole = false;
        let Ok(at) = Url::parse(&at) else { break };
        if !same_origin(at.as_str(), &whose.uri) || Instant::now() > until {
            break;
        }
        let fetched = match federation.fetcher.document(&at, Some(&signer)).await {
            Ok(fetched) => fetched,
            Err(error) => {
                let error = failed(&at, error);
                tracing::debug!(url = %at, %error, "no list of followers");
                break;
            }
        };
        if !same_origin(fetched.url.as_str(), &whose.uri) {
            break;
        }
        let Ok(page) = Collection::read(&fetched.value) else { break };
        names.extend(ids_in(&fetched.value).filter(|uri| federation.is_ours(uri)));
        next = match page.first {
            Some(Page::Id(first)) if !page.is_page => Some(first),
            Some(Page::Embedded(first)) => {
                names.extend(first.ids().filter(|uri| federation.is_ours(uri)).map(str::to_owned));
                first.next
            }
            _ => page.next,
        };
        if i64::try_from(names.len()).is_ok_and(|n| n > MOST) {
            break;
        }
        whole = next.is_none();
    }
    Ok(Listed { names, whole })
}
