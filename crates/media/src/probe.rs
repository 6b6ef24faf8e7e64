//! What a file is and declares, without decoding it.

use crate::container::{self, Anatomy};
use crate::{Error, Fault, Limits, Result, Size};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Picture formats that are recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// JPEG.
    Jpeg,
    /// PNG, APNG too.
    Png,
    /// GIF, animated or not.
    Gif,
    /// WebP, animated or not.
    Webp,
    /// AVIF: converted, never stored.
    Avif,
    /// HEIC and HEIF: recognised, but there is no decoder.
    Heic,
}

impl Format {
    /// By the first bytes of a file (64 are enough), whatever its name says.
    pub fn of(data: &[u8]) -> Option<Format> {
        match data {
            [0xFF, 0xD8, 0xFF, ..] => Some(Format::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some(Format::Png),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Format::Gif),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Format::Webp),
            _ => container::ftyp(data),
        }
    }

    /// `image/jpeg` and so on.
    pub fn content_type(self) -> &'static str {
        match self {
            Format::Jpeg => "image/jpeg",
            Format::Png => "image/png",
            Format::Gif => "image/gif",
            Format::Webp => "image/webp",
            Format::Avif => "image/avif",
            Format::Heic => "image/heic",
        }
    }

    /// `jpg` and so on: for [`crate::keys::file_name`].
    pub fn extension(self) -> &'static str {
        match self {
            Format::Jpeg => "jpg",
            Format::Png => "png",
            Format::Gif => "gif",
            Format::Webp => "webp",
            Format::Avif => "avif",
            Format::Heic => "heic",
        }
    }
}

/// What a file declares about itself. Pixels have not been looked at: it may still be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// By content, not by name.
    pub format: Format,
    /// As shown, after turning.
    pub size: Size,
    /// 1 for a still picture.
    pub frames: u32,
    /// EXIF orientation, 1 to 8; 1 is upright.
    pub orientation: u8,
    /// Length of the file.
    pub bytes: u64,
}

/// Reads a file's structure and checks it against the limits. Blocks on the disk; costs next to no CPU.
pub fn probe(path: &Path, limits: &Limits) -> Result<Probe> {
    let data = read(path, limits.max_bytes)?;
    let anatomy = container::walk(&data, limits)?;
    let Anatomy { format, frames, orientation, .. } = anatomy;
    let (size, bytes) = (anatomy.shown_size(), data.len() as u64);
    Ok(Probe { format, size, frames, orientation: orientation.to_exif(), bytes })
}

/// The whole file, refused when it is longer than `max` bytes.
pub(crate) fn read(path: &Path, max: u64) -> Result<Vec<u8>> {
    let file = File::open(path).map_err(Error::Storage)?;
    let length = file.metadata().map_err(Error::Storage)?.len();
    let too_many = || Error::Input(Fault::TooManyBytes { max });
    if length > max {
        return Err(too_many());
    }
    let mut data = Vec::with_capacity(usize::try_from(length).unwrap_or_default() + 1);
    file.take(max.saturating_add(1)).read_to_end(&mut data).map_err(Error::Storage)?;
    match data.len() as u64 > max {
        true => Err(too_many()),
        false => Ok(data),
    }
}
