//! Why there is no answer.

use axum::extract::{self, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;

const ACCEPT_SIGNATURE: HeaderName = HeaderName::from_static("accept-signature");

/// What an address names. There is nothing at one that names what cannot be.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        // PostgreSQL cannot hold a NUL in a text.
        if parts.uri.path().contains("%00") {
            return Err(Refusal::Unknown);
        }
        match extract::Path::from_request_parts(parts, state).await {
            Ok(extract::Path(named)) => Ok(Self(named)),
            Err(_) => Err(Refusal::Unknown),
        }
    }
}

#[derive(Debug)]
pub(crate) enum Refusal {
    /// The question cannot be understood.
    Bad(&'static str),
    /// It is not signed as it must be; the reason helps whoever debugs the other side.
    Unsigned(String),
    /// The key's owner is gone, as its server says.
    KeyGone,
    Forbidden(&'static str),
    Unknown,
    /// There was such a thing.
    Gone,
    TooLarge,
    TooSlow,
    /// Something that is needed to decide could not be fetched.
    Later,
    Internal(domain::Error),
}

impl From<domain::Error> for Refusal {
    fn from(error: domain::Error) -> Self {
        match error {
            domain::Error::NotFound => Self::Unknown,
            domain::Error::Gone => Self::Gone,
            domain::Error::Unreachable(_) => Self::Later,
            other => Self::Internal(other),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::Bad(why) => (StatusCode::BAD_REQUEST, why.to_owned()),
            Self::Unsigned(why) => (StatusCode::UNAUTHORIZED, why),
            Self::KeyGone => (StatusCode::UNAUTHORIZED, "the key's owner is gone".to_owned()),
            Self::Forbidden(why) => (StatusCode::FORBIDDEN, why.to_owned()),
            Self::Unknown => (StatusCode::NOT_FOUND, "Not Found".to_owned()),
            Self::Gone => (StatusCode::GONE, "Gone".to_owned()),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Too large".to_owned()),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "Too slow".to_owned()),
            Self::Later | Self::Internal(domain::Error::Busy(_)) => {
                (StatusCode::SERVICE_UNAVAILABLE, "Try again later".to_owned())
            }
            Self::Internal(error) => {
                tracing::error!(error = format!("{error:#}"), "an answer to another server failed");
                (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error".to_owned())
            }
        };
        let mut response = (status, axum::Json(serde_json::json!({ "error": text }))).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let how = HeaderValue::from_static(crate::signatures::ACCEPT_SIGNATURE);
            response.headers_mut().insert(ACCEPT_SIGNATURE, how);
        }
        response
    }
}
