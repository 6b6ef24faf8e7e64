//! Notifications one by one. <https://docs.joinmastodon.org/methods/notifications/>

use super::{Count, Form, unread};
use crate::{
    App,
    auth::{User, scope},
    entities::{self, Empty, Notification},
    http::{ApiError, ApiResult, Json, Links, PageLimits, Paged, Paging, Params, Path},
};
use axum::extract::State;
use domain::{ids::NotificationId, notifications};

/// `GET /api/v1/notifications` <https://docs.joinmastodon.org/methods/notifications/#get>
pub(super) async fn list(
    State(app): State<App>,
    user: User<scope::ReadNotifications>,
    paging: Paging,
    Params(form): Params<Form>,
) -> ApiResult<Paged<Vec<Notification>>> {
    let page = paging.page(PageLimits::ACCOUNTS);
    let Some(filter) = form.filter()? else {
        return Ok(paging.paged(Vec::new(), None, Links::Timeline));
    };
    let conn = app.db.read().await?;
    let rows = notifications::list(&conn, user.account, &filter, page.into()).await?;
    let ends = page.shown(&rows, |n| n.id);
    let made = entities::notifications(&app, &conn, rows, user.account).await?;
    Ok(paging.paged(made, ends, Links::Timeline))
}

/// `GET /api/v1/notifications/:id` <https://docs.joinmastodon.org/methods/notifications/#get-one>
pub(super) async fn one(
    State(app): State<App>,
    user: User<scope::ReadNotifications>,
    Path(id): Path<NotificationId>,
) -> ApiResult<Json<Notification>> {
    let conn = app.db.read().await?;
    let row = notifications::one(&conn, user.account, id).await?;
    let made = entities::notifications(&app, &conn, vec![row], user.account).await?;
    made.into_iter().next().map(Json).ok_or_else(ApiError::not_found)
}

/// `GET /api/v1/notifications/unread_count` <https://docs.joinmastodon.org/methods/notifications/#unread-count>
pub(super) async fn unread_count(
    State(app): State<App>,
    user: User<scope::ReadNotifications>,
    paging: Paging,
    Params(form): Params<Form>,
) -> ApiResult<Json<Count>> {
    let Some(filter) = form.filter()? else { return Ok(Json(Count { count: 0 })) };
    let conn = app.db.read_long().await?;
    let page = unread(&conn, user.account, &paging).await?;
    let count = notifications::unread(&conn, user.account, &filter, page).await?;
    Ok(Json(Count { count }))
}

/// `POST /api/v1/notifications/clear` and `/api/v2/…`
/// <https://docs.joinmastodon.org/methods/notifications/#clear>
pub(super) async fn clear(State(app): State<App>, user: User<scope::WriteNotifications>) -> ApiResult<Json<Empty>> {
    notifications::clear(&app.db, user.account).await?;
    Ok(Json(Empty {}))
}

/// `POST /api/v1/notifications/:id/dismiss` <https://docs.joinmastodon.org/methods/notifications/#dismiss>
pub(super) async fn dismiss(
    State(app): State<App>,
    user: User<scope::WriteNotifications>,
    Path(id): Path<NotificationId>,
) -> ApiResult<Json<Empty>> {
    notifications::dismiss(&app.db, user.account, id).await?;
    Ok(Json(Empty {}))
}
