//! Path parameters: what does not parse names nothing.

use super::error::ApiError;
use axum::extract::FromRequestParts;
use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

/// Like axum's `Path`, for ids, tuples and structs; garbage (also a NUL or bytes that are not UTF-8)
/// answers 404 "Record not found".
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<T, S> FromRequestParts<S> for Path<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        // PostgreSQL cannot hold a NUL in a text.
        if parts.uri.path().contains("%00") {
            return Err(ApiError::not_found());
        }
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(path) => Ok(Self(path.0)),
            Err(PathRejection::FailedToDeserializePathParams(e)) => match e.into_kind() {
                kind @ (ErrorKind::WrongNumberOfParameters { .. } | ErrorKind::UnsupportedType { .. }) => {
                    Err(ApiError::internal(anyhow::anyhow!("path parameters: {kind}")))
                }
                _ => Err(ApiError::not_found()),
            },
            Err(other) => Err(ApiError::internal(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::http::Request;
    use axum::routing::get;
    use tower::ServiceExt;

    #[tokio::test]
    async fn garbage_names_nothing() {
        let app: Router =
            Router::new().route("/one/{id}", get(|Path(id): Path<i64>| async move { id.to_string() })).route(
                "/two/{id}/{name}",
                get(|Path((id, name)): Path<(i64, String)>| async move { format!("{id} {name}") }),
            );
        let table = [
            ("/one/12", 200),
            ("/one/x", 404),
            ("/one/99999999999999999999", 404),
            ("/one/%ff", 404),
            ("/two/1/%E3%81%82", 200),
            ("/two/1/a%00b", 404),
            ("/two/1/%ff", 404),
        ];
        for (path, status) in table {
            let request = Request::builder().uri(path).body(Body::empty()).unwrap();
            assert_eq!(app.clone().oneshot(request).await.unwrap().status(), status, "{path}");
        }
    }
}
