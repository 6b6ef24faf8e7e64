//! What people do to a status: favourite, boost, bookmark, pin, mute its conversation; and taking each back.
//! All are safe to repeat: the second time changes nothing and answers the same.

use super::{
    Boost, Consent, Status, Visibility,
    consent::{self, Deed},
    reactions, store, visibility,
};
use crate::{
    Error, Result, accounts,
    cards::{self, Haste},
    conversations,
    db::{Db, Tx},
    deliveries::{self, News},
    events::Event,
    ids::{self, AccountId, StatusId},
    notifications::{self, Kind},
    site::Site,
    timelines,
};

pub async fn favourite(db: &Db, who: AccountId, id: StatusId) -> Result<Status> {
    favourite_named(db, who, (id, None)).await
}

/// As [`favourite`], by somebody elsewhere, whose server calls it `uri`.
pub async fn favourite_named(db: &Db, who: AccountId, (id, uri): (StatusId, Option<&str>)) -> Result<Status> {
    let conn = db.read().await?;
    let status = visibility::visible_original(&conn, who, id).await?;
    // A favourite is told to nobody but the author: whether they are asked makes no difference until they answer.
    consent::needed(&conn, who, (&status, Deed::Like)).await?;
    drop(conn);
    let mut tx = db.begin().await?;
    if let Some(favourite) = store::insert_favourite(&tx, who, (status.id, uri)).await? {
        store::count_favourites(&tx, status.id, 1).await?;
        if !status.local {
            deliveries::tell(&mut tx, News::Favourited { account: who, status: status.id, favourite }).await?;
        }
        notifications::notify(&mut tx, about(&status, who, Kind::Favourite)).await?;
    }
    finish(tx, status.id).await
}

pub async fn unfavourite(db: &Db, who: AccountId, id: StatusId) -> Result<Status> {
    let status = undone(db, who, id).await?;
    let mut tx = db.begin().await?;
    if let Some(favourite) = store::delete_favourite(&tx, who, status.id).await? {
        store::count_favourites(&tx, status.id, -1).await?;
        let came_with_emoji = reactions::clear(&mut tx, who, &status).await?;
        // One that came with an emoji was told as that alone.
        if !status.local && !came_with_emoji {
            deliveries::tell(&mut tx, News::Unfavourited { account: who, status: status.id, favourite }).await?;
        }
        notifications::retract(&tx, about(&status, who, Kind::Favourite)).await?;
    }
    finish(tx, status.id).await
}

/// Takes the favourite or the emoji back that the server of `who` calls `uri`. False when there is none.
pub async fn undo_named(db: &Db, who: AccountId, uri: &str) -> Result<bool> {
    let conn = db.read().await?;
    let emoji = reactions::named(&conn, who, uri).await?;
    let favourite = store::favourite_named(&conn, who, uri).await?;
    drop(conn);
    if let Some((status, name)) = &emoji {
        reactions::unreact(db, who, (*status, name)).await?;
    }
    if let Some(status) = favourite {
        unfavourite(db, who, status).await?;
    }
    Ok(emoji.is_some() || favourite.is_some())
}

pub async fn bookmark(db: &Db, who: AccountId, id: StatusId) -> Result<Status> {
    let status = visibility::visible_original(&db.read().await?, who, id).await?;
    let tx = db.begin().await?;
    store::insert_bookmark(&tx, who, status.id).await?;
    finish(tx, status.id).await
}

pub async fn unbookmark(db: &Db, who: AccountId, id: StatusId) -> Result<Status> {
    let status = undone(db, who, id).await?;
    let tx = db.begin().await?;
    store::delete_bookmark(&tx, who, status.id).await?;
    finish(tx, status.id).await
}

/// Boosts; answers the boost. Only its author may boost a status for followers only, and nobody one for named people.
pub async fn reblog(
    db: &Db,
    site: &Site,
    who: AccountId,
    (id, wanted): (StatusId, Option<Visibility>),
) -> Result<Status> {
    let conn = db.read().await?;
    let status = visibility::visible_original(&conn, who, id).await?;
    let allowed = match status.visibility {
        Visibility::Public | Visibility::Unlisted => true,
        Visibility::Private => status.account_id == who,
        Visibility::Direct => false,
    };
    // What waits for somebody's consent is not for others yet.
    if !allowed || status.consent == Consent::Waiting {
        return Err(Error::forbidden("This action is not allowed"));
    }
    if let Some(done) = store::reblog_by(&conn, who, status.id).await? {
        return Ok(done);
    }
    let consent = consent::needed(&conn, who, (&status, Deed::Boost)).await?;
    let author = accounts::store::by_id(&conn, who).await?.ok_or(Error::NotFound)?;
    drop(conn);
    let mut tx = db.begin().await?;
    let new: StatusId = ids::next();
    let boost = status.boosted(Boost {
        id: new,
        account_id: who,
        uri: format!("{}/activity", site.status_uri(&author.username, new)),
        local: true,
        visibility: wanted.unwrap_or(Visibility::Public),
        conversation_id: conversations::open(&tx).await?,
        created_at: tx.now,
        consent,
    });
    if !store::insert(&tx, &boost).await? {
        // Somebody's second finger was faster.
        drop(tx);
        return store::reblog_by(&db.read().await?, who, status.id).await?.ok_or(Error::NotFound);
    }
    store::count_reblogs(&tx, status.id, 1).await?;
    accounts::store::count_status(&tx, who, 1).await?;
    timelines::deliver(&tx, &boost).await?;
    notifications::notify(&mut tx, about(&status, who, Kind::Reblog)).await?;
    if !status.local || author.has_remote_followers {
        deliveries::tell(&mut tx, News::StatusCreated { status: new }).await?;
    }
    tx.publish(Event::StatusCreated { status: new });
    // Last: whoever links to the same page waits.
    cards::attach_late(&mut tx, site, (&status, Haste::Own)).await?;
    tx.commit().await?;
    Ok(boost)
}

/// Takes a boost back; answers what was boosted.
pub async fn unreblog(db: &Db, who: AccountId, id: StatusId) -> Result<Status> {
    let status = undone(db, who, id).await?;
    let mut tx = db.begin().await?;
    if let Some(boost) = store::reblog_by(&tx, who, status.id).await? {
        if let Some(gone) = deliveries::gone(&tx, &boost).await? {
            deliveries::tell(&mut tx, News::StatusDeleted { gone }).await?;
        }
        super::delete::remove(&mut tx, &boost).await?;
        notifications::retract(&tx, about(&status, who, Kind::Reblog)).await?;
    }
    finish(tx, status.id).await
}

/// Pins one's own status to one's profile.
pub async fn pin(db: &Db, site: &Site, who: AccountId, id: StatusId) -> Result<Status> {
    let status = visibility::visible(&db.read().await?, Some(who), id).await?;
    if status.account_id != who {
        return Err(Error::invalid("Someone", "else's post cannot be pinned"));
    }
    if status.reblog_of_id.is_some() {
        return Err(Error::invalid("Reblogs", "cannot be pinned"));
    }
    if status.visibility == Visibility::Direct {
        return Err(Error::invalid("Posts", "that are only visible to mentioned users cannot be pinned"));
    }
    let mut tx = db.begin().await?;
    let pinned = store::pins(&tx, who).await?;
    if !pinned.contains(&id) {
        if pinned.len() >= site.limits.pinned_statuses {
            return Err(Error::invalid("You have", "already pinned the maximum number of posts"));
        }
        store::insert_pin(&tx, who, id, tx.now).await?;
        if tell_of_pins(&tx, &status).await? {
            let news = News::Pinned { account: who, status: id, telling: ids::next() };
            deliveries::tell(&mut tx, news).await?;
        }
    }
    finish(tx, id).await
}

pub async fn unpin(db: &Db, who: AccountId, id: StatusId) -> Result<Status> {
    let status = visibility::visible(&db.read().await?, Some(who), id).await?;
    let mut tx = db.begin().await?;
    if store::delete_pin(&tx, who, id).await? && tell_of_pins(&tx, &status).await? {
        let news = News::Unpinned { account: who, status: id, telling: ids::next() };
        deliveries::tell(&mut tx, news).await?;
    }
    finish(tx, id).await
}

async fn tell_of_pins(tx: &Tx, status: &Status) -> Result<bool> {
    let author = accounts::store::by_id(tx, status.account_id).await?;
    Ok(author.is_some_and(|a| a.has_remote_followers) && status.visibility <= Visibility::Unlisted)
}

/// No more notifications from the conversation that `id` is part of.
pub async fn mute(db: &Db, who: AccountId, id: StatusId) -> Result<Status> {
    let status = visibility::visible(&db.read().await?, Some(who), id).await?;
    let tx = db.begin().await?;
    store::insert_conversation_mute(&tx, who, status.conversation_id).await?;
    finish(tx, id).await
}

pub async fn unmute(db: &Db, who: AccountId, id: StatusId) -> Result<Status> {
    let status = visibility::visible(&db.read().await?, Some(who), id).await?;
    let tx = db.begin().await?;
    store::delete_conversation_mute(&tx, who, status.conversation_id).await?;
    finish(tx, id).await
}

/// What an undoing is about: also what one can no longer see but once could, such as after a block.
pub(super) async fn undone(db: &Db, who: AccountId, id: StatusId) -> Result<Status> {
    let conn = db.read().await?;
    match visibility::visible_original(&conn, who, id).await {
        Err(Error::NotFound) if store::touched(&conn, who, id).await? => {
            store::by_id(&conn, id).await?.ok_or(Error::NotFound)
        }
        other => other,
    }
}

pub(super) fn about(status: &Status, from: AccountId, kind: Kind) -> notifications::New {
    notifications::New { account: status.account_id, from, kind, status: Some(status.id) }
}

/// Commits and answers the status as it now is.
pub(super) async fn finish(tx: Tx, id: StatusId) -> Result<Status> {
    let status = store::by_id(&tx, id).await?.ok_or(Error::NotFound)?;
    tx.commit().await?;
    Ok(status)
}
