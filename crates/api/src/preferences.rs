//! What people set for posting and reading.

use crate::{
    App,
    auth::{User, scope},
    http::{ApiError, ApiResult, Json},
};
use axum::{Router, extract::State, routing::get};
use domain::{
    statuses::{QuotePolicy, Visibility},
    users::{self, ExpandMedia},
};
use serde::Serialize;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/api/v1/preferences", get(preferences))
}

/// <https://docs.joinmastodon.org/entities/Preferences/>
#[derive(Debug, Serialize)]
struct Preferences {
    #[serde(rename = "posting:default:visibility")]
    visibility: Visibility,
    #[serde(rename = "posting:default:sensitive")]
    sensitive: bool,
    #[serde(rename = "posting:default:language")]
    language: Option<String>,
    #[serde(rename = "posting:default:quote_policy")]
    quote_policy: QuotePolicy,
    #[serde(rename = "reading:expand:media")]
    expand_media: ExpandMedia,
    #[serde(rename = "reading:expand:spoilers")]
    expand_spoilers: bool,
    #[serde(rename = "reading:autoplay:gifs")]
    autoplay_gifs: bool,
}

/// `GET /api/v1/preferences` <https://docs.joinmastodon.org/methods/preferences/#get>
async fn preferences(State(app): State<App>, user: User<scope::ReadAccounts>) -> ApiResult<Json<Preferences>> {
    let row = users::store::by_id(&app.db.read().await?, user.user).await?.ok_or_else(ApiError::unauthorized)?;
    Ok(Json(Preferences {
        visibility: row.default_visibility,
        sensitive: row.default_sensitive,
        language: row.default_language,
        quote_policy: row.default_quote_policy,
        expand_media: row.expand_media,
        expand_spoilers: row.expand_spoilers,
        autoplay_gifs: row.autoplay_gifs,
    }))
}
