//! Media attachments.

use crate::App;
use domain::{
    ids::MediaId,
    media::{Attachment, Kind, State},
};
use serde::Serialize;
use serde_json::value::RawValue;

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
    pub meta: Option<Box<RawValue>>,
    pub description: Option<String>,
    pub blurhash: Option<String>,
}

pub fn media_attachment(app: &App, row: Attachment) -> MediaAttachment {
    let ready = row.state == State::Ready;
    let url = |key: &Option<String>| key.as_ref().filter(|_| ready).map(|k| app.site.media(k));
    MediaAttachment {
        id: row.id,
        kind: row.kind,
        url: url(&row.original),
        preview_url: url(&row.small).or_else(|| url(&row.original)),
        remote_url: None,
        preview_remote_url: None,
        text_url: None,
        meta: meta(&row),
        description: row.description,
        blurhash: row.blurhash,
    }
}

/// The stored object with the focal point put in front.
fn meta(row: &Attachment) -> Option<Box<RawValue>> {
    let stored = row.meta_json.as_deref().unwrap_or("{}");
    let text = match (row.focus_x, row.focus_y) {
        (Some(x), Some(y)) => {
            let rest = stored.strip_prefix('{').unwrap_or("}");
            let comma = if rest.trim_start().starts_with('}') { "" } else { "," };
            format!("{{\"focus\":{{\"x\":{x:?},\"y\":{y:?}}}{comma}{rest}")
        }
        _ if stored == "{}" => return None,
        _ => stored.to_owned(),
    };
    RawValue::from_string(text).ok()
}
