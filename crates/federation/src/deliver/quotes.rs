//! What is said about quotes: asking, answering, taking back (FEP-044f).

use super::compose::{known, local, own};
use crate::Federation;
use crate::documents::{Activity, Object, PUBLIC, Verb};
use crate::inbox::quote::{FEATURE_REQUEST, REQUESTS};
use crate::statuses::quotes::quoted;
use domain::accounts::Account;
use domain::db::Conn;
use domain::deliveries::{Asked, News};
use domain::ids::{AccountId, StatusId};
use domain::statuses::{self, QuoteState, Visibility};
use domain::{Error, Result};

pub(super) async fn made(federation: &Federation, conn: &Conn, news: &News) -> Result<(AccountId, Activity)> {
    match news {
        News::QuoteRequested { status, .. } => request(federation, conn, *status).await,
        News::QuoteAccepted { asked, quoting, telling } => {
            let author = local(conn, asked.account).await?;
            let result = Some(federation.site.stamp_uri(&author.username, *quoting));
            let request = request_of(conn, asked, Verb::QuoteRequest).await?;
            let answer = answer(&author, request, (format!("accepts/quotes/{telling}"), Verb::Accept));
            Ok((author.id, Activity { result, ..answer }))
        }
        News::QuoteRejected { asked, telling } => {
            let author = local(conn, asked.account).await?;
            let request = request_of(conn, asked, Verb::QuoteRequest).await?;
            Ok((author.id, answer(&author, request, (format!("rejects/quotes/{telling}"), Verb::Reject))))
        }
        News::FeatureRejected { asked, telling } => {
            let author = local(conn, asked.account).await?;
            let request = request_of(conn, asked, Verb::Other(FEATURE_REQUEST.to_owned())).await?;
            Ok((author.id, answer(&author, request, (format!("rejects/features/{telling}"), Verb::Reject))))
        }
        News::QuoteRevoked { account, quoting } => revoked(federation, conn, (*account, *quoting)).await,
        _ => Err(Error::NotFound),
    }
}

async fn request(federation: &Federation, conn: &Conn, id: StatusId) -> Result<(AccountId, Activity)> {
    let (author, quoting) = own(conn, id).await?;
    if quoting.quote_state != QuoteState::Pending {
        return Err(Error::NotFound);
    }
    let quoted = quoted(conn, &quoting).await?.ok_or(Error::NotFound)?;
    let whose = known(conn, quoted.account_id).await?;
    let note = federation.note(conn, &author, &quoting).await?;
    let activity = Activity {
        id: Some(format!("{}{REQUESTS}{id}", author.uri)),
        verb: Verb::QuoteRequest,
        actor: author.uri,
        objects: vec![Object::Id(quoted.uri)],
        instrument: Some(Object::Note(Box::new(note))),
        to: vec![whose.uri],
        ..Activity::default()
    };
    Ok((author.id, activity))
}

/// What was asked, by its own name.
async fn request_of(conn: &Conn, asked: &Asked, verb: Verb) -> Result<Activity> {
    let by = known(conn, asked.by).await?;
    Ok(Activity {
        id: Some(asked.uri.clone()),
        verb,
        actor: by.uri,
        objects: vec![Object::Id(asked.quoted.clone())],
        instrument: Some(asked.quoting.clone()).filter(|uri| !uri.is_empty()).map(Object::Id),
        ..Activity::default()
    })
}

/// An answer shows what was asked.
fn answer(author: &Account, request: Activity, (name, verb): (String, Verb)) -> Activity {
    Activity {
        id: Some(format!("{}#{name}", author.uri)),
        verb,
        actor: author.uri.clone(),
        to: vec![request.actor.clone()],
        objects: vec![Object::Activity(Box::new(request))],
        ..Activity::default()
    }
}

async fn revoked(
    federation: &Federation,
    conn: &Conn,
    (account, quoting): (AccountId, StatusId),
) -> Result<(AccountId, Activity)> {
    let author = local(conn, account).await?;
    let quoting = statuses::store::by_id(conn, quoting).await?.ok_or(Error::NotFound)?;
    let quoted = quoted(conn, &quoting).await?.ok_or(Error::NotFound)?;
    let whose = known(conn, quoting.account_id).await?;
    let stamp = federation.stamp(&author, (&quoting, &quoted));
    let open = quoting.visibility <= Visibility::Unlisted;
    let activity = Activity {
        id: Some(format!("{}#delete", stamp.id)),
        verb: Verb::Delete,
        actor: author.uri,
        objects: vec![Object::QuoteAuthorization(Box::new(stamp))],
        to: vec![whose.uri],
        cc: if open { vec![PUBLIC.to_owned()] } else { Vec::new() },
        ..Activity::default()
    };
    Ok((author.id, activity))
}
