//! What hangs on a post, as lists that others read: answers, favourites, boosts, and the conversation it belongs to.
//!
//! Pages are paths, and each leads to the next until the last.

use super::serve::{Shown, answer, shown};
use crate::actors::serve::document;
use crate::documents::{Collection, Object, Page};
use crate::{Federation, Path, Refusal};
use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use domain::db::Conn;
use domain::ids::{ConversationId, StatusId};
use domain::statuses::threads::{self, Part, Whose};
use domain::statuses::{Status, Visibility};
use domain::{Result as DomainResult, accounts, conversations};

/// Answers that come with the post itself, and entries of a page.
const FIRST: i64 = 5;
const PAGE: i64 = 60;
const BEGINNING: StatusId = StatusId(0);

pub(crate) fn routes() -> Router<Federation> {
    Router::new()
        .route("/users/{username}/statuses/{id}/replies", get(replies))
        .route("/users/{username}/statuses/{id}/replies/{whose}/{after}", get(replies_page))
        .route("/users/{username}/statuses/{id}/likes", get(likes))
        .route("/users/{username}/statuses/{id}/shares", get(shares))
        .route("/contexts/{id}", get(context))
        .route("/contexts/{id}/{after}", get(context_page))
}

/// `replies` as it stands in the post: how the author goes on, and where the rest is.
pub(super) async fn embedded(conn: &Conn, status: &Status) -> DomainResult<Collection> {
    let open = status.visibility <= Visibility::Unlisted;
    // What nobody answered needs no look.
    let part = if open && status.replies_count > 0 {
        threads::answers(conn, None, (status, Whose::Own), (BEGINNING, FIRST)).await?
    } else {
        Part { statuses: Vec::new(), more: None }
    };
    Ok(root(status, part))
}

fn root(status: &Status, first: Part) -> Collection {
    let id = format!("{}/replies", status.uri);
    let page = page(&id, None, (first, Whose::Own));
    Collection { id: Some(id), first: Some(Page::Embedded(Box::new(page))), ..Collection::default() }
}

fn page(root: &str, id: Option<String>, (part, whose): (Part, Whose)) -> Collection {
    let name = if whose == Whose::Own { "own" } else { "others" };
    let next = match (part.more, whose) {
        (Some(last), _) => Some(format!("{root}/{name}/{last}")),
        (None, Whose::Own) => Some(format!("{root}/others/0")),
        (None, Whose::Others) => None,
    };
    Collection {
        id,
        is_page: true,
        part_of: Some(root.to_owned()),
        next,
        items: part.statuses.into_iter().map(|s| Object::Id(s.uri)).collect(),
        ..Collection::default()
    }
}

/// `GET /users/{username}/statuses/{id}/replies`
async fn replies(
    State(federation): State<Federation>,
    Path((username, id)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    let Shown { status, viewer, .. } = shown(&federation, (&username, &id), request).await?;
    let conn = federation.db.read().await?;
    let first = threads::answers(&conn, viewer, (&status, Whose::Own), (BEGINNING, FIRST)).await?;
    Ok(answer(&status, &root(&status, first).to_json()))
}

/// `GET /users/{username}/statuses/{id}/replies/{own,others}/{after}`
async fn replies_page(
    State(federation): State<Federation>,
    Path((username, id, whose, after)): Path<(String, String, String, StatusId)>,
    request: Request,
) -> Result<Response, Refusal> {
    let side = match whose.as_str() {
        "own" => Whose::Own,
        "others" => Whose::Others,
        _ => return Err(Refusal::Unknown),
    };
    let Shown { status, viewer, .. } = shown(&federation, (&username, &id), request).await?;
    let conn = federation.db.read().await?;
    let part = threads::answers(&conn, viewer, (&status, side), (after, PAGE)).await?;
    let root = format!("{}/replies", status.uri);
    let made = page(&root, Some(format!("{root}/{whose}/{after}")), (part, side));
    Ok(answer(&status, &made.to_json()))
}

/// `GET /users/{username}/statuses/{id}/likes`: how many, not who.
async fn likes(
    State(federation): State<Federation>,
    Path((username, id)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    let Shown { status, .. } = shown(&federation, (&username, &id), request).await?;
    Ok(counted(&status, "likes", status.favourites_count))
}

/// `GET /users/{username}/statuses/{id}/shares`: how many, not who.
async fn shares(
    State(federation): State<Federation>,
    Path((username, id)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    let Shown { status, .. } = shown(&federation, (&username, &id), request).await?;
    Ok(counted(&status, "shares", status.reblogs_count))
}

fn counted(status: &Status, name: &str, count: i64) -> Response {
    let made = Collection {
        id: Some(format!("{}/{name}", status.uri)),
        total: Some(u64::try_from(count).unwrap_or(0)),
        ..Collection::default()
    };
    answer(status, &made.to_json())
}

/// `GET /contexts/{id}`: what everybody may see of a conversation that began here.
/// <https://codeberg.org/fediverse/fep/src/branch/main/fep/f228/fep-f228.md>
async fn context(State(federation): State<Federation>, Path(id): Path<ConversationId>) -> Result<Response, Refusal> {
    let conn = federation.db.read().await?;
    let part = conversation(&conn, id, (BEGINNING, 1)).await?;
    let beginning = part.statuses.first().ok_or(Refusal::Unknown)?;
    let owner = accounts::store::by_id(&conn, beginning.account_id).await?.filter(|a| a.is_local());
    let uri = federation.site.context_uri(id);
    let made = Collection {
        first: Some(Page::Id(format!("{uri}/0"))),
        id: Some(uri),
        ordered: true,
        owner: owner.map(|a| a.uri),
        ..Collection::default()
    };
    Ok(document(&made.to_json()))
}

/// `GET /contexts/{id}/{after}`: oldest first.
async fn context_page(
    State(federation): State<Federation>,
    Path((id, after)): Path<(ConversationId, StatusId)>,
) -> Result<Response, Refusal> {
    let conn = federation.db.read().await?;
    let part = conversation(&conn, id, (after, PAGE)).await?;
    let uri = federation.site.context_uri(id);
    let made = Collection {
        id: Some(format!("{uri}/{after}")),
        next: part.more.map(|last| format!("{uri}/{last}")),
        part_of: Some(uri),
        ordered: true,
        is_page: true,
        items: part.statuses.into_iter().map(|s| Object::Id(s.uri)).collect(),
        ..Collection::default()
    };
    Ok(document(&made.to_json()))
}

/// One that began elsewhere is to be read there.
async fn conversation(conn: &Conn, id: ConversationId, range: (StatusId, i64)) -> Result<Part, Refusal> {
    if conversations::names(conn, id).await?.uri.is_some() {
        return Err(Refusal::Unknown);
    }
    Ok(threads::conversation(conn, id, range).await?)
}
