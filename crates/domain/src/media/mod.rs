//! Media attachments: what was uploaded, what became of it, and to which status it belongs.

pub mod store;

use crate::{
    Result, Time,
    db::{Tx, stored_enum},
    ids::{AccountId, MediaId, StatusId},
    jobs::Job,
    row,
};

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
        pub created_at: Time,
    }
}

impl Attachment {
    /// Store keys of all its files.
    pub fn keys(&self) -> Vec<String> {
        [&self.upload, &self.original, &self.small].into_iter().flatten().cloned().collect()
    }
}

/// Removes the attachments of a status, and their files once that is committed.
pub(crate) async fn delete_of_status(tx: &mut Tx, status: StatusId) -> Result<()> {
    for attachment in store::by_statuses(tx, [status]).await? {
        store::delete(tx, attachment.id).await?;
        tx.enqueue(Job::DeleteFiles { keys: attachment.keys() }).await?;
    }
    Ok(())
}
