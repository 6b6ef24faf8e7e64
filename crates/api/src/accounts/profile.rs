//! One's own profile, as it is edited. <https://docs.joinmastodon.org/methods/profile/>

use super::credentials::{self, ProfileForm};
use crate::{
    App,
    auth::{User, scope},
    entities::{self, Profile},
    http::{ApiError, ApiResult, Json, Upload},
};
use axum::extract::State;
use domain::accounts;

/// `GET /api/v1/profile` <https://docs.joinmastodon.org/methods/profile/#get>
pub(super) async fn show(State(app): State<App>, user: User<scope::ReadProfile>) -> ApiResult<Json<Profile>> {
    let row = accounts::store::by_id(&app.db.read().await?, user.account).await?.ok_or_else(ApiError::unauthorized)?;
    Ok(Json(entities::profile(&app, row)))
}

/// `PATCH /api/v1/profile` <https://docs.joinmastodon.org/methods/profile/#update>
pub(super) async fn update(
    State(app): State<App>,
    user: User<scope::WriteAccounts>,
    upload: Upload<ProfileForm>,
) -> ApiResult<Json<Profile>> {
    let row = credentials::apply(&app, user.account, upload).await?;
    Ok(Json(entities::profile(&app, row)))
}
