//! What people do to a status. Each answers the status as it now is.

use crate::{
    App,
    auth::{User, scope},
    entities::{self, Status},
    http::{ApiResult, Json, Params, Path},
};
use axum::extract::State;
use domain::{
    ids::{AccountId, StatusId},
    statuses::{self, Visibility, actions},
};
use serde::Deserialize;

async fn show(app: &App, row: statuses::Status, viewer: AccountId) -> ApiResult<Json<Status>> {
    let conn = app.db.read().await?;
    Ok(Json(entities::status(app, &conn, row, Some(viewer)).await?))
}

/// `POST /api/v1/statuses/:id/favourite` <https://docs.joinmastodon.org/methods/statuses/#favourite>
pub(super) async fn favourite(
    State(app): State<App>,
    user: User<scope::WriteFavourites>,
    Path(id): Path<StatusId>,
) -> ApiResult<Json<Status>> {
    show(&app, actions::favourite(&app.db, user.account, id).await?, user.account).await
}

/// `POST /api/v1/statuses/:id/unfavourite` <https://docs.joinmastodon.org/methods/statuses/#unfavourite>
pub(super) async fn unfavourite(
    State(app): State<App>,
    user: User<scope::WriteFavourites>,
    Path(id): Path<StatusId>,
) -> ApiResult<Json<Status>> {
    show(&app, actions::unfavourite(&app.db, user.account, id).await?, user.account).await
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Reblog {
    visibility: Option<Visibility>,
}

/// `POST /api/v1/statuses/:id/reblog` <https://docs.joinmastodon.org/methods/statuses/#boost>
pub(super) async fn reblog(
    State(app): State<App>,
    user: User<scope::WriteStatuses>,
    Path(id): Path<StatusId>,
    Params(form): Params<Reblog>,
) -> ApiResult<Json<Status>> {
    let boost = actions::reblog(&app.db, &app.site, user.account, (id, form.visibility)).await?;
    show(&app, boost, user.account).await
}

/// `POST /api/v1/statuses/:id/unreblog` <https://docs.joinmastodon.org/methods/statuses/#unreblog>
pub(super) async fn unreblog(
    State(app): State<App>,
    user: User<scope::WriteStatuses>,
    Path(id): Path<StatusId>,
) -> ApiResult<Json<Status>> {
    show(&app, actions::unreblog(&app.db, user.account, id).await?, user.account).await
}

/// `POST /api/v1/statuses/:id/bookmark` <https://docs.joinmastodon.org/methods/statuses/#bookmark>
pub(super) async fn bookmark(
    State(app): State<App>,
    user: User<scope::WriteBookmarks>,
    Path(id): Path<StatusId>,
) -> ApiResult<Json<Status>> {
    show(&app, actions::bookmark(&app.db, user.account, id).await?, user.account).await
}

/// `POST /api/v1/statuses/:id/unbookmark` <https://docs.joinmastodon.org/methods/statuses/#unbookmark>
pub(super) async fn unbookmark(
    State(app): State<App>,
    user: User<scope::WriteBookmarks>,
    Path(id): Path<StatusId>,
) -> ApiResult<Json<Status>> {
    show(&app, actions::unbookmark(&app.db, user.account, id).await?, user.account).await
}

/// `POST /api/v1/statuses/:id/pin` <https://docs.joinmastodon.org/methods/statuses/#pin>
pub(super) async fn pin(
    State(app): State<App>,
    user: User<scope::WriteAccounts>,
    Path(id): Path<StatusId>,
) -> ApiResult<Json<Status>> {
    show(&app, actions::pin(&app.db, &app.site, user.account, id).await?, user.account).await
}

/// `POST /api/v1/statuses/:id/unpin` <https://docs.joinmastodon.org/methods/statuses/#unpin>
pub(super) async fn unpin(
    State(app): State<App>,
    user: User<scope::WriteAccounts>,
    Path(id): Path<StatusId>,
) -> ApiResult<Json<Status>> {
    show(&app, actions::unpin(&app.db, user.account, id).await?, user.account).await
}

/// `POST /api/v1/statuses/:id/mute` <https://docs.joinmastodon.org/methods/statuses/#mute>
pub(super) async fn mute(
    State(app): State<App>,
    user: User<scope::WriteMutes>,
    Path(id): Path<StatusId>,
) -> ApiResult<Json<Status>> {
    show(&app, actions::mute(&app.db, user.account, id).await?, user.account).await
}

/// `POST /api/v1/statuses/:id/unmute` <https://docs.joinmastodon.org/methods/statuses/#unmute>
pub(super) async fn unmute(
    State(app): State<App>,
    user: User<scope::WriteMutes>,
    Path(id): Path<StatusId>,
) -> ApiResult<Json<Status>> {
    show(&app, actions::unmute(&app.db, user.account, id).await?, user.account).await
}
