//! Create: somebody elsewhere posted something, or voted.

use crate::Federation;
use crate::documents::{Activity, Note, Object, Vote, same_origin};
use crate::resolve::{self, Budget};
use crate::statuses::arrive;
use domain::accounts::{Account, remote as accounts};
use domain::statuses::{self, remote, remote::How};
use domain::{Error, Result, follows, polls};

pub(super) async fn apply(federation: &Federation, from: &Account, activity: &Activity) -> Result<()> {
    for object in &activity.objects {
        match object {
            Object::Note(note) => match note.vote() {
                Some(vote) if federation.is_ours(vote.question) => vote_in(federation, from, &vote).await?,
                Some(_) => {}
                None => take(federation, from, note).await?,
            },
            Object::Id(uri) => {
                resolve::status::fetch(federation, uri, Budget::SENT).await?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// A post that its author sent.
pub(super) async fn take(federation: &Federation, from: &Account, note: &Note) -> Result<()> {
    check(from, note)?;
    if !is_wanted(federation, from, note).await? {
        return Err(Error::forbidden("Nobody here follows or is named"));
    }
    arrive::take(federation, note, from, (How::Sent, Budget::SENT)).await.map(drop)
}

/// Who signed is who wrote, and it is on their own server.
pub(super) fn check(from: &Account, note: &Note) -> Result<()> {
    if note.author != from.uri || !same_origin(&note.id, &from.uri) {
        return Err(Error::forbidden("It is not by who sent it"));
    }
    Ok(())
}

/// Whether anybody here has to do with it: a follower, somebody it is addressed to, or a conversation that is here.
pub(super) async fn is_wanted(federation: &Federation, from: &Account, note: &Note) -> Result<bool> {
    let addressed = note.to.iter().chain(&note.cc).take(200);
    let people: Vec<String> = addressed.filter(|uri| federation.is_ours(uri)).cloned().collect();
    let conn = federation.db.read().await?;
    if !accounts::store::by_uris(&conn, people).await?.is_empty() {
        return Ok(true);
    }
    if follows::remote::is_followed_here(&conn, from.id).await? {
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
