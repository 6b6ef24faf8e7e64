//! Files of other servers.

use super::{ByteSize, Period};
use documented::{Documented, DocumentedFields};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Pictures, videos and sounds of other servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct RemoteConfig {
    /// "lazy": fetched when somebody looks, and kept in edge.cache as long as there is room. "mirror": what hangs on
    /// posts, avatars, headers, emoji and pictures of previews are copied to where new files go as soon as they are
    /// known, and kept there for `retention`.
    pub mode: Mode,
    /// How long copies of a mirror are kept.
    pub retention: Period,
    /// Largest picture that is fetched.
    pub image_size: ByteSize,
    /// Largest video or sound that is fetched.
    pub video_size: ByteSize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    #[default]
    Lazy,
    Mirror,
}

impl Default for RemoteConfig {
    fn default() -> Self {
        Self {
            mode: Mode::Lazy,
            retention: Period(Duration::from_secs(14 * 24 * 3600)),
            image_size: ByteSize(16 << 20),
            video_size: ByteSize(99 << 20),
        }
    }
}
