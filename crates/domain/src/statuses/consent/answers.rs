//! What authors elsewhere say to what people here did with their posts.

use super::{asked, store};
use crate::{
    Error, Result, accounts,
    db::{Db, Tx},
    deliveries::{self, News},
    events::Event,
    ids::{self, AccountId, FavouriteId, ReactionId, StatusId},
    relays,
    statuses::{Consent, Media, Status, actions, delete::remove_with_boosts, publish, reactions, store as statuses},
    tombstones,
};

/// An answer or a boost of ours, if it is for `by` to say whether it may be.
async fn theirs(tx: &Tx, id: StatusId, by: AccountId) -> Result<Status> {
    let status = statuses::by_id(tx, id).await?.filter(|s| s.local).ok_or(Error::NotFound)?;
    if asked(tx, &status).await? != Some(by) || status.account_id == by {
        return Err(Error::forbidden("It is not theirs to allow"));
    }
    Ok(status)
}

/// `by`, elsewhere, agrees to an answer or a boost of ours; `approval`: where that can be looked at. What waited for it
/// is told to everybody whom it is for; what was told without it is told again with it.
pub async fn given(db: &Db, id: StatusId, (by, approval): (AccountId, &str)) -> Result<()> {
    let mut tx = db.begin().await?;
    let status = theirs(&tx, id, by).await?;
    let author = accounts::store::by_id(&tx, status.account_id).await?.ok_or(Error::NotFound)?;
    store::approve(&tx, id, approval).await?;
    let before = status.consent;
    let status = Status { consent: Consent::Given, ..status };
    match before {
        Consent::Given => {}
        Consent::None if status.reblog_of_id.is_none() => {
            deliveries::tell(&mut tx, News::StatusRetold { status: id, telling: ids::next() }).await?;
        }
        Consent::None => deliveries::tell(&mut tx, News::StatusApproved { status: id }).await?,
        Consent::Waiting => {
            publish::tell_people(&mut tx, &status).await?;
            deliveries::tell(&mut tx, News::StatusApproved { status: id }).await?;
            if status.reblog_of_id.is_none() && relays::want(&tx, &status, &author).await? {
                deliveries::tell(&mut tx, News::Relayed { status: id }).await?;
            }
            tx.publish(Event::StatusCreated { status: id });
        }
    }
    tx.commit().await
}

/// `by`, elsewhere, does not agree, or no longer: what waited or was agreed to goes. What needed nobody's consent stays.
pub async fn refused(db: &Db, id: StatusId, by: AccountId) -> Result<()> {
    let mut tx = db.begin().await?;
    let status = theirs(&tx, id, by).await?;
    if status.consent == Consent::None {
        return Err(Error::forbidden("It answers what nobody asked"));
    }
    if let Some(gone) = deliveries::gone(&tx, &status).await?.filter(|_| status.consent == Consent::Given) {
        deliveries::tell(&mut tx, News::StatusDeleted { gone }).await?;
    }
    tombstones::put(&tx, &status.uri).await?;
    remove_with_boosts(&mut tx, &status, Media::Delete).await?;
    tx.commit().await
}

/// What people here put on posts of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Like {
    Favourite(FavouriteId),
    Reaction(ReactionId),
}

/// `by`, elsewhere, does not want a favourite or an emoji of somebody here on their post: it goes.
pub async fn refused_like(db: &Db, like: Like, by: AccountId) -> Result<()> {
    let conn = db.read().await?;
    let (who, id, emoji) = match like {
        Like::Favourite(id) => store::favourite(&conn, id).await?.map(|(who, status)| (who, status, None)),
        Like::Reaction(id) => store::reaction(&conn, id).await?.map(|(who, status, name)| (who, status, Some(name))),
    }
    .ok_or(Error::NotFound)?;
    let status = statuses::by_id(&conn, id).await?.ok_or(Error::NotFound)?;
    if status.account_id != by || who == by {
        return Err(Error::forbidden("It is not theirs to allow"));
    }
    drop(conn);
    match emoji {
        None => actions::unfavourite(db, who, id).await.map(drop),
        Some(name) => reactions::unreact(db, who, (id, &name)).await.map(drop),
    }
}
