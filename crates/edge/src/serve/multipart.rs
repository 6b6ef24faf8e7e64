//! Several parts of one file in one answer. <https://www.rfc-editor.org/rfc/rfc9110#section-14.6>

use super::{Piece, Source};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::ops::Range;

/// What stands around the parts.
pub(super) struct Message {
    boundary: String,
    /// Before each part.
    heads: Vec<Bytes>,
    /// After the last one.
    end: Bytes,
    length: u64,
}

impl Message {
    /// `(kind, length)` are those of the whole file.
    pub(super) fn new(parts: &[Range<u64>], (kind, length): (&str, u64)) -> Message {
        // A new one each time, so that nobody can store a file that ends another one's part.
        let random = || RandomState::new().build_hasher().finish();
        let boundary = format!("{:016x}{:016x}", random(), random());
        let head = |part: &Range<u64>| {
            let (first, last) = (part.start, part.end.saturating_sub(1));
            let lines = format!(
                "\r\n--{boundary}\r\nContent-Type: {kind}\r\nContent-Range: bytes {first}-{last}/{length}\r\n\r\n"
            );
            Bytes::from(lines)
        };
        let heads: Vec<Bytes> = parts.iter().map(head).collect();
        let end = Bytes::from(format!("\r\n--{boundary}--\r\n"));
        let around = heads.iter().map(Bytes::len).sum::<usize>() + end.len();
        let inside: u64 = parts.iter().map(|part| part.end - part.start).sum();
        Message { boundary, heads, end, length: inside + around as u64 }
    }

    pub(super) fn content_type(&self) -> String {
        format!("multipart/byteranges; boundary={}", self.boundary)
    }

    /// Of the whole message.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The message around the parts' bytes, which are asked for one after the other. A part that breaks off breaks the
    /// message off.
    pub(super) fn stream(self, parts: Vec<Range<u64>>, source: Source) -> impl Stream<Item = Piece> + Send + 'static {
        let heads = stream::iter(self.heads.into_iter().zip(parts));
        let framed = heads.flat_map(move |(head, part)| stream::iter([Ok(head)]).chain(source.part(part)));
        framed.chain(stream::iter([Ok(self.end)]))
    }
}
