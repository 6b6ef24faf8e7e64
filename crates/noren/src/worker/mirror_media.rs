//! Copies pictures, videos and sounds of other servers to where our own files are, where that is wanted; and removes the
//! copies when they have been kept long enough.

use crate::config::Mode;
use crate::copies::{self, attachment_files, emoji_files, portrait_files};
use crate::remote::Remote;
use crate::server::Parts;
use domain::db::Conn;
use domain::ids::{AccountId, CardId, StatusId};
use domain::jobs::Outcome;
use domain::{Error, Result, accounts, cards, emojis, statuses};
use edge::cache::Failure;
use media::Key;
use media::keys::{self, Kind, Style, What};

fn is_wanted(parts: &Parts) -> bool {
    parts.config.media.remote.mode == Mode::Mirror
}

/// What hangs on a post, and the emoji in it.
pub(super) async fn status((parts, remote): (&Parts, &Remote), id: StatusId) -> Result<Outcome> {
    if !is_wanted(parts) {
        return Ok(Outcome::Done);
    }
    let conn = parts.db.read().await?;
    let status = statuses::store::by_id(&conn, id).await?.ok_or(Error::NotFound)?;
    let mut files = Vec::new();
    for row in domain::media::store::by_statuses(&conn, [id]).await? {
        files.extend(attachment_files(&row));
    }
    files.extend(emoji(&conn, &status.emojis_json).await?);
    drop(conn);
    copy_all((parts, remote), files).await
}

/// Pictures of an account, and the emoji in its name.
pub(super) async fn account((parts, remote): (&Parts, &Remote), id: AccountId) -> Result<Outcome> {
    if !is_wanted(parts) {
        return Ok(Outcome::Done);
    }
    let conn = parts.db.read().await?;
    let account = accounts::store::by_id(&conn, id).await?.ok_or(Error::NotFound)?;
    let mut files = portrait_files(&account);
    files.extend(emoji(&conn, &account.emojis_json).await?);
    drop(conn);
    copy_all((parts, remote), files).await
}

/// Fetches what a page says of itself, and its picture. Without the picture the preview is good all the same.
pub(super) async fn card((parts, remote): (&Parts, &Remote), id: CardId, attempt: i64) -> Result<Outcome> {
    federation::cards::fetch(&parts.federation, id, attempt).await?;
    if !is_wanted(parts) {
        return Ok(Outcome::Done);
    }
    let preview = cards::by_id(&parts.db.read().await?, id).await?;
    let image = preview.and_then(|preview| preview.card().image).filter(|image| keys::is_address(image));
    if let Some(image) = image {
        copy_all((parts, remote), vec![((Kind::Card, id.0, Style::Original), image)]).await?;
    }
    Ok(Outcome::Done)
}

async fn emoji(conn: &Conn, names: &str) -> Result<Vec<(What, String)>> {
    let names: Vec<String> = serde_json::from_str(names).unwrap_or_default();
    Ok(emojis::by_names(conn, &names).await?.iter().flat_map(emoji_files).collect())
}

async fn copy_all((parts, remote): (&Parts, &Remote), files: Vec<(What, String)>) -> Result<Outcome> {
    for (what, address) in files {
        let Ok(key) = Key::parse(&keys::shown(what, &address)) else { continue };
        match copy((parts, remote), &key).await? {
            Ok(()) => {}
            Err(failure @ (Failure::Busy | Failure::TimedOut | Failure::Unreachable(_))) => {
                return Ok(Outcome::Retry(failure.to_string()));
            }
            // It is asked for again when somebody looks.
            Err(failure) => tracing::debug!(%failure, %key, "cannot be mirrored"),
        }
    }
    Ok(Outcome::Done)
}

async fn copy((parts, remote): (&Parts, &Remote), key: &Key) -> Result<Result<(), Failure>> {
    if parts.store.exists(key).await.map_err(|error| Error::Internal(error.into()))? {
        return Ok(Ok(()));
    }
    match remote.copied(key.as_str()).await {
        Ok(Some(content)) => {
            parts.store.put(key, content).await.map_err(|error| Error::Internal(error.into()))?;
            // Whoever made it unseen meanwhile has looked for copies already.
            if !remote.is_shown(key.as_str()).await? {
                parts.store.delete(key).await.map_err(|error| Error::Internal(error.into()))?;
            }
            Ok(Ok(()))
        }
        Ok(None) => Ok(Ok(())),
        Err(failure) => Ok(Err(failure)),
    }
}

/// Removes copies that are older than they are kept, where copies are made. How many.
pub(super) async fn sweep(parts: &Parts) -> Result<u64> {
    match is_wanted(parts) {
        true => copies::expire(parts, parts.config.media.remote.retention.0).await,
        false => Ok(0),
    }
}
