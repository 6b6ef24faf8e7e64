//! Posts at their addresses.

use crate::actors::serve::{document, local, private_document};
use crate::deliver::compose;
use crate::inbox::signer;
use crate::{Federation, Path, Refusal};
use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use domain::accounts::Account;
use domain::db::Conn;
use domain::ids::{AccountId, StatusId};
use domain::statuses::{self, Consent, Status, Visibility, visibility};
use domain::{Error, tombstones};
use serde_json::Value;

pub(crate) fn routes() -> Router<Federation> {
    Router::new().route("/users/{username}/statuses/{id}/activity", get(activity))
}

pub(crate) fn documents() -> Router<Federation> {
    Router::new().route("/users/{username}/statuses/{id}", get(note)).route("/@{username}/{id}", get(note))
}

/// `GET /users/{username}/statuses/{id}`: what not everybody may see only for signed requests of who may.
async fn note(
    State(federation): State<Federation>,
    Path((username, id)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    let Shown { author, status, .. } = shown(&federation, (&username, &id), request).await?;
    if status.reblog_of_id.is_some() {
        return Err(Refusal::Unknown);
    }
    let conn = federation.db.read().await?;
    let note = federation.note(&conn, &author, &status).await?.to_json();
    Ok(answer(&status, &note))
}

/// `GET /users/{username}/statuses/{id}/activity`: how it was told, a boost among them.
async fn activity(
    State(federation): State<Federation>,
    Path((username, id)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    let Shown { author, status, .. } = shown(&federation, (&username, &id), request).await?;
    let conn = federation.db.read().await?;
    let made = compose::created(&federation, &conn, (&author, &status)).await?.to_json();
    Ok(answer(&status, &made))
}

/// What belongs to `status`: for everybody, or for nobody to keep.
pub(super) fn answer(status: &Status, value: &Value) -> Response {
    if is_open(status) { document(value) } else { private_document(value) }
}

/// Whether it is served to whoever asks: not while it waits for somebody's consent.
fn is_open(status: &Status) -> bool {
    status.visibility <= Visibility::Unlisted && status.consent != Consent::Waiting
}

/// A post that somebody asked for.
pub(super) struct Shown {
    pub(super) author: Account,
    pub(super) status: Status,
    /// Who asked, where that matters.
    pub(super) viewer: Option<AccountId>,
}

/// The post, if who asks may see it; the same answer for what is not there and what is not theirs.
pub(super) async fn shown(
    federation: &Federation,
    (username, id): (&str, &str),
    request: Request,
) -> Result<Shown, Refusal> {
    let id: StatusId = id.parse().map_err(|_| Refusal::Unknown)?;
    let conn = federation.db.read().await?;
    let author = local(&conn, username).await?;
    let Some(status) = statuses::store::by_id(&conn, id).await?.filter(|s| s.account_id == author.id) else {
        return Err(absent(&conn, &federation.site.status_uri(&author.username, id)).await?);
    };
    if is_open(&status) {
        let status = visibility::served(&conn, None, status.id).await?;
        return Ok(Shown { author, status, viewer: None });
    }
    drop(conn);
    let (parts, _) = request.into_parts();
    let viewer = match signer::of_request(federation, &parts).await {
        // As in the inbox: whoever is suspended is nobody here.
        Ok(viewer) if viewer.suspended_at.is_some() => return Err(Refusal::Unknown),
        Ok(viewer) => viewer,
        Err(Refusal::Later) => return Err(Refusal::Later),
        Err(_) => return Err(Refusal::Unknown),
    };
    let conn = federation.db.read().await?;
    let status = visibility::served(&conn, Some(viewer.id), status.id).await?;
    Ok(Shown { author, status, viewer: Some(viewer.id) })
}

async fn absent(conn: &Conn, uri: &str) -> Result<Refusal, Error> {
    Ok(if tombstones::is_gone(conn, uri).await? { Refusal::Gone } else { Refusal::Unknown })
}
