//! How a poll of another server stands, for whoever looks at it.

use crate::Federation;
use crate::documents::Document;
use crate::statuses::arrive;
use domain::accounts::{self, Account};
use domain::ids::AccountId;
use domain::polls::Poll;
use domain::statuses::{self, Status, Visibility, remote::How};
use domain::{Error, Result, Time};
use std::time::Duration;
use tokio::time::timeout;
use url::Url;

use super::Budget;

/// Whoever looks again so soon sees the same; what is over does not change.
const FRESH: Duration = Duration::from_secs(60);
const OVER: Duration = Duration::from_secs(24 * 3600);
/// Whoever looks waits for the other server no longer than this.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks where a poll is from how it stands, if it is not from here and was not asked for lately. What cannot be had now
/// stays as it was. Whether anything was learnt.
pub async fn look(federation: &Federation, poll: &Poll, viewer: AccountId) -> Result<bool> {
    let conn = federation.db.read().await?;
    let status = statuses::store::by_id(&conn, poll.status_id).await?.filter(|status| !status.local);
    let Some(status) = status else { return Ok(false) };
    let kept = if poll.expired(Time::now()) { OVER } else { FRESH };
    if federation.polled.has(&status.uri) || !federation.polled.begin(&status.uri, kept) {
        return Ok(false);
    }
    let author = accounts::store::by_id(&conn, status.account_id).await?.ok_or(Error::NotFound)?;
    let viewer = accounts::store::by_id(&conn, viewer).await?.ok_or(Error::NotFound)?;
    drop(conn);
    match timeout(PATIENCE, ask(federation, &status, (&author, &viewer))).await {
        Ok(Err(error @ Error::Internal(_))) => Err(error),
        Ok(Ok(())) => Ok(true),
        Ok(Err(error)) => {
            tracing::debug!(uri = status.uri, %error, "a poll cannot be asked for");
            Ok(false)
        }
        Err(_) => Ok(false),
    }
}

/// What not everybody may see is asked for in the name of who looks.
async fn ask(federation: &Federation, status: &Status, (author, viewer): (&Account, &Account)) -> Result<()> {
    let url = Url::parse(&status.uri).map_err(|_| Error::NotFound)?;
    let fetched = match status.visibility <= Visibility::Unlisted {
        true => federation.fetcher.document(&url, Some(&federation.site_signer().await?)).await,
        false => federation.fetcher.document_there(&url, &federation.signer(viewer.id, &viewer.uri).await?).await,
    };
    let fetched = fetched.map_err(|error| super::failed(&url, error))?;
    match Document::read(&fetched.value) {
        Ok(Document::Note(note)) if note.id == status.uri && note.author == author.uri => {
            let arrived = federation.arrived(&note, author, (How::Found, Budget::NONE)).await?;
            arrive::edit(federation, &arrived).await.map(drop)
        }
        _ => Err(Error::forbidden(format!("{url} is not the poll"))),
    }
}
