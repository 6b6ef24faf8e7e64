//! Checksums: what a server is to find when it has read an upload, and whether a file is what an ETag says.
//!
//! The ETag of an object that was stored at once is the MD5 of its bytes; of one that was stored in parts it is the MD5 of
//! their MD5s, and their number. Objects that are encrypted with keys of the provider's key service have other ones.

use super::body::{PIECE, Payload, read};
use super::call::Call;
use super::{Error, Result, multipart};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::ops::Range;

const MIB: u64 = 1024 * 1024;
/// How long the parts are that usual programs make.
const USUAL: [u64; 14] = [5, 8, 10, 15, 16, 20, 25, 32, 50, 64, 100, 128, 256, 512];

/// The MD5 of what is sent.
pub(super) async fn of(payload: Payload) -> Result<[u8; 16]> {
    let (file, range) = match payload {
        Payload::Empty => return Ok(Md5::digest(b"").into()),
        Payload::Bytes(bytes) => return Ok(Md5::digest(&bytes).into()),
        Payload::Part(file, range) => (file, range),
    };
    let hashing = tokio::task::spawn_blocking(move || of_range(&file, range)).await;
    Ok(hashing.map_err(io::Error::other)??)
}

fn of_range(file: &File, mut left: Range<u64>) -> io::Result<[u8; 16]> {
    let mut md5 = Md5::new();
    while !left.is_empty() {
        let piece = left.start..left.end.min(left.start + PIECE);
        left.start = piece.end;
        md5.update(read(file, piece)?);
    }
    Ok(md5.finalize().into())
}

/// The server refuses what arrives with another checksum.
pub(super) fn told(call: Call, md5: Option<[u8; 16]>) -> Call {
    match md5 {
        Some(md5) => call.header("content-md5", STANDARD.encode(md5)),
        None => call,
    }
}

/// The ETag of an object that is stored at once, without quotation marks.
pub(super) fn of_whole(md5: &[u8; 16]) -> String {
    hex(md5)
}

/// The same for parts with these checksums.
pub(super) fn of_parts(parts: &[[u8; 16]]) -> String {
    let mut md5 = Md5::new();
    parts.iter().for_each(|part| md5.update(part));
    format!("{}-{}", hex(&md5.finalize().into()), parts.len())
}

fn hex(bytes: &[u8; 16]) -> String {
    bytes.iter().fold(String::with_capacity(32), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Whether a file of this length is what an ETag says; `None` where the ETag is no checksum that is understood.
/// Reads the file, on a blocking thread.
pub async fn is_etag_of(file: File, len: u64, etag: &str) -> Result<Option<bool>> {
    let etag = etag.trim_matches('"').to_ascii_lowercase();
    let (sum, count) = match etag.split_once('-') {
        Some((sum, count)) => (sum.to_owned(), count.parse::<u64>().ok()),
        None => (etag.clone(), Some(0)),
    };
    let (true, Some(count)) = (sum.len() == 32 && sum.bytes().all(|b| b.is_ascii_hexdigit()), count) else {
        return Ok(None);
    };
    let comparing = tokio::task::spawn_blocking(move || match count {
        0 => Ok(Some(of_whole(&of_range(&file, 0..len)?) == etag)),
        count => in_parts(&file, len, (&etag, count)),
    });
    comparing.await.map_err(io::Error::other)?.map_err(Error::File)
}

/// How long its parts were nobody tells: all usual lengths are tried that give so many parts.
fn in_parts(file: &File, len: u64, (etag, count): (&str, u64)) -> io::Result<Option<bool>> {
    let ours = [multipart::part_length(len)];
    let mut lengths: Vec<u64> = ours.into_iter().chain(USUAL.map(|length| length * MIB)).collect();
    lengths.retain(|length| len.div_ceil(*length).max(1) == count);
    lengths.dedup();
    for length in lengths {
        let ranges = (0..count).map(|place| place * length..((place + 1) * length).min(len));
        let sums: Vec<[u8; 16]> = ranges.map(|range| of_range(file, range)).collect::<io::Result<_>>()?;
        if of_parts(&sums) == etag {
            return Ok(Some(true));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[tokio::test]
    async fn etags_tell_whether_a_file_is_the_same() {
        let mut file = tempfile::tempfile().unwrap();
        let content = vec![7u8; 11 * MIB as usize];
        file.write_all(&content).unwrap();
        let sum = |content: &[u8]| <[u8; 16]>::from(Md5::digest(content));
        let whole = of_whole(&sum(&content));
        let by_five: Vec<_> = content.chunks(5 << 20).map(sum).collect();
        let by_seven: Vec<_> = content.chunks(7 << 20).map(sum).collect();
        for (etag, expected) in [
            (format!("\"{whole}\""), Some(true)),
            (whole.to_uppercase(), Some(true)),
            (whole.replace(&whole[..1], if whole.starts_with('0') { "1" } else { "0" }), Some(false)),
            (format!("\"{}\"", of_parts(&by_five)), Some(true)),
            (of_parts(&by_seven), None),
            (format!("{whole}-3"), None),
            (format!("{whole}-x"), None),
            ("\"opaque\"".into(), None),
            (String::new(), None),
        ] {
            let found = is_etag_of(file.try_clone().unwrap(), content.len() as u64, &etag).await.unwrap();
            assert_eq!(found, expected, "{etag}");
        }
        let empty = tempfile::tempfile().unwrap();
        assert_eq!(is_etag_of(empty, 0, "d41d8cd98f00b204e9800998ecf8427e").await.unwrap(), Some(true));
    }
}
