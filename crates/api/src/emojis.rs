//! This site's custom emoji.

use crate::{
    App,
    entities::CustomEmoji,
    http::{ApiResult, Json},
};
use axum::{Router, extract::State, routing::get};
use domain::emojis;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/api/v1/custom_emojis", get(list))
}

/// `GET /api/v1/custom_emojis` <https://docs.joinmastodon.org/methods/custom_emojis/#get>
async fn list(State(app): State<App>) -> ApiResult<Json<Vec<CustomEmoji>>> {
    let rows = emojis::list(&app.db.read().await?).await?;
    let shown = rows.into_iter().filter(|emoji| emoji.visible_in_picker);
    Ok(Json(shown.map(|emoji| CustomEmoji::of(&app, emoji)).collect()))
}
