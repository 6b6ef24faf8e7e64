//! Answers to what nothing else answers: JSON for programs, a small page for people.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

/// 404 for paths without a route.
pub async fn not_found(request: Request) -> Response {
    answer(request.uri().path(), StatusCode::NOT_FOUND, "Not Found")
}

/// 500 after a panic.
pub fn internal_error(path: &str) -> Response {
    answer(path, StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
}

fn answer(path: &str, status: StatusCode, text: &'static str) -> Response {
    if is_for_programs(path) {
        return api::http::ApiError::new(status, text).into_response();
    }
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{text}</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><h1>{text}</h1><p><a href=\"/\">Home</a></p></html>\n"
    );
    (status, Html(page)).into_response()
}

fn is_for_programs(path: &str) -> bool {
    api::http::cors::is_open(path)
}
