//! Reading: whole or in part, on conditions, as a stream that is taken up again where it broke.

use super::call::{Call, after_slash, http_date, text};
use super::{Bucket, Error, Result};
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use reqwest::header::HeaderMap;
use reqwest::{Response, StatusCode};
use rusty_s3::Method;
use std::fmt;
use std::ops::Range;
use std::time::SystemTime;

/// How often one stream is taken up again after it has broken in the middle.
const RESUMES: u32 = 3;

/// What is wanted of an object.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Only these bytes.
    pub range: Option<Range<u64>>,
    /// Only if its ETag (as it was given, with its quotation marks) is not this.
    pub unless_etag: Option<String>,
    /// Only if it has changed since.
    pub unless_older: Option<SystemTime>,
}

/// What is known about an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// Where the bytes of this answer begin in the object.
    pub start: u64,
    /// How many bytes this answer has.
    pub len: u64,
    /// How many the object has.
    pub total: u64,
    /// As it was given when it was stored.
    pub content_type: Option<String>,
    /// As it was given when it was stored.
    pub cache_control: Option<String>,
    /// With its quotation marks.
    pub etag: Option<String>,
    /// When it was stored.
    pub last_modified: Option<SystemTime>,
}

/// An object, or a part of one, on its way.
pub struct Object {
    /// What is known about it.
    pub meta: Meta,
    /// Exactly `meta.len` bytes, or an error.
    pub body: BoxStream<'static, Result<Bytes>>,
}

impl fmt::Debug for Object {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Object").field("meta", &self.meta).finish_non_exhaustive()
    }
}

/// The answer to a conditional question.
#[derive(Debug)]
pub enum Answer {
    /// Here it is.
    Found(Object),
    /// It is what the caller has already.
    Unmodified,
}

impl Bucket {
    /// What is known about an object; `None` when there is none.
    pub async fn head(&self, key: &str) -> Result<Option<Meta>> {
        let call = Call::new(Method::Head, Some(self.full(key)?));
        match self.send(&call).await {
            Ok(response) => self.meta(&response, None).map(Some),
            Err(error) => absent_is_none(error),
        }
    }

    /// An object or a part of it; `None` when there is none.
    pub async fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<Option<Object>> {
        match self.ask(key, Wanted { range, ..Wanted::default() }).await {
            Ok(Answer::Found(object)) => Ok(Some(object)),
            Ok(Answer::Unmodified) => Err(self.broken("it answers a condition that was not made")),
            Err(error) => absent_is_none(error),
        }
    }

    /// The same on conditions. No object is [`Error::NoObject`].
    pub async fn ask(&self, key: &str, wanted: Wanted) -> Result<Answer> {
        let full = self.full(key)?;
        let mut call = reading(&full, wanted.range.as_ref())?;
        if let Some(etag) = &wanted.unless_etag {
            call = call.header("if-none-match", etag);
        }
        if let Some(time) = wanted.unless_older.and_then(|time| Timestamp::try_from(time).ok()) {
            let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&time);
            call = call.header("if-modified-since", date.map_err(|_| Error::Key(key.to_owned()))?);
        }
        let response = self.send(&call).await?;
        if response.status() == StatusCode::NOT_MODIFIED {
            return Ok(Answer::Unmodified);
        }
        let meta = self.meta(&response, wanted.range.as_ref())?;
        let left = meta.start..meta.start + meta.len;
        let reading = Reading { bucket: self.clone(), key: full, etag: meta.etag.clone(), left, response, resumes: 0 };
        let body = stream::try_unfold(reading, Reading::next).boxed();
        Ok(Answer::Found(Object { meta, body }))
    }

    fn meta(&self, response: &Response, range: Option<&Range<u64>>) -> Result<Meta> {
        let headers = response.headers();
        let length = text(headers, "content-length").and_then(|length| length.parse::<u64>().ok());
        let (start, len, total) = match (response.status(), range) {
            (StatusCode::PARTIAL_CONTENT, Some(range)) => self.part(headers, range)?,
            (StatusCode::PARTIAL_CONTENT, None) => return Err(self.broken("it is a part that was not asked for")),
            _ => {
                let total = length.ok_or_else(|| self.broken("it does not say how long it is"))?;
                // Some servers answer with the whole where the part is the whole.
                if range.is_some_and(|range| range.start > 0 || range.end < total) {
                    return Err(self.broken("it is the whole where a part was asked for"));
                }
                (0, total, total)
            }
        };
        if length.is_some_and(|length| length != len) {
            return Err(self.broken("it tells two lengths"));
        }
        let word = |name: &str| text(headers, name).filter(|text| !text.is_empty() && text.len() <= 256);
        let last_modified = text(headers, "last-modified").and_then(|text| http_date(&text));
        let (content_type, cache_control) = (word("content-type"), word("cache-control"));
        Ok(Meta { start, len, total, content_type, cache_control, etag: word("etag"), last_modified })
    }

    /// `bytes 0-99/1234`: has to be what was asked for, cut at the end of the object.
    fn part(&self, headers: &HeaderMap, range: &Range<u64>) -> Result<(u64, u64, u64)> {
        let told = text(headers, "content-range").unwrap_or_default();
        let parse = || {
            let (first, rest) = told.strip_prefix("bytes ")?.split_once('-')?;
            let (last, _) = rest.split_once('/')?;
            Some((first.trim().parse::<u64>().ok()?, last.trim().parse::<u64>().ok()?, after_slash(rest)?))
        };
        let (first, last, total) = parse().ok_or_else(|| self.broken("it does not say which part it is"))?;
        match first == range.start && last < total && last.checked_add(1) == Some(range.end.min(total)) {
            true => Ok((first, last + 1 - first, total)),
            false => Err(self.broken("it is another part than was asked for")),
        }
    }
}

fn reading(key: &str, range: Option<&Range<u64>>) -> Result<Call> {
    let call = Call::new(Method::Get, Some(key.to_owned())).header("accept-encoding", "identity");
    match range {
        None => Ok(call),
        Some(range) if range.is_empty() => Err(Error::OutOfRange { total: None }),
        Some(range) => Ok(call.header("range", format!("bytes={}-{}", range.start, range.end - 1))),
    }
}

fn absent_is_none<T>(error: Error) -> Result<Option<T>> {
    match error {
        Error::NoObject => Ok(None),
        error => Err(error),
    }
}

/// The state of a stream.
struct Reading {
    bucket: Bucket,
    key: String,
    etag: Option<String>,
    left: Range<u64>,
    response: Response,
    resumes: u32,
}

impl Reading {
    async fn next(mut self) -> Result<Option<(Bytes, Reading)>> {
        while !self.left.is_empty() {
            let error = match self.bucket.chunk(&mut self.response).await {
                Ok(Some(chunk)) if chunk.is_empty() => continue,
                Ok(Some(chunk)) => {
                    if chunk.len() as u64 > self.left.end - self.left.start {
                        return Err(self.bucket.broken("it is longer than it said"));
                    }
                    self.left.start += chunk.len() as u64;
                    return Ok(Some((chunk, self)));
                }
                Ok(None) => self.bucket.broken("it ends too early"),
                Err(error) => error,
            };
            self.resume(error).await?;
        }
        Ok(None)
    }

    /// Asks for the rest, if it is sure to be the rest of the same object.
    async fn resume(&mut self, error: Error) -> Result<()> {
        let Some(etag) = self.etag.as_ref().filter(|_| self.resumes < RESUMES) else { return Err(error) };
        tracing::debug!(%error, key = self.key, "taking up a broken stream");
        self.resumes += 1;
        let call = reading(&self.key, Some(&self.left))?.header("if-match", etag);
        let response = self.bucket.send(&call).await?;
        let meta = self.bucket.meta(&response, Some(&self.left))?;
        if meta.etag.as_ref() != Some(etag) || meta.len != self.left.end - self.left.start {
            return Err(Error::Changed);
        }
        self.response = response;
        Ok(())
    }
}
