//! What somebody elsewhere shows on their profile: pinned posts, hashtags, and how many posts and people there are.

use super::{Budget, failed, status};
use crate::Federation;
use crate::documents::{Collection, Object, Page, same_origin};
use domain::accounts::{self, Account, remote as accounts_elsewhere};
use domain::ids::AccountId;
use domain::statuses::remote;
use domain::{Error, Result, tags};
use url::Url;

/// Pinned posts that are looked at, and hashtags.
const PINS: usize = 10;
const TAGS: usize = 10;

/// Fetches the lists and the posts on them that are not known. What cannot be had is left out.
pub async fn fetch(federation: &Federation, id: AccountId) -> Result<()> {
    let conn = federation.db.read().await?;
    let account = accounts::store::by_id(&conn, id).await?.filter(|a| !a.is_local()).ok_or(Error::NotFound)?;
    let actor = accounts_elsewhere::store::actor(&conn, id).await?.ok_or(Error::NotFound)?;
    drop(conn);
    if let Some(list) = list(federation, &account, actor.featured_tags).await?
        && let Some(items) = whole(&list)
    {
        let name = |item: &Object| match item {
            Object::Other { kind, name: Some(name), .. } if kind == "Hashtag" => tags::parse(name).map(|tag| tag.name),
            _ => None,
        };
        let names: Vec<String> = items.iter().filter_map(name).take(TAGS).collect();
        tags::remote::replace(&federation.db, id, &names).await?;
    }
    let statuses = list(federation, &account, actor.outbox).await?;
    let followers = list(federation, &account, actor.followers).await?;
    let following = list(federation, &account, actor.following).await?;
    let total = |list: &Option<Collection>| list.as_ref().and_then(|list| list.total);
    let counts = accounts_elsewhere::Counts {
        statuses: total(&statuses),
        followers: total(&followers),
        following: total(&following),
        hidden: hidden(&[followers, following]),
    };
    accounts_elsewhere::count_as_told(&federation.db, id, counts).await?;
    let Some(list) = list(federation, &account, actor.featured).await? else { return Ok(()) };
    let Some(items) = whole(&list) else { return Ok(()) };
    let mut pinned = Vec::new();
    for uri in items.iter().filter_map(Object::id).take(PINS) {
        match status::by_uri(federation, uri, Budget::SENT).await {
            Ok(status) if status.account_id == id && !pinned.contains(&status.id) => pinned.push(status.id),
            Err(error @ (Error::Internal(_) | Error::Busy(_))) => return Err(error),
            _ => {}
        }
    }
    // Oldest pin first, so that the order comes out as theirs.
    pinned.reverse();
    remote::replace_pins(&federation.db, id, &pinned).await
}

/// What is on a list that is shown at once; None for one that goes on elsewhere or only says how long it is: what is not
/// seen is not gone.
fn whole(list: &Collection) -> Option<&[Object]> {
    match &list.first {
        None if list.items.is_empty() && list.total.is_some_and(|total| total > 0) => None,
        None if list.next.is_none() => Some(&list.items),
        Some(Page::Embedded(page)) if list.items.is_empty() && page.next.is_none() => Some(&page.items),
        _ => None,
    }
}

/// Whether they show nobody who follows them and whom they follow. None when that is not known: a list could not be had, and
/// the other one hides nothing.
fn hidden(lists: &[Option<Collection>]) -> Option<bool> {
    let hides =
        |list: &Collection| list.first.is_none() && list.items.is_empty() && list.total.is_some_and(|total| total > 0);
    let hides = |list: &Option<Collection>| list.as_ref().map(hides);
    match lists.iter().any(|list| hides(list) == Some(true)) {
        true => Some(true),
        false => lists.iter().all(Option::is_some).then_some(false),
    }
}

/// A list of theirs, if it can be had. One that cannot is asked for when the account is next met.
async fn list(federation: &Federation, account: &Account, uri: Option<String>) -> Result<Option<Collection>> {
    let Some(uri) = uri.filter(|uri| same_origin(uri, &account.uri)) else { return Ok(None) };
    let url = Url::parse(&uri).map_err(|_| Error::NotFound)?;
    let signer = federation.site_signer().await?;
    match federation.fetcher.document(&url, Some(&signer)).await {
        Ok(fetched) => Ok(Collection::read(&fetched.value).ok()),
        Err(error) => {
            let error = failed(&url, error);
            tracing::debug!(%url, %error, "a list of a profile cannot be had");
            Ok(None)
        }
    }
}
