//! How a post is now: edited, or with other numbers.

use super::compose::{of_note, own};
use super::{Told, kept_as, recipients, turn};
use crate::Federation;
use crate::documents::{Activity, Note, Object, Verb};
use domain::accounts::{self, Account};
use domain::db::Conn;
use domain::deliveries::{self, New, News};
use domain::ids::{AccountId, StatusId};
use domain::statuses::{Consent, Status, Visibility, consent};
use domain::{Error, Result};

/// Who was named before, read at once.
const PAGE: i64 = 200;

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

/// A post for the people that it names may be edited so that it names nobody: then it is for its author alone, as all hear who
/// have it still ([`to_each`]). That is whoever is asked, and nobody else, while it waits for their consent.
async fn again(conn: &Conn, status: &Status, mut update: Activity) -> Result<Activity> {
    if status.visibility != Visibility::Direct || !is_for_nobody(&update) {
        return Ok(update);
    }
    for object in &mut update.objects {
        if let Object::Note(note) = object {
            note.to = vec![update.actor.clone()];
        }
    }
    if status.consent == Consent::Waiting {
        let asked = consent::asked(conn, status).await?;
        update.to = accounts::store::by_ids(conn, asked).await?.into_iter().map(|account| account.uri).collect();
    }
    Ok(update)
}

fn is_for_nobody(update: &Activity) -> bool {
    update.to.is_empty() && update.cc.is_empty()
}

/// The post that `news` is about, where it says how that is now and names nobody to say it to.
pub(super) fn hidden(news: &News, told: &Told) -> Option<StatusId> {
    match news {
        News::StatusEdited { status } | News::StatusRetold { status, .. } | News::PollCounted { status } => {
            is_for_nobody(&told.activity).then_some(*status)
        }
        _ => None,
    }
}

/// Tells each of those who were ever named in a post that names nobody now, and have it still: under a name of its own and
/// addressed to them alone, because they need not know of each other, and because of what is addressed to nobody at all many
/// servers take nothing. What was sent before is not sent again.
pub(super) async fn to_each(federation: &Federation, (news, status): (&News, StatusId), told: &Told) -> Result<usize> {
    let (mut after, mut count) = (AccountId(0), 0);
    loop {
        let conn = federation.db.read().await?;
        let page = deliveries::store::named_after(&conn, (status, after), PAGE).await?;
        let named = accounts::store::by_ids(&conn, page.iter().copied()).await?;
        drop(conn);
        for whom in named {
            count += to_one(federation, (news, &whom), told).await?;
        }
        match page.last() {
            Some(last) => after = *last,
            None => return Ok(count),
        }
    }
}

async fn to_one(federation: &Federation, (news, whom): (&News, &Account), told: &Told) -> Result<usize> {
    let id = told.activity.id.as_deref().map(|id| format!("{id}/{}", whom.id));
    let Some(uri) = id.as_deref() else { return Ok(0) };
    let inboxes = recipients::one(federation, (news, whom.id)).await?;
    let uri = kept_as(news, uri);
    let activity = Activity { id, to: vec![whom.uri.clone()], ..told.activity.clone() };
    let (account, actor) = (told.account, activity.actor.as_str());
    let (about, place, pace) = (turn::thing(news, actor), turn::place(news), turn::pace(news));
    let new = New { uri: &uri, account, actor, body: &activity.to_json().to_string(), about, place, pace };
    deliveries::send(&federation.db, new, &inboxes).await
}
