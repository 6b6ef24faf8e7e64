//! What other servers send. The request is looked at, written down and answered; a job applies it later. One file for
//! each kind of activity.

mod announce;
mod answer;
pub(crate) mod asking;
mod consent;
mod create;
mod delete;
mod feature;
mod flag;
mod follow;
mod group;
mod like;
mod moved;
mod proof;
pub(crate) mod quote;
mod relay;
pub(crate) mod signer;
pub(crate) mod trouble;
mod undo;
mod update;

use crate::actors::serve::known;
use crate::documents::{Activity, Document, Object, Verb, host, items_in, parse, same_origin};
use crate::resolve::{self, Budget};
use crate::{Federation, Path, Refusal, boxed, follows};
use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use domain::accounts::{self, Account, remote};
use domain::ids::ArrivalId;
use domain::jobs::Outcome;
use domain::statuses::remote as statuses;
use domain::{Error, Result, arrivals, blocks, hosts};
use serde_json::Value;
use std::time::Duration;
use tokio::time::timeout;

/// Bytes of what is sent at once.
const MOST: usize = 1 << 20;
/// For a body to come.
const PATIENCE: Duration = Duration::from_secs(30);
/// Activities that are taken when several come as one.
const AT_ONCE: usize = 100;

pub(crate) fn routes() -> Router<Federation> {
    Router::new()
        .route("/inbox", post(receive))
        .route("/actor/inbox", post(receive))
        .route("/relay/inbox", post(receive))
        .route("/users/{username}/inbox", post(received_by))
}

/// `POST /users/{username}/inbox`: as at the shared one, if there is such a person. Whose inbox it was sent to says nothing
/// more that the activity does not say itself. Who is suspended may come back: what is sent to them is taken.
async fn received_by(
    State(federation): State<Federation>,
    Path(username): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let conn = federation.db.read().await?;
    known(&conn, &username).await?;
    drop(conn);
    receive(State(federation), request).await
}

/// `POST /inbox`: 202 once it is written down.
/// <https://www.w3.org/TR/activitypub/#server-to-server-interactions>
async fn receive(State(federation): State<Federation>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let bytes = read(&parts.headers, body).await?;
    let accepted = StatusCode::ACCEPTED.into_response();
    let value = parse(&bytes).map_err(|_| Refusal::Bad("The body is not JSON"))?;
    let activity = match Document::read(&value) {
        Ok(Document::Collection(_)) => {
            several_at_once(&federation, &parts, (&bytes, &value)).await?;
            return Ok(accepted);
        }
        _ => Activity::read(&value).map_err(|_| Refusal::Bad("The body is not an activity"))?,
    };
    if matters_to_nobody(&federation, &activity).await? {
        return Ok(accepted);
    }
    let (from, signed) = match signer::of(&federation, &parts, &bytes).await {
        Err(Refusal::KeyGone) if ends_itself(&activity) => {
            look_again(&federation, &activity.actor).await?;
            return Ok(accepted);
        }
        signer => signer?,
    };
    // Somebody else may pass on what a blocked server says: that is no fault of theirs, and taken from nobody.
    if !is_heard(&federation, &from, &activity).await? || !federation.policy.admits_address(&activity.actor).await? {
        return Ok(accepted);
    }
    if let Some(id) = &activity.id
        && !same_origin(id, &activity.actor)
    {
        return Err(Refusal::Bad("The activity's id is not on its actor's server"));
    }
    let Ok(body) = std::str::from_utf8(&bytes) else { return Err(Refusal::Bad("The body is not UTF-8")) };
    let name = name(&activity, &signer::proof(&federation, &signed).await?, &bytes);
    arrivals::take(&federation.db, &from, (&name, body)).await?;
    // What is beside the activity counts only when it is signed with it.
    if signed.covers(follows::HEADER) {
        follows::claimed(&federation, &from, &parts.headers).await?;
    }
    Ok(accepted)
}

/// Misskey's way of sending several activities as one. Each is written down as if it had come by itself.
async fn several_at_once(
    federation: &Federation,
    parts: &Parts,
    (bytes, several): (&[u8], &Value),
) -> Result<(), Refusal> {
    let (from, signed) = signer::of(federation, parts, bytes).await?;
    if from.suspended_at.is_some() {
        return Ok(());
    }
    let proof = signer::proof(federation, &signed).await?;
    for item in items_in(several).iter().take(AT_ONCE) {
        let Ok(activity) = Activity::read(item) else { continue };
        if activity.actor != from.uri || activity.id.as_ref().is_some_and(|id| !same_origin(id, &from.uri)) {
            continue;
        }
        // As it came: what is for some alone is in nothing that is written anew.
        let body = item.to_string();
        let name = name(&activity, &proof, body.as_bytes());
        arrivals::take(&federation.db, &from, (&name, &body)).await?;
    }
    Ok(())
}

/// All of it, in time: whoever sends one byte after the other keeps no connection for long, and what says that it is too
/// long is not waited for at all.
async fn read(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Refusal> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > MOST) {
        return Err(Refusal::TooLarge);
    }
    match timeout(PATIENCE, to_bytes(body, MOST)).await {
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        Ok(Err(_)) => Err(Refusal::TooLarge),
        Err(_) => Err(Refusal::TooSlow),
    }
}

/// What others say about somebody proves nothing, nor does the word of somebody whose key is gone: their server is asked
/// for them, by a job. Nothing for who is not known.
async fn look_again(federation: &Federation, actor: &str) -> Result<()> {
    let known = remote::by_uri(&federation.db.read().await?, actor).await?;
    match known.filter(|account| !account.is_local()) {
        Some(account) => remote::refresh_later(&federation.db, account.id).await,
        None => Ok(()),
    }
}

/// The end of somebody who was never known here, or their new profile: nothing to do, and no key to be had for it.
async fn matters_to_nobody(federation: &Federation, activity: &Activity) -> Result<bool, Refusal> {
    if !(is_about_itself(activity) && matches!(activity.verb, Verb::Delete | Verb::Update)) {
        return Ok(false);
    }
    let conn = federation.db.read().await?;
    Ok(remote::by_uri(&conn, &activity.actor).await?.is_none())
}

fn ends_itself(activity: &Activity) -> bool {
    activity.verb == Verb::Delete && is_about_itself(activity)
}

/// Whether it is about who does it.
fn is_about_itself(activity: &Activity) -> bool {
    activity.object_id() == Some(activity.actor.as_str())
}

/// Whoever is suspended here has nothing to say. Who is only so at home may be shown again, and take things back.
async fn is_heard(federation: &Federation, from: &Account, activity: &Activity) -> Result<bool> {
    if from.suspended_at.is_none() {
        return Ok(true);
    }
    let heard = matches!(activity.verb, Verb::Update | Verb::Delete | Verb::Undo | Verb::Reject);
    Ok(heard && accounts::remote::is_suspended_at_home(&federation.db.read().await?, from).await?)
}

/// What it is known by, so that it is taken once. What turns something on and off may carry the same name each time: of
/// that only the very same request is the same, by its signature.
fn name(activity: &Activity, proof: &[u8], body: &[u8]) -> String {
    let hex = |bytes: &[u8]| digest(&SHA256, bytes).as_ref().iter().map(|b| format!("{b:02x}")).collect::<String>();
    let on_and_off = matches!(
        activity.verb,
        Verb::Follow | Verb::Undo | Verb::Accept | Verb::Reject | Verb::Block | Verb::QuoteRequest
    );
    match &activity.id {
        Some(id) if !on_and_off => id.clone(),
        Some(id) => format!("{id} {}", hex(proof)),
        None => format!("{}#{} {}", activity.actor, hex(body), hex(proof)),
    }
}

/// Applies what arrived. What may not be said or cannot be understood is dropped; what needs something that cannot be
/// fetched now is tried again. Safe to repeat.
pub async fn apply(federation: &Federation, id: ArrivalId) -> Result<Outcome> {
    let conn = federation.db.read().await?;
    let Some(arrival) = arrivals::by_id(&conn, id).await? else { return Ok(Outcome::Done) };
    let Some(body) = &arrival.body else { return Ok(Outcome::Done) };
    let from = accounts::store::by_id(&conn, arrival.account_id).await?;
    let host = from.as_ref().filter(|from| from.suspended_at.is_none()).and_then(|from| host(&from.uri));
    let known = match &host {
        Some(host) => hosts::by_name(&conn, host).await?,
        None => None,
    };
    drop(conn);
    if let Some(known) = known.filter(|known| known.failed_days > 0) {
        hosts::heard(&federation.db, &known.host).await?;
    }
    if let (Some(from), Ok(value)) = (from, parse(body.as_bytes()))
        && let Ok(activity) = Activity::read(&value).map(|it| it.revealed(&value))
        // Whoever was suspended since it came has nothing to say any more, but that they are gone: that begins with it.
        && (ends_itself(&activity) || is_heard(federation, &from, &activity).await?)
    {
        match one(federation, id, &from, (&value, &activity)).await {
            Ok(()) => {}
            Err(error @ (Error::Internal(_) | Error::Busy(_) | Error::Unreachable(_))) => return Err(error),
            Err(error) => tracing::info!(uri = arrival.uri, %error, "what another server sent was dropped"),
        }
    }
    Ok(Outcome::Done)
}

async fn one(
    federation: &Federation,
    arrival: ArrivalId,
    from: &Account,
    (value, activity): (&Value, &Activity),
) -> Result<()> {
    if activity.actor == from.uri {
        if matches!(activity.verb, Verb::Like | Verb::EmojiReact | Verb::Follow | Verb::Block)
            && let Some(id) = &activity.id
            && arrivals::is_taken_back(&federation.db, arrival, id).await?
        {
            return Err(Error::forbidden("It was taken back before it came"));
        }
        return match activity.verb {
            Verb::Delete => delete::apply(federation, from, (activity, Some(value))).await,
            _ => boxed(|| said(federation, from, activity)).await,
        };
    }
    // How somebody describes themselves may be brought long after it was changed again, also with a proof: they are asked.
    if is_about_itself(activity) && activity.verb == Verb::Update {
        return look_again(federation, &activity.actor).await;
    }
    let Some((author, proven)) = proof::said(federation, value, activity).await? else {
        return boxed(|| forwarded(federation, from, activity)).await;
    };
    match relay::of(federation, from).await? {
        Some(relay) => relay::proven(federation, &relay, (&author, &proven)).await,
        None => said(federation, &author, &proven).await,
    }
}

/// What `from` said, whoever brought it.
async fn said(federation: &Federation, from: &Account, activity: &Activity) -> Result<()> {
    match &activity.verb {
        Verb::Create => boxed(|| create::apply(federation, from, activity)).await,
        Verb::Update => boxed(|| update::apply(federation, from, activity)).await,
        Verb::Delete => boxed(|| delete::apply(federation, from, (activity, None))).await,
        Verb::Announce => boxed(|| announce::apply(federation, from, activity)).await,
        Verb::Like | Verb::EmojiReact => boxed(|| like::apply(federation, from, activity)).await,
        Verb::Follow => boxed(|| follow::apply(federation, from, activity)).await,
        Verb::Accept => boxed(|| answer::accept(federation, from, activity)).await,
        Verb::Reject => boxed(|| answer::reject(federation, from, activity)).await,
        Verb::Undo => boxed(|| undo::apply(federation, from, activity)).await,
        Verb::Block => {
            let target = local(federation, activity.object_id()).await?;
            blocks::blocked_by(&federation.db, from.id, (target.id, activity.id.as_deref())).await
        }
        Verb::Add | Verb::Remove => boxed(|| feature::apply(federation, from, activity)).await,
        Verb::Flag => boxed(|| flag::apply(federation, from, activity)).await,
        Verb::Move => boxed(|| moved::apply(federation, from, activity)).await,
        Verb::QuoteRequest => boxed(|| quote::asked(federation, from, activity)).await,
        Verb::Other(kind) if kind == quote::FEATURE_REQUEST => {
            boxed(|| quote::not_featured(federation, from, activity)).await
        }
        // Views, invitations, votes against and whatever else is heard and means nothing here.
        Verb::Dislike | Verb::Other(_) => Ok(()),
    }
}

/// Sent by somebody who did not say it: nothing of it is believed. What it is about is asked for where it is from.
async fn forwarded(federation: &Federation, from: &Account, activity: &Activity) -> Result<()> {
    let Some(uri) = activity.object_id().filter(|uri| !federation.is_ours(uri)) else { return Ok(()) };
    if uri == activity.actor {
        // About an account, and no post: it is looked at again if it is known.
        return match activity.verb {
            Verb::Update | Verb::Delete | Verb::Move => look_again(federation, uri).await,
            _ => Ok(()),
        };
    }
    let known = statuses::by_uri(&federation.db.read().await?, uri).await?.is_some();
    match activity.verb {
        Verb::Create if known => Ok(()),
        Verb::Create | Verb::Update if !known => match relay::of(federation, from).await? {
            Some(relay) => relay::import(federation, &relay, uri).await,
            None => create::passed_on(federation, (uri, &activity.actor)).await,
        },
        Verb::Announce => match relay::of(federation, from).await? {
            Some(relay) => relay::import(federation, &relay, uri).await,
            None => Ok(()),
        },
        Verb::Update => resolve::status::refetch(federation, uri, Budget::SENT).await.map(drop),
        Verb::Delete if federation.check_stamps(uri).await? => Ok(()),
        Verb::Delete => resolve::status::confirm_gone(federation, uri).await,
        _ => Ok(()),
    }
}

/// The local account of this name; [`Error::NotFound`] when it is nobody here, or nobody yet.
pub(crate) async fn local(federation: &Federation, uri: Option<&str>) -> Result<Account> {
    let uri = uri.filter(|uri| federation.is_ours(uri)).ok_or(Error::NotFound)?;
    let conn = federation.db.read().await?;
    let account = remote::by_uri(&conn, uri).await?.filter(|a| a.is_local() && a.suspended_at.is_none());
    accounts::visible(&conn, account.ok_or(Error::NotFound)?.id).await
}

/// The activity that `activity` is about, as far as it is shown. By whom it is, is for the caller to look at.
fn inner(activity: &Activity) -> Option<&Activity> {
    match activity.object() {
        Some(Object::Activity(inner)) => Some(inner),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream::{repeat_with, unfold};

    fn drip(pause: Duration, most: usize) -> Body {
        Body::from_stream(unfold(0, move |n| async move {
            tokio::time::sleep(pause).await;
            (n < most).then(|| (Ok::<_, std::io::Error>("x"), n + 1))
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_come_whole_in_time_or_not_at_all() {
        let none = HeaderMap::new();
        assert_eq!(read(&none, drip(Duration::from_secs(1), 10)).await.unwrap(), b"xxxxxxxxxx");
        assert!(matches!(read(&none, drip(Duration::from_secs(5), 1000)).await, Err(Refusal::TooSlow)));
        let endless = repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 1 << 16]));
        assert!(matches!(read(&none, Body::from_stream(endless)).await, Err(Refusal::TooLarge)));
        // What would be too long is not waited for.
        let promised = HeaderMap::from_iter([(header::CONTENT_LENGTH, (MOST + 1).into())]);
        let never = || Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
        assert!(matches!(read(&promised, never()).await, Err(Refusal::TooLarge)));
        assert!(matches!(read(&none, never()).await, Err(Refusal::TooSlow)));
    }
}
