//! What one has blocked: accounts and domains. Pages go by the blocks' own ids.

use crate::{
    App,
    accounts::listed,
    auth::{User, scope},
    entities::{Account, Empty},
    http::{ApiError, ApiResult, Json, Links, PageLimits, Paged, Paging, Params},
};
use axum::{Router, extract::State, routing::get};
use domain::blocks;
use serde::Deserialize;

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/blocks", get(list))
        .route("/api/v1/domain_blocks", get(domains).post(block_domain).delete(unblock_domain))
}

/// `GET /api/v1/blocks` <https://docs.joinmastodon.org/methods/blocks/#get>
async fn list(State(app): State<App>, user: User<scope::ReadBlocks>, paging: Paging) -> ApiResult<Paged<Vec<Account>>> {
    let conn = app.db.read().await?;
    let rows = blocks::list(&conn, user.account, paging.page(PageLimits::ACCOUNTS).into()).await?;
    listed(&app, &conn, &paging, rows).await
}

/// `GET /api/v1/domain_blocks` <https://docs.joinmastodon.org/methods/domain_blocks/#get>
async fn domains(
    State(app): State<App>,
    user: User<scope::ReadBlocks>,
    paging: Paging,
) -> ApiResult<Paged<Vec<String>>> {
    let conn = app.db.read().await?;
    let page = paging.page(PageLimits::HUNDREDS);
    let rows = blocks::domains(&conn, user.account, page.into()).await?;
    let ends = page.shown(&rows, |(cursor, _)| *cursor);
    Ok(paging.paged(rows.into_iter().map(|(_, domain)| domain).collect(), ends, Links::Join))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DomainForm {
    domain: Option<String>,
}

impl DomainForm {
    fn required(self) -> ApiResult<String> {
        self.domain.filter(|d| !d.trim().is_empty()).ok_or_else(|| ApiError::validation(["Domain can't be blank"]))
    }
}

/// `POST /api/v1/domain_blocks` <https://docs.joinmastodon.org/methods/domain_blocks/#block>
async fn block_domain(
    State(app): State<App>,
    user: User<scope::WriteBlocks>,
    Params(form): Params<DomainForm>,
) -> ApiResult<Json<Empty>> {
    blocks::block_domain(&app.db, user.account, &form.required()?).await?;
    Ok(Json(Empty {}))
}

/// `DELETE /api/v1/domain_blocks` <https://docs.joinmastodon.org/methods/domain_blocks/#unblock>
async fn unblock_domain(
    State(app): State<App>,
    user: User<scope::WriteBlocks>,
    Params(form): Params<DomainForm>,
) -> ApiResult<Json<Empty>> {
    blocks::unblock_domain(&app.db, user.account, &form.required()?).await?;
    Ok(Json(Empty {}))
}
