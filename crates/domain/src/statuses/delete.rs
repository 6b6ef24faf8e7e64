//! Deleting a status, and what hangs on it.

use super::{QuoteState, Status, Visibility, store};
use crate::{
    Error, Result, accounts, cards,
    db::{Db, Tx},
    deliveries::{self, News},
    events::Event,
    ids::{AccountId, StatusId},
    media, search, timelines, tombstones,
};

/// Rows of boosts removed together with a status in one statement's reach; the rest follows by the foreign key.
const BOOSTS: i64 = 5_000;

/// What becomes of the attachments of a deleted status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// Kept for a day, so that "delete and redraft" can attach them again.
    Keep,
    /// Gone with the status.
    Delete,
}

/// Deletes one's own status. Answers what it was, for "delete and redraft".
pub async fn delete(db: &Db, author: AccountId, (id, with_media): (StatusId, Media)) -> Result<Status> {
    let mut tx = db.begin().await?;
    let status = store::by_id(&tx, id).await?.ok_or(Error::NotFound)?;
    if status.account_id != author {
        return Err(Error::NotFound);
    }
    if !is_ending(&tx, author).await?
        && let Some(gone) = deliveries::gone(&tx, &status).await?
    {
        deliveries::tell(&mut tx, News::StatusDeleted { gone }).await?;
    }
    if status.visibility <= Visibility::Unlisted {
        tombstones::put(&tx, &status.uri).await?;
    }
    remove_with_boosts(&mut tx, &status, with_media).await?;
    tx.commit().await?;
    Ok(status)
}

/// Whether the account itself is being deleted: every server that is known hears of that, and need not hear of each post.
async fn is_ending(tx: &Tx, author: AccountId) -> Result<bool> {
    match accounts::store::by_id(tx, author).await? {
        Some(author) if author.suspended_at.is_some() => tombstones::is_former_name(tx, &author.username).await,
        _ => Ok(false),
    }
}

/// Removes a status and the boosts of it. Of a status from elsewhere, boosts made here are taken back elsewhere: its own
/// server does not know who got it by them. (The end of one from here is told to them by [`deliveries::gone`].)
pub(super) async fn remove_with_boosts(tx: &mut Tx, status: &Status, with_media: Media) -> Result<()> {
    for boost in &store::reblogs_of(tx, status.id, BOOSTS).await? {
        if boost.local
            && !status.local
            && let Some(gone) = deliveries::gone(tx, boost).await?
        {
            deliveries::tell(tx, News::StatusDeleted { gone }).await?;
        }
        remove(tx, boost).await?;
    }
    match with_media {
        Media::Delete => media::delete_of_status(tx, status.id).await?,
        Media::Keep => media::store::detach_except(tx, status.id, &[]).await?,
    }
    remove(tx, status).await
}

/// Removes one status, its place in feeds and search, and its part in counts; tells listeners.
pub(super) async fn remove(tx: &mut Tx, status: &Status) -> Result<()> {
    let id: StatusId = status.id;
    let audience = status.mentions().iter().map(|m| m.id).collect();
    timelines::withdraw(tx, id).await?;
    search::forget_status(tx, id).await?;
    if let Some(parent) = status.counted_parent() {
        store::count_replies(tx, parent, -1).await?;
    }
    // A quote that was taken back is counted no more.
    if let Some(quoted) = status.quote_of_id.filter(|_| status.quote_state == QuoteState::Accepted) {
        store::count_quotes(tx, quoted, -1).await?;
    }
    if let Some(original) = status.reblog_of_id {
        store::count_reblogs(tx, original, -1).await?;
    }
    cards::let_go(tx, status).await?;
    store::delete(tx, id).await?;
    if status.is_counted() {
        accounts::store::count_status(tx, status.account_id, -1).await?;
    }
    tx.publish(Event::StatusDeleted {
        status: id,
        author: status.account_id,
        local: status.local,
        public: status.visibility == Visibility::Public && status.reblog_of_id.is_none(),
        tags: status.tags(),
        audience,
    });
    Ok(())
}
