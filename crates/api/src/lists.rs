//! Lists and who is in them. Their timelines are in `timelines`; pages of members go by the memberships' own ids, which
//! only the Link header carries.

use crate::{
    App,
    accounts::listed,
    auth::{User, scope},
    entities::{self, Account, Empty, List},
    http::{ApiResult, Id, Json, Links, PageLimits, Paged, Paging, Params, Path},
};
use axum::{Router, extract::State, routing::get};
use domain::{
    ids::{AccountId, ListId},
    lists::{self, RepliesPolicy, Wish},
    page::Page,
};
use serde::Deserialize;

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/lists", get(all).post(create))
        .route("/api/v1/lists/{id}", get(one).put(update).delete(delete))
        .route("/api/v1/lists/{id}/accounts", get(members).post(add).delete(remove))
}

/// `GET /api/v1/lists` <https://docs.joinmastodon.org/methods/lists/#get>
async fn all(State(app): State<App>, user: User<scope::ReadLists>) -> ApiResult<Json<Vec<List>>> {
    let conn = app.db.read().await?;
    Ok(Json(entities::lists(lists::all(&conn, user.account).await?)))
}

/// `GET /api/v1/lists/:id` <https://docs.joinmastodon.org/methods/lists/#get-one>
async fn one(State(app): State<App>, user: User<scope::ReadLists>, Path(id): Path<ListId>) -> ApiResult<Json<List>> {
    let conn = app.db.read().await?;
    Ok(Json(lists::own(&conn, user.account, id).await?.into()))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Form {
    title: Option<String>,
    replies_policy: Option<RepliesPolicy>,
    exclusive: Option<bool>,
}

impl Form {
    fn wish(self) -> Wish {
        Wish { title: self.title, replies_policy: self.replies_policy, exclusive: self.exclusive }
    }
}

/// `POST /api/v1/lists` <https://docs.joinmastodon.org/methods/lists/#create>
async fn create(
    State(app): State<App>,
    user: User<scope::WriteLists>,
    Params(form): Params<Form>,
) -> ApiResult<Json<List>> {
    Ok(Json(lists::create(&app.db, user.account, form.wish()).await?.into()))
}

/// `PUT /api/v1/lists/:id` <https://docs.joinmastodon.org/methods/lists/#update>
async fn update(
    State(app): State<App>,
    user: User<scope::WriteLists>,
    Path(id): Path<ListId>,
    Params(form): Params<Form>,
) -> ApiResult<Json<List>> {
    Ok(Json(lists::update(&app.db, user.account, (id, form.wish())).await?.into()))
}

/// `DELETE /api/v1/lists/:id` <https://docs.joinmastodon.org/methods/lists/#delete>
async fn delete(
    State(app): State<App>,
    user: User<scope::WriteLists>,
    Path(id): Path<ListId>,
) -> ApiResult<Json<Empty>> {
    lists::delete(&app.db, user.account, id).await?;
    Ok(Json(Empty {}))
}

/// `GET /api/v1/lists/:id/accounts`; `limit=0` gives all of them.
/// <https://docs.joinmastodon.org/methods/lists/#accounts>
async fn members(
    State(app): State<App>,
    user: User<scope::ReadLists>,
    Path(id): Path<ListId>,
    paging: Paging,
) -> ApiResult<Paged<Vec<Account>>> {
    let conn = app.db.read().await?;
    if paging.wants_all() {
        let rows = lists::members(&conn, user.account, id, Page::newest(lists::MEMBERS)).await?;
        let accounts = rows.into_iter().map(|row| row.account).collect();
        return Ok(paging.paged(entities::accounts(&app, &conn, accounts).await?, None, Links::Join));
    }
    let rows = lists::members(&conn, user.account, id, paging.page(PageLimits::ACCOUNTS).into()).await?;
    listed(&app, &conn, &paging, rows).await
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MembersForm {
    account_ids: Vec<Id<AccountId>>,
}

/// `POST /api/v1/lists/:id/accounts` <https://docs.joinmastodon.org/methods/lists/#accounts-add>
async fn add(
    State(app): State<App>,
    user: User<scope::WriteLists>,
    Path(id): Path<ListId>,
    Params(form): Params<MembersForm>,
) -> ApiResult<Json<Empty>> {
    let given = form.account_ids.into_iter().map(Id::optional).collect::<ApiResult<Vec<_>>>()?;
    lists::add(&app.db, user.account, (id, given.into_iter().flatten().collect())).await?;
    Ok(Json(Empty {}))
}

/// `DELETE /api/v1/lists/:id/accounts` <https://docs.joinmastodon.org/methods/lists/#accounts-remove>
async fn remove(
    State(app): State<App>,
    user: User<scope::WriteLists>,
    Path(id): Path<ListId>,
    Params(form): Params<MembersForm>,
) -> ApiResult<Json<Empty>> {
    let accounts = form.account_ids.into_iter().filter_map(Id::known).collect();
    lists::remove(&app.db, user.account, (id, accounts)).await?;
    Ok(Json(Empty {}))
}
