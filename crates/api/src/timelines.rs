//! Timelines. <https://docs.joinmastodon.org/methods/timelines/>

use crate::{
    App,
    auth::{User, Viewer, scope},
    entities::{self, Status},
    http::{ApiError, ApiResult, Links, PageLimits, Paged, Paging, Params, Path},
};
use axum::{Router, extract::State, routing::get};
use domain::{
    db::Conn,
    ids::{AccountId, ListId},
    lists,
    statuses::visibility::Shown,
    text,
    timelines::{self, Origin, Public, Tagged},
};
use serde::Deserialize;

/// Further tags in each of `any`, `all`, `none`.
const FURTHER: usize = 4;

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/timelines/home", get(home))
        .route("/api/v1/timelines/public", get(public))
        .route("/api/v1/timelines/tag/{hashtag}", get(tag))
        .route("/api/v1/timelines/list/{list_id}", get(list))
}

/// `GET /api/v1/timelines/home` <https://docs.joinmastodon.org/methods/timelines/#home>
async fn home(
    State(app): State<App>,
    user: User<scope::ReadStatuses>,
    paging: Paging,
) -> ApiResult<Paged<Vec<Status>>> {
    let conn = app.db.read().await?;
    let shown = timelines::home(&conn, user.account, paging.page(PageLimits::STATUSES).into()).await?;
    paged(&app, &conn, &paging, (shown, Some(user.account))).await
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PublicForm {
    local: bool,
    remote: bool,
    only_media: bool,
}

impl PublicForm {
    fn what(&self) -> Public {
        let origin = match (self.local, self.remote) {
            (true, false) => Origin::Local,
            (false, true) => Origin::Remote,
            _ => Origin::Anywhere,
        };
        Public { origin, only_media: self.only_media }
    }
}

/// `GET /api/v1/timelines/public` <https://docs.joinmastodon.org/methods/timelines/#public>
async fn public(
    State(app): State<App>,
    viewer: Viewer<scope::ReadStatuses>,
    paging: Paging,
    Params(form): Params<PublicForm>,
) -> ApiResult<Paged<Vec<Status>>> {
    let conn = app.db.read().await?;
    let page = paging.page(PageLimits::STATUSES).into();
    let shown = timelines::public(&conn, viewer.account(), &form.what(), page).await?;
    paged(&app, &conn, &paging, (shown, viewer.account())).await
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TagForm {
    any: Vec<String>,
    all: Vec<String>,
    none: Vec<String>,
    local: bool,
    remote: bool,
    only_media: bool,
}

/// `GET /api/v1/timelines/tag/:hashtag` <https://docs.joinmastodon.org/methods/timelines/#tag>
async fn tag(
    State(app): State<App>,
    viewer: Viewer<scope::ReadStatuses>,
    Path(hashtag): Path<String>,
    paging: Paging,
    Params(form): Params<TagForm>,
) -> ApiResult<Paged<Vec<Status>>> {
    let key = text::tag_key(&hashtag);
    if key.is_empty() {
        return Err(ApiError::not_found());
    }
    let keys = |names: &[String]| -> Vec<String> {
        names.iter().map(|n| text::tag_key(n)).filter(|k| !k.is_empty()).take(FURTHER).collect()
    };
    let mut any = keys(&form.any);
    any.push(key);
    let public = PublicForm { local: form.local, remote: form.remote, only_media: form.only_media }.what();
    let mut all = keys(&form.all);
    all.sort_unstable();
    all.dedup();
    let what = Tagged { any, all, none: keys(&form.none), public };
    let conn = app.db.read().await?;
    let page = paging.page(PageLimits::STATUSES).into();
    let shown = timelines::tagged(&conn, viewer.account(), &what, page).await?;
    paged(&app, &conn, &paging, (shown, viewer.account())).await
}

/// `GET /api/v1/timelines/list/:list_id` <https://docs.joinmastodon.org/methods/timelines/#list>
async fn list(
    State(app): State<App>,
    user: User<scope::ReadLists>,
    Path(id): Path<ListId>,
    paging: Paging,
) -> ApiResult<Paged<Vec<Status>>> {
    let conn = app.db.read().await?;
    let list = lists::own(&conn, user.account, id).await?;
    let shown = timelines::list(&conn, &list, paging.page(PageLimits::STATUSES).into()).await?;
    paged(&app, &conn, &paging, (shown, Some(user.account))).await
}

/// A page of a timeline, with its links.
pub(crate) async fn paged(
    app: &App,
    conn: &Conn,
    paging: &Paging,
    (shown, viewer): (Shown, Option<AccountId>),
) -> ApiResult<Paged<Vec<Status>>> {
    let ends = paging.page(PageLimits::STATUSES).shown(&shown.statuses, |s| s.id);
    let made = entities::statuses(app, conn, shown, viewer).await?;
    Ok(paging.paged(made, ends, Links::Timeline))
}
