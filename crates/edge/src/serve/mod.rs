//! From a file that was found to an answer: conditions, ranges, type, and what browsers may do with it.

mod body;
mod conditions;
mod content_type;
mod headers;
mod multipart;
mod range;

pub(crate) use body::{part, read};
pub(crate) use conditions::Validators;
pub(crate) use content_type::{Announced, of, of_name, sniffed, stated};
pub(crate) use headers::{METHODS, error, guarded, preflight, redirect, with};
pub(crate) use range::hint;

use crate::cache::Object;
use axum::BoxError;
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use conditions::Verdict;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use headers::text;
use range::Asked;
use std::fs::File;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Files up to this length are read in the same step that opens them.
pub(crate) const INLINE: u64 = 256 * 1024;

/// A file that was found.
pub(crate) struct Content {
    /// Unknown only for what an origin sends without saying how long it is.
    pub(crate) length: Option<u64>,
    pub(crate) validators: Validators,
    pub(crate) announced: Announced,
    /// How long others may keep it.
    pub(crate) max_age: Duration,
    pub(crate) source: Source,
}

/// Some bytes of an answer, or why there are no more.
type Piece = Result<Bytes, BoxError>;

/// Where its bytes are.
#[derive(Clone)]
pub(crate) enum Source {
    Bytes(Bytes),
    File(Arc<File>),
    Cached(Arc<Object>),
    /// It can be asked for one part, once.
    Remote(Arc<Mutex<Option<media::Remote>>>),
}

impl Source {
    /// Some of the bytes. They are read as the client takes them.
    pub(crate) fn part(&self, part: Range<u64>) -> BoxStream<'static, Piece> {
        match self {
            Source::Bytes(bytes) => stream::iter([Ok(cut(bytes, &part))]).boxed(),
            Source::File(file) => body::part(file.clone(), part).map_err(BoxError::from).boxed(),
            Source::Remote(remote) => match remote.lock().unwrap_or_else(PoisonError::into_inner).take() {
                Some(remote) => remote.part(part).map_err(BoxError::from).boxed(),
                None => stream::iter([Err(BoxError::from("asked for twice"))]).boxed(),
            },
            Source::Cached(object) => object.part(part).map_err(BoxError::from).boxed(),
        }
    }

    fn body(&self, part: Range<u64>) -> Body {
        match self {
            // One frame, written together with the head.
            Source::Bytes(bytes) => Body::from(cut(bytes, &part)),
            Source::Cached(object) if object.length() == Some(part.end) && part.start == 0 => match object.bytes() {
                Some(bytes) => Body::from(bytes),
                None => Body::from_stream(self.part(part)),
            },
            _ => Body::from_stream(self.part(part)),
        }
    }
}

fn cut(bytes: &Bytes, part: &Range<u64>) -> Bytes {
    let at = |position: u64| usize::try_from(position).unwrap_or(usize::MAX).min(bytes.len());
    bytes.slice(at(part.start)..at(part.end))
}

/// The answer to a request for a file that is there.
pub(crate) fn answer(request: &Parts, content: &Content) -> Response {
    match content.validators.judge(&request.headers) {
        Verdict::Failed => return error(StatusCode::PRECONDITION_FAILED),
        Verdict::NotModified => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            describe(response.headers_mut(), content);
            return response;
        }
        Verdict::Proceed => {}
    }
    let (kind, policy) = announcement(content.announced);
    let mut response = match content.length {
        Some(length) => match sent(request, content, (length, kind)) {
            Some(response) => response,
            None => {
                let response = error(StatusCode::RANGE_NOT_SATISFIABLE);
                return with(response, header::CONTENT_RANGE, text(format!("bytes */{length}")));
            }
        },
        None if request.method == Method::HEAD => Response::new(Body::empty()),
        None => Response::new(content.source.body(0..u64::MAX)),
    };
    let headers = response.headers_mut();
    describe(headers, content);
    if content.length.is_some() {
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    }
    headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static(kind));
    if let Some(policy) = policy {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if content.announced == Announced::Saved {
        headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    }
    response
}

/// The file or what was asked for of it; `None` when there is nothing of that.
fn sent(request: &Parts, content: &Content, (length, kind): (u64, &'static str)) -> Option<Response> {
    let asked = match request.method == Method::GET && content.validators.allow_range(&request.headers) {
        true => asked(&request.headers, length),
        false => Asked::Whole,
    };
    Some(match asked {
        Asked::Unsatisfiable => return None,
        Asked::Whole if request.method == Method::HEAD => sized(Body::empty(), length),
        Asked::Whole => sized(content.source.body(0..length), length),
        Asked::Part(part) => one_part(content, (part, length)),
        Asked::Parts(_) if matches!(content.source, Source::Remote(_)) => sized(content.source.body(0..length), length),
        Asked::Parts(parts) => several_parts(content, parts, (length, kind)),
    })
}

fn asked(headers: &HeaderMap, length: u64) -> Asked {
    let mut values = headers.get_all(header::RANGE).iter();
    // Two Range headers contradict each other or are one list that was split: neither is worth guessing.
    match (values.next().and_then(|value| value.to_str().ok()), values.next()) {
        (Some(header), None) => range::parse(header, length),
        _ => Asked::Whole,
    }
}

fn one_part(content: &Content, (part, whole): (Range<u64>, u64)) -> Response {
    let content_range = format!("bytes {}-{}/{whole}", part.start, part.end.saturating_sub(1));
    let length = part.end - part.start;
    let mut response = sized(content.source.body(part), length);
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    with(response, header::CONTENT_RANGE, text(content_range))
}

fn several_parts(content: &Content, parts: Vec<Range<u64>>, (whole, kind): (u64, &'static str)) -> Response {
    let message = multipart::Message::new(&parts, (kind, whole));
    let (content_type, length) = (message.content_type(), message.length());
    let mut response = sized(Body::from_stream(message.stream(parts, content.source.clone())), length);
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    with(response, header::CONTENT_TYPE, text(content_type))
}

fn sized(body: Body, length: u64) -> Response {
    with(Response::new(body), header::CONTENT_LENGTH, length.into())
}

/// The type, and a policy of its own if it needs one.
fn announcement(announced: Announced) -> (&'static str, Option<HeaderValue>) {
    match announced {
        Announced::Shown(kind) if kind.ends_with("+xml") => (kind, Some(headers::VECTOR_POLICY)),
        Announced::Shown(kind) => (kind, None),
        Announced::Saved => ("application/octet-stream", None),
    }
}

fn describe(headers: &mut HeaderMap, content: &Content) {
    headers.insert(header::CACHE_CONTROL, headers::lasting(content.max_age));
    headers.insert(header::ETAG, text(content.validators.etag.clone()));
    if let Some(time) = &content.validators.last_modified {
        headers.insert(header::LAST_MODIFIED, text(time.clone()));
    }
}

#[cfg(test)]
mod tests;
