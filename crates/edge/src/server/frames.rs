//! Watches what is sent over HTTP/2: how much of it belongs to answers. Where an answer was handed over and only the socket,
//! or the client's windows, hold it back, that shows whether the client goes on reading.
//!
//! The end waits for the client's own: clients say how much they have taken as long as they read.

use super::linger::{Awaited, Linger, poll_end};
use super::requests::Talk;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Of a frame: length, kind, flags, stream.
const HEAD: usize = 9;
const DATA: u8 = 0;

/// Finds the frames in bytes that come in any parts.
#[derive(Debug, Default)]
struct Frames {
    head: [u8; HEAD],
    /// So much of the head has come.
    filled: usize,
    /// And so much of the frame is to come.
    left: usize,
}

impl Frames {
    /// How many of these bytes are parts of answers.
    fn read(&mut self, mut bytes: &[u8]) -> usize {
        let mut count = 0;
        while !bytes.is_empty() {
            if self.left > 0 {
                let taken = self.left.min(bytes.len());
                self.left -= taken;
                count += if self.head[3] == DATA { taken } else { 0 };
                bytes = &bytes[taken..];
                continue;
            }
            let taken = (HEAD - self.filled).min(bytes.len());
            self.head[self.filled..self.filled + taken].copy_from_slice(&bytes[..taken]);
            self.filled += taken;
            bytes = &bytes[taken..];
            if self.filled == HEAD {
                let [a, b, c, ..] = self.head;
                self.left = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
                self.filled = 0;
            }
        }
        count
    }
}

/// A stream whose frames are watched.
#[derive(Debug)]
pub(super) struct Counted<S> {
    stream: S,
    frames: Frames,
    talk: Arc<Talk>,
    linger: Option<Linger>,
}

impl<S> Counted<S> {
    pub(super) fn new(stream: S, talk: Arc<Talk>) -> Self {
        Self { stream, frames: Frames::default(), talk, linger: None }
    }

    fn count(&mut self, bytes: &[u8]) {
        let count = self.frames.read(bytes);
        self.talk.sent.fetch_add(count as u64, Ordering::Relaxed);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if let Poll::Ready(Ok(count)) = wrote {
            self.count(&bytes[..count.min(bytes.len())]);
        }
        wrote
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        if let Poll::Ready(Ok(mut count)) = wrote {
            for part in parts {
                let taken = count.min(part.len());
                self.count(&part[..taken]);
                count -= taken;
            }
        }
        wrote
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.talk.lingers.store(true, Ordering::Relaxed);
        poll_end(&mut this.linger, (&mut this.stream, Some(Awaited::More)), cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(kind: u8, length: usize) -> Vec<u8> {
        let size = u32::try_from(length).unwrap().to_be_bytes();
        [&size[1..], &[kind, 0, 0, 0, 0, 1], &vec![7; length]].concat()
    }

    proptest! {
        #[test]
        fn only_parts_of_answers_count(
            list in prop::collection::vec((0..3_u8, 0..300_usize), 0..9),
            parts in prop::collection::vec(1..40_usize, 1..5),
        ) {
            let bytes: Vec<u8> = list.iter().flat_map(|(kind, length)| frame(*kind, *length)).collect();
            let (mut frames, mut rest, mut count) = (Frames::default(), &bytes[..], 0);
            for part in parts.iter().cycle() {
                let (first, more) = rest.split_at(rest.len().min(*part));
                count += frames.read(first);
                rest = more;
                if rest.is_empty() {
                    break;
                }
            }
            let wanted: usize = list.iter().filter(|(kind, _)| *kind == DATA).map(|(_, length)| length).sum();
            prop_assert_eq!(count, wanted);
        }
    }
}
