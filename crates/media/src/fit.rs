//! Avatars, headers and custom emoji.

use crate::container::Anatomy;
use crate::image::{ORIGINAL_QUALITY, Prepared, decode};
use crate::{Fault, Format, Limits, Output, Result, Size};
use std::path::Path;

/// Mastodon's bound on the bytes of a custom emoji.
const EMOJI_BYTES: u64 = 256 * 1024;
/// Largest area of an emoji's version that does not move, pixels.
const EMOJI_STILL_PIXELS: u64 = 512 * 512;

/// What a picture is going to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// 400 × 400.
    Avatar,
    /// 1500 × 500.
    Header,
    /// PNG, GIF or WebP of at most 262,144 bytes, kept as it is; the still version is a PNG.
    Emoji,
}

/// A picture in its role.
#[derive(Debug)]
pub struct Fitted {
    /// Cut to the role's shape and brought down to its size, never enlarged. Animations and emoji are
    /// only stripped of their metadata.
    pub original: Output,
    /// The version that does not move: of emoji always, of others only when the original moves.
    pub still: Option<Output>,
}

/// Makes a picture fit for its role; else like [`crate::process`].
pub fn fit(path: &Path, role: Role, limits: &Limits) -> Result<Fitted> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut limits = limits.clone();
    if role == Role::Emoji {
        limits.max_bytes = limits.max_bytes.min(EMOJI_BYTES);
    }
    let Prepared { anatomy, data } = Prepared::read(path, &limits)?;
    let Some(target) = role.size() else { return emoji(&anatomy, data, &limits, folder) };
    let stored = (anatomy.format, anatomy.size);
    // Turned by a quarter the target lies across the stored pixels; a square fits both.
    let side = target.width.max(target.height);
    let wanted = anatomy.size.covering(Size { width: side, height: side });
    let mut bitmap = decode(&data, &anatomy, wanted, &limits)?;
    bitmap.turn(anatomy.orientation);
    if anatomy.frames > 1 {
        let fitted = bitmap.covering(target)?;
        let still = Output::keep(fitted.png()?, (Format::Png, fitted.size), folder)?;
        return Ok(Fitted { original: Output::keep(data, stored, folder)?, still: Some(still) });
    }
    let original = match anatomy.is_intact() && anatomy.size == target {
        true => Output::keep(data, stored, folder)?,
        false => {
            let fitted = bitmap.covering(target)?;
            let (bytes, format) = fitted.encoded(ORIGINAL_QUALITY, anatomy.chroma())?;
            Output::keep(bytes, (format, fitted.size), folder)?
        }
    };
    Ok(Fitted { original, still: None })
}

impl Role {
    fn size(self) -> Option<Size> {
        match self {
            Role::Avatar => Some(Size { width: 400, height: 400 }),
            Role::Header => Some(Size { width: 1500, height: 500 }),
            Role::Emoji => None,
        }
    }
}

fn emoji(anatomy: &Anatomy, data: Vec<u8>, limits: &Limits, folder: &Path) -> Result<Fitted> {
    if !matches!(anatomy.format, Format::Png | Format::Gif | Format::Webp) {
        return Err(Fault::ContentType.into());
    }
    let mut bitmap = decode(&data, anatomy, anatomy.size, limits)?;
    bitmap.turn(anatomy.orientation);
    let small = bitmap.resized(bitmap.size.within(EMOJI_STILL_PIXELS))?;
    let still = Output::keep(small.png()?, (Format::Png, small.size), folder)?;
    let original = match anatomy.is_intact() {
        true => Output::keep(data, (anatomy.format, anatomy.size), folder)?,
        false => Output::keep(bitmap.png()?, (Format::Png, bitmap.size), folder)?,
    };
    Ok(Fitted { original, still: Some(still) })
}
