//! Copies what hangs on posts of other servers to where our own files are, and removes the copies again.

use crate::config::Mode;
use crate::remote::Remote;
use crate::server::Parts;
use domain::ids::StatusId;
use domain::jobs::Outcome;
use domain::{Error, Result};
use edge::cache::Failure;
use media::keys::{self, CACHE, Kind, Style};
use media::{Key, Listing};
use std::time::{Duration, SystemTime};

const PAGE: usize = 500;

pub(super) async fn run(parts: &Parts, status: StatusId) -> Result<Outcome> {
    if parts.config.media.remote.mode != Mode::Mirror {
        return Ok(Outcome::Done);
    }
    let remote = Remote::new(parts);
    let rows = domain::media::store::by_statuses(&parts.db.read().await?, [status]).await?;
    for row in rows {
        let address = |stored: &Option<String>| stored.clone().filter(|stored| keys::is_address(stored));
        let Some(original) = address(&row.original) else { continue };
        let small = address(&row.small).unwrap_or_else(|| original.clone());
        for (style, stored) in [(Style::Original, original), (Style::Small, small)] {
            let key = keys::shown((Kind::Attachment, row.id.0, style), &stored);
            let Ok(key) = Key::parse(&key) else { continue };
            match copy(parts, &remote, &key).await? {
                Ok(()) => {}
                Err(failure @ (Failure::Busy | Failure::TimedOut | Failure::Unreachable(_))) => {
                    return Ok(Outcome::Retry(failure.to_string()));
                }
                // It is asked for again when somebody looks.
                Err(failure) => tracing::debug!(%failure, %key, "cannot be mirrored"),
            }
        }
    }
    Ok(Outcome::Done)
}

async fn copy(parts: &Parts, remote: &Remote, key: &Key) -> Result<Result<(), Failure>> {
    if parts.store.exists(key).await.map_err(|error| Error::Internal(error.into()))? {
        return Ok(Ok(()));
    }
    match remote.copied(key.as_str()).await {
        Ok(Some(content)) => {
            parts.store.put(key, content).await.map_err(|error| Error::Internal(error.into()))?;
            Ok(Ok(()))
        }
        Ok(None) => Ok(Ok(())),
        Err(failure) => Ok(Err(failure)),
    }
}

/// Removes copies that are older than they are kept, where copies are made. How many.
pub(super) async fn sweep(parts: &Parts) -> Result<u64> {
    if parts.config.media.remote.mode != Mode::Mirror {
        return Ok(0);
    }
    let kept = parts.config.media.remote.retention.0;
    let removed = remove_older(parts, (CACHE, kept), Removal::Remove).await?;
    Ok(removed.files)
}

/// What was, or would be, removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Removed {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Removal {
    Count,
    Remove,
}

/// Removes what lies below `prefix` for longer than `kept`, or counts it. A bucket that takes no orders is left alone.
pub(crate) async fn remove_older(parts: &Parts, (prefix, kept): (&str, Duration), removal: Removal) -> Result<Removed> {
    let (mut removed, mut after) = (Removed::default(), None);
    loop {
        let listing = Listing { prefix: prefix.to_owned(), after: after.take(), limit: PAGE };
        let page = parts.store.list(listing).await.map_err(|error| Error::Internal(error.into()))?;
        let Some(last) = page.last() else { return Ok(removed) };
        after = Some(last.key.clone());
        for entry in page.into_iter().filter(|entry| is_older(entry.modified, kept)) {
            if removal == Removal::Remove
                && let Err(failure) = parts.store.delete(&entry.key).await
            {
                tracing::warn!(%failure, key = %entry.key, "a copy stays behind");
                continue;
            }
            removed.files += 1;
            removed.bytes += entry.len;
        }
    }
}

fn is_older(modified: SystemTime, kept: Duration) -> bool {
    SystemTime::now().duration_since(modified).is_ok_and(|age| age >= kept)
}
