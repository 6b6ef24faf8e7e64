//! Lists that others may read: what somebody posted, who follows whom, what is pinned.
//!
//! Pages are paths, not queries: a signature may leave a query out.

use crate::actors::serve::{document, local};
use crate::deliver::compose;
use crate::documents::{Collection, Object, Page as First};
use crate::{Federation, Path, Refusal};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, routing::MethodRouter};
use domain::accounts::Account;
use domain::db::Conn;
use domain::page::{From, Page};
use domain::statuses::{self, Status, Visibility};
use domain::timelines::{self, Profile};
use domain::{Result as DomainResult, follows, tags};

/// Posts on a page of an outbox, accounts on a page of followers.
const POSTS: i64 = 20;
const ACCOUNTS: i64 = 40;
/// Pages of followers that are served: further back nobody looks.
const PAGES: i64 = 10_000;

pub(crate) fn routes() -> Router<Federation> {
    // Nobody posts here: clients speak another language.
    let read = |method: MethodRouter<Federation>| method.post(no_client);
    Router::new()
        .route("/users/{username}/outbox", read(get(outbox)))
        .route("/users/{username}/outbox/last", get(outbox_end))
        .route("/users/{username}/outbox/{before}", get(outbox_page))
        .route("/users/{username}/followers", get(followers))
        .route("/users/{username}/followers/{page}", get(followers_page))
        .route("/users/{username}/following", get(following))
        .route("/users/{username}/following/{page}", get(following_page))
        .route("/users/{username}/collections/featured", get(featured))
        .route("/users/{username}/collections/tags", get(featured_tags))
        .route("/actor/outbox", read(get(site_outbox)))
        .route("/relay/{list}", get(relay_list))
}

async fn no_client() -> Response {
    StatusCode::METHOD_NOT_ALLOWED.into_response()
}

/// `GET /actor/outbox`: the site itself says nothing.
async fn site_outbox(State(federation): State<Federation>) -> Response {
    empty(format!("{}/outbox", federation.site_uri()))
}

/// `GET /relay/outbox`, `…/followers`, `…/following`: who relays are is nobody's business.
async fn relay_list(State(federation): State<Federation>, Path(list): Path<String>) -> Result<Response, Refusal> {
    if !matches!(list.as_str(), "outbox" | "followers" | "following") {
        return Err(Refusal::Unknown);
    }
    Ok(empty(format!("{}/{list}", federation.relay_uri())))
}

fn empty(id: String) -> Response {
    document(&Collection { id: Some(id), ordered: true, total: Some(0), ..Collection::default() }.to_json())
}

fn total(count: i64) -> Option<u64> {
    Some(u64::try_from(count).unwrap_or(0))
}

/// `GET /users/{username}/outbox`
async fn outbox(State(federation): State<Federation>, Path(name): Path<String>) -> Result<Response, Refusal> {
    let conn = federation.db.read().await?;
    let account = local(&conn, &name).await?;
    let id = format!("{}/outbox", account.uri);
    let root = Collection {
        first: Some(First::Id(format!("{id}/{}", i64::MAX))),
        last: Some(format!("{id}/last")),
        id: Some(id),
        ordered: true,
        total: total(account.statuses_count),
        ..Collection::default()
    };
    Ok(document(&root.to_json()))
}

/// `GET /users/{username}/outbox/{before}`: newest first, what everybody may see.
async fn outbox_page(
    State(federation): State<Federation>,
    Path((name, before)): Path<(String, i64)>,
) -> Result<Response, Refusal> {
    let page = Page { before, ..Page::newest(POSTS) };
    posts(&federation, &name, (&before.to_string(), page)).await
}

/// `GET /users/{username}/outbox/last`: the oldest, newest first.
async fn outbox_end(State(federation): State<Federation>, Path(name): Path<String>) -> Result<Response, Refusal> {
    let page = Page { from: From::Oldest, ..Page::newest(POSTS) };
    posts(&federation, &name, ("last", page)).await
}

async fn posts(federation: &Federation, name: &str, (at, page): (&str, Page)) -> Result<Response, Refusal> {
    let conn = federation.db.read().await?;
    let account = local(&conn, name).await?;
    let shown = timelines::account(&conn, None, (account.id, &Profile::default()), page).await?;
    // By name only: whoever wants to know more fetches what is wanted, and no query is made for each.
    let brief = |status: &Status| {
        let original = status.reblog_of_id.and_then(|id| shown.reblogged.get(&id));
        Object::Activity(Box::new(compose::brief(&account.uri, status, original.map(|o| o.uri.as_str()))))
    };
    let items = shown.statuses.iter().map(brief).collect();
    let id = format!("{}/outbox", account.uri);
    let last = shown.statuses.last().filter(|_| page.from == From::Newest).map(|s| s.id);
    let made = Collection {
        id: Some(format!("{id}/{at}")),
        next: last.map(|last| format!("{id}/{last}")),
        part_of: Some(id),
        ordered: true,
        is_page: true,
        items,
        ..Collection::default()
    };
    Ok(document(&made.to_json()))
}

/// Which of the two lists.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Followers,
    Following,
}

impl Side {
    fn id(self, account: &Account) -> String {
        let name = if self == Self::Followers { "followers" } else { "following" };
        format!("{}/{name}", account.uri)
    }
    fn count(self, account: &Account) -> i64 {
        if self == Self::Followers { account.followers_count } else { account.following_count }
    }
    async fn list(self, conn: &Conn, account: &Account, page: i64) -> DomainResult<Vec<String>> {
        match self {
            Self::Followers => follows::remote::follower_uris(conn, account.id, (page, ACCOUNTS)).await,
            Self::Following => follows::remote::following_uris(conn, account.id, (page, ACCOUNTS)).await,
        }
    }
}

/// `GET /users/{username}/followers`
async fn followers(State(federation): State<Federation>, Path(name): Path<String>) -> Result<Response, Refusal> {
    root(&federation, &name, Side::Followers).await
}

/// `GET /users/{username}/following`
async fn following(State(federation): State<Federation>, Path(name): Path<String>) -> Result<Response, Refusal> {
    root(&federation, &name, Side::Following).await
}

async fn root(federation: &Federation, name: &str, side: Side) -> Result<Response, Refusal> {
    let conn = federation.db.read().await?;
    let account = local(&conn, name).await?;
    let id = side.id(&account);
    // Without a first page it is hidden.
    let open = account.hide_collections != Some(true);
    let made = Collection {
        first: open.then(|| First::Id(format!("{id}/1"))),
        id: Some(id),
        ordered: true,
        total: total(side.count(&account)),
        ..Collection::default()
    };
    Ok(document(&made.to_json()))
}

async fn followers_page(
    State(federation): State<Federation>,
    Path((name, page)): Path<(String, i64)>,
) -> Result<Response, Refusal> {
    people(&federation, (&name, page), Side::Followers).await
}

async fn following_page(
    State(federation): State<Federation>,
    Path((name, page)): Path<(String, i64)>,
) -> Result<Response, Refusal> {
    people(&federation, (&name, page), Side::Following).await
}

async fn people(federation: &Federation, (name, page): (&str, i64), side: Side) -> Result<Response, Refusal> {
    let conn = federation.db.read_long().await?;
    let account = local(&conn, name).await?;
    if account.hide_collections == Some(true) {
        return Err(Refusal::Forbidden("This list is hidden"));
    }
    if !(1..=PAGES).contains(&page) {
        return Err(Refusal::Unknown);
    }
    let uris = side.list(&conn, &account, page - 1).await?;
    let id = side.id(&account);
    let full = i64::try_from(uris.len()).is_ok_and(|n| n == ACCOUNTS);
    let made = Collection {
        id: Some(format!("{id}/{page}")),
        total: total(side.count(&account)),
        next: full.then(|| format!("{id}/{}", page + 1)),
        prev: (page > 1).then(|| format!("{id}/{}", page - 1)),
        part_of: Some(id),
        ordered: true,
        is_page: true,
        items: uris.into_iter().map(Object::Id).collect(),
        ..Collection::default()
    };
    Ok(document(&made.to_json()))
}

/// `GET /users/{username}/collections/featured`: what is pinned and for everybody, newest pin first.
async fn featured(State(federation): State<Federation>, Path(name): Path<String>) -> Result<Response, Refusal> {
    let conn = federation.db.read().await?;
    let account = local(&conn, &name).await?;
    let pinned: Vec<Status> = statuses::lists::pinned(&conn, None, account.id).await?.statuses;
    let mut items = Vec::new();
    for status in pinned.iter().filter(|s| s.visibility <= Visibility::Unlisted) {
        items.push(Object::Note(Box::new(federation.note(&conn, &account, status).await?)));
    }
    let made = Collection {
        id: Some(format!("{}/collections/featured", account.uri)),
        ordered: true,
        total: u64::try_from(items.len()).ok(),
        items,
        ..Collection::default()
    };
    Ok(document(&made.to_json()))
}

/// `GET /users/{username}/collections/tags`: hashtags on the profile.
async fn featured_tags(State(federation): State<Federation>, Path(name): Path<String>) -> Result<Response, Refusal> {
    let conn = federation.db.read().await?;
    let account = local(&conn, &name).await?;
    let shown = tags::featured(&conn, account.id).await?;
    let items: Vec<Object> = shown.iter().map(|tag| federation.hashtag_object(&tag.name)).collect();
    let made = Collection {
        id: Some(format!("{}/collections/tags", account.uri)),
        total: u64::try_from(items.len()).ok(),
        items,
        ..Collection::default()
    };
    Ok(document(&made.to_json()))
}
