//! AVIF: where the coded pictures lie in the file. <https://aomediacodec.github.io/av1-avif/>

use super::cursor::Cursor;
use super::heif::{Meta, boxes};
use crate::Fault;

const ALPHA: &[u8] = b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha";

/// The coded pictures of a still AVIF file.
#[derive(Debug)]
pub(crate) struct AvifItems {
    /// AV1 bitstream of the colours.
    pub(crate) colour: Vec<u8>,
    /// AV1 bitstream whose brightness is the opacity.
    pub(crate) alpha: Option<Vec<u8>>,
    /// Whether the colours have been multiplied by the opacity.
    pub(crate) is_premultiplied: bool,
}

/// Finds the primary picture and its alpha channel.
pub(crate) fn avif_items(data: &[u8]) -> Result<AvifItems, Fault> {
    let meta = Meta::parse(data)?;
    if item_type(meta.find(b"iinf")?, meta.primary)? != *b"av01" {
        return Err(Fault::Undecodable("AVIF made of tiles"));
    }
    let references = meta.find(b"iref").map_or(Ok(Vec::new()), references)?;
    let mut alpha = None;
    for reference in references.iter().filter(|found| &found.kind == b"auxl" && found.to == meta.primary) {
        let is_alpha = |(name, body): (&[u8; 4], &[u8])| name == b"auxC" && body.get(4..).is_some_and(is_alpha_type);
        if meta.properties_of(reference.from)?.any(is_alpha) {
            alpha = Some(reference.from);
        }
    }
    let locations = meta.find(b"iloc")?;
    let inside = meta.find(b"idat").unwrap_or_default();
    let content = |item| located(locations, item, (data, inside));
    let is_prem = |item| references.iter().any(|r| &r.kind == b"prem" && r.from == meta.primary && r.to == item);
    Ok(AvifItems {
        colour: content(meta.primary)?,
        alpha: alpha.map(content).transpose()?,
        is_premultiplied: alpha.is_some_and(is_prem),
    })
}

fn is_alpha_type(text: &[u8]) -> bool {
    text.starts_with(ALPHA)
}

fn item_type(body: &[u8], wanted: u32) -> Result<[u8; 4], Fault> {
    let mut cursor = Cursor::new(body, 0);
    let _entries = match cursor.u32_be()? >> 24 {
        0 => u32::from(cursor.u16_be()?),
        _ => cursor.u32_be()?,
    };
    for (_, entry) in boxes(cursor.rest())? {
        let mut entry = Cursor::new(entry, 0);
        let item = match entry.u32_be()? >> 24 {
            0..=2 => u32::from(entry.u16_be()?),
            _ => entry.u32_be()?,
        };
        entry.take(2)?;
        if item == wanted {
            return entry.array();
        }
    }
    Err(Fault::broken("its picture is not described"))
}

struct Reference {
    kind: [u8; 4],
    from: u32,
    to: u32,
}

fn references(body: &[u8]) -> Result<Vec<Reference>, Fault> {
    let mut cursor = Cursor::new(body, 0);
    let is_wide = cursor.u32_be()? >> 24 != 0;
    let mut found = Vec::new();
    for (kind, entry) in boxes(cursor.rest())? {
        let mut entry = Cursor::new(entry, 0);
        let item = |entry: &mut Cursor| match is_wide {
            true => entry.u32_be(),
            false => entry.u16_be().map(u32::from),
        };
        let from = item(&mut entry)?;
        for _ in 0..entry.u16_be()? {
            found.push(Reference { kind: *kind, from, to: item(&mut entry)? });
        }
    }
    Ok(found)
}

/// The bytes of an item; never more than the file has, however often its parts are named.
fn located(body: &[u8], wanted: u32, (file, inside): (&[u8], &[u8])) -> Result<Vec<u8>, Fault> {
    let mut cursor = Cursor::new(body, 0);
    let version = cursor.u32_be()? >> 24;
    let sizes = cursor.u16_be()?;
    let width = |shift: u16| usize::from((sizes >> shift) & 15);
    let (offset_width, length_width, base_width) = (width(12), width(8), width(4));
    let index_width = if version == 0 { 0 } else { width(0) };
    let item_width = if version < 2 { 2 } else { 4 };
    for _ in 0..number(&mut cursor, item_width)? {
        let item = number(&mut cursor, item_width)?;
        let method = if version == 0 { 0 } else { cursor.u16_be()? & 15 };
        cursor.take(2)?;
        let base = number(&mut cursor, base_width)?;
        let mut content = Vec::new();
        for _ in 0..cursor.u16_be()? {
            number(&mut cursor, index_width)?;
            let (offset, length) = (number(&mut cursor, offset_width)?, number(&mut cursor, length_width)?);
            if item != u64::from(wanted) {
                continue;
            }
            let source = match method {
                0 => file,
                1 => inside,
                _ => return Err(Fault::broken("its picture lies elsewhere")),
            };
            content.extend_from_slice(extent(source, base.checked_add(offset), length)?);
            if content.len() > file.len() {
                return Err(Fault::broken("its parts overlap"));
            }
        }
        if item == u64::from(wanted) {
            return Ok(content);
        }
    }
    Err(Fault::broken("its picture is nowhere"))
}

/// A length of zero means everything to the end.
fn extent(source: &[u8], start: Option<u64>, length: u64) -> Result<&[u8], Fault> {
    let start = start.and_then(|start| usize::try_from(start).ok()).ok_or(Fault::Truncated)?;
    let tail = source.get(start..).ok_or(Fault::Truncated)?;
    match usize::try_from(length).map_err(|_| Fault::Truncated)? {
        0 => Ok(tail),
        length => tail.get(..length).ok_or(Fault::Truncated),
    }
}

/// A number of 0, 2, 4 or 8 bytes.
fn number(cursor: &mut Cursor, width: usize) -> Result<u64, Fault> {
    match width {
        0 | 2 | 4 | 8 => Ok(cursor.take(width)?.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))),
        _ => Err(Fault::broken("a number has a strange width")),
    }
}
