//! AV1 bitstreams: counting frames. <https://aomediacodec.github.io/av1-spec/#obu-syntax>

use super::cursor::Cursor;
use crate::Fault;

/// A still picture is one frame, or a few layers of it.
const MAX_FRAMES: u32 = 8;

const FRAME_HEADER: u8 = 3;
const FRAME: u8 = 6;

/// Refuses a bitstream that would make a decoder work through many hidden frames before it shows one.
pub(crate) fn check_frames(bitstream: &[u8]) -> Result<(), Fault> {
    let mut cursor = Cursor::new(bitstream, 0);
    let mut frames = 0;
    while !cursor.is_at_end() {
        let header = cursor.u8()?;
        let (has_extension, has_size) = (header & 4 != 0, header & 2 != 0);
        if has_extension {
            cursor.take(1)?;
        }
        let length = if has_size { leb128(&mut cursor)? } else { cursor.rest().len() };
        cursor.take(length)?;
        if matches!(header >> 3 & 15, FRAME_HEADER | FRAME) {
            frames += 1;
        }
        if frames > MAX_FRAMES {
            return Err(Fault::broken("it has too many frames"));
        }
    }
    Ok(())
}

fn leb128(cursor: &mut Cursor) -> Result<usize, Fault> {
    let mut value = 0u64;
    for place in 0..8 {
        let byte = cursor.u8()?;
        value |= u64::from(byte & 0x7F) << (7 * place);
        if byte & 0x80 == 0 {
            return usize::try_from(value).map_err(|_| Fault::Truncated);
        }
    }
    Err(Fault::broken("a length is too long"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_counted() {
        let frame = |count: usize| [FRAME << 3 | 2, 3, 1, 2, 3].repeat(count);
        assert_eq!(check_frames(&frame(8)), Ok(()));
        assert!(matches!(check_frames(&frame(9)), Err(Fault::Broken(_))));
        assert_eq!(check_frames(&frame(1)[..4]), Err(Fault::Truncated));
        assert_eq!(check_frames(&[FRAME << 3, 1, 2]), Ok(()), "the last one may lack its length");
        assert_eq!(check_frames(&[FRAME << 3 | 2, 0xFF, 0xFF]), Err(Fault::Truncated));
    }
}
