//! What every request passes through: who the client is, that a panic costs one answer, compression, the access log.

use super::fallback;
use crate::config::{Network, ServerConfig};
use api::http::{ClientIp, request_id};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Response as Answer, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use domain::db;
use edge::server::Peer;
use futures_util::FutureExt as _;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;
use tower_http::CompressionLevel;
use tower_http::compression::{CompressionLayer, Predicate, predicate::SizeAbove};
use tracing::Instrument as _;

/// What goes round every request, in one step: each layer of its own would copy the services below it once more.
/// From the outside: the request's id and the log's span, who the client is, the access log, headers for safety, and
/// last that a panic costs one answer.
pub async fn frame(State(proxies): State<Arc<[Network]>>, mut request: Request, next: Next) -> Response {
    let id = request_id::settle(&mut request);
    let span = id.span(&request);
    if let Some(peer) = request.extensions().get::<Peer>().copied() {
        let client = edge::server::client(peer, request.headers(), &proxies);
        request.extensions_mut().insert(ClientIp(client));
    }
    let line = AccessLine::of(&request);
    let mut response = db::keeping(caught(request, next)).instrument(span.clone()).await;
    safe_headers(&mut response);
    if let Some(line) = line {
        span.in_scope(|| line.write(&response));
    }
    id.answer(&mut response);
    response
}

/// Turns a panic into an answer, and logs it. The message may hold what a person wrote: it is not shown.
async fn caught(request: Request, next: Next) -> Response {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let language = request.headers().get(header::ACCEPT_LANGUAGE).cloned();
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    answer.unwrap_or_else(|_| {
        tracing::error!(%method, path = uri.path(), "a request panicked");
        let headers = language.into_iter().map(|language| (header::ACCEPT_LANGUAGE, language)).collect();
        fallback::answer(uri.path(), &headers, StatusCode::INTERNAL_SERVER_ERROR)
    })
}

/// One line for each request at level debug. The query is left out: it may hold tokens.
struct AccessLine {
    method: Method,
    path: String,
    client: Option<IpAddr>,
    started: Instant,
}

impl AccessLine {
    /// None when nobody reads it.
    fn of(request: &Request) -> Option<Self> {
        tracing::enabled!(tracing::Level::DEBUG).then(|| Self {
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            client: request.extensions().get::<ClientIp>().map(|ip| ip.0),
            started: Instant::now(),
        })
    }

    fn write(self, response: &Response) {
        let Self { method, path, client, started } = self;
        let (status, millis) = (response.status().as_u16(), started.elapsed().as_millis());
        let client = client.map(tracing::field::display);
        tracing::debug!(%method, path, status, millis, client, "answered");
    }
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Answers of this many bytes and more are compressed.
const WORTH_COMPRESSING: u64 = 1024;

/// Text that gets much smaller: pages, JSON, scripts, style. Pictures are compressed already, and events must leave at once.
#[derive(Clone, Copy, Debug)]
pub struct Compressible;

impl Predicate for Compressible {
    fn should_compress<B: axum::body::HttpBody>(&self, answer: &Answer<B>) -> bool {
        let kind = content_type(answer.headers());
        let text = kind.starts_with("text/") && !kind.starts_with("text/event-stream");
        (text || kind.contains("json") || kind.contains("javascript") || kind.contains("xml"))
            && SizeAbove::new(WORTH_COMPRESSING).should_compress(answer)
    }
}

/// gzip at the fastest level, for those who ask: the higher levels take a multiple of the time for little.
pub fn compression(config: &ServerConfig) -> Option<CompressionLayer<Compressible>> {
    let layer = CompressionLayer::new().gzip(true).br(false).quality(CompressionLevel::Fastest);
    config.compression.then(|| layer.compress_when(Compressible))
}

/// Headers that every answer carries unless the handler has set its own.
fn safe_headers(response: &mut Response) {
    let defaults = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in defaults {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_costs_one_answer() {
        let panics = || async {
            if true {
                panic!("no secret is shown")
            }
        };
        let app = axum::Router::new()
            .route("/api/panic", axum::routing::get(panics))
            .route("/panic", axum::routing::get(panics))
            .layer(axum::middleware::from_fn(caught));
        for (path, kind) in [("/api/panic", "application/json"), ("/panic", "text/html; charset=utf-8")] {
            let request = Request::builder().uri(path).body(axum::body::Body::empty()).unwrap();
            let answer = tower::ServiceExt::oneshot(app.clone(), request).await.unwrap();
            assert_eq!((answer.status().as_u16(), content_type(answer.headers())), (500, kind));
            let body = axum::body::to_bytes(answer.into_body(), 10_000).await.unwrap();
            assert!(!String::from_utf8_lossy(&body).contains("secret"));
        }
    }
}
