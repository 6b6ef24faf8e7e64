//! Who may see a status: decided here and nowhere else. Every path that shows a status passes through [`visible`] or
//! [`filter`], which both end in [`may_see`].

use super::{Consent, Status, Visibility, store};
use crate::{
    Error, Result,
    db::Conn,
    ids::{AccountId, StatusId},
    relationships::{self, Relations},
};
use std::collections::HashMap;

/// Where a status is about to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Somebody asked for this very status: what they muted or blocked themselves is still theirs to look at.
    Asked,
    /// A list that somebody reads: what they muted or blocked is left out.
    Listed,
    /// A list of what strangers say: as `Listed`, and limited accounts are left out for those who do not follow them.
    Public,
    /// One's own collection or a profile: as `Listed`, but mutes do not hide.
    Profile,
    /// As `Asked`, by another server and not by somebody's browser.
    Served,
}

/// The rule. A boost is seen when both it and what it boosts may be seen.
fn may_see(status: &Status, viewer: Option<AccountId>, relations: &Relations, place: Place) -> bool {
    let author = status.account_id;
    if relations.suspended(author) {
        return false;
    }
    if place == Place::Public && relations.limited(author) && viewer != Some(author) && !relations.following(author) {
        return false;
    }
    // What waits for the consent of whom it answers is for the two alone.
    let waits = status.consent == Consent::Waiting;
    if waits && viewer.is_none_or(|me| me != author && Some(me) != status.in_reply_to_account_id) {
        return false;
    }
    let Some(me) = viewer else {
        // Some want to be read by people who are signed in somewhere, but other servers are no strangers' browsers.
        let open = place == Place::Served;
        return match status.visibility {
            Visibility::Public => open || !relations.hides_public(author),
            Visibility::Unlisted => open || !relations.hides_unlisted(author),
            Visibility::Private | Visibility::Direct => false,
        };
    };
    if me == author {
        return true;
    }
    if relations.blocked_by(author) {
        return false;
    }
    let asked = matches!(place, Place::Asked | Place::Served);
    if !asked && (relations.blocking(author) || relations.domain_blocking(author)) {
        return false;
    }
    if matches!(place, Place::Listed | Place::Public) && relations.muting(author) {
        return false;
    }
    let mentioned = || status.mentions().iter().any(|m| m.id == me);
    match status.visibility {
        Visibility::Public | Visibility::Unlisted => true,
        Visibility::Private => relations.following(author) || mentioned(),
        Visibility::Direct => mentioned(),
    }
}

/// Statuses that may be shown, in the order they came, each boost with what it boosts.
#[derive(Debug, Default)]
pub struct Shown {
    pub statuses: Vec<Status>,
    /// What the boosts among them boost.
    pub reblogged: HashMap<StatusId, Status>,
}

/// Leaves out what `viewer` may not see at `place`.
pub async fn filter(conn: &Conn, viewer: Option<AccountId>, statuses: Vec<Status>, place: Place) -> Result<Shown> {
    if statuses.is_empty() {
        return Ok(Shown::default());
    }
    let originals = store::by_ids(conn, statuses.iter().filter_map(|s| s.reblog_of_id)).await?;
    let reblogged: HashMap<_, _> = originals.into_iter().map(|s| (s.id, s)).collect();
    let authors = statuses.iter().chain(reblogged.values()).map(|s| s.account_id);
    let relations = relationships::with_authors(conn, viewer, authors).await?;
    let statuses = statuses
        .into_iter()
        .filter(|s| may_see(s, viewer, &relations, place))
        .filter(|s| match s.reblog_of_id {
            None => true,
            Some(id) => reblogged.get(&id).is_some_and(|o| may_see(o, viewer, &relations, place)),
        })
        .collect();
    Ok(Shown { statuses, reblogged })
}

/// Who among `viewers` may see one status at `place`: [`filter`] turned round. With what it boosts.
pub async fn audience(
    conn: &Conn,
    viewers: &[AccountId],
    status: &Status,
    place: Place,
) -> Result<(Vec<AccountId>, Option<Status>)> {
    let original = match status.reblog_of_id {
        None => None,
        Some(id) => Some(store::by_id(conn, id).await?.ok_or(Error::NotFound)?),
    };
    let both = || std::iter::once(status).chain(&original);
    let relations = relationships::viewers_with_authors(conn, viewers, both().map(|s| s.account_id)).await?;
    let may = |viewer: &AccountId| {
        let relations = relations.get(viewer);
        relations.is_some_and(|r| both().all(|s| may_see(s, Some(*viewer), r, place)))
    };
    let allowed = viewers.iter().copied().filter(may).collect();
    Ok((allowed, original))
}

/// The status, if `viewer` may see it: the same [`Error::NotFound`] for "not there" and "not yours".
pub async fn visible(conn: &Conn, viewer: Option<AccountId>, id: StatusId) -> Result<Status> {
    one(conn, viewer, (id, Place::Asked)).await
}

/// As [`visible`], of what another server asks for, in whosever name.
pub async fn served(conn: &Conn, viewer: Option<AccountId>, id: StatusId) -> Result<Status> {
    one(conn, viewer, (id, Place::Served)).await
}

async fn one(conn: &Conn, viewer: Option<AccountId>, (id, place): (StatusId, Place)) -> Result<Status> {
    let status = store::by_id(conn, id).await?.ok_or(Error::NotFound)?;
    let shown = filter(conn, viewer, vec![status], place).await?;
    shown.statuses.into_iter().next().ok_or(Error::NotFound)
}

/// The status that an action on `id` is about: for a boost, what it boosts.
pub async fn visible_original(conn: &Conn, viewer: AccountId, id: StatusId) -> Result<Status> {
    let status = visible(conn, Some(viewer), id).await?;
    match status.reblog_of_id {
        None => Ok(status),
        Some(original) => visible(conn, Some(viewer), original).await,
    }
}
