//! Where WebFinger is, for those who ask first: <https://www.rfc-editor.org/rfc/rfc6415>.

use crate::Federation;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

const CACHE: &str = "max-age=259200, public";

pub(crate) fn routes() -> Router<Federation> {
    Router::new().route("/.well-known/host-meta", get(host_meta)).route("/.well-known/host-meta.json", get(as_json))
}

/// `GET /.well-known/host-meta`: XML, or JSON for those who accept that.
async fn host_meta(state: State<Federation>, headers: HeaderMap) -> Response {
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut response = match accepts.contains("application/json") || accepts.contains("jrd+json") {
        true => as_json(state).await,
        false => as_xml(&state),
    };
    response.headers_mut().insert(header::VARY, header::HeaderValue::from_static("Accept"));
    response
}

fn template(federation: &Federation) -> String {
    format!("{}/.well-known/webfinger?resource={{uri}}", federation.site.base_url)
}

fn as_xml(federation: &Federation) -> Response {
    // The address comes from a parsed URL without a query: nothing in it needs escaping.
    let document = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <XRD xmlns=\"http://docs.oasis-open.org/ns/xri/xrd-1.0\">\n  \
         <Link rel=\"lrdd\" template=\"{}\"/>\n</XRD>\n",
        template(federation)
    );
    let headers = [(header::CONTENT_TYPE, "application/xrd+xml; charset=utf-8"), (header::CACHE_CONTROL, CACHE)];
    (headers, document).into_response()
}

/// `GET /.well-known/host-meta.json`
async fn as_json(State(federation): State<Federation>) -> Response {
    let link = json!({ "rel": "lrdd", "type": "application/jrd+json", "template": template(&federation) });
    ([(header::CACHE_CONTROL, CACHE)], Json(json!({ "links": [link] }))).into_response()
}
