//! Telling the moderators. <https://docs.joinmastodon.org/methods/reports/>

use crate::{
    App,
    auth::{User, scope},
    entities::{self, Report},
    http::{ApiError, ApiResult, Id, Json, Params},
};
use axum::{Router, extract::State, routing::post};
use domain::{
    ids::{AccountId, StatusId},
    reports::{self, Category, NewReport},
};
use serde::Deserialize;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/api/v1/reports", post(file))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Form {
    account_id: Id<AccountId>,
    status_ids: Vec<Id<StatusId>>,
    comment: String,
    forward: bool,
    forward_to_domains: Vec<String>,
    category: Option<Category>,
    rule_ids: Vec<Id<i64>>,
}

/// `POST /api/v1/reports` <https://docs.joinmastodon.org/methods/reports/#post>
async fn file(
    State(app): State<App>,
    user: User<scope::WriteReports>,
    Params(form): Params<Form>,
) -> ApiResult<Json<Report>> {
    let target = form.account_id.optional()?.ok_or_else(ApiError::not_found)?;
    let new = NewReport {
        statuses: form.status_ids.into_iter().filter_map(Id::known).collect(),
        comment: form.comment,
        forward: form.forward,
        forward_to: form.forward_to_domains,
        category: form.category,
        // Garbage is a rule that there is not.
        rules: form.rule_ids.into_iter().map(|id| id.known().unwrap_or(i64::MIN)).collect(),
    };
    let (report, _) = reports::file(&app.db, user.account, (target, new)).await?;
    let conn = app.db.read().await?;
    let made = entities::reports(&app, &conn, vec![report]).await?;
    made.into_iter().next().map(Json).ok_or_else(ApiError::not_found)
}
