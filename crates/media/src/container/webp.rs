//! WebP: RIFF chunks. Dropped are EXIF, XMP and what is unknown.
//! <https://developers.google.com/speed/webp/docs/riff_container>

use super::{Anatomy, Piece, cursor::Cursor};
use crate::{Fault, Format, Limits};

const EXIF_AND_XMP: u8 = 0x08 | 0x04;

pub(super) fn walk(data: &[u8], limits: &Limits) -> Result<Anatomy, Fault> {
    let mut anatomy = Anatomy::new(Format::Webp);
    let mut cursor = Cursor::new(data, 4);
    let size = usize::try_from(cursor.u32_le()?).map_err(|_| Fault::Truncated)?;
    let end = size.checked_add(8).ok_or(Fault::Truncated)?;
    let data = data.get(..end).ok_or(Fault::Truncated)?;
    let mut cursor = Cursor::new(data, 12);
    let (mut frames, mut has_picture) = (0u32, false);
    while !cursor.is_at_end() {
        let start = cursor.at;
        let name: [u8; 4] = cursor.array()?;
        let length = usize::try_from(cursor.u32_le()?).map_err(|_| Fault::Truncated)?;
        let body = cursor.take(length)?;
        // The padding of the last chunk is sometimes forgotten.
        let padding = usize::from(length % 2 == 1 && !cursor.is_at_end());
        cursor.take(padding)?;
        match &name {
            b"VP8X" => {
                extended_header(&mut anatomy, body, limits)?;
                continue;
            }
            b"VP8 " | b"VP8L" => {
                still_header(&mut anatomy, (&name, body), limits)?;
                has_picture = true;
            }
            b"ANMF" => {
                frames = frames.saturating_add(1);
                limits.check_frames(frames)?;
                has_picture = true;
            }
            b"EXIF" => {
                anatomy.set_exif(body.strip_prefix(b"Exif\0\0").unwrap_or(body));
                continue;
            }
            b"ICCP" | b"ANIM" | b"ALPH" => {}
            _ => continue,
        }
        anatomy.keep(start..cursor.at);
        if length % 2 == 1 && padding == 0 {
            anatomy.make(vec![0]);
        }
    }
    if !has_picture {
        return Err(Fault::broken("it has no picture"));
    }
    anatomy.frames = frames.max(1);
    prepend_header(&mut anatomy);
    Ok(anatomy)
}

fn extended_header(anatomy: &mut Anatomy, body: &[u8], limits: &Limits) -> Result<(), Fault> {
    if anatomy.size.width != 0 {
        return Err(Fault::broken("it has two headers"));
    }
    let mut fields = Cursor::new(body, 0);
    let flags = fields.u8()? & !EXIF_AND_XMP;
    fields.take(3)?;
    let (width, height) = (fields.u24_le()? + 1, fields.u24_le()? + 1);
    anatomy.set_size((width, height), limits)?;
    let sizes = body.get(4..10).unwrap_or_default();
    anatomy.make([b"VP8X\x0a\0\0\0".as_slice(), &[flags, 0, 0, 0], sizes].concat());
    Ok(())
}

/// The size of a bitstream; behind an extended header it is the same or it is the decoder's to refuse.
fn still_header(anatomy: &mut Anatomy, (name, body): (&[u8; 4], &[u8]), limits: &Limits) -> Result<(), Fault> {
    let (width, height) = if name == b"VP8L" {
        let mut fields = Cursor::new(body, 1);
        let bits = fields.u32_le()?;
        ((bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1)
    } else {
        let mut fields = Cursor::new(body, 6);
        (u32::from(fields.u16_le()? & 0x3FFF), u32::from(fields.u16_le()? & 0x3FFF))
    };
    match anatomy.size.width {
        0 => anatomy.set_size((width, height), limits),
        _ => limits.check_area(width, height),
    }
}

fn prepend_header(anatomy: &mut Anatomy) {
    let length: usize = anatomy.pieces.iter().map(Piece::len).sum();
    let size = u32::try_from(length + 4).unwrap_or(u32::MAX);
    let header = [b"RIFF".as_slice(), &size.to_le_bytes(), b"WEBP"].concat();
    anatomy.pieces.insert(0, Piece::Made(header));
}

impl Piece {
    fn len(&self) -> usize {
        match self {
            Piece::Kept(range) => range.len(),
            Piece::Made(bytes) => bytes.len(),
        }
    }
}
