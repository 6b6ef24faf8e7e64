//! Emoji of this site at the addresses that they have in documents.

use crate::accept::accepts_documents;
use crate::actors::serve::document;
use crate::{Federation, Path, Refusal};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

pub(crate) fn routes() -> Router<Federation> {
    Router::new().route("/emojis/{shortcode}", get(emoji))
}

/// `GET /emojis/{shortcode}`: as open as the pictures themselves, to which people are led.
async fn emoji(
    State(federation): State<Federation>,
    Path(shortcode): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    if !shortcode.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Err(Refusal::Unknown);
    }
    let conn = federation.db.read().await?;
    let found = federation.emojis(&conn, &[shortcode]).await?.into_iter().next().ok_or(Refusal::Unknown)?;
    if accepts_documents(&headers) {
        return Ok(document(&found.to_json()));
    }
    let mut response = Redirect::to(&found.image.url).into_response();
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
    Ok(response)
}
