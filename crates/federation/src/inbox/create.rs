//! Create: somebody elsewhere posted something, or voted.

use crate::Federation;
use crate::documents::{Activity, Note, Object, Vote, same_origin};
use crate::resolve::{self, Budget};
use crate::statuses::arrive;
use domain::accounts::{Account, remote as accounts};
use domain::ids::AccountId;
use domain::statuses::{self, remote, remote::How};
use domain::{Error, Result, follows, polls, tombstones};

/// Things that one activity may bring: more than one are votes, an option each.
const TOGETHER: usize = 50;
/// Of these, named only.
const NAMED: usize = 10;

pub(super) async fn apply(federation: &Federation, from: &Account, activity: &Activity) -> Result<()> {
    let mut names = 0;
    let mut refused = Ok(());
    for object in activity.objects.iter().take(TOGETHER) {
        names += usize::from(matches!(object, Object::Id(_)));
        if names > NAMED {
            break;
        }
        match one(federation, from, object).await {
            Err(error @ (Error::Internal(_) | Error::Busy(_) | Error::Unreachable(_))) => return Err(error),
            // The others are taken all the same, and what was taken before is refused when it is tried again.
            Err(error) => refused = Err(error),
            Ok(()) => {}
        }
    }
    refused
}

async fn one(federation: &Federation, from: &Account, object: &Object) -> Result<()> {
    match object {
        Object::Note(note) => match note.vote() {
            Some(vote) if federation.is_ours(vote.question) => vote_in(federation, from, &vote).await,
            Some(_) => Ok(()),
            None => take(federation, from, note).await,
        },
        Object::Id(uri) if same_origin(uri, &from.uri) => passed_on(federation, (uri, &from.uri)).await,
        Object::Id(_) => Err(Error::forbidden("It is not on their server")),
        _ => Ok(()),
    }
}

/// A post that its author sent.
pub(super) async fn take(federation: &Federation, from: &Account, note: &Note) -> Result<()> {
    if of_a_group(from, note) {
        return passed_on(federation, (&note.id, &note.author)).await;
    }
    check(from, note)?;
    if !is_wanted(federation, Some(from.id), note).await? {
        return Err(Error::forbidden("Nobody here follows or is named"));
    }
    arrive::take(federation, note, from, (How::Sent, Budget::SENT)).await.map(drop)
}

/// Members of Mobilizon's groups post in the group's name. Their server has the last word: it is asked.
pub(super) fn of_a_group(from: &Account, note: &Note) -> bool {
    note.author != from.uri && same_origin(&note.author, &from.uri) && same_origin(&note.id, &from.uri)
}

/// A post that somebody else passed on, or `author` only named: asked for where it is from, and kept when it would have
/// been, had it been sent.
pub(super) async fn passed_on(federation: &Federation, (uri, author): (&str, &str)) -> Result<()> {
    let conn = federation.db.read().await?;
    if tombstones::is_gone(&conn, uri).await? || remote::by_uri(&conn, uri).await?.is_some() {
        return Ok(());
    }
    drop(conn);
    let note = resolve::status::document_by(federation, uri, &[author.to_owned()]).await?;
    let author = accounts::by_uri(&federation.db.read().await?, &note.author).await?;
    if !is_wanted(federation, author.map(|author| author.id), &note).await? {
        return Err(Error::forbidden("Nobody here follows or is named"));
    }
    resolve::status::take(federation, &note, Budget::SENT).await.map(drop)
}

/// The deletion of a post was taken back: it may come again, if it is there where it is from, and is kept as if it had been
/// passed on.
pub(super) async fn restored(federation: &Federation, (uri, author): (&str, &str)) -> Result<()> {
    resolve::status::document_by(federation, uri, &[author.to_owned()]).await?;
    tombstones::forget(&federation.db, uri).await?;
    passed_on(federation, (uri, author)).await
}

/// Who signed is who wrote, and it is on their own server.
pub(super) fn check(from: &Account, note: &Note) -> Result<()> {
    if note.author != from.uri || !same_origin(&note.id, &from.uri) {
        return Err(Error::forbidden("It is not by who sent it"));
    }
    Ok(())
}

/// Whether anybody here has to do with it: a follower of its author, if that is known, somebody it is addressed to, or a
/// conversation that is here.
async fn is_wanted(federation: &Federation, author: Option<AccountId>, note: &Note) -> Result<bool> {
    let addressed = note.to.iter().chain(&note.cc).take(200);
    let people: Vec<String> = addressed.filter(|uri| federation.is_ours(uri)).cloned().collect();
    let conn = federation.db.read().await?;
    if !accounts::store::by_uris(&conn, people).await?.is_empty() {
        return Ok(true);
    }
    if let Some(author) = author
        && follows::remote::is_followed_here(&conn, author).await?
    {
        return Ok(true);
    }
    match &note.in_reply_to {
        None => Ok(false),
        Some(uri) => match remote::by_uri(&conn, uri).await? {
            None => Ok(false),
            Some(parent) => Ok(parent.local || follows::remote::is_followed_here(&conn, parent.account_id).await?),
        },
    }
}

async fn vote_in(federation: &Federation, from: &Account, vote: &Vote<'_>) -> Result<()> {
    if vote.voter != from.uri {
        return Err(Error::forbidden("Nobody votes for others"));
    }
    let conn = federation.db.read().await?;
    let question = remote::by_uri(&conn, vote.question).await?.ok_or(Error::NotFound)?;
    let question = statuses::visibility::visible(&conn, Some(from.id), question.id).await?;
    drop(conn);
    let poll = question.poll_id.ok_or(Error::NotFound)?;
    polls::vote_from_elsewhere(&federation.db, from.id, (poll, vote.choice)).await
}
