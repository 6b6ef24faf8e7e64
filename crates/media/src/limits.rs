//! Bounds on what a picture may be, and the sizes that it is brought to.

use crate::Fault;

/// Bounds on an incoming picture and target sizes; the defaults are Mastodon's.
/// <https://docs.joinmastodon.org/user/posting/#media>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Largest file, bytes (16 MiB).
    pub max_bytes: u64,
    /// Largest width × height that is looked at at all (33,177,600).
    pub max_pixels: u64,
    /// Longest side in pixels (32,767): keeps thumbnails of very thin pictures encodable.
    pub max_side: u32,
    /// Most frames of an animation (3,000).
    pub max_frames: u32,
    /// Originals above this area are brought down to it, pixels (8,294,400). Animations above are refused.
    pub original_pixels: u64,
    /// Area of the small version, pixels (230,400).
    pub small_pixels: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_bytes: 16 * 1024 * 1024,
            max_pixels: 33_177_600,
            max_side: 32_767,
            max_frames: 3_000,
            original_pixels: 8_294_400,
            small_pixels: 230_400,
        }
    }
}

impl Limits {
    pub(crate) fn check_area(&self, width: u32, height: u32) -> Result<(), Fault> {
        if width == 0 || height == 0 {
            return Err(Fault::broken("it has no pixels"));
        }
        let area = u64::from(width) * u64::from(height);
        if area > self.max_pixels || width.max(height) > self.max_side {
            return Err(Fault::TooManyPixels { width, height });
        }
        Ok(())
    }

    pub(crate) fn check_frames(&self, frames: u32) -> Result<(), Fault> {
        match frames > self.max_frames {
            true => Err(Fault::TooManyFrames { max: self.max_frames }),
            false => Ok(()),
        }
    }
}
