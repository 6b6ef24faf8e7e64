//! Posts of other servers.

use super::{Budget, account, failed};
use crate::Federation;
use crate::documents::{Document, Note, same_origin};
use crate::statuses::arrive;
use domain::ids::StatusId;
use domain::statuses::{self, QuoteState, Status, Visibility, remote, remote::How};
use domain::{Error, Result, tombstones};
use std::future::Future;
use std::pin::Pin;
use url::Url;

/// The post of this name: known here, or fetched.
pub async fn by_uri(federation: &Federation, uri: &str, budget: Budget) -> Result<Status> {
    // Nothing is held of the database while others are asked.
    let known = remote::by_uri(&federation.db.read().await?, uri).await?;
    match known {
        Some(status) => Ok(status),
        None if federation.is_ours(uri) => Err(Error::NotFound),
        None => fetch(federation, uri, budget).await,
    }
}

/// The parent of something that arrives, as far as it can be had. Only our own trouble is an error: it passes, and what
/// was kept without its parent would stay so.
pub(crate) fn parent<'a>(
    federation: &'a Federation,
    uri: &'a str,
    budget: Budget,
) -> Pin<Box<dyn Future<Output = Result<Option<Status>>> + Send + 'a>> {
    // Boxed: a parent has a parent.
    Box::pin(async move {
        if let Some(known) = remote::by_uri(&federation.db.read().await?, uri).await? {
            return Ok(Some(known));
        }
        if !budget.is_left() || federation.is_ours(uri) {
            return Ok(None);
        }
        match fetch(federation, uri, budget.less()).await {
            Ok(status) => Ok(Some(status)),
            Err(error @ (Error::Internal(_) | Error::Busy(_))) => Err(error),
            // Without it the answer still stands: a server that is down does not hold up what others say.
            Err(_) => Ok(None),
        }
    })
}

/// As [`fetch`]: a post that is fetched because of another.
pub(crate) fn fetch_boxed<'a>(
    federation: &'a Federation,
    uri: &'a str,
    budget: Budget,
) -> Pin<Box<dyn Future<Output = Result<Status>> + Send + 'a>> {
    Box::pin(fetch(federation, uri, budget))
}

/// Fetches a post that is not known.
pub(crate) async fn fetch(federation: &Federation, uri: &str, budget: Budget) -> Result<Status> {
    if tombstones::is_gone(&federation.db.read().await?, uri).await? {
        return Err(Error::Gone);
    }
    let note = document(federation, uri).await?;
    take(federation, &note, budget).await
}

pub(crate) async fn document(federation: &Federation, uri: &str) -> Result<Note> {
    let url = Url::parse(uri).map_err(|_| Error::NotFound)?;
    let signer = federation.site_signer().await?;
    let fetched = federation.fetcher.document(&url, Some(&signer)).await.map_err(|e| failed(&url, e))?;
    match Document::read(&fetched.value) {
        Ok(Document::Note(note)) => Ok(*note),
        Ok(Document::Tombstone { .. }) => Err(Error::Gone),
        _ => Err(Error::forbidden(format!("{uri} is no post"))),
    }
}

/// Takes in a post that was fetched where it is from.
pub(crate) async fn take(federation: &Federation, note: &Note, budget: Budget) -> Result<Status> {
    if !same_origin(&note.id, &note.author) {
        return Err(Error::forbidden(format!("{} is not by {}", note.id, note.author)));
    }
    if note.vote().is_some() {
        return Err(Error::NotFound);
    }
    let author = account::named(federation, &note.author).await?;
    let taken = arrive::take(federation, note, &author, (budget.how(), budget)).await?;
    taken.ok_or(Error::Gone)
}

/// Looks at a post where it is from, whatever is known of it.
pub(crate) async fn refetch(federation: &Federation, uri: &str, budget: Budget) -> Result<Status> {
    let note = document(federation, uri).await?;
    if remote::by_uri(&federation.db.read().await?, &note.id).await?.is_none() {
        return take(federation, &note, budget).await;
    }
    if !same_origin(&note.id, &note.author) {
        return Err(Error::forbidden(format!("{} is not by {}", note.id, note.author)));
    }
    let author = account::named(federation, &note.author).await?;
    let arrived = federation.arrived(&note, &author, (How::Found, budget)).await?;
    match arrive::edit(federation, &arrived).await? {
        remote::Outcome::Changed(status) | remote::Outcome::Stale(status) => Ok(status),
        remote::Outcome::Unknown => Err(Error::NotFound),
    }
}

/// Looks once more at a post elsewhere whose quote waits for what it quotes, which may quote `left` others in turn.
pub async fn quote_of(federation: &Federation, id: StatusId, left: u8) -> Result<()> {
    let status = statuses::store::by_id(&federation.db.read().await?, id).await?.ok_or(Error::NotFound)?;
    if status.local || status.quote_state != QuoteState::Pending {
        return Ok(());
    }
    refetch(federation, &status.uri, Budget::quotes(left)).await.map(drop)
}

/// Somebody says that a post is gone: it goes here when its own server says so too. Of a post that not everybody may see
/// every server says to others that there is none: that is no proof.
pub(crate) async fn confirm_gone(federation: &Federation, uri: &str) -> Result<()> {
    let Some(status) = remote::by_uri(&federation.db.read().await?, uri).await? else { return Ok(()) };
    match document(federation, uri).await {
        Err(Error::NotFound) if status.visibility > Visibility::Unlisted => Ok(()),
        Err(Error::Gone | Error::NotFound) => remote::delete(&federation.db, status.account_id, uri).await,
        Err(error) => Err(error),
        Ok(_) => Ok(()),
    }
}
