//! Answers to what nothing else answers: JSON for programs, a page for people.

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};

/// 404 for paths without a route.
pub async fn not_found(request: Request) -> Response {
    answer(request.uri().path(), request.headers(), StatusCode::NOT_FOUND)
}

/// 405 for routes that are asked for in another way.
pub async fn wrong_method(request: Request) -> Response {
    answer(request.uri().path(), request.headers(), StatusCode::METHOD_NOT_ALLOWED)
}

/// In the shape that who asks for `path` can read; pages are in the language that `headers` ask for.
pub fn answer(path: &str, headers: &HeaderMap, status: StatusCode) -> Response {
    match api::http::cors::is_open(path) {
        true => api::http::ApiError::new(status, status.canonical_reason().unwrap_or("Error")).into_response(),
        false => web::error_page(status, headers),
    }
}
