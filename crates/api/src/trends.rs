//! What people talk about these days. <https://docs.joinmastodon.org/methods/trends/>

use crate::{
    App,
    auth::{Viewer, scope},
    entities::{self, Empty, Status, Tag},
    http::{ApiResult, Json, PageLimits, Paged, Paging},
};
use axum::{Router, extract::State, routing::get};
use domain::trends;

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/trends", get(tags))
        .route("/api/v1/trends/tags", get(tags))
        .route("/api/v1/trends/statuses", get(statuses))
        .route("/api/v1/trends/links", get(links))
}

/// `GET /api/v1/trends/tags` <https://docs.joinmastodon.org/methods/trends/#tags>
async fn tags(State(app): State<App>, viewer: Viewer<scope::Any>, paging: Paging) -> ApiResult<Paged<Vec<Tag>>> {
    let at = paging.offset(PageLimits::TRENDS);
    let conn = app.db.read_long().await?;
    let found = trends::tags(&conn, at.offset, at.limit).await?;
    let rows = found.len();
    let made = entities::tags(&app, &conn, found, viewer.account()).await?;
    Ok(paging.paged_by_offset(made, at, rows))
}

/// `GET /api/v1/trends/statuses` <https://docs.joinmastodon.org/methods/trends/#statuses>
async fn statuses(State(app): State<App>, viewer: Viewer<scope::Any>, paging: Paging) -> ApiResult<Paged<Vec<Status>>> {
    let at = paging.offset(PageLimits::STATUSES);
    let conn = app.db.read_long().await?;
    let shown = trends::statuses(&conn, viewer.account(), at.offset, at.limit).await?;
    let rows = shown.statuses.len();
    let made = entities::statuses(&app, &conn, shown, viewer.account()).await?;
    Ok(paging.paged_by_offset(made, at, rows))
}

/// `GET /api/v1/trends/links`: there are no link previews of posts yet, so that no link can trend.
/// <https://docs.joinmastodon.org/methods/trends/#links>
async fn links(_: Viewer<scope::Any>) -> ApiResult<Json<[Empty; 0]>> {
    Ok(Json([]))
}
