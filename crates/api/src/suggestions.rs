//! Whom one could follow. <https://docs.joinmastodon.org/methods/suggestions/>

use crate::{
    App,
    auth::{User, scope},
    entities::{self, Account, Empty},
    http::{ApiResult, PageLimits, Paging, Path},
};
use axum::{
    Json, Router,
    extract::State,
    routing::{delete, get},
};
use domain::suggestions::{self, Why};
use serde::Serialize;

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v2/suggestions", get(list))
        .route("/api/v1/suggestions", get(accounts))
        .route("/api/v1/suggestions/{account_id}", delete(dismiss))
}

/// <https://docs.joinmastodon.org/entities/Suggestion/>
#[derive(Debug, Serialize)]
struct Suggestion {
    source: &'static str,
    sources: [&'static str; 1],
    account: Account,
}

/// The documentation's words for why; the first is the one that older clients know.
fn words(why: Why) -> (&'static str, &'static str) {
    match why {
        Why::FriendsOfFriends => ("past_interactions", "friends_of_friends"),
        Why::Active => ("global", "most_interactions"),
    }
}

/// `GET /api/v2/suggestions` <https://docs.joinmastodon.org/methods/suggestions/#v2>
async fn list(
    State(app): State<App>,
    user: User<scope::ReadAccounts>,
    paging: Paging,
) -> ApiResult<Json<Vec<Suggestion>>> {
    let conn = app.db.read_long().await?;
    let found = suggestions::list(&conn, user.account, paging.page(PageLimits::ACCOUNTS).limit).await?;
    let (why, rows): (Vec<Why>, Vec<_>) = found.into_iter().map(|s| (s.why, s.account)).unzip();
    let made = entities::accounts(&app, &conn, rows).await?;
    let shown = made.into_iter().zip(why).map(|(account, why)| {
        let (source, word) = words(why);
        Suggestion { source, sources: [word], account }
    });
    Ok(Json(shown.collect()))
}

/// `GET /api/v1/suggestions`, long deprecated: the accounts alone.
/// <https://docs.joinmastodon.org/methods/suggestions/#v1>
async fn accounts(
    State(app): State<App>,
    user: User<scope::ReadAccounts>,
    paging: Paging,
) -> ApiResult<Json<Vec<Account>>> {
    let conn = app.db.read_long().await?;
    let found = suggestions::list(&conn, user.account, paging.page(PageLimits::ACCOUNTS).limit).await?;
    let rows = found.into_iter().map(|s| s.account).collect();
    Ok(Json(entities::accounts(&app, &conn, rows).await?))
}

/// `DELETE /api/v1/suggestions/:account_id`: also of nobody at all.
/// <https://docs.joinmastodon.org/methods/suggestions/#remove>
async fn dismiss(
    State(app): State<App>,
    user: User<scope::Suggestions>,
    Path(id): Path<String>,
) -> ApiResult<Json<Empty>> {
    if let Ok(id) = id.parse() {
        suggestions::dismiss(&app.db, user.account, id).await?;
    }
    Ok(Json(Empty {}))
}
