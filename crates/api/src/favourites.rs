//! What one has favourited. Pages go by the favourites' own ids.

use crate::{
    App,
    auth::{User, scope},
    entities::{self, Status},
    http::{ApiResult, Links, PageLimits, Paged, Paging},
};
use axum::{Router, extract::State, routing::get};
use domain::statuses::lists;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/api/v1/favourites", get(list))
}

/// `GET /api/v1/favourites` <https://docs.joinmastodon.org/methods/favourites/#get>
async fn list(
    State(app): State<App>,
    user: User<scope::ReadFavourites>,
    paging: Paging,
) -> ApiResult<Paged<Vec<Status>>> {
    let conn = app.db.read().await?;
    let page = paging.page(PageLimits::STATUSES);
    let found = lists::favourites(&conn, user.account, page.into()).await?;
    let ends = page.between(found.cursors, found.rows);
    let made = entities::statuses(&app, &conn, found.items, Some(user.account)).await?;
    Ok(paging.paged(made, ends, Links::List))
}
