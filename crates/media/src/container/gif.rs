//! GIF: blocks. Kept are pictures, their control blocks and the extensions that make them loop.
//! <https://www.w3.org/Graphics/GIF/spec-gif89a.txt>

use super::{Anatomy, cursor::Cursor};
use crate::{Fault, Format, Limits};

const TRAILER: u8 = 0x3B;

pub(super) fn walk(data: &[u8], limits: &Limits) -> Result<Anatomy, Fault> {
    let mut anatomy = Anatomy::new(Format::Gif);
    let mut cursor = Cursor::new(data, 6);
    let (width, height) = (cursor.u16_le()?, cursor.u16_le()?);
    anatomy.set_size((width.into(), height.into()), limits)?;
    let packed = cursor.u8()?;
    cursor.take(2 + colours(packed))?;
    anatomy.keep(0..cursor.at);
    let mut frames = 0u32;
    // A missing trailer is common and harmless.
    while !cursor.is_at_end() {
        let start = cursor.at;
        let keep = match cursor.u8()? {
            0x2C => {
                frames = frames.saturating_add(1);
                limits.check_frames(frames)?;
                let packed = cursor.take(9)?.last().copied().unwrap_or_default();
                cursor.take(colours(packed) + 1)?;
                skip_blocks(&mut cursor)?;
                true
            }
            0x21 => extension(&mut cursor)?,
            TRAILER => break,
            _ => return Err(Fault::broken("it has an unknown block")),
        };
        if keep {
            anatomy.keep(start..cursor.at);
        }
    }
    if frames == 0 {
        return Err(Fault::broken("it has no picture"));
    }
    anatomy.make(vec![TRAILER]);
    anatomy.frames = frames;
    Ok(anatomy)
}

/// Bytes of the colour table that these flags announce.
fn colours(packed: u8) -> usize {
    match packed & 0x80 {
        0 => 0,
        _ => 3 << ((packed & 7) + 1),
    }
}

/// Moves past an extension; answers whether it is kept.
fn extension(cursor: &mut Cursor) -> Result<bool, Fault> {
    let keep = match cursor.u8()? {
        0xF9 => true,
        0xFF => {
            let rest = cursor.rest();
            rest.starts_with(b"\x0bNETSCAPE2.0") || rest.starts_with(b"\x0bANIMEXTS1.0")
        }
        _ => false,
    };
    skip_blocks(cursor)?;
    Ok(keep)
}

fn skip_blocks(cursor: &mut Cursor) -> Result<(), Fault> {
    loop {
        match cursor.u8()? {
            0 => return Ok(()),
            length => cursor.take(length.into())?,
        };
    }
}
