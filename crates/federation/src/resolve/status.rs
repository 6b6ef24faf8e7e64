//! Posts of other servers.

use super::entitled::{self, Whose};
use super::{Budget, account};
use crate::Federation;
use crate::documents::{Document, Note, same_origin};
use crate::statuses::arrive;
use domain::ids::StatusId;
use domain::statuses::{self, QuoteState, Status, Visibility, remote, remote::How};
use domain::{Error, Result, accounts, tombstones};
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
        None => fetch(federation, (uri, &[]), budget).await,
    }
}

/// As [`by_uri`]: a post that is said to be by `author`, who may show it to followers alone.
pub(crate) async fn by_author(federation: &Federation, (uri, author): (&str, &str), budget: Budget) -> Result<Status> {
    let known = remote::by_uri(&federation.db.read().await?, uri).await?;
    match known {
        Some(status) => Ok(status),
        None if federation.is_ours(uri) => Err(Error::NotFound),
        None => fetch(federation, (uri, &[author.to_owned()]), budget).await,
    }
}

/// The parent of something that arrives, by one of these authors perhaps, as far as it can be had. Only our own trouble
/// is an error: it passes, and what was kept without its parent would stay so.
pub(crate) fn parent<'a>(
    federation: &'a Federation,
    (uri, authors): (&'a str, &'a [String]),
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
        match fetch(federation, (uri, authors), budget.less()).await {
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
    Box::pin(fetch(federation, (uri, &[]), budget))
}

/// Fetches a post that is not known, by one of these authors perhaps.
async fn fetch(federation: &Federation, (uri, authors): (&str, &[String]), budget: Budget) -> Result<Status> {
    if tombstones::is_gone(&federation.db.read().await?, uri).await? {
        return Err(Error::Gone);
    }
    let note = document_by(federation, uri, authors).await?;
    take(federation, &note, budget).await
}

pub(crate) async fn document(federation: &Federation, uri: &str) -> Result<Note> {
    document_by(federation, uri, &[]).await
}

/// A post where it is from; if it is not shown to this site, as a follower of whom it may be by sees it.
pub(crate) async fn document_by(federation: &Federation, uri: &str, authors: &[String]) -> Result<Note> {
    let url = Url::parse(uri).map_err(|_| Error::NotFound)?;
    let signer = federation.site_signer().await?;
    let fetched = match federation.fetcher.document(&url, Some(&signer)).await {
        Ok(fetched) => fetched,
        Err(refused) => entitled::once_more(federation, &url, (refused, Whose::Followers(authors))).await?,
    };
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
    let author = author_of(federation, uri).await?;
    let note = document_by(federation, uri, author.as_slice()).await?;
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

/// By whom a post is that is here.
async fn author_of(federation: &Federation, uri: &str) -> Result<Option<String>> {
    let conn = federation.db.read().await?;
    let Some(status) = remote::by_uri(&conn, uri).await? else { return Ok(None) };
    Ok(accounts::store::by_id(&conn, status.account_id).await?.map(|author| author.uri))
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
    let author = author_of(federation, uri).await?;
    match document_by(federation, uri, author.as_slice()).await {
        Err(Error::NotFound) if status.visibility > Visibility::Unlisted => Ok(()),
        Err(Error::Gone | Error::NotFound) => remote::delete(&federation.db, status.account_id, uri).await,
        Err(error) => Err(error),
        Ok(_) => Ok(()),
    }
}
