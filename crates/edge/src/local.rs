//! A store over HTTP: reading only, cached for ever, nothing that a browser would run.

use crate::conditions::{Validators, Verdict};
use crate::content_type::{self, Announced};
use crate::range::{self, Asked};
use crate::{body, path};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::any;
use media::{Blob, Key, Store};

/// Objects up to this length are read in the same step that opens them.
const INLINE: u64 = 256 * 1024;

const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; form-action 'none'; sandbox");
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");

/// `GET`, `HEAD` and `OPTIONS` of `prefix/key` for every object of the store; other methods give 405,
/// paths that are no key 404.
///
/// `prefix` begins with a slash and does not end with one ("/media"), or is empty. Merge the router, do
/// not nest it: the path has to arrive whole. Answers carry a strong ETag and a year of caching, take
/// ranges and conditions, and are sandboxed; only images, video and audio are announced as such.
pub fn local(store: Store, prefix: &str) -> Router {
    let site = Site { store, skip: prefix.len() + 1 };
    Router::new().route(&format!("{prefix}/{{*key}}"), any(serve)).with_state(site)
}

#[derive(Clone)]
struct Site {
    store: Store,
    /// Length of the prefix and its slash.
    skip: usize,
}

async fn serve(State(site): State<Site>, request: Request) -> Response {
    let (request, _) = request.into_parts();
    let mut response = match request.method {
        Method::GET | Method::HEAD => site.read(&request).await,
        Method::OPTIONS => preflight(),
        _ => with(empty(StatusCode::METHOD_NOT_ALLOWED), header::ALLOW, METHODS),
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let policy = HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(policy, HeaderValue::from_static("cross-origin"));
    response
}

impl Site {
    async fn read(&self, request: &Parts) -> Response {
        let raw = request.uri.path().get(self.skip..).unwrap_or_default();
        // Uploads still have their metadata.
        let key = path::key(raw).filter(|key| !key.as_str().starts_with(media::UPLOADS));
        let Some(key) = key else { return empty(StatusCode::NOT_FOUND) };
        match self.store.open(&key, inline(request)).await {
            Ok(Some(blob)) => answer(request, &key, blob),
            Ok(None) => empty(StatusCode::NOT_FOUND),
            Err(failure) => {
                tracing::error!(%key, %failure, "stored media cannot be read");
                empty(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }
}

/// Content is read at once only where it is sure to be sent whole.
fn inline(request: &Parts) -> u64 {
    let selective = [
        header::RANGE,
        header::IF_NONE_MATCH,
        header::IF_MODIFIED_SINCE,
        header::IF_MATCH,
        header::IF_UNMODIFIED_SINCE,
    ];
    let is_selective = selective.iter().any(|name| request.headers.contains_key(name));
    if request.method == Method::HEAD || is_selective { 0 } else { INLINE }
}

fn answer(request: &Parts, key: &Key, blob: Blob) -> Response {
    let validators = Validators::new(key, blob.len, blob.modified);
    match validators.judge(&request.headers) {
        Verdict::Failed => return empty(StatusCode::PRECONDITION_FAILED),
        Verdict::NotModified => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            describe(response.headers_mut(), &validators);
            return response;
        }
        Verdict::Proceed => {}
    }
    let asked = match request.method == Method::GET && validators.allow_range(&request.headers) {
        true => asked(&request.headers, blob.len),
        false => Asked::Whole,
    };
    let length = blob.len;
    let (status, part) = match asked {
        Asked::Whole => (StatusCode::OK, 0..length),
        Asked::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        Asked::Unsatisfiable => {
            let response = empty(StatusCode::RANGE_NOT_SATISFIABLE);
            return with(response, header::CONTENT_RANGE, text(format!("bytes */{length}")));
        }
    };
    let content_range = format!("bytes {}-{}/{length}", part.start, part.end.saturating_sub(1));
    let content_length = part.end - part.start;
    let mut response = Response::new(match (blob.body, request.method == Method::HEAD) {
        (_, true) => Body::empty(),
        (media::Body::Bytes(bytes), _) => bytes.into(),
        (media::Body::File(file), _) => body::part(file, part),
        (media::Body::Remote(remote), _) => Body::from_stream(remote.part(part)),
    });
    *response.status_mut() = status;
    let headers = response.headers_mut();
    describe(headers, &validators);
    headers.insert(header::CONTENT_LENGTH, content_length.into());
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    announce(headers, key);
    if status == StatusCode::PARTIAL_CONTENT {
        headers.insert(header::CONTENT_RANGE, text(content_range));
    }
    response
}

fn asked(headers: &HeaderMap, length: u64) -> Asked {
    let header = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
    header.map_or(Asked::Whole, |header| range::parse(header, length))
}

fn describe(headers: &mut HeaderMap, validators: &Validators) {
    headers.insert(header::CACHE_CONTROL, IMMUTABLE);
    headers.insert(header::ETAG, text(validators.etag.clone()));
    if let Some(time) = &validators.last_modified {
        headers.insert(header::LAST_MODIFIED, text(time.clone()));
    }
}

fn announce(headers: &mut HeaderMap, key: &Key) {
    let content_type = match content_type::of(key.extension()) {
        Announced::Shown(content_type) => content_type,
        Announced::Saved => {
            headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
            "application/octet-stream"
        }
    };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
}

/// For pages of other origins that want to send a Range header.
fn preflight() -> Response {
    let mut response = with(empty(StatusCode::NO_CONTENT), header::ALLOW, METHODS);
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    let allowed = "Range, If-Range, If-None-Match, If-Modified-Since";
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(allowed));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    response
}

/// An answer without content; what is missing now may come, so it is not cached.
fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    with(response, header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))
}

fn with(mut response: Response, name: HeaderName, value: HeaderValue) -> Response {
    response.headers_mut().insert(name, value);
    response
}

/// For texts made of hexadecimal digits, dates and the like.
fn text(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}
