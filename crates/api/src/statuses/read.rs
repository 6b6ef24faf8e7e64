//! Looking at statuses.

use crate::{
    App,
    async_refreshes::{self, Refreshing},
    auth::{User, Viewer, scope},
    entities::{self, Context, Empty, Status, StatusEdit, StatusSource},
    http::{ApiError, ApiResult, Id, Json, Params, Path},
};
use axum::extract::State;
use domain::{
    cards,
    ids::StatusId,
    statuses::{
        Status as Row, context, edit, quotes, store, threads,
        visibility::{self, Place},
    },
};
use serde::Deserialize;

/// Statuses asked for by id in one call.
const SEVERAL: usize = 20;

/// `GET /api/v1/statuses/:id` <https://docs.joinmastodon.org/methods/statuses/#get>
///
/// With its poll as it was last heard of. To ask for it anew is the poll's own endpoint, as Mastodon has it: whoever opens
/// a post does not wait for another server.
pub(super) async fn one(
    State(app): State<App>,
    viewer: Viewer<scope::ReadStatuses>,
    Path(id): Path<StatusId>,
) -> ApiResult<Json<Status>> {
    let conn = app.db.read().await?;
    let row = visibility::visible(&conn, viewer.account(), id).await?;
    Ok(Json(entities::status(&app, &conn, row, viewer.account()).await?))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Several {
    id: Vec<Id<StatusId>>,
}

/// `GET /api/v1/statuses?id[]=` <https://docs.joinmastodon.org/methods/statuses/#index>
pub(super) async fn several(
    State(app): State<App>,
    viewer: Viewer<scope::ReadStatuses>,
    Params(form): Params<Several>,
) -> ApiResult<Json<Vec<Status>>> {
    if form.id.len() > SEVERAL {
        return Err(ApiError::unprocessable("Too many statuses requested"));
    }
    let ids: Vec<StatusId> = form.id.into_iter().filter_map(Id::known).collect();
    let conn = app.db.read().await?;
    let mut rows = store::by_ids(&conn, ids.iter().copied()).await?;
    rows.sort_by_key(|s| ids.iter().position(|id| *id == s.id));
    let shown = visibility::filter(&conn, viewer.account(), rows, Place::Asked).await?;
    Ok(Json(entities::statuses(&app, &conn, shown, viewer.account()).await?))
}

/// `GET /api/v1/statuses/:id/context`: when somebody here reads a thread of another server, what is missing is asked for
/// there, and shows when they look again. <https://docs.joinmastodon.org/methods/statuses/#context>
pub(super) async fn context(
    State(app): State<App>,
    viewer: Viewer<scope::ReadStatuses>,
    Path(id): Path<StatusId>,
) -> ApiResult<(Option<Refreshing>, Json<Context>)> {
    let conn = app.db.read().await?;
    let row = visibility::visible(&conn, viewer.account(), id).await?;
    let found = context::context(&conn, viewer.account(), &row).await?;
    let context = entities::context(&app, &conn, found, viewer.account()).await?;
    drop(conn);
    let refreshing = match viewer.account() {
        Some(_) if threads::is_elsewhere(&row) => async_refreshes::of_thread(&app, id).await?,
        _ => None,
    };
    if viewer.account().is_some() {
        cards::open(&app.db, &app.site, &row).await?;
        quotes::remote::check_stale(&app.db, &row).await?;
    }
    Ok((refreshing, Json(context)))
}

/// `GET /api/v1/statuses/:id/history` <https://docs.joinmastodon.org/methods/statuses/#history>
pub(super) async fn history(
    State(app): State<App>,
    viewer: Viewer<scope::ReadStatuses>,
    Path(id): Path<StatusId>,
) -> ApiResult<Json<Vec<StatusEdit>>> {
    let conn = app.db.read().await?;
    let row = visibility::visible(&conn, viewer.account(), id).await?;
    let versions = edit::history(&conn, &row).await?;
    Ok(Json(entities::edits(&app, &conn, (row, viewer.account()), versions).await?))
}

/// `GET /api/v1/statuses/:id/source`: for the author, who is about to edit.
/// <https://docs.joinmastodon.org/methods/statuses/#source>
pub(super) async fn source(
    State(app): State<App>,
    user: User<scope::ReadStatuses>,
    Path(id): Path<StatusId>,
) -> ApiResult<Json<StatusSource>> {
    let conn = app.db.read().await?;
    let row = visibility::visible(&conn, Some(user.account), id).await?;
    if row.account_id != user.account {
        return Err(ApiError::not_found());
    }
    let Row { id, text, spoiler_text, content_type, .. } = row;
    Ok(Json(StatusSource { id, text, spoiler_text, content_type }))
}

/// `GET /api/v1/statuses/:id/card`, long deprecated: previews come with their posts.
/// <https://docs.joinmastodon.org/methods/statuses/#card>
pub(super) async fn card(
    State(app): State<App>,
    viewer: Viewer<scope::ReadStatuses>,
    Path(id): Path<StatusId>,
) -> ApiResult<Json<Empty>> {
    visibility::visible(&app.db.read().await?, viewer.account(), id).await?;
    Ok(Json(Empty {}))
}
