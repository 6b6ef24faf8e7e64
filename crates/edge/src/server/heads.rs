//! Watches the heads of requests as they come in, for what hyper takes in one of two ways without a word: two lengths of
//! a body, or a line that ends like none. A proxy in front may have taken it the other way and believe that the request
//! ends elsewhere, so that what one person sent becomes the beginning of another one's request.
//!
//! It follows HTTP/1.1 just far enough to know which bytes are heads. Where it loses its way, it calls the head bad.

use super::linger::{Awaited, Linger, poll_end};
use super::requests::Talk;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// So much of a line is looked at: more than the fields that matter have.
const LINE: usize = 64;

/// A stream whose heads are watched.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    heads: Heads,
    talk: Arc<Talk>,
    /// While it ends before the client does.
    linger: Option<Linger>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, talk: Arc<Talk>) -> Self {
        Self { stream, heads: Heads::default(), talk, linger: None }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Head,
    /// So many bytes of a body are to come.
    Body(u64),
    /// In chunks, after which the connection ends: nothing behind them is believed.
    Over,
}

#[derive(Debug)]
struct Heads {
    at: At,
    /// The beginning of the line, and how long it is.
    line: [u8; LINE],
    length: usize,
    last: u8,
    has_lines: bool,
    /// Heads that have come to their end.
    ended: u64,
    body: Option<u64>,
    has_chunks: bool,
    is_bad: bool,
}

impl Default for Heads {
    fn default() -> Self {
        Self {
            at: At::Head,
            line: [0; LINE],
            length: 0,
            last: 0,
            has_lines: false,
            ended: 0,
            body: None,
            has_chunks: false,
            is_bad: false,
        }
    }
}

impl Heads {
    fn read(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.is_bad {
            match self.at {
                At::Over => return,
                At::Body(left) => {
                    let taken = left.min(bytes.len() as u64);
                    self.at = if taken == left { At::Head } else { At::Body(left - taken) };
                    bytes = &bytes[usize::try_from(taken).unwrap_or(bytes.len())..];
                }
                At::Head => {
                    let end = bytes.iter().position(|byte| *byte == b'\n');
                    let (part, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
                    self.take(part);
                    bytes = rest;
                }
            }
        }
    }

    /// A part of a line, with its end if it has come.
    fn take(&mut self, part: &[u8]) {
        let (ends, text) = match part.split_last() {
            Some((b'\n', text)) => (true, text),
            _ => (false, part),
        };
        let room = LINE.saturating_sub(self.length).min(text.len());
        let at = self.length.min(LINE);
        self.line[at..at + room].copy_from_slice(&text[..room]);
        self.length = self.length.saturating_add(text.len());
        self.last = text.last().copied().unwrap_or(self.last);
        if !ends {
            return;
        }
        match self.length {
            0 => self.is_bad = true,
            _ if self.last != b'\r' => self.is_bad = true,
            // Before a request line there may be empty ones.
            1 if !self.has_lines => {}
            1 => self.end(),
            _ => self.field(),
        }
        (self.length, self.last) = (0, 0);
    }

    fn field(&mut self) {
        if !self.has_lines {
            self.has_lines = true;
            return;
        }
        let line = &self.line[..self.length.min(LINE)];
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { return };
        let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted.as_bytes());
        if is("content-length") {
            let is_whole = self.length <= LINE;
            let length = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()).filter(|_| is_whole);
            self.is_bad |= length.is_none() || self.body.is_some_and(|body| Some(body) != length);
            self.body = length;
        } else if is("transfer-encoding") {
            self.is_bad |= self.has_chunks || !value.eq_ignore_ascii_case(b"chunked");
            self.has_chunks = true;
        }
    }

    /// Whether more of a body may come than was read.
    fn is_within_body(&self) -> bool {
        self.at != At::Head
    }

    /// Whether there is more than so many requests: their bodies, what is bad, and what comes behind them.
    fn has_more_than(&self, requests: u64) -> bool {
        let is_within_head = self.has_lines || self.length > 0;
        self.is_within_body() || self.is_bad || is_within_head || self.ended != requests
    }

    fn end(&mut self) {
        self.ended += 1;
        self.is_bad |= self.has_chunks && self.body.is_some();
        self.at = match (self.has_chunks, self.body) {
            (true, _) => At::Over,
            (false, Some(1..)) => At::Body(self.body.unwrap_or_default()),
            (false, _) => At::Head,
        };
        (self.has_lines, self.body) = (false, None);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.heads.read(&buffer.filled()[before..]);
        if self.heads.is_bad {
            self.talk.is_bad.store(true, Ordering::Relaxed);
        }
        self.talk.is_within_body.store(self.heads.is_within_body(), Ordering::Relaxed);
        read
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let awaited = match this.heads.has_more_than(this.talk.requests.load(Ordering::Relaxed)) {
            true => Some(Awaited::More),
            // Who was idle has nothing to read: the process can end.
            false => this.talk.is_parting.load(Ordering::Relaxed).then_some(Awaited::End),
        };
        poll_end(&mut this.linger, (&mut this.stream, awaited), cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_bad(text: &str) -> bool {
        let whole = {
            let mut heads = Heads::default();
            heads.read(text.as_bytes());
            heads.is_bad
        };
        // Byte by byte it is the same.
        let mut heads = Heads::default();
        text.bytes().for_each(|byte| heads.read(&[byte]));
        assert_eq!(heads.is_bad, whole, "{text:?}");
        whole
    }

    #[test]
    fn heads_are_told_from_bodies() {
        let bad = "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n";
        let body = format!("\n\nPOST / HTTP/1.1\n{bad}");
        let length = body.len();
        for good in [
            "GET / HTTP/1.1\r\nhost: a\r\n\r\n".repeat(3),
            "\r\n\r\nGET / HTTP/1.1\r\n\r\n".to_owned(),
            format!("POST / HTTP/1.1\r\ncontent-length: {length}\r\n\r\n{body}GET / HTTP/1.1\r\n\r\n"),
            format!("POST / HTTP/1.1\r\ncontent-length: {length}\r\ncontent-length:{length}\r\n\r\n{body}"),
            format!("POST / HTTP/1.1\r\ntransfer-encoding: Chunked \r\n\r\n0\r\n\r\n{body}"),
            format!("GET / HTTP/1.1\r\nx: {}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", "y".repeat(100)),
            "GET /content-length:1 HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n".to_owned(),
        ] {
            assert!(!is_bad(&good), "{good:?}");
        }
        for text in [
            format!("POST / HTTP/1.1\r\n{bad}"),
            format!("POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nabcPOST / HTTP/1.1\r\n{bad}"),
            format!("GET / HTTP/1.1\r\n\r\nPOST / HTTP/1.1\r\n{bad}"),
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\nCONTENT-LENGTH:0\r\n\r\n".to_owned(),
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n".to_owned(),
            "POST / HTTP/1.1\r\ntransfer-encoding: gzip, chunked\r\n\r\n".to_owned(),
            "POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n".to_owned(),
            format!("POST / HTTP/1.1\r\ncontent-length: {}1\r\n\r\n", "0".repeat(60)),
            "GET / HTTP/1.1\nhost: a\r\n\r\n".to_owned(),
            "GET / HTTP/1.1\r\nhost: a\n\r\n".to_owned(),
            "GET / HTTP/1.1\r\nhost: a\r\n\n".to_owned(),
            "\nGET / HTTP/1.1\r\n\r\n".to_owned(),
        ] {
            assert!(is_bad(&text), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_it(bytes: Vec<u8>, parts in prop::collection::vec(1..9_usize, 1..5)) {
            let mut heads = Heads::default();
            let mut rest = &bytes[..];
            for part in parts.iter().cycle() {
                let (first, more) = rest.split_at(rest.len().min(*part));
                heads.read(first);
                rest = more;
                if rest.is_empty() {
                    break;
                }
            }
        }
    }
}
