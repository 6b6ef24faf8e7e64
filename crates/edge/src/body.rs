//! Files as response bodies, one piece in memory at a time.

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;

/// One hop to a blocking thread per so many bytes.
const PIECE: u64 = 256 * 1024;

/// The bytes of a part of a file. They are read as the client takes them; a file that ends too early
/// breaks the connection, so that nobody takes a part for the whole.
pub(crate) fn part(file: File, part: Range<u64>) -> Body {
    let pieces = stream::try_unfold((file, part), |(mut file, left)| async move {
        if left.is_empty() {
            return Ok::<_, io::Error>(None);
        }
        let piece = left.start..left.end.min(left.start + PIECE);
        let next = piece.end..left.end;
        let reading = tokio::task::spawn_blocking(move || read(&mut file, piece).map(|bytes| (bytes, file)));
        let (bytes, file) = reading.await.map_err(io::Error::other)??;
        Ok(Some((bytes, (file, next))))
    });
    Body::from_stream(pieces)
}

fn read(file: &mut File, piece: Range<u64>) -> io::Result<Bytes> {
    let length = piece.end - piece.start;
    file.seek(SeekFrom::Start(piece.start))?;
    let mut bytes = Vec::with_capacity(usize::try_from(length).map_err(io::Error::other)?);
    file.take(length).read_to_end(&mut bytes)?;
    match bytes.len() as u64 == length {
        true => Ok(bytes.into()),
        false => Err(ErrorKind::UnexpectedEof.into()),
    }
}
