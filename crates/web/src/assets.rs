//! Style and icon, under addresses that change with what is in them, so that browsers may keep them for ever.

use crate::Web;
use axum::{
    Router,
    http::{HeaderName, header},
    response::IntoResponse,
    routing::get,
};
use domain::secrets;
use std::sync::LazyLock;

static STYLE: &str = include_str!("../assets/noren.css");
static ICON: &str = include_str!("../assets/icon.svg");

/// Where the style is.
pub(crate) static STYLE_PATH: LazyLock<String> = LazyLock::new(|| named("noren", "css", STYLE));
/// Where the icon is.
pub(crate) static ICON_PATH: LazyLock<String> = LazyLock::new(|| named("icon", "svg", ICON));

fn named(name: &str, kind: &str, content: &str) -> String {
    let hash: String = secrets::hash(content).chars().filter(char::is_ascii_alphanumeric).take(12).collect();
    format!("/assets/{name}-{hash}.{kind}")
}

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route(&STYLE_PATH, get(|| async { asset("text/css; charset=utf-8", STYLE) }))
        .route(&ICON_PATH, get(|| async { asset("image/svg+xml", ICON) }))
}

fn asset(kind: &'static str, content: &'static str) -> impl IntoResponse {
    let headers: [(HeaderName, &str); 4] = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; sandbox"),
    ];
    (headers, content)
}
