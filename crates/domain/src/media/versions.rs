//! What processing made of an upload.

use super::{Attachment, Kind};
use crate::Result;
use serde_json::{Map, Value, json};

/// Width and height in pixels, as shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub width: u32,
    pub height: u32,
}

impl Shape {
    /// The documented parts of `meta.original` and `meta.small`.
    pub(super) fn meta(self) -> Value {
        let Self { width, height } = self;
        let aspect = f64::from(width) / f64::from(height.max(1));
        json!({ "width": width, "height": height, "size": format!("{width}x{height}"), "aspect": aspect })
    }
}

/// A preview that lies in the store.
#[derive(Clone, Debug)]
pub struct Small {
    pub key: String,
    pub shape: Shape,
    /// <https://github.com/woltapp/blurhash>
    pub blurhash: String,
}

impl Small {
    /// Answers the key of the preview that was there before.
    pub(super) fn put_into(self, row: &mut Attachment) -> Result<Vec<String>> {
        let mut meta = meta_of(row)?;
        meta.insert("small".into(), self.shape.meta());
        row.meta_json = Some(serde_json::to_string(&meta)?);
        row.blurhash = Some(self.blurhash);
        let before = row.small.replace(self.key);
        Ok(before.into_iter().filter(|key| row.original.as_ref() != Some(key)).collect())
    }
}

/// The versions of a picture that lie in the store.
#[derive(Clone, Debug)]
pub struct Versions {
    /// Store key.
    pub original: String,
    pub shape: Shape,
    pub content_type: String,
    /// Bytes of the original.
    pub size: i64,
    pub small: Small,
}

impl Versions {
    /// A preview that the uploader chose stays. Answers the keys of what is not needed because of that.
    pub(super) fn put_into(self, row: &mut Attachment) -> Result<Vec<String>> {
        row.kind = Kind::Image;
        row.upload = None;
        row.original = Some(self.original);
        row.content_type = Some(self.content_type);
        row.file_size = self.size;
        // The order in which Mastodon's own stand.
        let chosen = row.small.as_ref().and(meta_of(row)?.remove("small"));
        let meta = json!({ "original": self.shape.meta(), "small": chosen.unwrap_or_else(|| self.small.shape.meta()) });
        row.meta_json = Some(meta.to_string());
        match &row.small {
            Some(_) => Ok(vec![self.small.key]),
            None => {
                row.small = Some(self.small.key);
                row.blurhash = Some(self.small.blurhash);
                Ok(Vec::new())
            }
        }
    }
}

pub(super) fn meta_of(row: &Attachment) -> Result<Map<String, Value>> {
    Ok(row.meta_json.as_deref().map(serde_json::from_str).transpose()?.unwrap_or_default())
}
