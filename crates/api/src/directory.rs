//! The directory of those who want to be found. <https://docs.joinmastodon.org/methods/directory/>

use crate::{
    App,
    auth::{Viewer, scope},
    entities::{self, Account},
    http::{ApiResult, Json, PageLimits, Paging, Params},
};
use axum::{Router, extract::State, routing::get};
use domain::directory::{self, Order, Query};
use serde::Deserialize;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/api/v1/directory", get(list))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Form {
    /// `active` or `new`; another word counts as the first, as with Mastodon.
    order: String,
    local: bool,
}

/// `GET /api/v1/directory` <https://docs.joinmastodon.org/methods/directory/#get>
async fn list(
    State(app): State<App>,
    viewer: Viewer<scope::Any>,
    paging: Paging,
    Params(form): Params<Form>,
) -> ApiResult<Json<Vec<Account>>> {
    let at = paging.offset(PageLimits::ACCOUNTS);
    let order = if form.order == "new" { Order::New } else { Order::Active };
    let query = Query { order, local: form.local, offset: at.offset, limit: at.limit };
    let conn = app.db.read_long().await?;
    let rows = directory::list(&conn, viewer.account(), query).await?;
    Ok(Json(entities::accounts(&app, &conn, rows).await?))
}
