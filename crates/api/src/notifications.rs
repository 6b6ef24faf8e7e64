//! Notifications. <https://docs.joinmastodon.org/methods/notifications/>

use crate::{
    App,
    auth::{User, scope},
    entities::{self, Empty, Notification},
    http::{ApiError, ApiResult, Id, Links, PageLimits, Paged, Paging, Params, Path},
};
use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use domain::{
    ids::{AccountId, NotificationId},
    markers,
    notifications::{self, Filter, Kind},
};
use serde::{Deserialize, Serialize};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/notifications", get(list))
        .route("/api/v1/notifications/unread_count", get(unread_count))
        .route("/api/v1/notifications/clear", post(clear))
        .route("/api/v1/notifications/{id}", get(one))
        .route("/api/v1/notifications/{id}/dismiss", post(dismiss))
}

/// Kinds are an open set: words this server does not know find nothing.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Form {
    types: Vec<String>,
    exclude_types: Vec<String>,
    account_id: Id<AccountId>,
}

/// `GET /api/v1/notifications` <https://docs.joinmastodon.org/methods/notifications/#get>
async fn list(
    State(app): State<App>,
    user: User<scope::ReadNotifications>,
    paging: Paging,
    Params(form): Params<Form>,
) -> ApiResult<Paged<Vec<Notification>>> {
    let known = |words: &[String]| -> Vec<Kind> { words.iter().filter_map(|w| Kind::parse(w)).collect() };
    let filter =
        Filter { kinds: known(&form.types), except: known(&form.exclude_types), from: form.account_id.optional()? };
    let page = paging.page(PageLimits::ACCOUNTS);
    if !form.types.is_empty() && filter.kinds.is_empty() {
        return Ok(paging.paged(Vec::new(), None, Links::Timeline));
    }
    let conn = app.db.read().await?;
    let rows = notifications::list(&conn, user.account, &filter, page.into()).await?;
    let ends = page.shown(&rows, |n| n.id);
    let made = entities::notifications(&app, &conn, rows, user.account).await?;
    Ok(paging.paged(made, ends, Links::Timeline))
}

/// `GET /api/v1/notifications/:id` <https://docs.joinmastodon.org/methods/notifications/#get-one>
async fn one(
    State(app): State<App>,
    user: User<scope::ReadNotifications>,
    Path(id): Path<NotificationId>,
) -> ApiResult<Json<Notification>> {
    let conn = app.db.read().await?;
    let row = notifications::one(&conn, user.account, id).await?;
    let made = entities::notifications(&app, &conn, vec![row], user.account).await?;
    made.into_iter().next().map(Json).ok_or_else(ApiError::not_found)
}

#[derive(Serialize)]
struct Count {
    count: i64,
}

/// `GET /api/v1/notifications/unread_count` <https://docs.joinmastodon.org/methods/notifications/#unread-count>
async fn unread_count(
    State(app): State<App>,
    user: User<scope::ReadNotifications>,
    paging: Paging,
) -> ApiResult<Json<Count>> {
    let conn = app.db.read().await?;
    let read = markers::list(&conn, user.account).await?;
    let after = read.iter().find(|m| m.timeline == "notifications").map_or(0, |m| m.last_read_id);
    let limit = paging.page(PageLimits::UNREAD).limit;
    let count = notifications::unread(&conn, user.account, NotificationId(after), limit).await?;
    Ok(Json(Count { count }))
}

/// `POST /api/v1/notifications/clear` <https://docs.joinmastodon.org/methods/notifications/#clear>
async fn clear(State(app): State<App>, user: User<scope::WriteNotifications>) -> ApiResult<Json<Empty>> {
    notifications::clear(&app.db, user.account).await?;
    Ok(Json(Empty {}))
}

/// `POST /api/v1/notifications/:id/dismiss` <https://docs.joinmastodon.org/methods/notifications/#dismiss>
async fn dismiss(
    State(app): State<App>,
    user: User<scope::WriteNotifications>,
    Path(id): Path<NotificationId>,
) -> ApiResult<Json<Empty>> {
    notifications::dismiss(&app.db, user.account, id).await?;
    Ok(Json(Empty {}))
}
