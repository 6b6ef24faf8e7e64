//! Editing a status: what stood there before is kept as history.

use super::{Status, draft, quotes, store};
use crate::{
    Error, Result, Time, accounts,
    cards::{self, Haste},
    db::{Conn, Db, Tx},
    deliveries::{self, News},
    events::Event,
    ids::{AccountId, MediaId, StatusId},
    media, notifications,
    polls::{self, NewPoll},
    relays, row, search,
    site::Site,
    statuses::{Consent, ContentType, QuotePolicy},
    timelines,
    users::User,
};
use serde::{Deserialize, Serialize};

/// What an edit puts in place: what is left out is removed, as Mastodon does.
/// <https://docs.joinmastodon.org/methods/statuses/#edit>
#[derive(Clone, Debug, Default)]
pub struct Edit {
    pub text: String,
    pub spoiler_text: String,
    pub sensitive: Option<bool>,
    pub language: Option<String>,
    pub media: Vec<MediaId>,
    /// New descriptions and focal points of attachments that stay.
    pub media_changes: Vec<MediaChange>,
    pub poll: Option<NewPoll>,
    pub quote_policy: Option<QuotePolicy>,
    /// None: written as before.
    pub content_type: Option<ContentType>,
}

#[derive(Clone, Debug)]
pub struct MediaChange {
    pub id: MediaId,
    pub description: Option<String>,
    pub focus: Option<(f64, f64)>,
}

row! {
    /// One version of a status that was edited.
    pub struct StatusEdit {
        pub status_id: StatusId,
        pub created_at: Time,
        pub text: String,
        pub content: String,
        pub spoiler_text: String,
        pub sensitive: bool,
        /// JSON of `Vec<EditedMedia>`
        pub media_json: String,
        /// JSON of the options' titles, when there was a poll
        pub poll_json: Option<String>,
        pub emojis_json: String,
    }
}

/// An attachment as it was in a version.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EditedMedia {
    pub id: MediaId,
    pub description: Option<String>,
}

/// Puts `edit` in place of what `user` wrote.
pub async fn edit(db: &Db, site: &Site, user: &User, (id, edit): (StatusId, Edit)) -> Result<Status> {
    let conn = db.read().await?;
    let old = own(&conn, user.account_id, id).await?;
    if edit.text.trim().is_empty() && edit.media.is_empty() && edit.poll.is_none() {
        return Err(Error::invalid("Text", "can't be blank"));
    }
    draft::check_length(site, &edit.spoiler_text, &edit.text)?;
    for change in &edit.media_changes {
        media::Details::read(&site.limits, change.description.as_deref(), None)?;
    }
    if let Some(poll) = &edit.poll {
        poll.check(&site.limits)?;
    }
    let author = accounts::store::by_id(&conn, user.account_id).await?.ok_or(Error::NotFound)?;
    let media = draft::attachments(&conn, site, &author, &edit.media).await?;
    let options = edit.poll.as_ref().map(|p| p.options.join("\n")).unwrap_or_default();
    let content_type = match edit.content_type {
        Some(wanted) if wanted != old.content_type => draft::content_type(site, wanted)?,
        _ => old.content_type,
    };
    let more = format!("{}\n{options}", edit.spoiler_text);
    let written = draft::read(&conn, site, draft::Typed { text: &edit.text, content_type, more: &more }).await?;
    let mentions_json = quotes::mentions_after_edit(&conn, &old, written.mentions_json.clone()).await?;
    drop(conn);

    let mut tx = db.begin().await?;
    keep_history(&tx, &old).await?;
    let new = Status {
        content: written.content.clone(),
        sensitive: edit.sensitive.unwrap_or(old.sensitive) || !edit.spoiler_text.is_empty(),
        language: draft::language(edit.language.as_deref()).or(old.language.clone()),
        has_media: !media.is_empty(),
        mentions_json,
        tags_json: written.tags_json.clone(),
        emojis_json: written.emojis_json.clone(),
        quote_policy: quotes::policy_for(old.visibility, edit.quote_policy.unwrap_or(old.quote_policy)),
        poll_id: change_poll(&mut tx, &old, edit.poll.as_ref()).await?,
        edited_at: Some(tx.now),
        content_type,
        text: edit.text,
        spoiler_text: edit.spoiler_text,
        ..old.clone()
    };
    store::update(&tx, &new).await?;
    store::insert_mentions(&tx, id, written.mentioned.iter().map(|a| a.id)).await?;
    store::clear_tags(&tx, id).await?;
    store::file_under_tags(&tx, &new, &written.tags).await?;
    change_media(&tx, &new, &media, &edit.media_changes).await?;
    search::index_status(&tx, &new).await?;
    keep_history(&tx, &new).await?;
    tell(&mut tx, &old, &new).await?;
    let was_elsewhere = deliveries::concerns_others(&old, &author);
    if was_elsewhere || deliveries::is_elsewhere(&tx, &new, &author).await? || relays::want(&tx, &new, &author).await? {
        deliveries::tell(&mut tx, News::StatusEdited { status: id }).await?;
    }
    cards::attach(&mut tx, site, &new, (None, Haste::Own)).await?;
    tx.commit().await?;
    Ok(new)
}

/// The status, if it is `author`'s own and no boost.
async fn own(conn: &Conn, author: AccountId, id: StatusId) -> Result<Status> {
    let status = store::by_id(conn, id).await?.ok_or(Error::NotFound)?;
    if status.account_id != author || status.reblog_of_id.is_some() {
        return Err(Error::NotFound);
    }
    Ok(status)
}

/// Writes the version down, under the instant it came to be; the same version is written once.
pub(super) async fn keep_history(tx: &Tx, status: &Status) -> Result<()> {
    store::insert_edit(tx, &version(tx, status).await?).await
}

/// The status as it is now, among its versions.
async fn version(conn: &Conn, status: &Status) -> Result<StatusEdit> {
    let media = media::store::by_statuses(conn, [status.id]).await?;
    let media: Vec<EditedMedia> =
        media.into_iter().map(|m| EditedMedia { id: m.id, description: m.description }).collect();
    let poll = match status.poll_id {
        None => None,
        Some(id) => polls::store::by_id(conn, id).await?,
    };
    let titles = poll.map(|p| p.options().into_iter().map(|o| o.title).collect::<Vec<_>>());
    Ok(StatusEdit {
        status_id: status.id,
        created_at: status.edited_at.unwrap_or(status.created_at),
        text: status.text.clone(),
        content: status.content.clone(),
        spoiler_text: status.spoiler_text.clone(),
        sensitive: status.sensitive,
        media_json: serde_json::to_string(&media)?,
        poll_json: titles.map(|t| serde_json::to_string(&t)).transpose()?,
        emojis_json: status.emojis_json.clone(),
    })
}

/// The poll after the edit. Other options start a poll anew: votes given to other words do not count.
async fn change_poll(tx: &mut Tx, old: &Status, new: Option<&NewPoll>) -> Result<Option<crate::ids::PollId>> {
    let current = match old.poll_id {
        None => None,
        Some(id) => polls::store::by_id(tx, id).await?,
    };
    match (current, new) {
        (None, None) => Ok(None),
        (Some(_), None) => {
            polls::store::delete_of_status(tx, old.id).await?;
            Ok(None)
        }
        (Some(poll), Some(new)) => {
            let same = poll.options().iter().map(|o| o.title.as_str()).eq(new.options.iter().map(|o| o.trim()));
            if same && poll.multiple == new.multiple {
                return Ok(Some(poll.id));
            }
            polls::store::delete_of_status(tx, old.id).await?;
            polls::open(tx, old.account_id, old.id, new).await.map(Some)
        }
        (None, Some(new)) => polls::open(tx, old.account_id, old.id, new).await.map(Some),
    }
}

async fn change_media(tx: &Tx, status: &Status, media: &[media::Attachment], changes: &[MediaChange]) -> Result<()> {
    let keep: Vec<MediaId> = media.iter().map(|m| m.id).collect();
    media::store::detach_except(tx, status.id, &keep).await?;
    for (position, id) in (0i64..).zip(&keep) {
        if !media::store::attach(tx, status.account_id, status.id, (*id, position)).await? {
            return Err(Error::Conflict("Cannot attach files that belong to another post".into()));
        }
    }
    for change in changes.iter().filter(|c| keep.contains(&c.id)) {
        if let Some(description) = &change.description {
            media::store::update_description(tx, change.id, description).await?;
        }
        if let Some(focus) = change.focus {
            media::store::update_focus(tx, change.id, focus).await?;
        }
    }
    Ok(())
}

/// Those who boosted or quoted it learn that it changed; those newly mentioned learn of it at all.
pub(super) async fn tell(tx: &mut Tx, old: &Status, new: &Status) -> Result<()> {
    let known: Vec<AccountId> = old.mentions().iter().filter(|m| !m.silent).map(|m| m.id).collect();
    let from = new.account_id;
    // What waits for somebody's consent is told to nobody else.
    let open = new.consent != Consent::Waiting;
    for mention in new.mentions().iter().filter(|m| open && !m.silent && !known.contains(&m.id)) {
        let kind = notifications::Kind::Mention;
        let told = notifications::New { account: mention.id, from, kind, status: Some(new.id) };
        notifications::notify(tx, told).await?;
    }
    for account in store::rebloggers(tx, new.id).await? {
        let kind = notifications::Kind::Update;
        notifications::notify(tx, notifications::New { account, from, kind, status: Some(new.id) }).await?;
    }
    quotes::tell_edited(tx, new).await?;
    timelines::deliver(tx, new).await?;
    tx.publish(Event::StatusEdited { status: new.id });
    Ok(())
}

/// Versions, oldest first; a status that was never edited has itself as its only one.
pub async fn history(conn: &Conn, status: &Status) -> Result<Vec<StatusEdit>> {
    let kept = store::list_edits(conn, status.id).await?;
    if !kept.is_empty() {
        return Ok(kept);
    }
    // One that was edited before it came here has no other version, and this is of the day it was written.
    Ok(vec![StatusEdit { created_at: status.created_at, ..version(conn, status).await? }])
}
