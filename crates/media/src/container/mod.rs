//! Picture files seen as containers: what they declare and which of their parts are kept, without
//! decoding a pixel. One walk per format serves probing and the stripping of metadata.

mod cursor;
mod gif;
mod heif;
mod items;
mod jpeg;
mod obu;
mod png;
#[cfg(test)]
mod tests;
mod webp;

use crate::{Fault, Format, Limits, Size};
use image::metadata::Orientation;
use std::ops::Range;

/// What a walk through a file found.
#[derive(Debug)]
pub(crate) struct Anatomy {
    pub(crate) format: Format,
    /// As stored, before the orientation is applied; within the limits.
    pub(crate) size: Size,
    /// 1 for a still picture.
    pub(crate) frames: u32,
    /// How the pixels have to be turned to be shown.
    pub(crate) orientation: Orientation,
    /// A colour profile; only where no decoder hands it out.
    pub(crate) icc: Option<Vec<u8>>,
    pieces: Vec<Piece>,
}

/// A part of the cleaned file.
#[derive(Debug)]
enum Piece {
    Kept(Range<usize>),
    Made(Vec<u8>),
}

impl Anatomy {
    fn new(format: Format) -> Anatomy {
        let size = Size { width: 0, height: 0 };
        let orientation = Orientation::NoTransforms;
        Anatomy { format, size, frames: 1, orientation, icc: None, pieces: Vec::new() }
    }

    /// As the picture is shown.
    pub(crate) fn shown_size(&self) -> Size {
        let Size { width, height } = self.size;
        match self.orientation.to_exif() {
            5.. => Size { width: height, height: width },
            _ => self.size,
        }
    }

    /// The file without its metadata and without anything after its end; pixels and colour profile
    /// are untouched. `data` is what was walked.
    pub(crate) fn cleaned(&self, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(data.len());
        for piece in &self.pieces {
            match piece {
                Piece::Kept(range) => out.extend_from_slice(data.get(range.clone()).unwrap_or_default()),
                Piece::Made(bytes) => out.extend_from_slice(bytes),
            }
        }
        out
    }

    fn keep(&mut self, range: Range<usize>) {
        match self.pieces.last_mut() {
            Some(Piece::Kept(last)) if last.end == range.start => last.end = range.end,
            _ => self.pieces.push(Piece::Kept(range)),
        }
    }

    fn make(&mut self, bytes: Vec<u8>) {
        self.pieces.push(Piece::Made(bytes));
    }

    fn set_size(&mut self, (width, height): (u32, u32), limits: &Limits) -> Result<(), Fault> {
        limits.check_area(width, height)?;
        self.size = Size { width, height };
        Ok(())
    }

    /// The first orientation counts; what cannot be read is none.
    fn set_exif(&mut self, tiff: &[u8]) {
        if self.orientation == Orientation::NoTransforms {
            self.orientation = Orientation::from_exif_chunk(tiff).unwrap_or(Orientation::NoTransforms);
        }
    }
}

pub(crate) use heif::format as ftyp;
pub(crate) use items::{AvifItems, avif_items};
pub(crate) use obu::check_frames;

/// Walks through a whole file.
pub(crate) fn walk(data: &[u8], limits: &Limits) -> Result<Anatomy, Fault> {
    let mut anatomy = match Format::of(data).ok_or(Fault::ContentType)? {
        Format::Jpeg => jpeg::walk(data, limits),
        Format::Png => png::walk(data, limits),
        Format::Gif => gif::walk(data, limits),
        Format::Webp => webp::walk(data, limits),
        format @ (Format::Avif | Format::Heic) => heif::walk(data, format, limits),
    }?;
    if anatomy.frames > 1 {
        // Animations are kept as they are, and what they lose with their EXIF is not put back.
        anatomy.orientation = Orientation::NoTransforms;
    }
    Ok(anatomy)
}
