//! Who quotes a status, and who may.

use crate::{
    App,
    auth::{User, scope},
    entities::{self, Status},
    http::{ApiError, ApiResult, Json, Links, PageLimits, Paged, Paging, Params, Path},
};
use axum::extract::State;
use domain::{
    ids::StatusId,
    statuses::{QuotePolicy, quotes},
    users,
};
use serde::{Deserialize, Deserializer, de::Error as _};

/// `GET /api/v1/statuses/:id/quotes` <https://docs.joinmastodon.org/methods/statuses/#quotes>
pub(super) async fn list(
    State(app): State<App>,
    user: User<scope::ReadStatuses>,
    Path(id): Path<StatusId>,
    paging: Paging,
) -> ApiResult<Paged<Vec<Status>>> {
    let conn = app.db.read().await?;
    let page = paging.page(PageLimits::STATUSES);
    let found = quotes::list(&conn, user.account, id, page.into()).await?;
    let shown = page.between(found.cursors, found.rows);
    let made = entities::statuses(&app, &conn, found.items, Some(user.account)).await?;
    Ok(paging.paged(made, shown, Links::Join))
}

/// `POST /api/v1/statuses/:id/quotes/:quoting_status_id/revoke`: answers the status that quoted.
/// <https://docs.joinmastodon.org/methods/statuses/#revoke_quote>
pub(super) async fn revoke(
    State(app): State<App>,
    user: User<scope::WriteStatuses>,
    Path(ids): Path<(StatusId, StatusId)>,
) -> ApiResult<Json<Status>> {
    let quoting = quotes::revoke(&app.db, user.account, ids).await?;
    let conn = app.db.read().await?;
    Ok(Json(entities::status(&app, &conn, quoting, Some(user.account)).await?))
}

/// A policy that people here can choose: those of other servers know more.
pub(crate) fn own_policy<'de, D: Deserializer<'de>>(from: D) -> Result<Option<QuotePolicy>, D::Error> {
    match Option::<QuotePolicy>::deserialize(from)? {
        Some(other) if !QuotePolicy::OWN.contains(&other) => {
            Err(D::Error::unknown_variant(other.as_str(), &["public", "followers", "nobody"]))
        }
        policy => Ok(policy),
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct PolicyForm {
    #[serde(deserialize_with = "own_policy")]
    quote_approval_policy: Option<QuotePolicy>,
}

/// `PUT /api/v1/statuses/:id/interaction_policy`: without a policy, the person's own default.
/// <https://docs.joinmastodon.org/methods/statuses/#edit_interaction_policy>
pub(super) async fn set_policy(
    State(app): State<App>,
    user: User<scope::WriteStatuses>,
    Path(id): Path<StatusId>,
    Params(form): Params<PolicyForm>,
) -> ApiResult<Json<Status>> {
    let policy = match form.quote_approval_policy {
        Some(policy) => policy,
        None => {
            let row = users::store::by_id(&app.db.read().await?, user.user).await?;
            row.ok_or_else(ApiError::unauthorized)?.default_quote_policy
        }
    };
    let status = quotes::set_policy(&app.db, user.account, (id, policy)).await?;
    let conn = app.db.read().await?;
    Ok(Json(entities::status(&app, &conn, status, Some(user.account)).await?))
}
