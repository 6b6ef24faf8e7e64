//! The list of an account's followers at one server, for that server alone.

use super::{MOST, PATH, place};
use crate::actors::serve::{local, private_document};
use crate::documents::{Collection, Object};
use crate::inbox::signer;
use crate::policy::BLOCKED;
use crate::{Federation, Path, Refusal};
use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use domain::follows;

pub(crate) fn routes() -> Router<Federation> {
    Router::new().route("/users/{username}/followers_synchronization", get(followers))
}

/// `GET /users/{username}/followers_synchronization`: those at the server of whoever signed the request, also where
/// the list as a whole is hidden: they are its own people.
async fn followers(
    State(federation): State<Federation>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, _) = request.into_parts();
    let who = signer::of_request(&federation, &parts).await?;
    if who.suspended_at.is_some() {
        return Err(Refusal::Forbidden(BLOCKED));
    }
    let place = place(&who.uri).ok_or(Refusal::Unknown)?;
    let conn = federation.db.read_long().await?;
    let account = local(&conn, &name).await?;
    let uris = follows::remote::follower_uris_at(&conn, account.id, (place, MOST)).await?;
    let list = Collection {
        id: Some(format!("{}{PATH}", account.uri)),
        ordered: true,
        items: uris.into_iter().map(Object::Id).collect(),
        ..Collection::default()
    };
    Ok(private_document(&list.to_json()))
}
