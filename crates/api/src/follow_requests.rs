//! Requests to follow: who asks, and the answer.

use crate::{
    App,
    accounts::listed,
    auth::{User, scope},
    entities::{Account, Relationship},
    http::{ApiResult, PageLimits, Paged, Paging, Path},
};
use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use domain::{follows, ids::AccountId};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/follow_requests", get(list))
        .route("/api/v1/follow_requests/{account_id}/authorize", post(authorize))
        .route("/api/v1/follow_requests/{account_id}/reject", post(reject))
}

/// `GET /api/v1/follow_requests` <https://docs.joinmastodon.org/methods/follow_requests/#get>
async fn list(
    State(app): State<App>,
    user: User<scope::ReadFollows>,
    paging: Paging,
) -> ApiResult<Paged<Vec<Account>>> {
    let conn = app.db.read().await?;
    let rows = follows::requests(&conn, user.account, paging.page(PageLimits::ACCOUNTS).into()).await?;
    listed(&app, &conn, &paging, rows).await
}

/// `POST /api/v1/follow_requests/:account_id/authorize`
/// <https://docs.joinmastodon.org/methods/follow_requests/#accept>
async fn authorize(
    State(app): State<App>,
    user: User<scope::WriteFollows>,
    Path(id): Path<AccountId>,
) -> ApiResult<Json<Relationship>> {
    Ok(Json(follows::authorize(&app.db, user.account, id).await?.into()))
}

/// `POST /api/v1/follow_requests/:account_id/reject` <https://docs.joinmastodon.org/methods/follow_requests/#reject>
async fn reject(
    State(app): State<App>,
    user: User<scope::WriteFollows>,
    Path(id): Path<AccountId>,
) -> ApiResult<Json<Relationship>> {
    Ok(Json(follows::reject(&app.db, user.account, id).await?.into()))
}
