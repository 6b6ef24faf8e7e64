//! The one mapping from what went wrong to what a client reads: a status and `{"error": …}`.
//! Internal errors are logged here, once, and never shown.

use super::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt;
use std::time::Duration;

pub type ApiResult<T> = Result<T, ApiError>;

/// An answer that is not a success, in Mastodon's shape.
///
/// See <https://docs.joinmastodon.org/entities/Error/>.
pub struct ApiError(Box<Inner>);

struct Inner {
    status: StatusCode,
    body: Value,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<anyhow::Error>,
}

/// What a client can tell apart about one refused field of a sign-up.
///
/// See <https://docs.joinmastodon.org/methods/accounts/#422-unprocessable-entity>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Detail {
    #[serde(rename = "ERR_BLOCKED")]
    Blocked,
    #[serde(rename = "ERR_UNREACHABLE")]
    Unreachable,
    #[serde(rename = "ERR_TAKEN")]
    Taken,
    #[serde(rename = "ERR_RESERVED")]
    Reserved,
    #[serde(rename = "ERR_ACCEPTED")]
    Accepted,
    #[serde(rename = "ERR_BLANK")]
    Blank,
    #[serde(rename = "ERR_INVALID")]
    Invalid,
    #[serde(rename = "ERR_TOO_LONG")]
    TooLong,
    #[serde(rename = "ERR_TOO_SHORT")]
    TooShort,
    #[serde(rename = "ERR_INCLUSION")]
    Inclusion,
}

/// One refused field of a sign-up; `description` is a fragment such as "can't be blank".
#[derive(Clone, Debug)]
pub struct FieldError {
    pub field: &'static str,
    pub error: Detail,
    pub description: String,
}

impl ApiError {
    /// Any other documented answer: `status` with `{"error": text}`.
    pub fn new(status: StatusCode, text: impl Into<String>) -> Self {
        let body = json!({ "error": text.into() });
        Self(Box::new(Inner { status, body, headers: Vec::new(), cause: None }))
    }
    /// 400: a parameter is missing or cannot be read.
    pub fn bad_request(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }
    /// 400, naming the parameter that must be there.
    pub fn missing_param(name: &str) -> Self {
        Self::bad_request(format!("param is missing or the value is empty: {name}"))
    }
    /// 401: no bearer token, or one that is unknown or revoked.
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "The access token is invalid")
            .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\""))
    }
    /// 401: the server shows nothing to people who are not signed in.
    pub fn needs_sign_in() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "This API requires an authenticated user")
    }
    /// 422: a token of an application alone where a user's is needed.
    pub fn needs_user() -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "This method requires an authenticated user")
    }
    /// 403: no permission.
    pub fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "This action is not allowed")
    }
    /// 403: the token lacks the scope.
    pub fn missing_scope() -> Self {
        Self::new(StatusCode::FORBIDDEN, "This action is outside the authorized scopes")
    }
    /// 403: the account is disabled or suspended.
    pub fn login_disabled() -> Self {
        Self::new(StatusCode::FORBIDDEN, "Your login is currently disabled")
    }
    /// 403: the e-mail address is not confirmed yet.
    pub fn login_unconfirmed() -> Self {
        Self::new(StatusCode::FORBIDDEN, "Your login is missing a confirmed e-mail address")
    }
    /// 403: a moderator has not approved the account yet.
    pub fn login_pending() -> Self {
        Self::new(StatusCode::FORBIDDEN, "Your login is currently pending approval")
    }
    /// 404: nothing there, or nothing this person may know about.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Record not found")
    }
    /// 404: no such route, or the feature is off.
    pub fn no_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not Found")
    }
    /// 409: somebody else changed it meanwhile (markers).
    pub fn stale() -> Self {
        Self::new(StatusCode::CONFLICT, "Conflict during update, please try again")
    }
    /// 410: gone for good, or suspended.
    pub fn gone() -> Self {
        Self::new(StatusCode::GONE, "Gone")
    }
    /// 413: the body is larger than any endpoint takes.
    pub fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "Payload too large")
    }
    /// 422 with a text of its own, without "Validation failed".
    pub fn unprocessable(text: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, text)
    }
    /// 422: already there.
    pub fn duplicate() -> Self {
        Self::unprocessable("Duplicate record")
    }
    /// 422: whole sentences, such as "Text can't be blank".
    pub fn validation<I>(messages: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        Self::unprocessable(sentence(messages))
    }
    /// 422 of a sign-up: the sentence for people and the codes for programs.
    pub fn sign_up(errors: &[FieldError]) -> Self {
        let mut details = serde_json::Map::new();
        for e in errors {
            let list = details.entry(e.field).or_insert_with(|| json!([]));
            if let Value::Array(list) = list {
                list.push(json!({ "error": e.error, "description": e.description }));
            }
        }
        let text = sentence(errors.iter().map(|e| format!("{} {}", human(e.field), e.description)));
        let mut error = Self::unprocessable(text);
        error.0.body["details"] = Value::Object(details);
        error
    }
    /// 429.
    pub fn too_many_requests() -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "Too many requests")
    }
    /// 503: another server did not answer.
    pub fn unreachable() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Remote data could not be fetched")
    }
    /// 503: try again after this long.
    pub fn busy(after: Duration) -> Self {
        let seconds = after.as_secs().saturating_add(u64::from(after.subsec_nanos() > 0)).max(1);
        let text = "There was a temporary problem serving your request, please try again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, text).with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }
    /// 500: our fault. The cause goes to the log with the request's id, never to the client.
    pub fn internal(cause: impl Into<anyhow::Error>) -> Self {
        let mut error = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
        error.0.cause = Some(cause.into());
        error
    }

    /// The same answer with one more header.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }
    pub fn status(&self) -> StatusCode {
        self.0.status
    }
    /// The text the client reads.
    pub fn message(&self) -> &str {
        self.0.body["error"].as_str().unwrap_or_default()
    }
}

fn sentence<I>(messages: I) -> String
where
    I: IntoIterator,
    I::Item: AsRef<str>,
{
    let list: Vec<String> = messages.into_iter().map(|m| m.as_ref().to_owned()).collect();
    format!("Validation failed: {}", list.join(", "))
}

/// `scheduled_at` → `Scheduled at`, as Mastodon's sentences begin.
fn human(field: &str) -> String {
    let words = field.strip_suffix("_id").unwrap_or(field).replace('_', " ");
    let mut chars = words.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => words,
    }
}

fn or_else(text: String, standard: ApiError) -> ApiError {
    if text.is_empty() { standard } else { ApiError::new(standard.status(), text) }
}

impl From<domain::Error> for ApiError {
    fn from(e: domain::Error) -> Self {
        match e {
            domain::Error::NotFound => Self::not_found(),
            domain::Error::Gone => Self::gone(),
            domain::Error::Forbidden(why) => or_else(why, Self::forbidden()),
            domain::Error::Invalid { field: "" | "base", why } => Self::validation([why]),
            domain::Error::Invalid { field, why } => Self::validation([format!("{} {why}", human(field))]),
            domain::Error::Conflict(why) => or_else(why, Self::duplicate()),
            domain::Error::Busy(after) => Self::busy(after),
            domain::Error::Unreachable(_) => Self::unreachable(),
            domain::Error::Internal(cause) => Self::internal(cause),
        }
    }
}

impl From<anyhow::Error> for ApiError {
    fn from(cause: anyhow::Error) -> Self {
        Self::internal(cause)
    }
}

impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.status.as_u16(), self.0.body)?;
        self.0.cause.as_ref().map_or(Ok(()), |cause| write!(f, " ({cause:#})"))
    }
}

impl IntoResponse for ApiError {
    /// Logs the cause of a 500; the span around the request carries its id (see [`super::request_id`]).
    fn into_response(self) -> Response {
        let Inner { status, body, headers, cause } = *self.0;
        if let Some(cause) = cause {
            tracing::error!(error = format!("{cause:#}"), "request failed");
        }
        let mut response = (status, Json(body)).into_response();
        for (name, value) in headers {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// Answer for paths no route knows: `Router::fallback`.
pub async fn no_route() -> ApiError {
    ApiError::no_route()
}

/// Answer for a known path with another method: `Router::method_not_allowed_fallback`.
pub async fn method_not_allowed() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::http::Request;
    use axum::routing::get;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    async fn shown(answer: impl IntoResponse) -> (u16, Value) {
        let response = answer.into_response();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    #[tokio::test]
    async fn domain_errors_have_one_answer_each() {
        use domain::Error::*;
        let table = [
            (NotFound, 404, "Record not found"),
            (Gone, 410, "Gone"),
            (Forbidden(String::new()), 403, "This action is not allowed"),
            (Forbidden("Your login is currently disabled".into()), 403, "Your login is currently disabled"),
            (Invalid { field: "text", why: "can't be blank".into() }, 422, "Validation failed: Text can't be blank"),
            (Invalid { field: "in_reply_to_id", why: "is odd".into() }, 422, "Validation failed: In reply to is odd"),
            (
                Invalid { field: "", why: "The poll has already ended".into() },
                422,
                "Validation failed: The poll has already ended",
            ),
            (Conflict(String::new()), 422, "Duplicate record"),
            (Unreachable("example.org".into()), 503, "Remote data could not be fetched"),
            (Internal(anyhow::anyhow!("password=hunter2")), 500, "Internal Server Error"),
        ];
        for (error, status, text) in table {
            assert_eq!(shown(ApiError::from(error)).await, (status, json!({ "error": text })));
        }
        let busy = ApiError::from(Busy(Duration::from_millis(1500))).into_response();
        assert_eq!(busy.status(), 503);
        assert_eq!(busy.headers()["retry-after"], "2");
    }

    #[tokio::test]
    async fn sign_up_errors_carry_codes() {
        let errors = [
            FieldError { field: "username", error: Detail::Taken, description: "has already been taken".into() },
            FieldError { field: "agreement", error: Detail::Accepted, description: "must be accepted".into() },
        ];
        let expected = json!({
            "error": "Validation failed: Username has already been taken, Agreement must be accepted",
            "details": {
                "username": [{"error": "ERR_TAKEN", "description": "has already been taken"}],
                "agreement": [{"error": "ERR_ACCEPTED", "description": "must be accepted"}],
            },
        });
        assert_eq!(shown(ApiError::sign_up(&errors)).await, (422, expected));
    }

    #[tokio::test]
    async fn unknown_routes_answer_json() {
        let app: Router = Router::new()
            .route("/api/v1/x", get(|| async { "" }))
            .fallback(no_route)
            .method_not_allowed_fallback(method_not_allowed);
        for (method, path, status) in [("GET", "/api/v1/y", 404), ("DELETE", "/api/v1/x", 405)] {
            let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
            let (seen, body) = shown(app.clone().oneshot(request).await.unwrap()).await;
            assert_eq!(seen, status);
            assert!(body["error"].is_string());
        }
    }
}
