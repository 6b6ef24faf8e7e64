//! Whether the server is well, for whoever watches it.

use crate::{
    App,
    http::{ApiResult, Json},
};
use axum::{Router, extract::State, routing::get};
use serde::Serialize;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/health", get(health))
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

/// `GET /health`: 503 while the database does not answer. <https://docs.joinmastodon.org/methods/health/#get>
async fn health(State(app): State<App>) -> ApiResult<Json<Health>> {
    drop(app.db.read().await?);
    Ok(Json(Health { status: "OK" }))
}
