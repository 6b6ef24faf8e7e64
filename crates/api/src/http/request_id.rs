//! Every request has an id: in the log's span, and in the answer as `X-Request-Id`.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use tracing::Span;

pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of one request.
pub struct RequestId(HeaderValue);

/// Keeps a sane id that a proxy gave (1 to 64 letters, digits, `-`, `_`), else makes one. Handlers find it in the
/// request's `X-Request-Id` header.
pub fn settle(request: &mut Request) -> RequestId {
    let id = given(request.headers()).unwrap_or_else(made);
    request.headers_mut().insert(X_REQUEST_ID, id.clone());
    RequestId(id)
}

impl RequestId {
    /// `request{id, method, path}`, for everything that is logged on the way.
    pub fn span(&self, request: &Request) -> Span {
        tracing::info_span!(
            "request",
            id = %self.0.to_str().unwrap_or_default(),
            method = %request.method(),
            path = %request.uri().path(),
        )
    }

    /// Tells the client.
    pub fn answer(self, response: &mut Response) {
        response.headers_mut().insert(X_REQUEST_ID, self.0);
    }
}

/// Random for each start of the program, then counted: unique without asking the system for random bytes each time.
fn made() -> HeaderValue {
    static START: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(std::process::id()));
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let text = format!("{:016x}-{}", *START, COUNT.fetch_add(1, Ordering::Relaxed));
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("none"))
}

fn given(headers: &HeaderMap) -> Option<HeaderValue> {
    let id = headers.get(X_REQUEST_ID)?;
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let sane = (1..=64).contains(&id.len()) && id.as_bytes().iter().all(plain);
    sane.then(|| id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::ApiError;
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::Next;
    use axum::routing::get;
    use http_body_util::BodyExt;
    use std::io::Write;
    use std::sync::{Arc, Mutex};
    use tower::ServiceExt;
    use tracing::Instrument;

    async fn around(mut request: Request, next: Next) -> Response {
        let id = settle(&mut request);
        let span = id.span(&request);
        let mut response = next.run(request).instrument(span).await;
        id.answer(&mut response);
        response
    }

    fn app() -> Router {
        Router::new()
            .route("/", get(|headers: HeaderMap| async move { headers[X_REQUEST_ID].to_str().unwrap().to_owned() }))
            .route("/bad", get(|| async { ApiError::internal(anyhow::anyhow!("disk on fire")) }))
            .layer(axum::middleware::from_fn(around))
    }

    async fn answer(path: &str, id: &str) -> (String, String) {
        let request = Request::builder().uri(path).header("x-request-id", id).body(Body::empty()).unwrap();
        let response = app().oneshot(request).await.unwrap();
        let id = response.headers()[X_REQUEST_ID].to_str().unwrap().to_owned();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (id, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn sane_ids_are_kept_and_others_replaced() {
        assert_eq!(answer("/", "abc-1").await, ("abc-1".into(), "abc-1".into()));
        let mut made = std::collections::HashSet::new();
        for odd in ["", "a b", "a\"b", &"x".repeat(65)] {
            let (id, seen) = answer("/", odd).await;
            assert_eq!(id, seen);
            assert!(given(&HeaderMap::from_iter([(X_REQUEST_ID, id.parse().unwrap())])).is_some(), "{odd:?}");
            assert!(made.insert(id), "{odd:?}");
        }
    }

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);
    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn internal_errors_are_logged_once_with_the_id_and_not_shown() {
        let log = Log::default();
        let sink = log.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || sink.clone()).finish();
        let _guard = tracing::subscriber::set_default(subscriber);
        let (_, body) = answer("/bad", "abc-2").await;
        assert_eq!(body, r#"{"error":"Internal Server Error"}"#);
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.matches("disk on fire").count(), 1, "{text}");
        assert!(text.contains("abc-2"), "{text}");
    }
}
