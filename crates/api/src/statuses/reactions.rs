//! Emoji on statuses, in the way that clients of Pleroma and its relatives know: Mastodon has none.
//! <https://docs.pleroma.social/backend/development/API/pleroma_api/#emoji-reactions>

use crate::{
    App,
    auth::{User, Viewer, scope},
    entities::{self, ReactedBy, Status},
    http::{ApiError, ApiResult, Json, Path},
};
use axum::extract::State;
use domain::{
    ids::{AccountId, StatusId},
    statuses::{self, reactions, visibility},
};

async fn show(app: &App, row: statuses::Status, viewer: AccountId) -> ApiResult<Json<Status>> {
    let conn = app.db.read().await?;
    Ok(Json(entities::status(app, &conn, row, Some(viewer)).await?))
}

/// `PUT /api/v1/pleroma/statuses/:id/reactions/:emoji`: a character, or the shortcode of a custom emoji.
pub(super) async fn put(
    State(app): State<App>,
    user: User<scope::WriteReactions>,
    Path((id, text)): Path<(StatusId, String)>,
) -> ApiResult<Json<Status>> {
    let conn = app.db.read().await?;
    let status = visibility::visible_original(&conn, user.account, id).await?;
    let emoji = reactions::meant(&conn, status.id, &text).await?;
    drop(conn);
    let emoji = emoji.ok_or_else(|| ApiError::unprocessable("Invalid emoji"))?;
    show(&app, reactions::react(&app.db, user.account, (status.id, &emoji)).await?, user.account).await
}

/// `DELETE /api/v1/pleroma/statuses/:id/reactions/:emoji`
pub(super) async fn delete(
    State(app): State<App>,
    user: User<scope::WriteReactions>,
    Path((id, text)): Path<(StatusId, String)>,
) -> ApiResult<Json<Status>> {
    let name = text.trim_matches(':');
    show(&app, reactions::unreact(&app.db, user.account, (id, name)).await?, user.account).await
}

/// `GET /api/v1/pleroma/statuses/:id/reactions`: who put which there.
pub(super) async fn list(
    State(app): State<App>,
    viewer: Viewer<scope::ReadStatuses>,
    Path(id): Path<StatusId>,
) -> ApiResult<Json<Vec<ReactedBy>>> {
    let conn = app.db.read().await?;
    let found = reactions::list(&conn, viewer.account(), id).await?;
    Ok(Json(entities::reacted_by(&app, &conn, found, viewer.account()).await?))
}

/// `GET /api/v1/pleroma/statuses/:id/reactions/:emoji`: as [`list`], of one emoji.
pub(super) async fn one(
    State(app): State<App>,
    viewer: Viewer<scope::ReadStatuses>,
    Path((id, text)): Path<(StatusId, String)>,
) -> ApiResult<Json<Vec<ReactedBy>>> {
    let name = text.trim_matches(':');
    let conn = app.db.read().await?;
    let mut found = reactions::list(&conn, viewer.account(), id).await?;
    found.retain(|(reaction, _)| reaction.name == name);
    Ok(Json(entities::reacted_by(&app, &conn, found, viewer.account()).await?))
}
