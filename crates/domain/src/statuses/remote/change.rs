//! What becomes of statuses of other servers: edits, deletions, boosts and their end.

use super::{
    super::{
        Boost, Consent, Media, Status, Visibility, consent,
        delete::{self as removal, remove_with_boosts},
        edit as versions,
        quotes::{self, remote::Age},
        visibility,
    },
    Arrived, Told, keep_history, not_theirs, store,
};
use crate::{
    Error, Result, Time, accounts,
    cards::{self, Haste},
    conversations,
    db::{Db, Tx},
    events::Event,
    ids::{AccountId, StatusId},
    media, notifications, polls, search,
    site::Site,
    timelines, tombstones,
};
use std::time::Duration;

/// What came of an edit.
#[derive(Debug)]
pub enum Outcome {
    /// It is as the edit says.
    Changed(Status),
    /// It was newer already.
    Stale(Status),
    /// There is no such status here.
    Unknown,
}

/// Puts what arrived in the place of what is here. Without a newer time of the edit only a poll's numbers are taken.
/// [`Error::Forbidden`] when the status is somebody else's.
pub async fn edit(db: &Db, site: &Site, arrived: &Arrived) -> Result<Outcome> {
    let mut tx = db.begin().await?;
    accounts::store::lock_pair(&tx, arrived.author, arrived.author).await?;
    let Some(old) = store::by_uri(&tx, &arrived.uri).await? else { return Ok(Outcome::Unknown) };
    if old.account_id != arrived.author || old.local || old.reblog_of_id.is_some() {
        return Err(not_theirs());
    }
    if let (Some(id), Some(poll)) = (old.poll_id, &arrived.poll) {
        polls::update_elsewhere(&mut tx, id, poll).await?;
    }
    let last = old.edited_at.unwrap_or(old.created_at);
    let current = arrived.edited_at.or(arrived.created_at).is_none_or(|at| at >= last);
    let age = if current { Age::Current } else { Age::Older };
    let quoted = old.quote_of_id;
    let old = beside_edits(&mut tx, old, (arrived, age)).await?;
    let requoted = old.quote_of_id != quoted;
    let newer = arrived.edited_at.map(|at| at.min(tx.now)).filter(|at| *at > last);
    if newer.is_none() {
        tx.commit().await?;
        return Ok(Outcome::Stale(old));
    }
    let tags = arrived.tags();
    let author = accounts::store::by_id(&tx, arrived.author).await?.ok_or(Error::NotFound)?;
    let emojis_json = arrived.keep_emojis(&mut tx, &author).await?;
    let new = Status { emojis_json, ..arrived.put_into(old.clone(), &tags)? };
    // A clock ahead of ours says that it is newer each time it is asked: the same once more is no edit.
    if new == old && !requoted && !differs(&tx, &old, arrived).await? {
        tx.commit().await?;
        return Ok(Outcome::Stale(old));
    }
    keep_history(&tx, &old).await?;
    let poll_id = polls::replace_elsewhere(&mut tx, &old, arrived.poll.as_ref()).await?;
    let new = Status { edited_at: newer, poll_id, ..new };
    store::update(&tx, &new).await?;
    store::insert_mentions(&tx, new.id, arrived.everybody()).await?;
    store::clear_tags(&tx, new.id).await?;
    store::file_under_tags(&tx, &new, &tags).await?;
    media::replace_elsewhere(&mut tx, (new.account_id, new.id), &arrived.media()).await?;
    search::index_status(&tx, &new).await?;
    keep_history(&tx, &new).await?;
    versions::tell(&mut tx, &old, &new).await?;
    let differs = arrived.link.is_some() || old.content != new.content || old.has_media != new.has_media;
    // One that had a link and no preview was never looked at by anybody here.
    if differs && cards::was_wanted(&tx, site, &old).await? {
        cards::attach(&mut tx, site, &new, (arrived.link.as_deref(), Haste::Others)).await?;
    } else if differs {
        cards::keep_hint(&tx, site, (&new, arrived.link.as_deref())).await?;
    }
    tx.commit().await?;
    Ok(Outcome::Changed(new))
}

/// Consent, policy and numbers come without being an edit.
async fn beside_edits(tx: &mut Tx, old: Status, (arrived, age): (&Arrived, Age)) -> Result<Status> {
    let mut old = quotes::remote::receive(tx, old, (arrived.quote.as_ref(), age)).await?;
    if age == Age::Older {
        return Ok(old);
    }
    consent::keep(tx, old.id, &arrived.rules).await?;
    let policy = |wanted| quotes::policy_for(old.visibility, wanted);
    let (policy, manual) = (policy(arrived.quote_policy), policy(arrived.quote_manual));
    if (policy, manual) != (old.quote_policy, old.quote_manual) {
        quotes::store::update_policy(tx, old.id, (policy, manual)).await?;
        (old.quote_policy, old.quote_manual) = (policy, manual);
    }
    let told = arrived.told.after(Told::of(&old));
    if told != Told::of(&old) {
        store::update_told(tx, old.id, told).await?;
        (old.told_favourites, old.told_reblogs) = (told.favourites, told.reblogs);
    }
    Ok(old)
}

/// Whether other files hang on it than before, or it asks something else.
async fn differs(tx: &Tx, old: &Status, arrived: &Arrived) -> Result<bool> {
    let files = media::store::by_statuses(tx, [old.id]).await?;
    if !media::are_same(&files, &arrived.media()) {
        return Ok(true);
    }
    let poll = match old.poll_id {
        None => None,
        Some(id) => polls::store::by_id(tx, id).await?,
    };
    Ok(!polls::is_same(poll.as_ref(), arrived.poll.as_ref(), tx.now))
}

/// Ancestors that are looked at so that nothing comes to answer itself.
const CHAIN: usize = 500;

/// Puts `child`, which came before what it answers, under `parent`. False when it has a parent, or would answer itself.
pub async fn adopt(db: &Db, child: StatusId, parent: StatusId) -> Result<bool> {
    let mut tx = db.begin().await?;
    let Some(parent) = store::by_id(&tx, parent).await? else { return Ok(false) };
    let Some(old) = store::by_id(&tx, child).await? else { return Ok(false) };
    // Two that answer each other are not put below each other at once.
    accounts::store::lock_pair(&tx, old.account_id, parent.account_id).await?;
    if old.local || old.in_reply_to_id.is_some() || old.reblog_of_id.is_some() || parent.reblog_of_id.is_some() {
        return Ok(false);
    }
    let (mut above, mut steps) = (Some(parent.id), 0);
    while let Some(id) = above {
        steps += 1;
        if id == child || steps > CHAIN {
            return Ok(false);
        }
        above = store::by_id(&tx, id).await?.and_then(|s| s.in_reply_to_id);
    }
    if !store::update_parent(&tx, child, (parent.id, parent.account_id)).await? {
        return Ok(false);
    }
    if let Some(parent) = (Status { in_reply_to_id: Some(parent.id), ..old }).counted_parent() {
        store::count_replies(&tx, parent, 1).await?;
    }
    tx.publish(Event::StatusEdited { status: child });
    tx.commit().await?;
    Ok(true)
}

/// The status of this name is gone, or will not come. [`Error::Forbidden`] when it is somebody else's.
pub async fn delete(db: &Db, author: AccountId, uri: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    accounts::store::lock_pair(&tx, author, author).await?;
    match store::by_uri(&tx, uri).await? {
        Some(status) if status.account_id != author || status.local => return Err(not_theirs()),
        Some(status) => {
            tombstones::put(&tx, uri).await?;
            remove_with_boosts(&mut tx, &status, Media::Delete).await?;
        }
        None => tombstones::put(&tx, uri).await?,
    }
    tx.commit().await
}

/// Removes one status of an account that goes altogether; nothing when it has gone.
pub async fn remove(db: &Db, author: AccountId, id: StatusId) -> Result<()> {
    let mut tx = db.begin().await?;
    if let Some(status) = store::by_id(&tx, id).await?.filter(|s| s.account_id == author) {
        remove_with_boosts(&mut tx, &status, Media::Delete).await?;
    }
    tx.commit().await
}

/// Somebody elsewhere boosts `original`. None when that was taken back already or may not be.
pub async fn boost(
    db: &Db,
    site: &Site,
    (who, original): (AccountId, StatusId),
    (uri, wanted, made): (&str, Visibility, Option<Time>),
) -> Result<Option<Status>> {
    let mut tx = db.begin().await?;
    accounts::store::lock_pair(&tx, who, who).await?;
    let Some(status) = store::by_id(&tx, original).await? else { return Ok(None) };
    let own = status.account_id == who;
    let allowed = status.reblog_of_id.is_none()
        && (status.visibility <= Visibility::Unlisted || (own && status.visibility == Visibility::Private))
        && (!status.local || is_shown_to(&tx, who, original).await?);
    if !allowed || tombstones::is_gone(&tx, uri).await? {
        return Ok(None);
    }
    let created_at = made.unwrap_or(tx.now).min(tx.now);
    if let Some(known) = store::reblog_by(&tx, who, original).await? {
        let known = renamed(&tx, known, (uri, created_at)).await?;
        tx.commit().await?;
        return Ok(Some(known));
    }
    let boost = status.boosted(Boost {
        id: super::free_id(&tx, created_at).await?,
        account_id: who,
        uri: uri.to_owned(),
        local: false,
        visibility: wanted,
        conversation_id: conversations::open(&tx).await?,
        created_at,
        consent: Consent::None,
    });
    if !store::insert(&tx, &boost).await? {
        // Something else of theirs has this name, and will have it.
        if super::by_uri(&tx, uri).await?.is_some() {
            return Ok(None);
        }
        // Somebody else took the number in this moment.
        return Err(Error::Busy(Duration::from_secs(1)));
    }
    store::count_reblogs(&tx, original, 1).await?;
    accounts::store::count_status(&tx, who, 1).await?;
    let feeds = timelines::deliver(&tx, &boost).await?;
    let kind = notifications::Kind::Reblog;
    let new = notifications::New { account: status.account_id, from: who, kind, status: Some(original) };
    notifications::notify(&mut tx, new).await?;
    tx.publish(Event::StatusCreated { status: boost.id });
    if feeds > 0 {
        cards::attach_late(&mut tx, site, (&status, Haste::Others)).await?;
    }
    tx.commit().await?;
    Ok(Some(boost))
}

/// Boosted once more before the end of the first came: the later one is what stands, and the end of the earlier one, which
/// may still come, is not its end.
async fn renamed(tx: &Tx, known: Status, (uri, created_at): (&str, Time)) -> Result<Status> {
    if known.uri == uri || store::by_uri(tx, uri).await?.is_some() {
        return Ok(known);
    }
    if created_at < known.created_at {
        tombstones::put(tx, uri).await?;
        return Ok(known);
    }
    tombstones::put(tx, &known.uri).await?;
    store::rename(tx, known.id, (uri, created_at)).await?;
    Ok(Status { uri: uri.to_owned(), created_at, ..known })
}

/// Whom its author blocks does not boost it.
async fn is_shown_to(tx: &Tx, who: AccountId, id: StatusId) -> Result<bool> {
    match visibility::visible(tx, Some(who), id).await {
        Ok(_) => Ok(true),
        Err(Error::NotFound) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Somebody elsewhere takes a boost back, by its name or by what it boosted; one that has not come yet will not.
pub async fn unboost(db: &Db, who: AccountId, (uri, original): (Option<&str>, Option<StatusId>)) -> Result<()> {
    let mut tx = db.begin().await?;
    accounts::store::lock_pair(&tx, who, who).await?;
    let mut found = match uri {
        Some(uri) => store::by_uri(&tx, uri).await?.filter(|s| s.reblog_of_id.is_some()),
        None => None,
    };
    // A name that ended before is not that of the boost that stands.
    let over = match uri {
        Some(uri) => tombstones::is_gone(&tx, uri).await?,
        None => false,
    };
    if let (None, Some(original)) = (&found, original.filter(|_| !over)) {
        found = store::reblog_by(&tx, who, original).await?;
    }
    if let Some(uri) = uri {
        tombstones::put(&tx, uri).await?;
    }
    match found {
        Some(boost) if boost.account_id != who => return Err(not_theirs()),
        Some(boost) => {
            removal::remove(&mut tx, &boost).await?;
            let original = boost.reblog_of_id.unwrap_or(boost.id);
            if let Some(status) = store::by_id(&tx, original).await? {
                let kind = notifications::Kind::Reblog;
                let was = notifications::New { account: status.account_id, from: who, kind, status: Some(original) };
                notifications::retract(&tx, was).await?;
            }
        }
        None => {}
    }
    tx.commit().await
}

/// What of a profile elsewhere is pinned.
const PINS: usize = 20;

/// What somebody elsewhere has pinned is this, the newest last: what is not among it is pinned no more.
pub async fn replace_pins(db: &Db, who: AccountId, pinned: &[StatusId]) -> Result<()> {
    let tx = db.begin().await?;
    accounts::store::lock_pair(&tx, who, who).await?;
    let before = store::pins(&tx, who).await?;
    for id in before.iter().filter(|id| !pinned.contains(id)) {
        store::delete_pin(&tx, who, *id).await?;
    }
    let mut at = tx.now;
    for id in pinned.iter().filter(|id| !before.contains(id)).take(PINS) {
        store::insert_pin(&tx, who, *id, at).await?;
        // Their order is that of their times.
        at = at.plus(Duration::from_millis(1));
    }
    tx.commit().await
}

/// Somebody elsewhere pins a status of their own, or (not `pinned`) no longer.
pub async fn pin(db: &Db, status: &Status, pinned: bool) -> Result<()> {
    let tx = db.begin().await?;
    match pinned {
        true if store::pins(&tx, status.account_id).await?.len() >= PINS => {}
        true => store::insert_pin(&tx, status.account_id, status.id, tx.now).await?,
        false => {
            store::delete_pin(&tx, status.account_id, status.id).await?;
        }
    }
    tx.commit().await
}
