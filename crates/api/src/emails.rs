//! Confirming an address. <https://docs.joinmastodon.org/methods/emails/>

use crate::{
    App,
    auth::{AppOnly, scope},
    entities::Empty,
    http::{ApiError, ApiResult, Json},
};
use axum::{Router, http::StatusCode, routing::post};
use domain::users::Login;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/api/v1/emails/confirmations", post(confirm))
}

/// `POST /api/v1/emails/confirmations`: for somebody whose address waits, which no other endpoint answers.
/// <https://docs.joinmastodon.org/methods/emails/#confirmation>
async fn confirm(caller: AppOnly<scope::Any>) -> ApiResult<Json<Empty>> {
    let person = caller.person.ok_or_else(ApiError::needs_user)?;
    match person.login {
        Login::Disabled => Err(ApiError::login_disabled()),
        Login::Unconfirmed => {
            // There is no mail yet: saying that one is on its way would leave somebody waiting.
            Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "This server cannot send e-mail"))
        }
        Login::Usable | Login::Pending => Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "This method is only available while the e-mail is awaiting confirmation",
        )),
    }
}
