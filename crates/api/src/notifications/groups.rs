//! Notifications in groups. <https://docs.joinmastodon.org/methods/grouped_notifications/>

use super::{Count, Form, known, unread};
use crate::{
    App,
    accounts::listed,
    auth::{User, scope},
    entities::{self, Account, Empty, Expand, GroupedNotificationsResults, Span},
    http::{ApiError, ApiResult, Json, Links, PageLimits, Paged, Paging, Params, Path},
};
use axum::extract::State;
use domain::notifications::{
    Kind,
    groups::{self, GROUPED, Groups},
};

impl Form {
    /// Kinds that the client wants in groups.
    fn grouped(&self) -> Vec<Kind> {
        match &self.grouped_types {
            None => GROUPED.to_vec(),
            Some(words) => known(words).into_iter().filter(|kind| GROUPED.contains(kind)).collect(),
        }
    }

    fn expand(&self) -> ApiResult<Expand> {
        match self.expand_accounts.as_deref() {
            None | Some("" | "full") => Ok(Expand::Full),
            Some("partial_avatars") => Ok(Expand::PartialAvatars),
            Some(_) => Err(ApiError::bad_request("expand_accounts must be 'full' or 'partial_avatars'")),
        }
    }
}

/// `GET /api/v2/notifications` <https://docs.joinmastodon.org/methods/grouped_notifications/#get-grouped>
pub(super) async fn list(
    State(app): State<App>,
    user: User<scope::ReadNotifications>,
    paging: Paging,
    Params(form): Params<Form>,
) -> ApiResult<Paged<GroupedNotificationsResults>> {
    let (page, grouped, expand) = (paging.page(PageLimits::ACCOUNTS), form.grouped(), form.expand()?);
    let conn = app.db.read_long().await?;
    let found = match form.filter()? {
        None => Groups::default(),
        Some(filter) => groups::list(&conn, user.account, &filter, (page.into(), &grouped)).await?,
    };
    let ends = page.between(found.range, found.groups.len());
    let made = entities::notification_groups(&app, &conn, (found.groups, user.account), (Span::Page, expand)).await?;
    Ok(paging.paged(made, ends, Links::Timeline))
}

/// `GET /api/v2/notifications/:group_key`
/// <https://docs.joinmastodon.org/methods/grouped_notifications/#get-notification-group>
pub(super) async fn one(
    State(app): State<App>,
    user: User<scope::ReadNotifications>,
    Path(key): Path<String>,
    Params(form): Params<Form>,
) -> ApiResult<Json<GroupedNotificationsResults>> {
    let expand = form.expand()?;
    let conn = app.db.read_long().await?;
    let group = groups::one(&conn, user.account, &key).await?;
    let made = entities::notification_groups(&app, &conn, (vec![group], user.account), (Span::Whole, expand)).await?;
    if made.notification_groups.is_empty() {
        return Err(ApiError::not_found());
    }
    Ok(Json(made))
}

/// `GET /api/v2/notifications/:group_key/accounts`
/// <https://docs.joinmastodon.org/methods/grouped_notifications/#get-group-accounts>
pub(super) async fn accounts(
    State(app): State<App>,
    user: User<scope::AnyNotifications>,
    Path(key): Path<String>,
    paging: Paging,
) -> ApiResult<Paged<Vec<Account>>> {
    let conn = app.db.read().await?;
    let rows = groups::people(&conn, user.account, &key, paging.page(PageLimits::ACCOUNTS).into()).await?;
    listed(&app, &conn, &paging, rows).await
}

/// `POST /api/v2/notifications/:group_key/dismiss`
/// <https://docs.joinmastodon.org/methods/grouped_notifications/#dismiss-group>
pub(super) async fn dismiss(
    State(app): State<App>,
    user: User<scope::WriteNotifications>,
    Path(key): Path<String>,
) -> ApiResult<Json<Empty>> {
    groups::dismiss(&app.db, user.account, &key).await?;
    Ok(Json(Empty {}))
}

/// `GET /api/v2/notifications/unread_count`
/// <https://docs.joinmastodon.org/methods/grouped_notifications/#unread-group-count>
pub(super) async fn unread_count(
    State(app): State<App>,
    user: User<scope::ReadNotifications>,
    paging: Paging,
    Params(form): Params<Form>,
) -> ApiResult<Json<Count>> {
    let Some(filter) = form.filter()? else { return Ok(Json(Count { count: 0 })) };
    let conn = app.db.read_long().await?;
    let page = unread(&conn, user.account, &paging).await?;
    let count = groups::count(&conn, user.account, &filter, (page, &form.grouped())).await?;
    Ok(Json(Count { count }))
}
