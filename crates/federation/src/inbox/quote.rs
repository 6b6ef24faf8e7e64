//! QuoteRequest: somebody elsewhere wants to quote somebody here; and the answers to what we asked (FEP-044f).

use super::{create, local};
use crate::Federation;
use crate::documents::{Activity, Note, Object, Verb, same_origin};
use crate::resolve::{self, Budget};
use crate::statuses::arrive;
use domain::accounts::{self, Account};
use domain::db::Conn;
use domain::deliveries::Asked;
use domain::ids::StatusId;
use domain::statuses::quotes::remote::{self as quotes, Answer};
use domain::statuses::{Status, Visibility, remote, remote::How, visibility};
use domain::{Error, Result};

/// What a request for consent has behind the name of whoever asks.
pub(crate) const REQUESTS: &str = "#quote-requests/";

/// Somebody asks to show an account in a list of theirs (FEP-7aa9).
pub(crate) const FEATURE_REQUEST: &str = "FeatureRequest";

/// Lists of accounts are not known here: nobody agrees to be in one.
pub(super) async fn not_featured(federation: &Federation, from: &Account, activity: &Activity) -> Result<()> {
    let uri = activity.id.clone().ok_or(Error::NotFound)?;
    let target = local(federation, activity.object_id()).await?;
    let list = activity.instrument.as_ref().and_then(Object::id).unwrap_or_default();
    let request = Asked { account: target.id, by: from.id, uri, quoted: target.uri, quoting: list.to_owned() };
    quotes::refuse_feature(&federation.db, &request).await
}

pub(super) async fn asked(federation: &Federation, from: &Account, activity: &Activity) -> Result<()> {
    let (Some(request), Some(uri)) = (activity.id.as_deref(), activity.object_id()) else {
        return Err(Error::NotFound);
    };
    let quoting = activity.instrument.as_ref().and_then(Object::id).ok_or(Error::NotFound)?;
    if !same_origin(quoting, &from.uri) || !federation.is_ours(uri) {
        return Err(Error::forbidden("It asks for others"));
    }
    let conn = federation.db.read().await?;
    let quoted = remote::by_uri(&conn, uri).await?.filter(|s| s.local).ok_or(Error::NotFound)?;
    let author = accounts::store::by_id(&conn, quoted.account_id).await?;
    let author = author.filter(|a| a.is_local() && a.suspended_at.is_none()).ok_or(Error::NotFound)?;
    let allowed = quotes::may(&conn, from.id, &quoted).await?;
    // That there is a post which they may not see is nothing that they are told.
    let told = quoted.visibility <= Visibility::Unlisted || may_see(&conn, from, &quoted).await?;
    drop(conn);
    let request = Asked {
        account: author.id,
        by: from.id,
        uri: request.to_owned(),
        quoted: quoted.uri.clone(),
        quoting: quoting.to_owned(),
    };
    if !allowed {
        return if told { quotes::refuse(&federation.db, &request).await } else { Err(Error::NotFound) };
    }
    let quoting = instrument(federation, from, activity).await?;
    match quoting.filter(|s| s.quote_of_id == Some(quoted.id) && s.account_id == from.id) {
        Some(quoting) => quotes::asked(&federation.db, quoting.id, &request).await,
        None => quotes::refuse(&federation.db, &request).await,
    }
}

async fn may_see(conn: &Conn, who: &Account, status: &Status) -> Result<bool> {
    match visibility::visible(conn, Some(who.id), status.id).await {
        Ok(_) => Ok(true),
        Err(Error::NotFound) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The post that wants to quote: as it was sent along by who wrote it, else fetched where it is.
async fn instrument(federation: &Federation, from: &Account, activity: &Activity) -> Result<Option<Status>> {
    match &activity.instrument {
        Some(Object::Note(note)) if wants(note, activity) => shown(federation, from, note).await.map(Some),
        Some(Object::Id(uri)) => match fetched(federation, from, (uri, activity)).await {
            Err(error @ (Error::Internal(_) | Error::Busy(_) | Error::Unreachable(_))) => Err(error),
            Err(_) => Ok(None),
            found => found,
        },
        _ => Ok(None),
    }
}

/// Nothing is taken in that does not quote what consent is asked for.
fn wants(note: &Note, request: &Activity) -> bool {
    let quoted = note.quote.as_ref().map(|quote| quote.id.as_str());
    note.vote().is_none() && quoted.is_some() && quoted == request.object_id()
}

async fn fetched(federation: &Federation, from: &Account, (uri, request): (&str, &Activity)) -> Result<Option<Status>> {
    let note = resolve::status::document(federation, uri).await?;
    match wants(&note, request) {
        true => shown(federation, from, &note).await.map(Some),
        false => Ok(None),
    }
}

async fn shown(federation: &Federation, from: &Account, note: &Note) -> Result<Status> {
    create::check(from, note)?;
    let with = (How::Sent, Budget::SENT);
    let known = remote::by_uri(&federation.db.read().await?, &note.id).await?;
    if known.is_some() {
        let arrived = federation.arrived(note, from, with).await?;
        if let remote::Outcome::Changed(status) | remote::Outcome::Stale(status) =
            arrive::edit(federation, &arrived).await?
        {
            return Ok(status);
        }
    }
    arrive::take(federation, note, from, with).await?.ok_or(Error::Gone)
}

/// Applies an Accept or Reject if it answers a request of ours for consent; false when it is about something else.
pub(super) async fn answered(federation: &Federation, from: &Account, activity: &Activity) -> Result<bool> {
    let Some(quoting) = request_of(federation, activity).await? else { return Ok(false) };
    let answer = match (&activity.verb, &activity.result) {
        (Verb::Accept, Some(stamp)) if same_origin(stamp, &from.uri) => Answer::Accepted(stamp.clone()),
        (Verb::Accept, _) => return Err(Error::forbidden("A consent without a stamp of theirs")),
        _ => Answer::Rejected,
    };
    quotes::answered(&federation.db, quoting, (from.id, &answer)).await?;
    Ok(true)
}

/// Our post that a request for consent was about: by the name of the request, else by what it shows.
async fn request_of(federation: &Federation, activity: &Activity) -> Result<Option<StatusId>> {
    let by_name = |uri: &str| {
        let id = uri.rsplit_once(REQUESTS).filter(|_| federation.is_ours(uri))?.1;
        id.parse::<StatusId>().ok()
    };
    let shown = match activity.object() {
        Some(Object::Id(uri)) => return Ok(by_name(uri)),
        Some(Object::Activity(it)) if it.verb == Verb::QuoteRequest => it,
        _ => return Ok(None),
    };
    if let Some(id) = shown.id.as_deref().and_then(by_name) {
        return Ok(Some(id));
    }
    let Some(uri) = shown.instrument.as_ref().and_then(Object::id) else { return Ok(None) };
    let found = remote::by_uri(&federation.db.read().await?, uri).await?;
    Ok(found.filter(|s| s.local).map(|s| s.id))
}
