//! The file of a slice: its bytes, a checksum for each block of them, the facts, and a trailer of fixed length.
//!
//! The trailer's checksum covers everything but the bytes themselves, whose blocks are checked whenever they are read.
//! So nothing has to be written through to the disk: what a crash leaves behind is either whole or found out.

use super::facts::{self, Facts};
use crc_fast::CrcAlgorithm::Crc32Iscsi;
use std::ops::Range;

/// Bytes under one checksum.
pub(super) const BLOCK: u64 = 64 * 1024;
/// Length of the trailer.
pub(super) const TRAILER: usize = 32;
/// Raise it when files of before cannot be read any more; it is part of the folder's name.
pub(super) const LAYOUT: u32 = 1;

const MAGIC: &[u8; 8] = b"norenSL\n";

/// The file is not what it should be: cut, changed, or not ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Damaged;

/// Appends to the bytes of a slice what makes them a file.
pub(super) fn seal(file: &mut Vec<u8>, text: &str, facts: &Facts) {
    let payload = file.len();
    let block = usize::try_from(BLOCK).unwrap_or(usize::MAX);
    let checks: Vec<u8> = file.chunks(block).flat_map(|block| checksum(block).to_le_bytes()).collect();
    file.extend_from_slice(&checks);
    let before = file.len();
    facts::encode(text, facts, file);
    let meta = u32::try_from(file.len() - before).unwrap_or(u32::MAX);
    file.extend_from_slice(MAGIC);
    file.extend_from_slice(&(payload as u64).to_le_bytes());
    file.extend_from_slice(&meta.to_le_bytes());
    file.extend_from_slice(&LAYOUT.to_le_bytes());
    file.extend_from_slice(&0_u32.to_le_bytes());
    let check = checksum(&file[payload..]);
    file.extend_from_slice(&check.to_le_bytes());
}

/// Where the parts of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// Length of the slice's bytes, which come first.
    pub(super) payload: u64,
    checks: usize,
    meta: usize,
}

impl Shape {
    /// From the last bytes of a file of this length.
    pub(super) fn of(end: &[u8], file_length: u64) -> Result<Shape, Damaged> {
        let trailer = end.len().checked_sub(TRAILER).map(|start| &end[start..]).ok_or(Damaged)?;
        let number = |at: Range<usize>| trailer[at].iter().rev().fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
        let (payload, meta, layout) = (number(8..16), number(16..20), number(20..24));
        let checks = payload.div_ceil(BLOCK).checked_mul(4).ok_or(Damaged)?;
        let length = [payload, checks, meta, TRAILER as u64].into_iter().try_fold(0_u64, u64::checked_add);
        let is_ours = trailer[..8] == *MAGIC && layout == u64::from(LAYOUT);
        match is_ours && length == Some(file_length) {
            true => Ok(Shape {
                payload,
                checks: usize::try_from(checks).map_err(|_| Damaged)?,
                meta: usize::try_from(meta).map_err(|_| Damaged)?,
            }),
            false => Err(Damaged),
        }
    }

    /// Length of everything behind the slice's bytes.
    pub(super) fn tail(&self) -> usize {
        self.checks + self.meta + TRAILER
    }
}

/// What stands behind the bytes of a slice.
#[derive(Debug)]
pub(super) struct Tail<'a> {
    pub(super) text: &'a str,
    pub(super) facts: Facts,
    checks: &'a [u8],
}

impl<'a> Tail<'a> {
    /// From the last bytes of a file, at least so many as the shape says. All of them are checked.
    pub(super) fn read(end: &'a [u8], shape: Shape) -> Result<Tail<'a>, Damaged> {
        let tail = end.len().checked_sub(shape.tail()).map(|start| &end[start..]).ok_or(Damaged)?;
        let (covered, check) = tail.split_at(tail.len() - 4);
        if checksum(covered).to_le_bytes() != check {
            return Err(Damaged);
        }
        let (checks, rest) = covered.split_at(shape.checks);
        let (text, facts) = facts::decode(&rest[..shape.meta]).ok_or(Damaged)?;
        match facts.len() == shape.payload {
            true => Ok(Tail { text, facts, checks }),
            false => Err(Damaged),
        }
    }

    pub(super) fn checks(&self) -> Checks {
        Checks(self.checks.chunks_exact(4).map(|check| [check[0], check[1], check[2], check[3]]).collect())
    }
}

/// The checksums of a slice's blocks.
#[derive(Debug)]
pub(super) struct Checks(Box<[[u8; 4]]>);

impl Checks {
    /// Whether these bytes, which begin at the start of the block with this number, are what was written. Only the
    /// last block of a slice may be shorter than the others.
    pub(super) fn verify(&self, first: u64, bytes: &[u8]) -> Result<(), Damaged> {
        let first = usize::try_from(first).map_err(|_| Damaged)?;
        let block = usize::try_from(BLOCK).map_err(|_| Damaged)?;
        let blocks = bytes.chunks(block);
        let checks = self.0.get(first..first + blocks.len()).ok_or(Damaged)?;
        let fits = |(block, check): (&[u8], &[u8; 4])| checksum(block).to_le_bytes() == *check;
        if blocks.zip(checks).all(fits) { Ok(()) } else { Err(Damaged) }
    }
}

fn checksum(bytes: &[u8]) -> u32 {
    // A CRC of 32 bits has no more than that.
    crc_fast::checksum(Crc32Iscsi, bytes) as u32
}

#[cfg(test)]
mod tests {
    use super::super::facts::tests::sample;
    use super::*;

    /// As the disk does it, without a disk.
    fn open(file: &[u8]) -> Result<(String, Facts), Damaged> {
        let shape = Shape::of(file, file.len() as u64)?;
        let tail = Tail::read(file, shape)?;
        let payload = &file[..usize::try_from(shape.payload).unwrap()];
        tail.checks().verify(0, payload)?;
        Ok((tail.text.to_owned(), tail.facts))
    }

    fn file(length: u64) -> Vec<u8> {
        let mut file: Vec<u8> = (0..length).map(|place| (place % 251) as u8).collect();
        seal(&mut file, "site\n/path", &sample(length));
        file
    }

    #[test]
    fn what_is_sealed_opens() {
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 1 << 20] {
            let (text, facts) = open(&file(length)).unwrap();
            assert_eq!((text.as_str(), facts), ("site\n/path", sample(length)));
        }
    }

    #[test]
    fn every_flipped_bit_of_every_byte_is_found() {
        let mut file = file(700);
        for place in 0..file.len() {
            for bit in 0..8 {
                file[place] ^= 1 << bit;
                assert_eq!(open(&file), Err(Damaged), "byte {place}, bit {bit}");
                file[place] ^= 1 << bit;
            }
        }
        assert!(open(&file).is_ok());
    }

    #[test]
    fn every_truncation_and_extension_is_found() {
        let mut whole = file(700);
        for end in 0..whole.len() {
            assert_eq!(open(&whole[..end]), Err(Damaged), "cut at {end}");
            assert_eq!(open(&whole[end + 1..]), Err(Damaged), "begun after {end}");
        }
        whole.push(0);
        assert_eq!(open(&whole), Err(Damaged));
        assert_eq!(open(&vec![0; 5000]), Err(Damaged));
    }

    #[test]
    fn later_blocks_are_checked_by_their_own_sums() {
        let file = file(3 * BLOCK + 5);
        let shape = Shape::of(&file, file.len() as u64).unwrap();
        let checks = Tail::read(&file, shape).unwrap().checks();
        let from = |block: u64| &file[usize::try_from(block * BLOCK).unwrap()..usize::try_from(shape.payload).unwrap()];
        for block in 0..4 {
            assert_eq!(checks.verify(block, from(block)), Ok(()));
            assert_eq!(checks.verify((block + 1) % 4, from(block)), Err(Damaged));
        }
        assert_eq!(checks.verify(3, from(2)), Err(Damaged));
    }
}
