//! Looking at accounts.

use crate::{
    App,
    auth::{User, Viewer, scope},
    entities::{self, Account},
    http::{ApiError, ApiResult, Id, Json, PageLimits, Paging, Params, Path},
};
use axum::extract::State;
use domain::{accounts, ids::AccountId};
use serde::Deserialize;

/// Accounts in one call.
const MOST: usize = 40;

/// `GET /api/v1/accounts/:id` <https://docs.joinmastodon.org/methods/accounts/#get>
pub(super) async fn one(
    State(app): State<App>,
    _: Viewer<scope::ReadAccounts>,
    Path(id): Path<AccountId>,
) -> ApiResult<Json<Account>> {
    let conn = app.db.read().await?;
    let row = accounts::visible(&conn, id).await?;
    Ok(Json(entities::account(&app, &conn, row).await?))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct SeveralForm {
    id: Vec<Id<AccountId>>,
}

/// `GET /api/v1/accounts` <https://docs.joinmastodon.org/methods/accounts/#index>
pub(super) async fn several(
    State(app): State<App>,
    _: Viewer<scope::ReadAccounts>,
    Params(form): Params<SeveralForm>,
) -> ApiResult<Json<Vec<Account>>> {
    if form.id.len() > MOST {
        return Err(ApiError::validation([format!("Too many accounts (maximum is {MOST})")]));
    }
    let conn = app.db.read().await?;
    let rows = accounts::visible_among(&conn, form.id.into_iter().filter_map(Id::known)).await?;
    Ok(Json(entities::accounts(&app, &conn, rows).await?))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct SearchForm {
    q: String,
    resolve: bool,
    following: bool,
}

/// `GET /api/v1/accounts/search` <https://docs.joinmastodon.org/methods/accounts/#search>
pub(super) async fn search(
    State(app): State<App>,
    user: User<scope::ReadAccounts>,
    paging: Paging,
    Params(form): Params<SearchForm>,
) -> ApiResult<Json<Vec<Account>>> {
    let at = paging.offset(PageLimits::ACCOUNTS);
    if form.resolve && at.offset == 0 && form.q.trim_start_matches('@').contains('@') {
        // Known from now on, if it can be had: the search finds it.
        let found = federation::resolve::account::by_handle(&app.federation, form.q.trim()).await;
        if let Err(error) = found {
            tracing::debug!(q = form.q, %error, "nobody was found elsewhere");
        }
    }
    let conn = app.db.read_long().await?;
    let query = accounts::Search {
        words: &form.q,
        viewer: Some(user.account),
        following: form.following,
        limit: at.limit,
        offset: at.offset,
    };
    let rows = accounts::search(&conn, &app.site, &query).await?;
    Ok(Json(entities::accounts(&app, &conn, rows).await?))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct LookupForm {
    acct: String,
}

/// `GET /api/v1/accounts/lookup` <https://docs.joinmastodon.org/methods/accounts/#lookup>
pub(super) async fn lookup(
    State(app): State<App>,
    _: Viewer<scope::ReadAccounts>,
    Params(form): Params<LookupForm>,
) -> ApiResult<Json<Account>> {
    let conn = app.db.read().await?;
    let row = accounts::lookup(&conn, &app.site, &form.acct).await?;
    Ok(Json(entities::account(&app, &conn, row).await?))
}
