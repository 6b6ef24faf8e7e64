//! Who boosted or favourited a status.

use crate::{
    App,
    auth::{Viewer, scope},
    entities::{self, Account},
    http::{ApiResult, Links, PageLimits, Paged, Paging, Path},
};
use axum::extract::State;
use domain::{
    accounts,
    db::Conn,
    ids::StatusId,
    statuses::{
        lists::{self, Listed},
        visibility,
    },
};

/// `GET /api/v1/statuses/:id/reblogged_by` <https://docs.joinmastodon.org/methods/statuses/#reblogged_by>
pub(super) async fn reblogged_by(
    State(app): State<App>,
    viewer: Viewer<scope::ReadAccounts>,
    Path(id): Path<StatusId>,
    paging: Paging,
) -> ApiResult<Paged<Vec<Account>>> {
    let conn = app.db.read().await?;
    visibility::visible(&conn, viewer.account(), id).await?;
    let page = paging.page(PageLimits::ACCOUNTS);
    let found = lists::reblogged_by(&conn, viewer.account(), id, page.into()).await?;
    people(&app, &conn, &paging, found).await
}

/// `GET /api/v1/statuses/:id/favourited_by` <https://docs.joinmastodon.org/methods/statuses/#favourited_by>
pub(super) async fn favourited_by(
    State(app): State<App>,
    viewer: Viewer<scope::ReadAccounts>,
    Path(id): Path<StatusId>,
    paging: Paging,
) -> ApiResult<Paged<Vec<Account>>> {
    let conn = app.db.read().await?;
    visibility::visible(&conn, viewer.account(), id).await?;
    let page = paging.page(PageLimits::ACCOUNTS);
    let found = lists::favourited_by(&conn, viewer.account(), id, page.into()).await?;
    people(&app, &conn, &paging, found).await
}

async fn people(
    app: &App,
    conn: &Conn,
    paging: &Paging,
    found: Listed<Vec<accounts::Account>>,
) -> ApiResult<Paged<Vec<Account>>> {
    let shown = paging.page(PageLimits::ACCOUNTS).between(found.cursors, found.rows);
    let made = entities::accounts(app, conn, found.items).await?;
    Ok(paging.paged(made, shown, Links::Join))
}
