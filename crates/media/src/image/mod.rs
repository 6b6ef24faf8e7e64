//! An upload made ready to be shown: original without metadata, small version, blurhash.

mod avif;
mod bitmap;
mod decode;
#[cfg(test)]
mod tests;

use crate::container::{self, Anatomy};
use crate::{Fault, Format, Limits, Output, Result, Size, probe};
use ::image::metadata::Orientation;
use std::path::Path;

pub(crate) use bitmap::{Bitmap, Chroma};
pub(crate) use decode::decode;

/// JPEG quality of originals that have to be encoded again.
pub(crate) const ORIGINAL_QUALITY: u8 = 90;
const SMALL_QUALITY: u8 = 80;
/// A picture that is no larger than its small version would be, in pixels and in bytes, is its own.
const SMALL_BYTES: usize = 64 * 1024;

/// What became of an upload.
#[derive(Debug)]
pub struct Processed {
    /// Without metadata; pixels untouched unless it was too large, turned, or of a format that is converted.
    pub original: Output,
    /// The preview; of an animation its first frame.
    pub small: Output,
    /// 4 × 4 components. <https://github.com/woltapp/blurhash>
    pub blurhash: String,
    /// Frames of the original, 1 when it does not move.
    pub frames: u32,
}

/// Makes an upload ready to be shown. Large outputs are temporary files beside `path`; `path` itself is left alone.
///
/// Runs for as long as decoding takes and holds the decoded picture: call it in a [`crate::Pool`].
/// Unfit files give [`crate::Error::Input`] and leave nothing behind.
pub fn process(path: &Path, limits: &Limits) -> Result<Processed> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let Prepared { anatomy, data } = Prepared::read(path, limits)?;
    let stored_size = anatomy.size.within(limits.original_pixels);
    let is_kept = stored_size == anatomy.size && anatomy.is_intact();
    let wanted = if is_kept { stored_size.within(limits.small_pixels) } else { stored_size };
    let mut bitmap = decode(&data, &anatomy, wanted, limits)?;
    let (bytes, format, size) = if is_kept {
        (data, anatomy.format, anatomy.size)
    } else {
        drop(data);
        bitmap = bitmap.resized(stored_size)?;
        bitmap.turn(anatomy.orientation);
        let (bytes, format) = encoded_again(&bitmap, &anatomy)?;
        (bytes, format, bitmap.size)
    };

    let small_size = size.within(limits.small_pixels);
    let is_own_preview = anatomy.frames == 1 && small_size == size && bytes.len() <= SMALL_BYTES;
    let small = bitmap.resized(small_size)?;
    let blurhash = small.blurhash()?;
    let (small_bytes, small_format) = match is_own_preview {
        true => (bytes.clone(), format),
        false => small.encoded(SMALL_QUALITY, Chroma::Halved)?,
    };
    drop((bitmap, small));
    let original = Output::keep(bytes, (format, size), folder)?;
    let small = Output::keep(small_bytes, (small_format, small_size), folder)?;
    Ok(Processed { original, small, blurhash, frames: anatomy.frames })
}

/// A picture that could not be kept as it was. What was turned only stays as exact as it can.
fn encoded_again(bitmap: &Bitmap, anatomy: &Anatomy) -> Result<(Vec<u8>, Format)> {
    let is_whole = bitmap.size == anatomy.shown_size();
    if is_whole && anatomy.format == Format::Png {
        return Ok((bitmap.png()?, Format::Png));
    }
    Ok(bitmap.encoded(ORIGINAL_QUALITY, anatomy.chroma())?)
}

/// A file that has been read and cleaned.
pub(crate) struct Prepared {
    pub(crate) anatomy: Anatomy,
    /// Without metadata, except of formats that are always converted.
    pub(crate) data: Vec<u8>,
}

impl Prepared {
    pub(crate) fn read(path: &Path, limits: &Limits) -> Result<Prepared> {
        let data = probe::read(path, limits.max_bytes)?;
        if Format::of(&data) == Some(Format::Heic) {
            return Err(Fault::Undecodable("HEIC").into());
        }
        let anatomy = container::walk(&data, limits)?;
        let Size { width, height } = anatomy.size;
        if anatomy.frames > 1 && anatomy.size.area() > limits.original_pixels {
            return Err(Fault::TooManyPixels { width, height }.into());
        }
        // Decoders get the cleaned file: they never see the metadata that is the usual nest of surprises.
        let data = match anatomy.is_converted() {
            true => data,
            false => anatomy.cleaned(&data),
        };
        Ok(Prepared { anatomy, data })
    }
}

impl Anatomy {
    /// Formats that too few programs can show.
    fn is_converted(&self) -> bool {
        matches!(self.format, Format::Avif | Format::Heic)
    }

    /// Whether the cleaned file shows the picture as it should be shown.
    pub(crate) fn is_intact(&self) -> bool {
        self.orientation == Orientation::NoTransforms && !self.is_converted()
    }

    pub(crate) fn chroma(&self) -> Chroma {
        match self.format {
            Format::Jpeg => Chroma::Halved,
            _ => Chroma::Full,
        }
    }
}
