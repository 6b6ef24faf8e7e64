//! Answers in JSON.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Room for most answers that are no lists: a vector that grows copies what it has.
const ROOM: usize = 4096;

/// An answer as `application/json`. Written by a library that looks at many bytes of a text at once: a fifth of what a
/// home timeline took was looking for characters to escape. In one vector with room; axum's own begins with 128 bytes.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let mut text = Vec::with_capacity(ROOM);
        match sonic_rs::to_writer(&mut text, &self.0) {
            Ok(()) => ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response(),
            Err(failure) => {
                tracing::error!(%failure, "an answer cannot be written as JSON");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}
