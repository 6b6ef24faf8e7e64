//! Media attachments: what was uploaded, what became of it, and to which status it belongs.
//!
//! An upload lies in the store under [`Attachment::upload`] until a job has made the versions that are shown; the
//! upload itself is never shown. What hangs on no status for [`KEPT_LOOSE`] is removed.

mod details;
mod elsewhere;
mod former;
pub mod store;
#[cfg(test)]
mod tests;
mod versions;

pub use details::{Details, focus};
pub use elsewhere::{Elsewhere, Seen, Whose, describe, is_unseen, may_be_fetched, mirror_account_later, mirror_later};
pub(crate) use elsewhere::{are_same, receive as receive_elsewhere, replace as replace_elsewhere};
pub use former::{Former, Of, Unseen, go_on, unseen_cards, unseen_of_account, unseen_of_server};
pub(crate) use former::{forget, forget_account, forget_servers, of_account, of_card, of_emoji};
pub use versions::{Shape, Small, Versions};

use crate::{
    Error, Result, Time,
    db::{Conn, Db, Tx, stored_enum},
    ids::{AccountId, MediaId, StatusId},
    jobs::Job,
    row,
};
use std::time::Duration;

/// How long an attachment without a status is kept.
pub(crate) const KEPT_LOOSE: Duration = Duration::from_secs(24 * 3600);
/// Attachments removed in one transaction.
const BATCH: i64 = 200;

stored_enum! {
    pub enum Kind {
        Unknown = 0 => "unknown",
        Image = 1 => "image",
        Gifv = 2 => "gifv",
        Video = 3 => "video",
        Audio = 4 => "audio",
    }
}

stored_enum! {
    pub enum State {
        /// Uploaded; a job makes the versions.
        Processing = 0 => "processing",
        Ready = 1 => "ready",
        Failed = 2 => "failed",
    }
}

row! {
    pub struct Attachment {
        pub id: MediaId,
        pub account_id: AccountId,
        pub status_id: Option<StatusId>,
        pub position: i64,
        pub kind: Kind,
        pub state: State,
        /// Store key of the upload as it came, until it is processed
        pub upload: Option<String>,
        /// Store keys of what is shown
        pub original: Option<String>,
        pub small: Option<String>,
        pub content_type: Option<String>,
        pub file_size: i64,
        /// JSON of the documented `meta` without focus
        pub meta_json: Option<String>,
        pub blurhash: Option<String>,
        pub description: Option<String>,
        pub focus_x: Option<f64>,
        pub focus_y: Option<f64>,
        /// Why processing failed, in words for the uploader
        pub failure: Option<String>,
        /// When it was uploaded, or let go of by its status
        pub loose_since: Time,
    }
}

impl Attachment {
    /// Store keys of all its files; what lies elsewhere is not ours to remove.
    pub fn keys(&self) -> Vec<String> {
        let ours = |key: &&String| !is_elsewhere(key);
        [&self.upload, &self.original, &self.small].into_iter().flatten().filter(ours).cloned().collect()
    }
}

/// Whether what a row has written down for a file is its address on another server.
fn is_elsewhere(stored: &str) -> bool {
    stored.starts_with("http://") || stored.starts_with("https://")
}

/// An upload that somebody made.
#[derive(Clone, Debug)]
pub struct New {
    /// Made by the caller: the names of the files contain it.
    pub id: MediaId,
    pub owner: AccountId,
    pub details: Details,
    /// A preview that the uploader chose; it takes the place of the one that is made.
    pub thumbnail: Option<Small>,
}

/// A file that lies in the store as it came.
#[derive(Clone, Debug)]
pub struct Upload {
    pub key: String,
    pub content_type: String,
    /// Bytes.
    pub size: i64,
}

/// Takes an upload in; a job makes its versions.
pub async fn receive(db: &Db, new: New, upload: Upload) -> Result<Attachment> {
    let mut tx = db.begin().await?;
    let mut row = blank(new, tx.now)?;
    row.upload = Some(upload.key);
    row.content_type = Some(upload.content_type);
    row.file_size = upload.size;
    store::insert(&tx, &row).await?;
    tx.enqueue(Job::ProcessMedia { media: row.id }).await?;
    tx.commit().await?;
    Ok(row)
}

/// Takes an upload in whose versions have been made already.
pub async fn create(db: &Db, new: New, versions: Versions) -> Result<Attachment> {
    let mut tx = db.begin().await?;
    let mut row = blank(new, tx.now)?;
    row.state = State::Ready;
    let unneeded = versions.put_into(&mut row)?;
    store::insert(&tx, &row).await?;
    delete_files(&mut tx, unneeded).await?;
    tx.commit().await?;
    Ok(row)
}

fn blank(new: New, now: Time) -> Result<Attachment> {
    let mut row = Attachment {
        id: new.id,
        account_id: new.owner,
        status_id: None,
        position: 0,
        kind: Kind::Image,
        state: State::Processing,
        upload: None,
        original: None,
        small: None,
        content_type: None,
        file_size: 0,
        meta_json: None,
        blurhash: None,
        description: None,
        focus_x: None,
        focus_y: None,
        failure: None,
        loose_since: now,
    };
    new.details.put_into(&mut row);
    if let Some(thumbnail) = new.thumbnail {
        thumbnail.put_into(&mut row)?;
    }
    Ok(row)
}

/// The versions of an upload have been made. The caller removes the upload from the store after this.
/// [`Error::NotFound`] when it is gone or was finished before: the versions are not wanted then.
pub async fn finish(db: &Db, id: MediaId, versions: Versions) -> Result<()> {
    let mut tx = db.begin().await?;
    let mut row = store::take_processing(&tx, id, State::Ready).await?.ok_or(Error::NotFound)?;
    let unneeded = versions.put_into(&mut row)?;
    store::update_versions(&tx, &row).await?;
    delete_files(&mut tx, unneeded).await?;
    tx.commit().await
}

/// The upload cannot be used; `why` is a sentence for the uploader. As [`finish`] otherwise.
pub async fn fail(db: &Db, id: MediaId, why: &str) -> Result<()> {
    let tx = db.begin().await?;
    store::take_processing(&tx, id, State::Failed).await?.ok_or(Error::NotFound)?;
    store::update_failure(&tx, id, why).await?;
    tx.commit().await
}

/// Somebody's own attachment that hangs on no status.
/// <https://docs.joinmastodon.org/methods/media/#get>
pub async fn own(conn: &Conn, owner: AccountId, id: MediaId) -> Result<Attachment> {
    let found = store::by_id(conn, id).await?.filter(|m| m.account_id == owner && m.status_id.is_none());
    found.ok_or(Error::NotFound)
}

/// Changes what is said about somebody's own attachment, as long as it hangs on no status, and its preview.
/// <https://docs.joinmastodon.org/methods/media/#update>
pub async fn update(
    db: &Db,
    (owner, id): (AccountId, MediaId),
    details: Details,
    thumbnail: Option<Small>,
) -> Result<Attachment> {
    let mut tx = db.begin().await?;
    let mut row = store::take_loose(&tx, owner, id).await?.ok_or(Error::NotFound)?;
    if row.state == State::Failed {
        return Err(Error::Conflict(failure(&row)));
    }
    details.put_into(&mut row);
    if let Some(thumbnail) = thumbnail {
        let before = thumbnail.put_into(&mut row)?;
        delete_files(&mut tx, before).await?;
    }
    store::update(&tx, &row).await?;
    tx.commit().await?;
    Ok(row)
}

/// What is said about an upload that could not be used: Mastodon's sentence, and why.
pub fn failure(row: &Attachment) -> String {
    let sentence = "Error processing thumbnail for uploaded media";
    row.failure.as_ref().map_or_else(|| sentence.to_owned(), |why| format!("{sentence}: {why}"))
}

/// Removes somebody's own attachment, unless a status has it.
/// <https://docs.joinmastodon.org/methods/media/#delete>
pub async fn delete(db: &Db, owner: AccountId, id: MediaId) -> Result<()> {
    let mut tx = db.begin().await?;
    let found = store::by_id(&tx, id).await?.filter(|m| m.account_id == owner).ok_or(Error::NotFound)?;
    let row = match found.status_id {
        None => store::take_loose(&tx, owner, id).await?,
        Some(_) => None,
    };
    let row = row.ok_or_else(|| Error::Conflict("Media attachment is currently used by a status".into()))?;
    store::delete(&tx, id).await?;
    delete_files(&mut tx, row.keys()).await?;
    tx.commit().await
}

/// Removes what has hung on no status for [`KEPT_LOOSE`], with its files. How many were removed.
pub async fn prune(db: &Db) -> Result<u64> {
    let mut removed = 0;
    loop {
        let mut tx = db.begin().await?;
        let gone = store::delete_loose(&tx, tx.now.minus(KEPT_LOOSE), BATCH).await?;
        if gone.is_empty() {
            return Ok(removed);
        }
        removed += gone.len() as u64;
        delete_files(&mut tx, gone.iter().flat_map(Attachment::keys).collect()).await?;
        tx.commit().await?;
    }
}

/// Which of these files attachments name, whatever they are called. Looks through all there are.
pub async fn named(conn: &Conn, keys: &[String]) -> Result<Vec<String>> {
    Ok(naming(conn, keys).await?.iter().flat_map(Attachment::keys).collect())
}

/// Those that name one of these files or addresses. Looks through all there are.
pub async fn naming(conn: &Conn, names: &[String]) -> Result<Vec<Attachment>> {
    store::naming(conn, names).await
}

/// Which of these attachments still wait to be processed: the others need no upload.
pub async fn still_processing(conn: &Conn, ids: &[MediaId]) -> Result<Vec<MediaId>> {
    let found = store::by_ids(conn, ids).await?;
    Ok(found.into_iter().filter(|m| m.state == State::Processing).map(|m| m.id).collect())
}

/// Removes the attachments of a status, and their files once that is committed.
pub(crate) async fn delete_of_status(tx: &mut Tx, status: StatusId) -> Result<()> {
    for attachment in store::by_statuses(tx, [status]).await? {
        delete_row(tx, attachment).await?;
    }
    Ok(())
}

async fn delete_row(tx: &mut Tx, attachment: Attachment) -> Result<()> {
    store::delete(tx, attachment.id).await?;
    delete_files(tx, attachment.keys()).await?;
    forget(tx, former::of_attachment(&attachment)).await
}

async fn delete_files(tx: &mut Tx, keys: Vec<String>) -> Result<()> {
    match keys.is_empty() {
        true => Ok(()),
        false => tx.enqueue(Job::DeleteFiles { keys }).await,
    }
}
