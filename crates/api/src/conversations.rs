//! Direct conversations. <https://docs.joinmastodon.org/methods/conversations/>

use crate::{
    App,
    auth::{User, scope},
    entities::{self, Conversation},
    http::{ApiResult, Links, PageLimits, Paged, Paging},
};
use axum::{Router, extract::State, routing::get};
use domain::conversations;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/api/v1/conversations", get(list))
}

/// `GET /api/v1/conversations` <https://docs.joinmastodon.org/methods/conversations/#get>
async fn list(
    State(app): State<App>,
    user: User<scope::ReadStatuses>,
    paging: Paging,
) -> ApiResult<Paged<Vec<Conversation>>> {
    let conn = app.db.read().await?;
    let page = paging.page(PageLimits::STATUSES);
    let rows = conversations::list(&conn, user.account, page.into()).await?;
    let ends = page.shown(&rows, |c| c.last_status_id);
    let made = entities::conversations(&app, &conn, rows, user.account).await?;
    Ok(paging.paged(made, ends, Links::List))
}
