//! Polls. <https://docs.joinmastodon.org/methods/polls/>

use crate::{
    App,
    auth::{User, Viewer, scope},
    entities::{self, Poll},
    http::{ApiError, ApiResult, Params, Path},
};
use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use domain::{
    ids::{AccountId, PollId},
    polls,
};
use federation::resolve;
use serde::Deserialize;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/api/v1/polls/{id}", get(one)).route("/api/v1/polls/{id}/votes", post(vote))
}

/// `GET /api/v1/polls/:id`: one of another server is asked for there when somebody here looks.
/// <https://docs.joinmastodon.org/methods/polls/#get>
async fn one(
    State(app): State<App>,
    viewer: Viewer<scope::ReadStatuses>,
    Path(id): Path<PollId>,
) -> ApiResult<Json<Poll>> {
    let mut row = polls::visible(&app.db.read().await?, viewer.account(), id).await?;
    if let Some(who) = viewer.account()
        && resolve::poll::look(&app.federation, &row, who).await?
    {
        row = polls::visible(&app.db.read().await?, Some(who), id).await?;
    }
    show(&app, row, viewer.account()).await
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Form {
    choices: Vec<usize>,
}

/// `POST /api/v1/polls/:id/votes` <https://docs.joinmastodon.org/methods/polls/#vote>
async fn vote(
    State(app): State<App>,
    user: User<scope::WriteStatuses>,
    Path(id): Path<PollId>,
    Params(form): Params<Form>,
) -> ApiResult<Json<Poll>> {
    let row = polls::vote(&app.db, user.account, id, &form.choices).await?;
    show(&app, row, Some(user.account)).await
}

async fn show(app: &App, row: polls::Poll, viewer: Option<AccountId>) -> ApiResult<Json<Poll>> {
    let conn = app.db.read().await?;
    let made = entities::polls(app, &conn, vec![row], viewer).await?;
    made.into_values().next().map(Json).ok_or_else(ApiError::not_found)
}
