//! Actors at their addresses.

use crate::documents::CONTENT_TYPE;
use crate::{Federation, Refusal};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::accounts::{self, Account};
use domain::db::Conn;
use domain::tombstones;
use serde_json::Value;

pub(crate) fn routes() -> Router<Federation> {
    Router::new().route("/actor", get(site)).route("/relay", get(relay))
}

pub(crate) fn documents() -> Router<Federation> {
    Router::new().route("/users/{username}", get(actor)).route("/@{username}", get(actor))
}

/// `GET /actor`: open to everybody in every mode, or two servers that want signatures could never begin.
async fn site(State(federation): State<Federation>) -> Result<Response, Refusal> {
    Ok(document(&federation.site_actor().await?.to_json()))
}

/// `GET /relay`: as open as the site's own.
async fn relay(State(federation): State<Federation>) -> Result<Response, Refusal> {
    Ok(document(&federation.relay_actor().await?.to_json()))
}

/// `GET /users/{username}` <https://www.w3.org/TR/activitypub/#actor-objects>
async fn actor(State(federation): State<Federation>, Path(username): Path<String>) -> Result<Response, Refusal> {
    let conn = federation.db.read().await?;
    let account = local(&federation, &conn, &username).await?;
    drop(conn);
    Ok(document(&federation.actor(&account).await?.to_json()))
}

/// The local account of this name; [`Refusal::Gone`] for one that was deleted or is suspended.
pub(crate) async fn local(federation: &Federation, conn: &Conn, username: &str) -> Result<Account, Refusal> {
    match accounts::store::by_handle(conn, username, None).await? {
        None if tombstones::is_gone(conn, &federation.site.actor_uri(username)).await? => Err(Refusal::Gone),
        None => Err(Refusal::Unknown),
        Some(account) => match accounts::visible(conn, account.id).await?.suspended_at {
            Some(_) => Err(Refusal::Gone),
            None => Ok(account),
        },
    }
}

/// A document with its one exact type; caches keep it apart from the page at the same address.
pub(crate) fn document(value: &Value) -> Response {
    let headers = [
        (header::CONTENT_TYPE, CONTENT_TYPE),
        (header::VARY, "Accept"),
        (header::CACHE_CONTROL, "max-age=180, public"),
    ];
    (headers, value.to_string()).into_response()
}

/// A document that not everybody may see.
pub(crate) fn private_document(value: &Value) -> Response {
    let headers = [
        (header::CONTENT_TYPE, CONTENT_TYPE),
        (header::VARY, "Accept, Signature"),
        (header::CACHE_CONTROL, "no-store, private"),
    ];
    (headers, value.to_string()).into_response()
}
