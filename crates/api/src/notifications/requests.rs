//! People whose mentions the policy holds back.
//! <https://docs.joinmastodon.org/methods/notifications/#get-requests>

use crate::{
    App,
    auth::{User, scope},
    entities::{self, Empty, NotificationRequest},
    http::{ApiError, ApiResult, Id, Json, Links, PageLimits, Paged, Paging, Params, Path},
};
use axum::extract::State;
use domain::{
    ids::NotificationRequestId,
    notifications::requests::{self, Answer},
};
use serde::{Deserialize, Serialize};

/// `GET /api/v1/notifications/requests` <https://docs.joinmastodon.org/methods/notifications/#get-requests>
pub(super) async fn list(
    State(app): State<App>,
    user: User<scope::ReadNotifications>,
    paging: Paging,
) -> ApiResult<Paged<Vec<NotificationRequest>>> {
    let page = paging.page(PageLimits::ACCOUNTS);
    let conn = app.db.read().await?;
    let rows = requests::list(&conn, user.account, page.into()).await?;
    let ends = page.shown(&rows, |r| r.id);
    let made = entities::notification_requests(&app, &conn, rows, user.account).await?;
    Ok(paging.paged(made, ends, Links::List))
}

/// `GET /api/v1/notifications/requests/:id` <https://docs.joinmastodon.org/methods/notifications/#get-one-request>
pub(super) async fn one(
    State(app): State<App>,
    user: User<scope::ReadNotifications>,
    Path(id): Path<NotificationRequestId>,
) -> ApiResult<Json<NotificationRequest>> {
    let conn = app.db.read().await?;
    let row = requests::one(&conn, user.account, id).await?;
    let made = entities::notification_requests(&app, &conn, vec![row], user.account).await?;
    made.into_iter().next().map(Json).ok_or_else(ApiError::not_found)
}

/// `POST /api/v1/notifications/requests/:id/accept`
/// <https://docs.joinmastodon.org/methods/notifications/#accept-request>
pub(super) async fn accept(
    State(app): State<App>,
    user: User<scope::WriteNotifications>,
    Path(id): Path<NotificationRequestId>,
) -> ApiResult<Json<Empty>> {
    requests::answer(&app.db, user.account, id, Answer::Accept).await?;
    Ok(Json(Empty {}))
}

/// `POST /api/v1/notifications/requests/:id/dismiss`
/// <https://docs.joinmastodon.org/methods/notifications/#dismiss-request>
pub(super) async fn dismiss(
    State(app): State<App>,
    user: User<scope::WriteNotifications>,
    Path(id): Path<NotificationRequestId>,
) -> ApiResult<Json<Empty>> {
    requests::answer(&app.db, user.account, id, Answer::Dismiss).await?;
    Ok(Json(Empty {}))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Several {
    id: Vec<Id<NotificationRequestId>>,
}

impl Several {
    fn known(self) -> Vec<NotificationRequestId> {
        self.id.into_iter().filter_map(Id::known).collect()
    }
}

/// `POST /api/v1/notifications/requests/accept`
/// <https://docs.joinmastodon.org/methods/notifications/#accept-multiple-requests>
pub(super) async fn accept_all(
    State(app): State<App>,
    user: User<scope::WriteNotifications>,
    Params(several): Params<Several>,
) -> ApiResult<Json<Empty>> {
    requests::answer_all(&app.db, user.account, &several.known(), Answer::Accept).await?;
    Ok(Json(Empty {}))
}

/// `POST /api/v1/notifications/requests/dismiss`
/// <https://docs.joinmastodon.org/methods/notifications/#dismiss-multiple-requests>
pub(super) async fn dismiss_all(
    State(app): State<App>,
    user: User<scope::WriteNotifications>,
    Params(several): Params<Several>,
) -> ApiResult<Json<Empty>> {
    requests::answer_all(&app.db, user.account, &several.known(), Answer::Dismiss).await?;
    Ok(Json(Empty {}))
}

#[derive(Serialize)]
pub(super) struct Merged {
    merged: bool,
}

/// `GET /api/v1/notifications/requests/merged`: always, as accepting merges at once.
/// <https://docs.joinmastodon.org/methods/notifications/#requests-merged>
pub(super) async fn merged(_: User<scope::ReadNotifications>) -> Json<Merged> {
    Json(Merged { merged: true })
}
