//! Files as response bodies, one piece in memory at a time.

use crate::waiting;
use bytes::Bytes;
use futures_util::{Stream, stream};
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

/// One hop to a blocking thread per so many bytes.
const PIECE: u64 = 256 * 1024;

/// The bytes of a part of a file. They are read as the client takes them; a file that ends too early
/// breaks the connection, so that nobody takes a part for the whole.
pub(crate) fn part(file: Arc<File>, part: Range<u64>) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    stream::try_unfold((file, part), |(file, left)| async move {
        if left.is_empty() {
            return Ok::<_, io::Error>(None);
        }
        let piece = left.start..left.end.min(left.start + waiting::piece(PIECE));
        let next = piece.end..left.end;
        let reading = tokio::task::spawn_blocking(move || read(&file, piece).map(|bytes| (bytes, file)));
        let (bytes, file) = reading.await.map_err(io::Error::other)??;
        Ok(Some((bytes, (file, next))))
    })
}

/// Exactly these bytes.
pub(crate) fn read(file: &File, piece: Range<u64>) -> io::Result<Bytes> {
    let length = usize::try_from(piece.end - piece.start).map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, piece.start)?;
    Ok(bytes.into())
}
