//! What is sent: nothing, bytes, or a part of a file that is read as it is sent.

use bytes::Bytes;
use futures_util::stream;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

/// One hop to a blocking thread per so many bytes.
pub(super) const PIECE: u64 = 256 * 1024;

#[derive(Debug, Clone)]
pub(super) enum Payload {
    Empty,
    Bytes(Bytes),
    Part(Arc<File>, Range<u64>),
}

impl Payload {
    pub(super) fn len(&self) -> u64 {
        match self {
            Payload::Empty => 0,
            Payload::Bytes(bytes) => bytes.len() as u64,
            Payload::Part(_, range) => range.end - range.start,
        }
    }

    /// Anew for every try.
    pub(super) fn body(&self) -> Option<reqwest::Body> {
        match self {
            Payload::Empty => None,
            Payload::Bytes(bytes) => Some(bytes.clone().into()),
            Payload::Part(file, range) => Some(part(file.clone(), range.clone())),
        }
    }
}

/// A file that becomes shorter meanwhile breaks the request, so that nothing is stored for the whole.
fn part(file: Arc<File>, range: Range<u64>) -> reqwest::Body {
    let pieces = stream::try_unfold((file, range), |(file, left)| async move {
        if left.is_empty() {
            return Ok::<_, io::Error>(None);
        }
        let piece = left.start..left.end.min(left.start + PIECE);
        let next = piece.end..left.end;
        let reading = file.clone();
        let bytes = tokio::task::spawn_blocking(move || read(&reading, piece)).await.map_err(io::Error::other)??;
        Ok(Some((bytes, (file, next))))
    });
    reqwest::Body::wrap_stream(pieces)
}

pub(super) fn read(file: &File, piece: Range<u64>) -> io::Result<Bytes> {
    let length = usize::try_from(piece.end - piece.start).map_err(|_| ErrorKind::InvalidInput)?;
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, piece.start)?;
    Ok(bytes.into())
}
