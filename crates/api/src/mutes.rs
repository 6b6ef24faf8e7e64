//! Whom one has muted. Pages go by the mutes' own ids.

use crate::{
    App,
    auth::{User, scope},
    entities::{self, Iso, MutedAccount},
    http::{ApiResult, Links, PageLimits, Paged, Paging},
};
use axum::{Router, extract::State, routing::get};
use domain::mutes;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/api/v1/mutes", get(list))
}

/// `GET /api/v1/mutes` <https://docs.joinmastodon.org/methods/mutes/#get>
async fn list(
    State(app): State<App>,
    user: User<scope::ReadMutes>,
    paging: Paging,
) -> ApiResult<Paged<Vec<MutedAccount>>> {
    let conn = app.db.read().await?;
    let page = paging.page(PageLimits::ACCOUNTS);
    let rows = mutes::list(&conn, user.account, page.into()).await?;
    let ends = page.shown(&rows, |muted| muted.cursor);
    let until: Vec<_> = rows.iter().map(|muted| muted.expires_at.map(Iso)).collect();
    let people = rows.into_iter().map(|muted| muted.account).collect();
    let made = entities::accounts(&app, &conn, people).await?;
    let made = made.into_iter().zip(until).map(|(account, mute_expires_at)| MutedAccount { account, mute_expires_at });
    Ok(paging.paged(made.collect(), ends, Links::Join))
}
