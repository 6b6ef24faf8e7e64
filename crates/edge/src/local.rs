//! A store over HTTP: reading only, cached for ever, nothing that a browser would run.

use crate::path;
use crate::serve::{self, Content, INLINE, METHODS, Source, Validators};
use crate::waiting;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use axum::routing::any;
use media::{Blob, Key, Store};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Names are never used twice.
const FOR_EVER: Duration = Duration::from_secs(31_536_000);

/// `GET`, `HEAD` and `OPTIONS` of `prefix/key` for every object of the store; other methods give 405,
/// paths that are no key 404.
///
/// `prefix` begins with a slash and does not end with one ("/media"), or is empty. Merge the router, do
/// not nest it: the path has to arrive whole. Answers carry a strong ETag and a year of caching, take
/// ranges and conditions, and are sandboxed; only images, video and audio are announced as such.
pub fn local(store: Store, prefix: &str) -> Router {
    let site = Site { store, skip: prefix.len() };
    Router::new().route(&format!("{prefix}/{{*key}}"), any(serve)).with_state(site)
}

#[derive(Clone)]
struct Site {
    store: Store,
    /// Length of the prefix.
    skip: usize,
}

async fn serve(State(site): State<Site>, request: Request) -> Response {
    let (request, _) = request.into_parts();
    serve::guarded(match request.method {
        Method::GET | Method::HEAD => site.read(&request).await,
        Method::OPTIONS => serve::preflight(),
        _ => serve::with(serve::error(StatusCode::METHOD_NOT_ALLOWED), header::ALLOW, METHODS),
    })
}

impl Site {
    async fn read(&self, request: &Parts) -> Response {
        let raw = request.uri.path().get(self.skip..).unwrap_or_default();
        let Some(key) = path::key(raw) else { return serve::error(StatusCode::NOT_FOUND) };
        match self.store.open(&key, inline(request)).await {
            Ok(Some(blob)) => serve::answer(request, &content(&key, blob)),
            Ok(None) => serve::error(StatusCode::NOT_FOUND),
            Err(failure) => {
                tracing::error!(%key, %failure, "stored media cannot be read");
                serve::error(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }
}

/// Content is read at once only where it is sure to be sent whole.
pub(crate) fn inline(request: &Parts) -> u64 {
    let selective = [
        header::RANGE,
        header::IF_NONE_MATCH,
        header::IF_MODIFIED_SINCE,
        header::IF_MATCH,
        header::IF_UNMODIFIED_SINCE,
    ];
    let is_selective = selective.iter().any(|name| request.headers.contains_key(name));
    if request.method == Method::HEAD || is_selective { 0 } else { waiting::piece(INLINE) }
}

fn content(key: &Key, blob: Blob) -> Content {
    Content {
        length: Some(blob.len),
        validators: Validators::of_file(key.as_str(), blob.len, blob.modified),
        announced: serve::of(key.extension()),
        max_age: FOR_EVER,
        source: match blob.body {
            media::Body::Bytes(bytes) => Source::Bytes(bytes),
            media::Body::File(file) => Source::File(Arc::new(file)),
            media::Body::Remote(remote) => Source::Remote(Arc::new(Mutex::new(Some(remote)))),
        },
    }
}
