//! The pictures of people who have none. Made by `assets/make.py`.

use crate::App;
use axum::{
    Router,
    http::{HeaderName, header},
    response::IntoResponse,
    routing::get,
};

/// Where a missing avatar is, below the site's address: the path that Mastodon's clients know.
pub const AVATAR: &str = "/avatars/original/missing.png";
/// Where a missing header is.
/// <https://docs.joinmastodon.org/entities/Account/#header>
pub const HEADER: &str = "/headers/original/missing.png";

const HEADERS: [(HeaderName, &str); 4] = [
    (header::CONTENT_TYPE, "image/png"),
    (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
];

pub(crate) fn routes() -> Router<App> {
    Router::new().route(AVATAR, get(avatar)).route(HEADER, get(banner))
}

async fn avatar() -> impl IntoResponse {
    (HEADERS, include_bytes!("../assets/avatar.png").as_slice())
}

async fn banner() -> impl IntoResponse {
    (HEADERS, include_bytes!("../assets/header.png").as_slice())
}
