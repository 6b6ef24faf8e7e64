//! What is said about quotes: asking, answering, taking back (FEP-044f).

use super::compose::{known, local, own};
use crate::Federation;
use crate::documents::{Activity, Object, Verb};
use crate::inbox::quote::REQUESTS;
use crate::statuses::quotes::quoted;
use domain::accounts::Account;
use domain::db::Conn;
use domain::deliveries::{News, QuoteAsked};
use domain::ids::{AccountId, StatusId};
use domain::{Error, Result, statuses};

pub(super) async fn made(federation: &Federation, conn: &Conn, news: &News) -> Result<(AccountId, Activity)> {
    match news {
        News::QuoteRequested { status } => request(federation, conn, *status).await,
        News::QuoteAccepted { asked, quoting, telling } => {
            let author = local(conn, asked.account).await?;
            let result = Some(federation.site.stamp_uri(&author.username, *quoting));
            let answer = answer(conn, &author, (asked, format!("accepts/quotes/{telling}"), Verb::Accept)).await?;
            Ok((author.id, Activity { result, ..answer }))
        }
        News::QuoteRejected { asked, telling } => {
            let author = local(conn, asked.account).await?;
            let answer = answer(conn, &author, (asked, format!("rejects/quotes/{telling}"), Verb::Reject)).await?;
            Ok((author.id, answer))
        }
        News::QuoteRevoked { account, quoting } => revoked(federation, conn, (*account, *quoting)).await,
        _ => Err(Error::NotFound),
    }
}

async fn request(federation: &Federation, conn: &Conn, id: StatusId) -> Result<(AccountId, Activity)> {
    let (author, quoting) = own(conn, id).await?;
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

/// An answer shows what was asked, by its own name.
async fn answer(conn: &Conn, author: &Account, (asked, name, verb): (&QuoteAsked, String, Verb)) -> Result<Activity> {
    let by = known(conn, asked.by).await?;
    let request = Activity {
        id: Some(asked.uri.clone()),
        verb: Verb::QuoteRequest,
        actor: by.uri.clone(),
        objects: vec![Object::Id(asked.quoted.clone())],
        instrument: Some(Object::Id(asked.quoting.clone())),
        ..Activity::default()
    };
    Ok(Activity {
        id: Some(format!("{}#{name}", author.uri)),
        verb,
        actor: author.uri.clone(),
        objects: vec![Object::Activity(Box::new(request))],
        to: vec![by.uri],
        ..Activity::default()
    })
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
    let activity = Activity {
        id: Some(format!("{}#delete", stamp.id)),
        verb: Verb::Delete,
        actor: author.uri,
        objects: vec![Object::QuoteAuthorization(Box::new(stamp))],
        to: vec![whose.uri],
        ..Activity::default()
    };
    Ok((author.id, activity))
}
