//! What one has bookmarked. Pages go by the bookmarks' own ids.

use crate::{
    App,
    auth::{User, scope},
    entities::{self, Status},
    http::{ApiResult, Links, PageLimits, Paged, Paging},
};
use axum::{Router, extract::State, routing::get};
use domain::statuses::lists;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/api/v1/bookmarks", get(list))
}

/// `GET /api/v1/bookmarks` <https://docs.joinmastodon.org/methods/bookmarks/#get>
async fn list(
    State(app): State<App>,
    user: User<scope::ReadBookmarks>,
    paging: Paging,
) -> ApiResult<Paged<Vec<Status>>> {
    let conn = app.db.read().await?;
    let page = paging.page(PageLimits::STATUSES);
    let found = lists::bookmarks(&conn, user.account, page.into()).await?;
    let ends = page.between(found.cursors, found.rows);
    let made = entities::statuses(&app, &conn, found.items, Some(user.account)).await?;
    Ok(paging.paged(made, ends, Links::List))
}
