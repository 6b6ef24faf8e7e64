//! JPEG: segments. Kept are tables, frames, scans, the JFIF header without its thumbnail, the colour
//! profile and Adobe's note on the colour space. <https://www.w3.org/Graphics/JPEG/itu-t81.pdf> annex B

use super::{Anatomy, cursor::Cursor};
use crate::{Fault, Format, Limits};

/// Every scan of a progressive file is a pass over all its blocks; real files have about ten.
const MAX_SCANS: u32 = 100;

const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;

pub(super) fn walk(data: &[u8], limits: &Limits) -> Result<Anatomy, Fault> {
    let mut anatomy = Anatomy::new(Format::Jpeg);
    let mut cursor = Cursor::new(data, 2);
    let mut scans = 0;
    anatomy.make(vec![0xFF, SOI]);
    loop {
        match next_marker(&mut cursor)? {
            // Restart marks and the like stand alone and mean nothing outside a scan.
            SOI | 0x00 | 0x01 | 0xD0..=0xD7 => {}
            EOI if scans == 0 || anatomy.size.width == 0 => return Err(Fault::broken("it has no picture")),
            EOI => {
                anatomy.make(vec![0xFF, EOI]);
                return Ok(anatomy);
            }
            SOS => {
                scans += 1;
                if scans > MAX_SCANS {
                    return Err(Fault::broken("it has too many scans"));
                }
                segment(&mut anatomy, &mut cursor, (SOS, limits))?;
                let start = cursor.at;
                skip_scan(&mut cursor)?;
                anatomy.keep(start..cursor.at);
            }
            marker => segment(&mut anatomy, &mut cursor, (marker, limits))?,
        }
    }
}

/// Moves past the next marker; what stands before it is dropped.
fn next_marker(cursor: &mut Cursor) -> Result<u8, Fault> {
    while cursor.u8()? != 0xFF {}
    loop {
        match cursor.u8()? {
            0xFF => {}
            marker => return Ok(marker),
        }
    }
}

/// Moves to the marker that ends a scan's entropy-coded data.
fn skip_scan(cursor: &mut Cursor) -> Result<(), Fault> {
    let rest = cursor.rest();
    let mut at = 0;
    while let Some(found) = rest.get(at..).and_then(|tail| tail.iter().position(|b| *b == 0xFF)) {
        match rest.get(at + found + 1) {
            Some(0x00 | 0xD0..=0xD7) => at += found + 2,
            Some(0xFF) => at += found + 1,
            Some(_) => {
                cursor.at += at + found;
                return Ok(());
            }
            None => break,
        }
    }
    Err(Fault::Truncated)
}

fn segment(anatomy: &mut Anatomy, cursor: &mut Cursor, (marker, limits): (u8, &Limits)) -> Result<(), Fault> {
    let start = cursor.at;
    let length = usize::from(cursor.u16_be()?);
    let body = cursor.take(length.checked_sub(2).ok_or_else(|| Fault::broken("a segment has no length"))?)?;
    let keep = match marker {
        0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
            frame_header(anatomy, body, limits)?;
            true
        }
        0xC4 | 0xCC | SOS | 0xDB | 0xDD => true,
        0xE0 => {
            // Density only; a thumbnail would show the picture as it was before it was cropped.
            if let Some(density) = body.strip_prefix(b"JFIF\0").and_then(|rest| rest.get(..7)) {
                anatomy.make([&[0xFF, 0xE0, 0, 16], b"JFIF\0".as_slice(), density, &[0, 0]].concat());
            }
            false
        }
        0xE1 => {
            if let Some(tiff) = body.strip_prefix(b"Exif\0\0") {
                anatomy.set_exif(tiff);
            }
            false
        }
        0xE2 => body.starts_with(b"ICC_PROFILE\0"),
        0xEE => body.starts_with(b"Adobe"),
        _ => false,
    };
    if keep {
        anatomy.make(vec![0xFF, marker]);
        anatomy.keep(start..cursor.at);
    }
    Ok(())
}

fn frame_header(anatomy: &mut Anatomy, body: &[u8], limits: &Limits) -> Result<(), Fault> {
    if anatomy.size.width != 0 {
        return Err(Fault::broken("it has more than one frame"));
    }
    let mut body = Cursor::new(body, 1);
    let (height, width) = (body.u16_be()?, body.u16_be()?);
    anatomy.set_size((width.into(), height.into()), limits)
}
