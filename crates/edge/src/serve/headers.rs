//! What every answer says about itself, and answers without a file.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use std::time::Duration;

/// Nothing in an answer may run, load or be part of this site.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; form-action 'none'; sandbox");
/// Vector pictures need their own styles to look right.
pub(super) const VECTOR_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; sandbox",
);
pub(crate) const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const YEAR: Duration = Duration::from_secs(31_536_000);

/// What every answer carries, whatever it is: pages of other sites may show it, and nobody may run it.
pub(crate) fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(POLICY);
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let policy = HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(policy, HeaderValue::from_static("cross-origin"));
    response
}

/// For how long others may keep a good file.
pub(super) fn lasting(max_age: Duration) -> HeaderValue {
    match max_age {
        YEAR => IMMUTABLE,
        Duration::ZERO => HeaderValue::from_static("no-cache"),
        other => text(format!("public, max-age={}, immutable", other.as_secs())),
    }
}

/// For pages of other origins that want to send a Range header.
pub(crate) fn preflight() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(header::ALLOW, METHODS);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    let allowed = "Range, If-Range, If-None-Match, If-Modified-Since";
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(allowed));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    response
}

/// A status and its name, for people. What is missing now may come, so it is not kept for long.
pub(crate) fn error(status: StatusCode) -> Response {
    let words = format!("{} {}\n", status.as_u16(), status.canonical_reason().unwrap_or("Error"));
    let mut response = Response::new(Body::from(words));
    *response.status_mut() = status;
    let kept = match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => HeaderValue::from_static("public, max-age=60"),
        _ => HeaderValue::from_static("no-store"),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, kept);
    if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT) {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
    }
    response
}

/// To another address, which has been checked.
pub(crate) fn redirect(status: StatusCode, location: &str) -> Response {
    let Ok(location) = HeaderValue::try_from(location) else { return error(StatusCode::BAD_GATEWAY) };
    let kept = match status {
        StatusCode::MOVED_PERMANENTLY | StatusCode::PERMANENT_REDIRECT => "public, max-age=86400",
        _ => "no-cache",
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, location);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    response
}

pub(crate) fn with(mut response: Response, name: HeaderName, value: HeaderValue) -> Response {
    response.headers_mut().insert(name, value);
    response
}

/// For texts made of hexadecimal digits, dates and the like.
pub(super) fn text(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}
