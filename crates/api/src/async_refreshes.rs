//! What is being fetched in the background, for whoever waits for it: the answers to posts of other servers.
//! <https://docs.joinmastodon.org/methods/async_refreshes/>

use crate::{
    App,
    auth::{User, scope},
    http::{ApiError, ApiResult, Json, Path},
};
use axum::{
    Router,
    extract::State,
    http::{HeaderName, HeaderValue},
    response::{IntoResponseParts, ResponseParts},
    routing::get,
};
use domain::{
    Result, Time,
    ids::StatusId,
    statuses::threads::{self, Fetch},
};
use serde::Serialize;
use std::convert::Infallible;

const HEADER: HeaderName = HeaderName::from_static("mastodon-async-refresh");
/// Seconds until it is worth while to look again.
const RETRY: u32 = 5;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/api/v1_alpha/async_refreshes/{id}", get(one))
}

/// Says in a header of the answer that there will be more.
pub(crate) struct Refreshing(Fetch);

impl IntoResponseParts for Refreshing {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> std::result::Result<ResponseParts, Infallible> {
        let Fetch { status_id, found, .. } = self.0;
        let value = format!("id=\"{status_id}\", retry={RETRY}, result_count={found}");
        if let Ok(value) = HeaderValue::try_from(value) {
            parts.headers_mut().insert(HEADER, value);
        }
        Ok(parts)
    }
}

/// Has the answers to a post of another server asked for, unless that was done lately; what of it still runs.
pub(crate) async fn of_thread(app: &App, id: StatusId) -> Result<Option<Refreshing>> {
    let now = Time::now();
    let last = threads::last_fetch(&app.db.read().await?, id).await?;
    let fetch = match last {
        Some(fetch) if fetch.is_fresh(now) => Some(fetch),
        _ => threads::fetch_later(&app.db, id).await?,
    };
    Ok(fetch.filter(|f| f.is_running(now)).map(Refreshing))
}

/// <https://docs.joinmastodon.org/entities/AsyncRefresh/>
#[derive(Serialize)]
struct AsyncRefresh {
    id: StatusId,
    status: &'static str,
    result_count: Option<i64>,
}

#[derive(Serialize)]
struct Answer {
    async_refresh: AsyncRefresh,
}

/// `GET /api/v1_alpha/async_refreshes/:id` <https://docs.joinmastodon.org/methods/async_refreshes/#show>
async fn one(State(app): State<App>, _user: User<scope::Read>, Path(id): Path<StatusId>) -> ApiResult<Json<Answer>> {
    let fetch = threads::last_fetch(&app.db.read().await?, id).await?.ok_or_else(ApiError::not_found)?;
    let status = if fetch.is_running(Time::now()) { "running" } else { "finished" };
    Ok(Json(Answer { async_refresh: AsyncRefresh { id, status, result_count: Some(fetch.found) } }))
}
