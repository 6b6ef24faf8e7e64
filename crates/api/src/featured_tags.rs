//! Hashtags on one's profile.

use crate::{
    App,
    auth::{User, scope},
    entities::{self, Empty, FeaturedTag, Tag},
    http::{ApiError, ApiResult, Params, Path},
};
use axum::{
    Json, Router,
    extract::State,
    routing::{delete, get},
};
use domain::{ids::FeaturedTagId, tags};
use serde::Deserialize;

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/featured_tags", get(all).post(feature))
        .route("/api/v1/featured_tags/suggestions", get(suggestions))
        .route("/api/v1/featured_tags/{id}", delete(unfeature))
}

/// `GET /api/v1/featured_tags` <https://docs.joinmastodon.org/methods/featured_tags/#get>
async fn all(State(app): State<App>, user: User<scope::ReadAccounts>) -> ApiResult<Json<Vec<FeaturedTag>>> {
    let conn = app.db.read().await?;
    Ok(Json(entities::featured_tags(&app, tags::featured(&conn, user.account).await?)))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Form {
    name: Option<String>,
}

/// `POST /api/v1/featured_tags` <https://docs.joinmastodon.org/methods/featured_tags/#feature>
async fn feature(
    State(app): State<App>,
    user: User<scope::WriteAccounts>,
    Params(form): Params<Form>,
) -> ApiResult<Json<FeaturedTag>> {
    let name = form.name.filter(|name| !name.is_empty()).ok_or_else(|| ApiError::missing_param("name"))?;
    if tags::parse(&name).is_none() {
        return Err(ApiError::validation(["Tag is invalid"]));
    }
    let (featured, _) = tags::feature(&app.db, user.account, &name).await?;
    Ok(Json(entities::featured_tag(&app, featured)))
}

/// `DELETE /api/v1/featured_tags/:id` <https://docs.joinmastodon.org/methods/featured_tags/#unfeature>
async fn unfeature(
    State(app): State<App>,
    user: User<scope::WriteAccounts>,
    Path(id): Path<FeaturedTagId>,
) -> ApiResult<Json<Empty>> {
    tags::unfeature(&app.db, user.account, id).await?;
    Ok(Json(Empty {}))
}

/// `GET /api/v1/featured_tags/suggestions` <https://docs.joinmastodon.org/methods/featured_tags/#suggestions>
async fn suggestions(State(app): State<App>, user: User<scope::ReadAccounts>) -> ApiResult<Json<Vec<Tag>>> {
    let conn = app.db.read_long().await?;
    let rows = tags::suggestions(&conn, user.account).await?;
    Ok(Json(entities::tags(&app, &conn, rows, Some(user.account)).await?))
}
