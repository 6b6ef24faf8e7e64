//! How a post is now: edited, or with other numbers.

use super::compose::{of_note, own};
use super::recipients::TOUCHED;
use crate::Federation;
use crate::documents::{Activity, Note, Object, Verb};
use domain::accounts::{self, Account};
use domain::db::Conn;
use domain::deliveries::{self, News};
use domain::ids::{AccountId, StatusId};
use domain::statuses::{Status, Visibility};
use domain::{Error, Result};

pub(super) async fn made(
    federation: &Federation,
    conn: &Conn,
    (id, news): (StatusId, &News),
) -> Result<(AccountId, Activity)> {
    let (author, status) = own(conn, id).await?;
    let activity = match news {
        News::StatusEdited { .. } => edited(federation, conn, (&author, &status)).await?,
        News::StatusRetold { telling, .. } => {
            let note = federation.note(conn, &author, &status).await?;
            of_note(&author, note, Verb::Update, format!("{}#updates/{telling}", status.uri))
        }
        News::PollCounted { .. } => counted(federation, conn, (&author, &status)).await?,
        _ => return Err(Error::NotFound),
    };
    Ok((author.id, again(conn, &status, activity).await?))
}

async fn edited(federation: &Federation, conn: &Conn, (author, status): (&Account, &Status)) -> Result<Activity> {
    let note = federation.note(conn, author, status).await?;
    let at = status.edited_at.unwrap_or(status.created_at);
    // A name of its own for each edit: one of the same name would be taken for the same edit.
    let id = format!("{}#updates/{}", status.uri, at.millis());
    let activity = of_note(author, note, Verb::Update, id);
    Ok(Activity { published: Some(at), ..activity })
}

/// A poll's numbers: no edit, so that nothing says when it was edited.
async fn counted(federation: &Federation, conn: &Conn, (author, status): (&Account, &Status)) -> Result<Activity> {
    let note = Note { updated: None, ..federation.note(conn, author, status).await? };
    let poll = note.poll.as_ref().ok_or(Error::NotFound)?;
    let votes: u64 = poll.choices.iter().filter_map(|choice| choice.votes).sum();
    // No vote is ever taken off, not even with who gave it: the same sum is the same numbers. An edit that asks something
    // else begins a poll anew, under another id, and the numbers with it; none gives it more time.
    let which = status.poll_id.ok_or(Error::NotFound)?;
    let id = format!("{}#updates/votes/{which}/{votes}{}", status.uri, if poll.closed { "/end" } else { "" });
    Ok(of_note(author, note, Verb::Update, id))
}

/// A post for the people that it names may be edited so that it names nobody: then it is for its author alone, and who was
/// named before, and has it still, is told so. Of what is addressed to nobody at all many servers take nothing.
async fn again(conn: &Conn, status: &Status, mut update: Activity) -> Result<Activity> {
    if status.visibility != Visibility::Direct || !(update.to.is_empty() && update.cc.is_empty()) {
        return Ok(update);
    }
    let before = deliveries::store::named(conn, status.id, TOUCHED).await?;
    let before = accounts::store::by_ids(conn, before).await?;
    update.to = before.into_iter().map(|account| account.uri).collect();
    for object in &mut update.objects {
        if let Object::Note(note) = object {
            note.to = vec![update.actor.clone()];
        }
    }
    Ok(update)
}
