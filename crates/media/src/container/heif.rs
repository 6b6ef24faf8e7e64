//! AVIF and HEIC: boxes. Only sizes, turning and the colour profile are read; such files are always
//! converted, so nothing of them is kept. <https://aomediacodec.github.io/av1-avif/>

use super::{Anatomy, cursor::Cursor};
use crate::{Fault, Format, Limits};
use image::metadata::Orientation;

/// More boxes side by side, or properties, than any file needs.
const MAX_BOXES: usize = 256;

/// The format that an `ftyp` box declares: AV1 goes before HEVC, other brands are not pictures.
pub(crate) fn format(data: &[u8]) -> Option<Format> {
    let length = usize::try_from(u32::from_be_bytes(data.get(..4)?.try_into().ok()?)).ok()?;
    if data.get(4..8)? != b"ftyp" {
        return None;
    }
    let body = data.get(8..length.min(data.len()).min(256))?;
    let brands = || body.chunks_exact(4).enumerate().filter(|(place, _)| *place != 1).map(|(_, brand)| brand);
    if brands().any(|brand| matches!(brand, b"avif" | b"avis")) {
        return Some(Format::Avif);
    }
    let is_heic = |brand: &[u8]| matches!(brand, b"heic" | b"heix" | b"hevc" | b"hevx" | b"heim" | b"heis" | b"mif1");
    brands().any(is_heic).then_some(Format::Heic)
}

/// The boxes below `meta` that say what is in the file.
pub(super) struct Meta<'a> {
    boxes: Vec<NamedBox<'a>>,
    pub(super) primary: u32,
    properties: Vec<NamedBox<'a>>,
    associations: &'a [u8],
}

impl<'a> Meta<'a> {
    pub(super) fn parse(data: &'a [u8]) -> Result<Meta<'a>, Fault> {
        let meta = find(&boxes(data)?, b"meta").ok_or_else(|| Fault::broken("it has no picture"))?;
        let boxes_of_meta = boxes(meta.get(4..).ok_or(Fault::Truncated)?)?;
        let mut meta = Meta { boxes: boxes_of_meta, primary: 0, properties: Vec::new(), associations: &[] };
        let mut primary = Cursor::new(meta.find(b"pitm")?, 0);
        meta.primary = match primary.u32_be()? >> 24 {
            0 => primary.u16_be()?.into(),
            _ => primary.u32_be()?,
        };
        let properties = boxes(meta.find(b"iprp")?)?;
        meta.properties = boxes(find(&properties, b"ipco").unwrap_or_default())?;
        meta.associations = find(&properties, b"ipma").unwrap_or_default();
        Ok(meta)
    }

    /// The content of a box that has to be there.
    pub(super) fn find(&self, wanted: &[u8; 4]) -> Result<&'a [u8], Fault> {
        find(&self.boxes, wanted).ok_or_else(|| Fault::broken("a box is missing"))
    }

    /// The properties of an item, in their order.
    pub(super) fn properties_of(&self, item: u32) -> Result<impl Iterator<Item = NamedBox<'a>>, Fault> {
        let numbers = associated(self.associations, item)?;
        let found = numbers.into_iter().filter_map(|number| self.properties.get(number.checked_sub(1)?).copied());
        Ok(found)
    }
}

pub(super) fn walk(data: &[u8], format: Format, limits: &Limits) -> Result<Anatomy, Fault> {
    let mut anatomy = Anatomy::new(format);
    let meta = Meta::parse(data)?;
    let (mut turn, mut mirror) = (0, None);
    for (name, body) in meta.properties_of(meta.primary)? {
        match name {
            b"ispe" => {
                let mut body = Cursor::new(body, 4);
                anatomy.set_size((body.u32_be()?, body.u32_be()?), limits)?;
            }
            b"irot" => turn = body.first().map_or(0, |angle| angle & 3),
            b"imir" => mirror = body.first().map(|axis| axis & 1),
            b"colr" => anatomy.icc = body.strip_prefix(b"prof").map(<[u8]>::to_vec).or(anatomy.icc),
            _ => {}
        }
    }
    if anatomy.size.width == 0 {
        return Err(Fault::broken("its size is not declared"));
    }
    anatomy.orientation = orientation(turn, mirror);
    Ok(anatomy)
}

/// Turning is in quarters against the clock and goes before mirroring (0: top to bottom, 1: left to right).
fn orientation(turn: u8, mirror: Option<u8>) -> Orientation {
    let exif = match (turn, mirror) {
        (0, None) => 1,
        (1, None) => 8,
        (2, None) => 3,
        (3, None) => 6,
        (0, Some(0)) | (2, Some(1)) => 4,
        (0, Some(1)) | (2, Some(0)) => 2,
        (1, Some(0)) | (3, Some(1)) => 5,
        (1, Some(1)) | (3, Some(0)) => 7,
        _ => 1,
    };
    Orientation::from_exif(exif).unwrap_or(Orientation::NoTransforms)
}

pub(super) type NamedBox<'a> = (&'a [u8; 4], &'a [u8]);

/// The boxes that stand side by side in `data`, the first few hundred of them.
pub(super) fn boxes(data: &[u8]) -> Result<Vec<NamedBox<'_>>, Fault> {
    let mut found = Vec::new();
    let mut cursor = Cursor::new(data, 0);
    while !cursor.is_at_end() && found.len() < MAX_BOXES {
        let length = cursor.u32_be()?;
        let name = cursor.take(4)?.try_into().map_err(|_| Fault::Truncated)?;
        let length = match length {
            0 => Some(cursor.rest().len() as u64),
            1 => u64::from_be_bytes(cursor.array()?).checked_sub(16),
            _ => u64::from(length).checked_sub(8),
        };
        let length = length.ok_or_else(|| Fault::broken("a box has no length"))?;
        found.push((name, cursor.take(usize::try_from(length).map_err(|_| Fault::Truncated)?)?));
    }
    Ok(found)
}

fn find<'a>(boxes: &[NamedBox<'a>], wanted: &[u8; 4]) -> Option<&'a [u8]> {
    boxes.iter().find(|(name, _)| *name == wanted).map(|(_, body)| *body)
}

/// One-based numbers of the properties of an item, from an `ipma` box.
fn associated(body: &[u8], wanted: u32) -> Result<Vec<usize>, Fault> {
    if body.is_empty() {
        return Ok(Vec::new());
    }
    let mut cursor = Cursor::new(body, 0);
    let head = cursor.u32_be()?;
    for _ in 0..cursor.u32_be()? {
        let item = match head >> 24 {
            0 => u32::from(cursor.u16_be()?),
            _ => cursor.u32_be()?,
        };
        let count = cursor.u8()?;
        let mut numbers = Vec::with_capacity(count.into());
        for _ in 0..count {
            numbers.push(match head & 1 {
                0 => usize::from(cursor.u8()? & 0x7F),
                _ => usize::from(cursor.u16_be()? & 0x7FFF),
            });
        }
        if item == wanted {
            return Ok(numbers);
        }
    }
    Ok(Vec::new())
}
