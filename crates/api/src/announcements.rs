//! Announcements: nobody can make one yet. <https://docs.joinmastodon.org/methods/announcements/>

use crate::{
    App,
    auth::{User, scope},
    entities::Empty,
    http::Json,
};
use axum::{Router, routing::get};

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/api/v1/announcements", get(list))
}

/// `GET /api/v1/announcements` <https://docs.joinmastodon.org/methods/announcements/#get>
async fn list(_: User<scope::Any>) -> Json<[Empty; 0]> {
    Json([])
}
