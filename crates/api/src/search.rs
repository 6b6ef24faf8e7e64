//! Search. <https://docs.joinmastodon.org/methods/search/>

use crate::{
    App,
    auth::{Viewer, scope},
    entities::{self, Account, Status, Tag},
    http::{ApiError, ApiResult, Id, Json, PageLimits, Paging, Params},
};
use axum::{Router, extract::State, routing::get};
use domain::{
    accounts,
    db::Conn,
    ids::AccountId,
    search::{self, Query},
    statuses::visibility::{self, Place},
};
use federation::resolve::{self, Found};
use serde::{Deserialize, Serialize};

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/api/v2/search", get(everything))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Form {
    q: Option<String>,
    #[serde(rename = "type")]
    kind: Option<What>,
    resolve: bool,
    following: bool,
    account_id: Id<AccountId>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum What {
    Accounts,
    Hashtags,
    Statuses,
}

/// <https://docs.joinmastodon.org/entities/Search/>
#[derive(Default, Serialize)]
struct Search {
    accounts: Vec<Account>,
    statuses: Vec<Status>,
    hashtags: Vec<Tag>,
}

/// `GET /api/v2/search`. Anybody may look; to page through or to ask elsewhere takes a user, as Mastodon has it.
/// <https://docs.joinmastodon.org/methods/search/#v2>
async fn everything(
    State(app): State<App>,
    viewer: Viewer<scope::ReadSearch>,
    paging: Paging,
    Params(form): Params<Form>,
) -> ApiResult<Json<Search>> {
    let words = form.q.as_deref().map(str::trim).unwrap_or_default();
    if words.is_empty() {
        return Err(ApiError::missing_param("q"));
    }
    let at = paging.offset(PageLimits::STATUSES);
    if viewer.account().is_none() && (form.resolve || at.offset > 0) {
        return Err(ApiError::needs_sign_in());
    }
    let wants = |what: What| form.kind.is_none_or(|kind| kind == what);
    let resolved = if form.resolve && at.offset == 0 { resolve(&app, words, viewer.account()).await } else { None };
    let conn = app.db.read_long().await?;
    if let Some(found) = resolved {
        return Ok(Json(only(&app, &conn, &viewer, (found, wants)).await?));
    }
    let mut found = Search::default();
    if wants(What::Accounts) && form.account_id.known().is_none() {
        let (following, viewer) = (form.following, viewer.account());
        let query = accounts::Search { words, viewer, following, offset: at.offset, limit: at.limit };
        found.accounts = people(&app, &conn, &query).await?;
    }
    if wants(What::Statuses) && !words.starts_with(['#', '＃', '@']) {
        let page = paging.page(PageLimits::STATUSES);
        let query = Query {
            words,
            author: form.account_id.optional()?,
            before: page.max_id,
            after: page.min_id.unwrap_or(page.since_id),
            offset: usize::try_from(at.offset).unwrap_or(usize::MAX),
            limit: usize::try_from(at.limit).unwrap_or(0),
        };
        let shown = search::statuses(&conn, viewer.account(), &query).await?;
        found.statuses = entities::statuses(&app, &conn, shown, viewer.account()).await?;
    }
    if wants(What::Hashtags) && form.account_id.known().is_none() && !words.starts_with('@') {
        let rows = search::tags(&conn, words, at.offset, at.limit).await?;
        found.hashtags = entities::tags(&app, &conn, rows, viewer.account()).await?;
    }
    Ok(Json(found))
}

/// What an address or a handle leads to, fetched when it is not known; None when that is nothing, or cannot be had.
async fn resolve(app: &App, words: &str, viewer: Option<AccountId>) -> Option<Found> {
    let found = if words.starts_with("https://") || words.starts_with("http://") {
        resolve::by_address(&app.federation, words, viewer).await
    } else if words.trim_start_matches('@').contains('@') && !words.contains(char::is_whitespace) {
        resolve::account::by_handle(&app.federation, words).await.map(Found::Account)
    } else {
        return None;
    };
    found.inspect_err(|error| tracing::debug!(words, %error, "nothing was found elsewhere")).ok()
}

/// The one thing that was found, as far as the viewer may see it.
async fn only(
    app: &App,
    conn: &Conn,
    viewer: &Viewer<scope::ReadSearch>,
    (found, wants): (Found, impl Fn(What) -> bool),
) -> ApiResult<Search> {
    let mut shown = Search::default();
    match found {
        Found::Account(row) if wants(What::Accounts) && row.suspended_at.is_none() => {
            let rows = accounts::visible_among(conn, [row.id]).await?;
            shown.accounts = entities::accounts(app, conn, rows).await?;
        }
        Found::Status(row) if wants(What::Statuses) => {
            let seen = visibility::filter(conn, viewer.account(), vec![row], Place::Asked).await?;
            shown.statuses = entities::statuses(app, conn, seen, viewer.account()).await?;
        }
        _ => {}
    }
    Ok(shown)
}

async fn people(app: &App, conn: &Conn, query: &accounts::Search<'_>) -> ApiResult<Vec<Account>> {
    if query.words.starts_with(['#', '＃']) {
        return Ok(Vec::new());
    }
    let rows = accounts::search(conn, &app.site, query).await?;
    Ok(entities::accounts(app, conn, rows).await?)
}
