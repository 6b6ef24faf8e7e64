//! One address, two answers: programs that ask for a document get it where people get a page.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use federation::Asked;
use tower::ServiceExt as _;

/// Answers requests for documents from `documents`, all others as if it were not there.
pub(super) async fn instead(State(documents): State<Router>, request: Request, next: Next) -> Response {
    match federation::asked(request.method(), request.uri().path(), request.headers()) {
        Asked::Document => {
            // What the first router found in the path would count twice.
            let (mut parts, body) = request.into_parts();
            parts.extensions.clear();
            let request = Request::from_parts(parts, body);
            let Ok(response) = documents.oneshot(request).await;
            response
        }
        Asked::Page => {
            let mut response = next.run(request).await;
            response.headers_mut().append(header::VARY, HeaderValue::from_static("Accept"));
            response
        }
        Asked::Other => next.run(request).await,
    }
}
