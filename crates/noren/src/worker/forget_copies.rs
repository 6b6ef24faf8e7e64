//! Removes what is kept of files of other servers that nobody may see any more: copies of a mirror, and what the cache has.

use crate::copies::{former_keys, is_kept_at_all};
use crate::remote::Remote;
use crate::server::Parts;
use domain::Result;
use domain::ids::{AccountId, CardId, MediaId};
use domain::jobs::Outcome;
use domain::media::{self as attachments, Former, Unseen};
use futures_util::{StreamExt as _, stream};
use media::Key;

/// Files removed at once.
const AT_ONCE: usize = 8;

type With<'a> = (&'a Parts, &'a Remote);

/// What rows named that went or changed. A file that is shown again, or still, stays.
pub(super) async fn files((parts, remote): With<'_>, files: &[Former]) -> Result<Outcome> {
    let mut gone = Vec::new();
    for key in files.iter().flat_map(former_keys) {
        if !remote.is_shown(key.as_str()).await? {
            gone.push(key);
        }
    }
    remove((parts, remote), gone).await
}

pub(super) async fn account(with: With<'_>, of: (AccountId, MediaId)) -> Result<Outcome> {
    let conn = with.0.db.read().await?;
    let rules = with.0.federation.policy.renewed(&conn).await?;
    let unseen = attachments::unseen_of_account((&conn, &rules), of).await?;
    drop(conn);
    forget(with, unseen).await
}

pub(super) async fn server(with: With<'_>, of: (&str, AccountId)) -> Result<Outcome> {
    let conn = with.0.db.read_long().await?;
    let rules = with.0.federation.policy.renewed(&conn).await?;
    let unseen = attachments::unseen_of_server((&conn, &rules), of).await?;
    drop(conn);
    forget(with, unseen).await
}

pub(super) async fn cards(with: With<'_>, after: CardId) -> Result<Outcome> {
    let conn = with.0.db.read_long().await?;
    let rules = with.0.federation.policy.renewed(&conn).await?;
    let unseen = attachments::unseen_cards((&conn, &rules), after).await?;
    drop(conn);
    forget(with, unseen).await
}

/// A page of it; another job goes on with the next. What is interrupted in between is done again.
async fn forget(with: With<'_>, Unseen { files, jobs }: Unseen) -> Result<Outcome> {
    let outcome = remove(with, files.iter().flat_map(former_keys).collect()).await?;
    if matches!(outcome, Outcome::Done) {
        attachments::go_on(&with.0.db, &jobs).await?;
    }
    Ok(outcome)
}

async fn remove((parts, remote): With<'_>, keys: Vec<Key>) -> Result<Outcome> {
    if keys.is_empty() {
        return Ok(Outcome::Done);
    }
    // Where nothing was ever mirrored a bucket is not asked to remove each of them.
    let is_kept = is_kept_at_all(parts).await?;
    let removing = keys.into_iter().map(|key| async move {
        let removed = if is_kept { parts.store.delete(&key).await } else { Ok(()) };
        remote.purge(key.as_str()).await;
        removed.err().map(|error| format!("{key}: {error}"))
    });
    let mut failed = None;
    let mut removing = stream::iter(removing).buffer_unordered(AT_ONCE);
    while let Some(failure) = removing.next().await {
        failed = failure.or(failed);
    }
    Ok(failed.map_or(Outcome::Done, Outcome::Retry))
}
