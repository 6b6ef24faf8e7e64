//! What processing hands back: encoded files, in memory when small, else in a temporary file.

use crate::{Error, Format, Result};
use bytes::Bytes;
use std::io::Write;
use std::path::Path;
use tempfile::TempPath;

/// Outputs up to this many bytes stay in memory.
const IN_MEMORY: usize = 256 * 1024;

/// Bytes on their way into a store. The file is deleted when this is dropped without having been stored.
#[derive(Debug)]
pub enum Content {
    /// In memory.
    Bytes(Bytes),
    /// In a temporary file.
    File(TempPath),
}

impl Content {
    /// Keeps few bytes in memory and writes many to a temporary file in `folder`.
    pub(crate) fn keep(bytes: Vec<u8>, folder: &Path) -> Result<Content> {
        if bytes.len() <= IN_MEMORY {
            return Ok(Content::Bytes(bytes.into()));
        }
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(Error::Storage)?;
        file.write_all(&bytes).map_err(Error::Storage)?;
        Ok(Content::File(file.into_temp_path()))
    }

    /// All the bytes; blocks on the disk.
    pub fn read(&self) -> std::io::Result<Bytes> {
        match self {
            Content::Bytes(bytes) => Ok(bytes.clone()),
            Content::File(path) => std::fs::read(path).map(Bytes::from),
        }
    }
}

/// Width and height in pixels, as shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
}

impl Size {
    /// Width divided by height: `meta.original.aspect` of the API.
    pub fn aspect(self) -> f64 {
        f64::from(self.width) / f64::from(self.height.max(1))
    }

    pub(crate) fn area(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// The same shape with about `area` pixels, or itself when it has no more than that.
    pub(crate) fn within(self, area: u64) -> Size {
        if self.area() <= area {
            return self;
        }
        let (aspect, area) = (self.aspect(), area as f64);
        let side = |length: f64| (length.round() as u32).max(1);
        Size { width: side((area * aspect).sqrt()), height: side((area / aspect).sqrt()) }
    }

    /// The same shape brought down so far that it still covers `target`; never enlarged.
    pub(crate) fn covering(self, target: Size) -> Size {
        let ratio = |length: u32, target: u32| f64::from(length) / f64::from(target.max(1));
        let scale = ratio(self.width, target.width).min(ratio(self.height, target.height)).max(1.0);
        let side = |length: u32| (f64::from(length) / scale).ceil() as u32;
        Size { width: side(self.width), height: side(self.height) }
    }
}

impl std::fmt::Display for Size {
    /// `1280x720`: `meta.original.size` of the API.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}x{}", self.width, self.height)
    }
}

/// One encoded picture, ready for [`crate::Store::put`].
#[derive(Debug)]
pub struct Output {
    /// The encoded bytes.
    pub content: Content,
    /// Its format: content type and file extension.
    pub format: Format,
    /// As shown.
    pub size: Size,
    /// Length in bytes.
    pub bytes: u64,
}

impl Output {
    pub(crate) fn keep(bytes: Vec<u8>, (format, size): (Format, Size), folder: &Path) -> Result<Output> {
        let length = bytes.len() as u64;
        Ok(Output { content: Content::keep(bytes, folder)?, format, size, bytes: length })
    }
}
