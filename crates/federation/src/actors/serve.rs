//! Actors at their addresses.

use crate::documents::CONTENT_TYPE;
use crate::{Federation, Path, Refusal};
use axum::Router;
use axum::extract::State;
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
    let account = known(&conn, &username).await?;
    drop(conn);
    Ok(document(&federation.actor(&account).await?.to_json()))
}

/// The local account of this name, suspended or not; [`Refusal::Gone`] for one that was deleted or is being deleted.
pub(crate) async fn known(conn: &Conn, username: &str) -> Result<Account, Refusal> {
    if tombstones::is_former_name(conn, username).await? {
        return Err(Refusal::Gone);
    }
    let account = accounts::store::by_handle(conn, username, None).await?.ok_or(Refusal::Unknown)?;
    // Who signed up and is not confirmed or approved is nobody yet.
    Ok(accounts::visible(conn, account.id).await?)
}

/// The local account of this name of which there is more to see than that it is suspended. That may end: others would
/// forget for ever whatever is said to be gone.
pub(crate) async fn local(conn: &Conn, username: &str) -> Result<Account, Refusal> {
    let account = known(conn, username).await?;
    match account.suspended_at {
        Some(_) => Err(Refusal::Forbidden("This account is suspended")),
        None => Ok(account),
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
