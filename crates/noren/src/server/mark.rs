//! What is done to every request before anything else looks at it.

use api::streaming::Hangup;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Uri;
use edge::server::Hold;

/// Where answers are sent that go on for as long as the client likes.
const STREAMING: &str = "/api/v1/streaming";

/// Makes paths the same however they were written, and lets streams end what they are sent on.
pub(super) fn mark(request: &mut Request<Body>, hold: &Hold) {
    if let Some(sent) = trim_slash(request.uri_mut()) {
        // Other servers sign what they sent.
        request.extensions_mut().insert(federation::AsSent(sent));
    }
    if request.uri().path().starts_with(STREAMING) {
        request.extensions_mut().insert(Hangup(hold.hangup()));
    }
}

/// Clients write `/api/v2/instance/` too, and Mastodon lets them. How it was written, where that is changed.
fn trim_slash(uri: &mut Uri) -> Option<Uri> {
    let path = uri.path().trim_end_matches('/');
    if path.is_empty() || path.len() == uri.path().len() {
        return None;
    }
    let whole = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = whole.parse().ok();
    Some(std::mem::replace(uri, Uri::from_parts(parts).ok()?))
}
