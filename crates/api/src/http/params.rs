//! `Params<T>`: an endpoint's parameters from wherever the client put them.

use super::de::from_tree;
use super::error::{ApiError, ApiResult};
use super::multipart::{self, Files, Received};
use super::tree::Tree;
use axum::body::{Body, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use std::error::Error;
use std::time::Duration;

/// Bytes of a body without files: a form, JSON, or all the text fields of a multipart body.
pub const MAX_BODY: usize = 1 << 20;
/// A body without files must have arrived after this long.
const MAX_BODY_TIME: Duration = Duration::from_secs(60);

/// Parameters from the query string and, whatever the method, the body: urlencoded, multipart (text fields)
/// or JSON. Of a name in both, the query's value counts. Other content types are ignored.
///
/// `T` is a plain struct with `#[serde(default)]`; see [`Given`](super::Given) and [`Id`](super::Id) for the rest:
///
/// | field | reads |
/// | --- | --- |
/// | `Option<String>` | text or JSON number or boolean; `Some("")` when empty |
/// | `bool`, `Option<bool>` | `0 f F false FALSE off OFF` are false, other text is true |
/// | `Option<i64>`, `u32`, `f64`, … | numbers and text holding one |
/// | an enum | its words; another word is 422 `'x' is not a valid visibility` |
/// | `Vec<T>`, `Option<Vec<T>>` | `a[]=`, `a[0]=`, JSON list, or one value; empty texts are left out |
/// | a struct, `HashMap<String, T>` | `a[b]=`, JSON object |
/// | `Id<StatusId>` | an id; garbage is an id of nothing |
///
/// An empty text or null where no text is wanted counts as not given. `#[serde(flatten)]` is not supported.
///
/// Errors: 400 for what cannot be read or is missing, naming the parameter; 413 over [`MAX_BODY`].
/// See <https://docs.joinmastodon.org/client/intro/>.
#[derive(Clone, Copy, Debug, Default)]
pub struct Params<T>(pub T);

impl<T, S> FromRequest<S> for Params<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let received = read(request, Files::Skip).await?;
        from_tree(received.fields.into_value()).map(Self)
    }
}

/// Reads query and body; what becomes of files is for `files` to say.
pub(super) async fn read(request: Request, files: Files) -> ApiResult<Received> {
    let (parts, body) = request.into_parts();
    let mut query = Tree::default();
    query.add_urlencoded(parts.uri.query().unwrap_or_default().as_bytes())?;
    let mut received = Received::default();
    if !body.is_end_stream() {
        match Encoding::of(&parts.headers)? {
            Encoding::Form => received.fields.add_urlencoded(&whole(body).await?)?,
            Encoding::Json => received.fields.add_json(&whole(body).await?)?,
            Encoding::Multipart(boundary) => received = multipart::read(body, boundary, files).await?,
            Encoding::Other => {}
        }
    }
    received.fields = query.over(received.fields);
    Ok(received)
}

enum Encoding {
    Form,
    Json,
    Multipart(String),
    Other,
}

impl Encoding {
    /// A body without a content type is taken for a form, as Rack does.
    fn of(headers: &HeaderMap) -> ApiResult<Self> {
        let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(Self::Form) };
        let value = value.to_str().map_err(|_| ApiError::bad_request("Malformed Content-Type"))?;
        let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        Ok(match essence.as_str() {
            "application/x-www-form-urlencoded" => Self::Form,
            "multipart/form-data" => Self::Multipart(
                multer::parse_boundary(value)
                    .map_err(|_| ApiError::bad_request("Malformed multipart body: no boundary"))?,
            ),
            json if json.ends_with("/json") || json.ends_with("+json") => Self::Json,
            _ => Self::Other,
        })
    }
}

async fn whole(body: Body) -> ApiResult<Vec<u8>> {
    if body.size_hint().lower() > MAX_BODY as u64 {
        return Err(ApiError::too_large());
    }
    let collect = async {
        let mut bytes = Vec::new();
        let mut stream = body.into_data_stream();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|e| broken(&e))?;
            if bytes.len() + chunk.len() > MAX_BODY {
                return Err(ApiError::too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    };
    tokio::time::timeout(MAX_BODY_TIME, collect).await.unwrap_or_else(|_| Err(timed_out()))
}

/// A body that stopped arriving: 413 when a layer above cut it off, else 400.
pub(super) fn broken(e: &(dyn Error + 'static)) -> ApiError {
    let mut next = Some(e);
    while let Some(e) = next {
        if e.is::<http_body_util::LengthLimitError>() {
            return ApiError::too_large();
        }
        next = e.source();
    }
    ApiError::bad_request("The request body broke off")
}

pub(super) fn timed_out() -> ApiError {
    ApiError::new(StatusCode::REQUEST_TIMEOUT, "The request body did not arrive in time")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::response::Response;
    use axum::routing::any;
    use http_body_util::BodyExt;
    use serde::Deserialize;
    use tower::ServiceExt;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Form {
        status: Option<String>,
        media_ids: Vec<i64>,
        sensitive: bool,
    }

    const FORM: &str = "application/x-www-form-urlencoded";
    const JSON: &str = "application/json";
    const MULTIPART: &str = "multipart/form-data; boundary=XX";

    async fn send(method: &str, uri: &str, kind: Option<&str>, body: impl Into<Body>) -> Response {
        let show = |Params(form): Params<Form>| async move {
            format!("{:?} {:?} {}", form.status, form.media_ids, form.sensitive)
        };
        let app: Router = Router::new().route("/", any(show));
        let mut request = Request::builder().method(method).uri(uri);
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        app.oneshot(request.body(body.into()).unwrap()).await.unwrap()
    }

    async fn text(response: Response) -> String {
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        format!("{status} {}", String::from_utf8_lossy(&bytes))
    }

    #[tokio::test]
    async fn every_encoding_on_every_method() {
        let multipart = "--XX\r\nContent-Disposition: form-data; name=\"status\"\r\n\r\nhi あ\r\n\
            --XX\r\nContent-Disposition: form-data; name=\"media_ids[]\"\r\n\r\n1\r\n\
            --XX\r\nContent-Disposition: form-data; name=\"media_ids[]\"\r\n\r\n2\r\n\
            --XX\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\nskipped\r\n\
            --XX\r\nContent-Disposition: form-data; name=\"sensitive\"\r\n\r\ntrue\r\n--XX--\r\n";
        let form = "status=hi+%E3%81%82&media_ids[]=1&media_ids[]=2&sensitive=1";
        let json = r#"{"status":"hi あ","media_ids":["1",2],"sensitive":true}"#;
        let expected = "200 Some(\"hi あ\") [1, 2] true";
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            assert_eq!(text(send(method, &format!("/?{form}"), None, "").await).await, expected);
            assert_eq!(text(send(method, "/", Some(FORM), form).await).await, expected);
            assert_eq!(text(send(method, "/", None, form).await).await, expected);
            assert_eq!(text(send(method, "/", Some(MULTIPART), multipart).await).await, expected);
            assert_eq!(text(send(method, "/", Some("Application/JSON; charset=utf-8"), json).await).await, expected);
            assert_eq!(text(send(method, "/?status=q", Some(JSON), json).await).await, expected.replace("hi あ", "q"));
        }
    }

    #[tokio::test]
    async fn odd_content_types() {
        assert_eq!(text(send("POST", "/", Some("text/plain"), "status=x").await).await, "200 None [] false");
        assert_eq!(text(send("POST", "/", Some(JSON), "").await).await, "200 None [] false");
        assert_eq!(send("POST", "/", Some("multipart/form-data"), "x").await.status(), 400);
        assert_eq!(send("POST", "/", Some(JSON), "status=x").await.status(), 400);
    }

    #[tokio::test]
    async fn hostile_bodies_are_refused() {
        let huge = "a".repeat(MAX_BODY + 1);
        let many = "media_ids[]=1&".repeat(10_000);
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        let table: Vec<(&str, Vec<u8>, u16)> = vec![
            (FORM, huge.clone().into(), 413),
            (JSON, huge.clone().into(), 413),
            (FORM, many.into(), 400),
            (FORM, b"status=%ff".to_vec(), 400),
            (FORM, b"status=\xff".to_vec(), 400),
            (FORM, b"status=a&status[b]=c".to_vec(), 400),
            (FORM, b"media_ids=x".to_vec(), 400),
            (JSON, deep.into(), 400),
            (JSON, b"{\"status\":\"\xff\"}".to_vec(), 400),
            (MULTIPART, b"--XX\r\n".to_vec(), 400),
            (MULTIPART, b"--XX\r\nContent-Disposition: form-data; name=\"status\"\r\n\r\nbroken".to_vec(), 400),
            (MULTIPART, b"--XX\r\nContent-Disposition: form-data; name=\"status\"\r\n\r\n\xff\r\n--XX--".to_vec(), 400),
            (MULTIPART, huge.clone().into(), 400),
            (
                MULTIPART,
                format!("--XX\r\nContent-Disposition: form-data; name=\"status\"\r\n\r\n{huge}\r\n--XX--").into(),
                413,
            ),
            (
                MULTIPART,
                format!("--XX\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\n{huge}\r\n--XX--")
                    .into(),
                413,
            ),
            (
                MULTIPART,
                format!("{}--XX--", "--XX\r\nContent-Disposition: form-data; name=\"a[]\"\r\n\r\n1\r\n".repeat(2000))
                    .into(),
                400,
            ),
        ];
        for (i, (kind, body, status)) in table.into_iter().enumerate() {
            let answer = send("POST", "/", Some(kind), body).await;
            assert_eq!(answer.status(), status, "row {i}: {}", text(answer).await);
        }
        assert_eq!(send("GET", "/?status=%ff", None, "").await.status(), 400);
    }

    #[tokio::test]
    async fn cut_off_bodies() {
        let limited = |kind: &'static str| {
            let body = Body::new(http_body_util::Limited::new(Body::from("status=12345678"), 4));
            send("POST", "/", Some(kind), body)
        };
        assert_eq!(limited(FORM).await.status(), 413);
        assert_eq!(limited(MULTIPART).await.status(), 413);
        let broken = futures_util::stream::iter([Ok("status="), Err(std::io::Error::other("gone"))]);
        assert_eq!(send("POST", "/", Some(FORM), Body::from_stream(broken)).await.status(), 400);
    }
}
