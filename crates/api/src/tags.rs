//! Single hashtags, and those one follows. A tag is named in the path by its name in any spelling, or by its id.

use crate::{
    App,
    auth::{User, Viewer, scope},
    entities::{self, Tag},
    http::{ApiResult, Links, PageLimits, Paged, Paging, Path},
};
use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use domain::{ids::AccountId, tags};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/tags/{name}", get(one))
        .route("/api/v1/tags/{name}/follow", post(follow))
        .route("/api/v1/tags/{name}/unfollow", post(unfollow))
        .route("/api/v1/tags/{name}/feature", post(feature))
        .route("/api/v1/tags/{name}/unfeature", post(unfeature))
        .route("/api/v1/followed_tags", get(followed))
}

async fn shown(app: &App, tag: tags::Tag, viewer: AccountId) -> ApiResult<Json<Tag>> {
    let conn = app.db.read().await?;
    Ok(Json(entities::tag(app, &conn, tag, Some(viewer)).await?))
}

/// `GET /api/v1/tags/:name` <https://docs.joinmastodon.org/methods/tags/#get>
async fn one(State(app): State<App>, viewer: Viewer<scope::Any>, Path(name): Path<String>) -> ApiResult<Json<Tag>> {
    let conn = app.db.read().await?;
    let tag = tags::find(&conn, &name).await?;
    Ok(Json(entities::tag(&app, &conn, tag, viewer.account()).await?))
}

/// `POST /api/v1/tags/:name/follow` <https://docs.joinmastodon.org/methods/tags/#follow>
async fn follow(
    State(app): State<App>,
    user: User<scope::WriteFollows>,
    Path(name): Path<String>,
) -> ApiResult<Json<Tag>> {
    let tag = tags::follow(&app.db, user.account, &name).await?;
    shown(&app, tag, user.account).await
}

/// `POST /api/v1/tags/:name/unfollow` <https://docs.joinmastodon.org/methods/tags/#unfollow>
async fn unfollow(
    State(app): State<App>,
    user: User<scope::WriteFollows>,
    Path(name): Path<String>,
) -> ApiResult<Json<Tag>> {
    let tag = tags::unfollow(&app.db, user.account, &name).await?;
    shown(&app, tag, user.account).await
}

/// `POST /api/v1/tags/:id/feature` <https://docs.joinmastodon.org/methods/tags/#feature>
async fn feature(
    State(app): State<App>,
    user: User<scope::WriteAccounts>,
    Path(name): Path<String>,
) -> ApiResult<Json<Tag>> {
    let (_, tag) = tags::feature(&app.db, user.account, &name).await?;
    shown(&app, tag, user.account).await
}

/// `POST /api/v1/tags/:id/unfeature` <https://docs.joinmastodon.org/methods/tags/#unfeature>
async fn unfeature(
    State(app): State<App>,
    user: User<scope::WriteAccounts>,
    Path(name): Path<String>,
) -> ApiResult<Json<Tag>> {
    let tag = tags::unfeature_tag(&app.db, user.account, &name).await?;
    shown(&app, tag, user.account).await
}

/// `GET /api/v1/followed_tags` <https://docs.joinmastodon.org/methods/followed_tags/#get>
async fn followed(
    State(app): State<App>,
    user: User<scope::ReadFollows>,
    paging: Paging,
) -> ApiResult<Paged<Vec<Tag>>> {
    let conn = app.db.read().await?;
    let page = paging.page(PageLimits::HUNDREDS);
    let rows = tags::followed(&conn, user.account, page.into()).await?;
    let ends = page.shown(&rows, |row| row.cursor);
    let rows = rows.into_iter().map(|row| row.tag).collect();
    Ok(paging.paged(entities::tags(&app, &conn, rows, Some(user.account)).await?, ends, Links::Join))
}
