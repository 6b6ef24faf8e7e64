//! How the token endpoints refuse: RFC 6749's words instead of Mastodon's.

use super::Json;
use super::error::ApiError;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Answers of the token endpoints: `error` is a word of RFC 6749 section 5.2, `error_description` a sentence.
#[derive(Debug)]
pub enum OAuthError {
    /// 400: a parameter is missing or senseless; the text says which.
    InvalidRequest(String),
    /// 400: code or redirect URI wrong, expired or used.
    InvalidGrant,
    /// 400: a scope the application did not register.
    InvalidScope,
    /// 400
    UnsupportedGrantType,
    /// 401: unknown application or wrong secret.
    InvalidClient,
    /// 403: the token belongs to another application.
    UnauthorizedClient,
    /// What is no matter of OAuth, such as 429 or 500.
    Other(ApiError),
}

impl From<ApiError> for OAuthError {
    fn from(e: ApiError) -> Self {
        match e.status() {
            StatusCode::BAD_REQUEST => Self::InvalidRequest(e.message().to_owned()),
            _ => Self::Other(e),
        }
    }
}

impl From<domain::Error> for OAuthError {
    fn from(e: domain::Error) -> Self {
        match e {
            domain::Error::NotFound | domain::Error::Gone => Self::InvalidGrant,
            domain::Error::Forbidden(_) => Self::UnauthorizedClient,
            domain::Error::Invalid { field, why } => Self::InvalidRequest(format!("{field} {why}")),
            other => Self::Other(other.into()),
        }
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let (status, error, text) = match self {
            Self::InvalidRequest(why) => (StatusCode::BAD_REQUEST, "invalid_request", why),
            Self::InvalidGrant => (
                StatusCode::BAD_REQUEST,
                "invalid_grant",
                "The grant is invalid, expired, revoked or already used, or does not match the redirect URI.".into(),
            ),
            Self::InvalidScope => (
                StatusCode::BAD_REQUEST,
                "invalid_scope",
                "The requested scope is unknown, malformed or not registered for this application.".into(),
            ),
            Self::UnsupportedGrantType => (
                StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                "This server does not support the grant type.".into(),
            ),
            Self::InvalidClient => (
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                "Client authentication failed: unknown client, or missing or wrong credentials.".into(),
            ),
            Self::UnauthorizedClient => {
                (StatusCode::FORBIDDEN, "unauthorized_client", "You are not authorized to revoke this token".into())
            }
            Self::Other(e) => return e.into_response(),
        };
        let body = Json(json!({ "error": error, "error_description": text }));
        (status, [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")], body).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use serde_json::Value;

    async fn shown(answer: OAuthError) -> (u16, Value) {
        let response = answer.into_response();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    #[tokio::test]
    async fn oauth_errors_have_descriptions() {
        let (status, body) = shown(OAuthError::InvalidClient).await;
        assert_eq!((status, &body["error"]), (401, &json!("invalid_client")));
        assert!(body["error_description"].is_string());
        let (status, body) = shown(OAuthError::from(ApiError::missing_param("code"))).await;
        assert_eq!((status, &body["error"]), (400, &json!("invalid_request")));
        assert_eq!(shown(OAuthError::from(ApiError::too_many_requests())).await.0, 429);
    }
}
