//! Media attachments.

use crate::App;
use domain::{
    ids::MediaId,
    media::{Attachment, Kind, State},
};
use media::keys::{self, Style};
use serde::{Deserialize, Serialize};

/// <https://docs.joinmastodon.org/entities/MediaAttachment/>
#[derive(Clone, Debug, Serialize)]
pub struct MediaAttachment {
    pub id: MediaId,
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Null while it is processed.
    pub url: Option<String>,
    pub preview_url: Option<String>,
    pub remote_url: Option<String>,
    pub preview_remote_url: Option<String>,
    pub text_url: Option<String>,
    pub meta: Option<Meta>,
    pub description: Option<String>,
    pub blurhash: Option<String>,
}

/// <https://docs.joinmastodon.org/entities/MediaAttachment/#meta>, as far as pictures have it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Meta {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub focus: Option<Focus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original: Option<Version>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub small: Option<Version>,
}

/// What must stay in sight when a picture is cropped: from -1 to 1, the middle is 0.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Focus {
    pub x: f64,
    pub y: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Version {
    pub width: i64,
    pub height: i64,
    /// `1600x1200`
    pub size: String,
    pub aspect: f64,
}

pub fn media_attachment(app: &App, row: Attachment) -> MediaAttachment {
    let ready = row.state == State::Ready;
    let id = row.id.0;
    let url = |style, stored: &Option<String>| {
        let stored = stored.as_ref().filter(|_| ready)?;
        Some(app.site.media(&keys::shown((keys::Kind::Attachment, id, style), stored)))
    };
    let address = |stored: &Option<String>| stored.clone().filter(|stored| keys::is_address(stored));
    // Of pictures elsewhere a preview is made when somebody looks; of videos and sounds there is only their server's own.
    let preview = match (&row.small, address(&row.original)) {
        (Some(_), _) => url(Style::Small, &row.small),
        (None, None) => url(Style::Original, &row.original),
        (None, Some(_)) if row.kind == Kind::Image => url(Style::Small, &row.original),
        (None, Some(_)) => None,
    };
    MediaAttachment {
        id: row.id,
        kind: row.kind,
        url: url(Style::Original, &row.original),
        preview_url: preview,
        remote_url: address(&row.original),
        preview_remote_url: address(&row.small),
        text_url: None,
        meta: meta(&row),
        description: row.description,
        blurhash: row.blurhash,
    }
}

/// What is stored of the versions, with the focal point.
fn meta(row: &Attachment) -> Option<Meta> {
    let stored: Meta = row.meta_json.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let focus = row.focus_x.zip(row.focus_y).map(|(x, y)| Focus { x, y });
    let meta = Meta { focus, ..stored };
    (meta.focus.is_some() || meta.original.is_some()).then_some(meta)
}
