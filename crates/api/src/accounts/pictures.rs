//! Avatars and headers on their way from an upload into the store.

use crate::{
    App,
    http::{ApiError, ApiResult, upload::TempFile},
};
use domain::{accounts::Picture, ids::AccountId};
use media::{
    Key, Output, Role,
    keys::{self, Kind, Origin, Style},
};
use std::time::Duration;

/// Bytes of an avatar or a header, as in Mastodon.
const MOST: u64 = 8 * 1024 * 1024;

/// Which of the two pictures of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Avatar,
    Header,
}

impl Slot {
    /// The field it is uploaded in.
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Avatar => "avatar",
            Self::Header => "header",
        }
    }
    fn name(self) -> &'static str {
        match self {
            Self::Avatar => "Avatar",
            Self::Header => "Header",
        }
    }
    fn kinds(self) -> (Role, Kind) {
        match self {
            Self::Avatar => (Role::Avatar, Kind::Avatar),
            Self::Header => (Role::Header, Kind::Header),
        }
    }
}

/// Cuts and stores an uploaded picture. 422 for what is no picture or too large, 503 when too many wait.
pub(super) async fn keep(app: &App, (owner, slot): (AccountId, Slot), file: TempFile) -> ApiResult<Picture> {
    if file.size > MOST {
        return Err(ApiError::validation([format!("{} must be less than {} MB", slot.name(), MOST >> 20)]));
    }
    let (role, _) = slot.kinds();
    let limits = app.media_limits.clone();
    let work = move || media::fit(&file.path, role, &limits);
    let fitted = app.pool.run(work).await.map_err(|e| refused(slot, e))?;
    let original = put(app, (owner, slot, Style::Original), fitted.original).await?;
    let still = match fitted.still {
        None => None,
        Some(output) => match put(app, (owner, slot, Style::Static), output).await {
            Ok(key) => Some(key),
            Err(e) => {
                drop_all(app, &[Picture::Set { original, still: None }]).await;
                return Err(e);
            }
        },
    };
    Ok(Picture::Set { original, still })
}

async fn put(app: &App, (owner, slot, style): (AccountId, Slot, Style), output: Output) -> ApiResult<String> {
    let (_, kind) = slot.kinds();
    let name = keys::file_name(output.format.extension());
    let key = keys::key((Origin::Local, kind), owner.0, style, &name)
        .ok_or_else(|| ApiError::internal(anyhow::anyhow!("{name} is no name for a file")))?;
    app.store.put(&key, output.content).await.map_err(ApiError::internal)?;
    Ok(key.to_string())
}

/// "Avatar content type is invalid" and the like.
fn refused(slot: Slot, e: media::Error) -> ApiError {
    match e {
        media::Error::Input(fault) => {
            let sentence = fault.to_string();
            let why = sentence.strip_prefix("File ").unwrap_or(&sentence);
            ApiError::validation([format!("{} {why}", slot.name())])
        }
        media::Error::Busy => ApiError::busy(Duration::from_secs(5)),
        e @ media::Error::Storage(_) => ApiError::internal(e),
    }
}

/// Removes files that no account names after all. A file that cannot be removed now stays behind.
pub(super) async fn drop_all(app: &App, pictures: &[Picture]) {
    for picture in pictures {
        let Picture::Set { original, still } = picture else { continue };
        for key in [Some(original), still.as_ref()].into_iter().flatten() {
            let Ok(key) = Key::parse(key) else { continue };
            if let Err(e) = app.store.delete(&key).await {
                tracing::warn!(%key, error = %e, "a file stays behind");
            }
        }
    }
}
