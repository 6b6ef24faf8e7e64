//! Whose notifications somebody wants at once.
//! <https://docs.joinmastodon.org/methods/notifications/#get-policy>

use crate::{
    App,
    auth::{User, scope},
    http::{ApiResult, Json, Params},
};
use axum::extract::State;
use domain::{
    db::Conn,
    ids::AccountId,
    notifications::{
        policy::{self, Action, Change, Policy},
        requests,
    },
};
use serde::{Deserialize, Serialize};

/// <https://docs.joinmastodon.org/entities/NotificationPolicy/>
#[derive(Serialize)]
pub(super) struct NotificationPolicy {
    for_not_following: Action,
    for_not_followers: Action,
    for_new_accounts: Action,
    for_private_mentions: Action,
    for_limited_accounts: Action,
    summary: Summary,
}

/// The form that Mastodon had first. <https://docs.joinmastodon.org/entities/V1_NotificationPolicy/>
#[derive(Serialize)]
pub(super) struct PolicyV1 {
    filter_not_following: bool,
    filter_not_followers: bool,
    filter_new_accounts: bool,
    filter_private_mentions: bool,
    summary: Summary,
}

#[derive(Serialize)]
struct Summary {
    pending_requests_count: i64,
    pending_notifications_count: i64,
}

async fn summary(conn: &Conn, owner: AccountId) -> ApiResult<Summary> {
    let pending = requests::pending(conn, owner).await?;
    Ok(Summary { pending_requests_count: pending.requests, pending_notifications_count: pending.notifications })
}

impl NotificationPolicy {
    fn of(policy: Policy, summary: Summary) -> Self {
        Self {
            for_not_following: policy.for_not_following,
            for_not_followers: policy.for_not_followers,
            for_new_accounts: policy.for_new_accounts,
            for_private_mentions: policy.for_private_mentions,
            for_limited_accounts: policy.for_limited_accounts,
            summary,
        }
    }
}

impl PolicyV1 {
    fn of(policy: Policy, summary: Summary) -> Self {
        let held = |action: Action| action != Action::Accept;
        Self {
            filter_not_following: held(policy.for_not_following),
            filter_not_followers: held(policy.for_not_followers),
            filter_new_accounts: held(policy.for_new_accounts),
            filter_private_mentions: held(policy.for_private_mentions),
            summary,
        }
    }
}

/// `GET /api/v2/notifications/policy` <https://docs.joinmastodon.org/methods/notifications/#get-policy>
pub(super) async fn read(
    State(app): State<App>,
    user: User<scope::ReadNotifications>,
) -> ApiResult<Json<NotificationPolicy>> {
    let conn = app.db.read().await?;
    let policy = policy::read(&conn, user.account).await?;
    Ok(Json(NotificationPolicy::of(policy, summary(&conn, user.account).await?)))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Form {
    for_not_following: Option<Action>,
    for_not_followers: Option<Action>,
    for_new_accounts: Option<Action>,
    for_private_mentions: Option<Action>,
    for_limited_accounts: Option<Action>,
}

/// `PATCH /api/v2/notifications/policy`; PUT does the same, and some clients send that
/// <https://docs.joinmastodon.org/methods/notifications/#update-the-filtering-policy-for-notifications>
pub(super) async fn update(
    State(app): State<App>,
    user: User<scope::WriteNotifications>,
    Params(form): Params<Form>,
) -> ApiResult<Json<NotificationPolicy>> {
    let change = Change {
        for_not_following: form.for_not_following,
        for_not_followers: form.for_not_followers,
        for_new_accounts: form.for_new_accounts,
        for_private_mentions: form.for_private_mentions,
        for_limited_accounts: form.for_limited_accounts,
    };
    let policy = policy::update(&app.db, user.account, change).await?;
    let conn = app.db.read().await?;
    Ok(Json(NotificationPolicy::of(policy, summary(&conn, user.account).await?)))
}

/// `GET /api/v1/notifications/policy`, deprecated
/// <https://docs.joinmastodon.org/methods/notifications/#get-policy>
pub(super) async fn read_v1(State(app): State<App>, user: User<scope::ReadNotifications>) -> ApiResult<Json<PolicyV1>> {
    let conn = app.db.read().await?;
    let policy = policy::read(&conn, user.account).await?;
    Ok(Json(PolicyV1::of(policy, summary(&conn, user.account).await?)))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct FormV1 {
    filter_not_following: Option<bool>,
    filter_not_followers: Option<bool>,
    filter_new_accounts: Option<bool>,
    filter_private_mentions: Option<bool>,
}

/// `PATCH /api/v1/notifications/policy` or PUT, deprecated
/// <https://docs.joinmastodon.org/methods/notifications/#get-policy>
pub(super) async fn update_v1(
    State(app): State<App>,
    user: User<scope::WriteNotifications>,
    Params(form): Params<FormV1>,
) -> ApiResult<Json<PolicyV1>> {
    let action = |held: bool| if held { Action::Filter } else { Action::Accept };
    let change = Change {
        for_not_following: form.filter_not_following.map(action),
        for_not_followers: form.filter_not_followers.map(action),
        for_new_accounts: form.filter_new_accounts.map(action),
        for_private_mentions: form.filter_private_mentions.map(action),
        for_limited_accounts: None,
    };
    let policy = policy::update(&app.db, user.account, change).await?;
    let conn = app.db.read().await?;
    Ok(Json(PolicyV1::of(policy, summary(&conn, user.account).await?)))
}
