//! What an account posted.

use crate::{
    App,
    auth::{Viewer, scope},
    entities::Status,
    http::{ApiResult, Links, PageLimits, Paged, Paging, Params, Path},
    timelines::paged,
};
use axum::extract::State;
use domain::{
    accounts,
    ids::AccountId,
    statuses::lists,
    text,
    timelines::{self, Profile},
};
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Form {
    only_media: bool,
    exclude_replies: bool,
    exclude_reblogs: bool,
    pinned: bool,
    tagged: Option<String>,
}

/// `GET /api/v1/accounts/:id/statuses` <https://docs.joinmastodon.org/methods/accounts/#statuses>
pub(super) async fn list(
    State(app): State<App>,
    viewer: Viewer<scope::ReadStatuses>,
    Path(id): Path<AccountId>,
    paging: Paging,
    Params(form): Params<Form>,
) -> ApiResult<Paged<Vec<Status>>> {
    let conn = app.db.read().await?;
    let author = accounts::visible(&conn, id).await?;
    if author.suspended_at.is_some() {
        return Ok(paging.paged(Vec::new(), None, Links::Timeline));
    }
    let me = viewer.account();
    let shown = if form.pinned {
        lists::pinned(&conn, me, id).await?
    } else {
        let what = Profile {
            only_media: form.only_media,
            exclude_replies: form.exclude_replies,
            exclude_reblogs: form.exclude_reblogs,
            tagged: form.tagged.map(|t| text::tag_key(&t)).filter(|t| !t.is_empty()),
        };
        timelines::account(&conn, me, (id, &what), paging.page(PageLimits::STATUSES).into()).await?
    };
    paged(&app, &conn, &paging, (shown, me)).await
}
