//! What else one may ask about a site. <https://docs.joinmastodon.org/methods/instance/>

use crate::{
    App,
    auth::{Viewer, scope},
    entities::{Empty, Iso},
    http::{ApiError, ApiResult, Json},
};
use axum::extract::State;
use domain::{
    Time,
    domain_blocks::{self, Severity},
    statistics::{self, Week},
    users,
};
use serde::Serialize;
use std::time::Duration;

/// How long the weeks' numbers are given out: counting them reads many statuses.
const COUNTED: Duration = Duration::from_secs(3600);

/// <https://docs.joinmastodon.org/entities/DomainBlock/>
#[derive(Serialize)]
pub(super) struct DomainBlock {
    domain: String,
    digest: String,
    severity: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    comment: String,
}

/// `GET /api/v1/instance/domain_blocks`: whom this site has nothing to do with, or little, the strictest first.
/// <https://docs.joinmastodon.org/methods/instance/#domain_blocks>
pub(super) async fn domain_blocks(State(app): State<App>, _: Viewer<scope::Any>) -> ApiResult<Json<Vec<DomainBlock>>> {
    let mut blocks = domain_blocks::list(&app.db.read_long().await?).await?;
    // What is only kept from sending media or reports is nobody else's business.
    blocks.retain(|block| block.severity > Severity::Noop);
    blocks.sort_by_key(|block| std::cmp::Reverse(block.severity));
    let shown = |block: domain_blocks::DomainBlock| DomainBlock {
        domain: block.shown(),
        digest: block.digest(),
        severity: block.severity.as_str(),
        comment: block.public_comment,
    };
    Ok(Json(blocks.into_iter().map(shown).collect()))
}

/// <https://docs.joinmastodon.org/entities/PrivacyPolicy/>
#[derive(Serialize)]
pub(super) struct PrivacyPolicy {
    updated_at: Iso,
    content: &'static str,
}

/// `GET /api/v1/instance/privacy_policy`: an empty one, as old as the site, until its owner can write one.
/// <https://docs.joinmastodon.org/methods/instance/#privacy_policy>
pub(super) async fn privacy_policy(State(app): State<App>) -> ApiResult<Json<PrivacyPolicy>> {
    let first = users::list(&app.db.read().await?, None, 1).await?.into_iter().next();
    let updated_at = Iso(first.map_or_else(Time::now, |(user, _)| user.created_at));
    Ok(Json(PrivacyPolicy { updated_at, content: "" }))
}

/// `GET /api/v1/instance/terms_of_service` and `/:date`: there are none.
/// <https://docs.joinmastodon.org/methods/instance/#terms_of_service>
pub(super) async fn terms_of_service() -> ApiError {
    ApiError::not_found()
}

/// `GET /api/v1/instance/translation_languages`: nothing is translated.
/// <https://docs.joinmastodon.org/methods/instance/#translation_languages>
pub(super) async fn translation_languages() -> Json<Empty> {
    Json(Empty {})
}

/// Numbers are sent as strings here.
#[derive(Serialize)]
pub(super) struct Activity {
    week: String,
    statuses: String,
    logins: String,
    registrations: String,
}

/// `GET /api/v1/instance/activity` <https://docs.joinmastodon.org/methods/instance/#activity>
pub(super) async fn activity(State(app): State<App>) -> ApiResult<Json<Vec<Activity>>> {
    let weeks = match super::fresh(&app.instance.weeks, COUNTED) {
        Some(known) => known,
        None => super::keep(&app.instance.weeks, statistics::weeks(&app.db.read_long().await?, Time::now()).await?),
    };
    let shown = |week: Week| Activity {
        week: week.start.seconds().to_string(),
        statuses: week.statuses.to_string(),
        logins: week.logins.to_string(),
        registrations: week.registrations.to_string(),
    };
    Ok(Json(weeks.into_iter().map(shown).collect()))
}
