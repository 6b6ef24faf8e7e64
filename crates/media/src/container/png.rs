//! PNG and APNG: chunks. Kept are those that change how the picture looks or moves.
//! <https://www.w3.org/TR/png-3/>

use super::{Anatomy, cursor::Cursor};
use crate::{Fault, Format, Limits};

pub(super) const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

pub(super) fn walk(data: &[u8], limits: &Limits) -> Result<Anatomy, Fault> {
    let mut anatomy = Anatomy::new(Format::Png);
    let mut cursor = Cursor::new(data, SIGNATURE.len());
    let (mut has_pixels, mut is_animated, mut frames) = (false, false, 0u32);
    anatomy.keep(0..SIGNATURE.len());
    loop {
        let start = cursor.at;
        let length = usize::try_from(cursor.u32_be()?).map_err(|_| Fault::Truncated)?;
        let name: [u8; 4] = cursor.array()?;
        let body = cursor.take(length)?;
        cursor.take(4)?;
        if anatomy.size.width == 0 && &name != b"IHDR" {
            return Err(Fault::broken("it does not begin with a header"));
        }
        match &name {
            b"IHDR" => header(&mut anatomy, body, limits)?,
            b"IDAT" => has_pixels = true,
            b"acTL" => is_animated = true,
            b"fcTL" => {
                frames = frames.saturating_add(1);
                limits.check_frames(frames)?;
            }
            b"eXIf" => anatomy.set_exif(body),
            _ => {}
        }
        if is_kept(&name) {
            anatomy.keep(start..cursor.at);
        }
        if &name == b"IEND" {
            break;
        }
    }
    if !has_pixels {
        return Err(Fault::broken("it has no picture"));
    }
    if is_animated {
        anatomy.frames = frames.max(1);
    }
    Ok(anatomy)
}

fn header(anatomy: &mut Anatomy, body: &[u8], limits: &Limits) -> Result<(), Fault> {
    if anatomy.size.width != 0 {
        return Err(Fault::broken("it has two headers"));
    }
    let mut body = Cursor::new(body, 0);
    let (width, height) = (body.u32_be()?, body.u32_be()?);
    anatomy.set_size((width, height), limits)
}

fn is_kept(name: &[u8; 4]) -> bool {
    const KEPT: [&[u8; 4]; 18] = [
        b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"bKGD", b"pHYs",
        b"cICP", b"mDCV", b"cLLI", b"acTL", b"fcTL", b"fdAT",
    ];
    KEPT.contains(&name)
}
