//! Whose turn it is: what is about one thing comes to an inbox in the order in which it was said, and nothing that a new
//! key signs comes before the word that there is one.

use super::MOMENT;
use crate::Federation;
use crate::actors::keys::{FRAGMENT, rotation_of};
use crate::documents::{Activity as Made, Object};
use domain::deliveries::{self, Activity, News, Pace, Place};
use domain::ids::JobId;
use domain::{Result, Time, jobs};
use std::time::Duration;

/// How long what somebody says waits for the word that there is a new key. Whoever has not heard it by then may not believe
/// what follows, or asks.
const KEY_WAITS: Duration = Duration::from_secs(6 * 3600);

/// What an activity is about, for the order in which it comes to inboxes, and its place in that.
pub(super) fn order(news: &News, activity: &Made) -> (Option<String>, Place) {
    let (place, what) = (place(news), activity.objects.first());
    let about = match news {
        News::StatusDeleted { gone } => Some(gone.uri.clone()),
        News::StatusCreated { .. } | News::StatusApproved { .. } => match what {
            Some(Object::Note(note)) if activity.verb == crate::documents::Verb::Create => Some(note.id.clone()),
            // A boost is known by its own name.
            _ => activity.id.clone(),
        },
        News::StatusEdited { .. }
        | News::StatusRetold { .. }
        | News::PollCounted { .. }
        | News::Pinned { .. }
        | News::Unpinned { .. } => what.and_then(name),
        // What is between two people, or somebody and a post, whatever it is.
        News::Followed { .. }
        | News::Blocked { .. }
        | News::Favourited { .. }
        | News::LikeKept { .. }
        | News::Reacted { .. } => what.and_then(name).map(|other| pair(&activity.actor, &other)),
        News::Unfollowed { .. } | News::Unblocked { .. } | News::Unfavourited { .. } | News::Unreacted { .. } => {
            match what {
                Some(Object::Activity(inner)) => {
                    inner.objects.first().and_then(name).map(|other| pair(&activity.actor, &other))
                }
                _ => None,
            }
        }
        News::FollowAccepted { .. } | News::FollowRejected { .. } => match what {
            Some(Object::Activity(inner)) => Some(pair(&inner.actor, &activity.actor)),
            _ => None,
        },
        News::TagFeatured { name, .. } | News::TagUnfeatured { name, .. } => Some(pair(&activity.actor, name)),
        News::ProfileChanged { .. } | News::AccountDeleted { .. } => Some(activity.actor.clone()),
        News::KeysRotated { .. } | News::SiteKeysRotated { .. } => Some(key(&activity.actor)),
        News::RelayFollowed { .. } | News::RelayLeft { .. } => Some(activity.actor.clone()),
        News::QuoteRequested { .. }
        | News::QuoteAccepted { .. }
        | News::QuoteRejected { .. }
        | News::QuoteRevoked { .. }
        | News::FeatureRejected { .. }
        | News::Voted { .. }
        | News::Reported { .. }
        | News::Relayed { .. }
        | News::Passed { .. }
        | News::Moved { .. }
        | News::SiteAnswered { .. } => None,
    };
    (about, place)
}

fn place(news: &News) -> Place {
    match news {
        News::StatusCreated { .. } => Place::First,
        News::StatusDeleted { .. }
        | News::Unfavourited { .. }
        | News::Unreacted { .. }
        | News::Unfollowed { .. }
        | News::FollowRejected { .. }
        | News::Unblocked { .. }
        | News::QuoteRevoked { .. }
        | News::AccountDeleted { .. }
        | News::RelayLeft { .. } => Place::End,
        _ => Place::Later,
    }
}

/// The end of an account goes to every server there is: others do not wait for that.
pub(super) fn pace(news: &News) -> Pace {
    if matches!(news, News::AccountDeleted { .. }) { Pace::Gentle } else { Pace::Now }
}

fn name(object: &Object) -> Option<String> {
    match object {
        Object::Id(id) | Object::Tombstone { id, .. } => Some(id.clone()),
        Object::Note(note) => Some(note.id.clone()),
        Object::Activity(activity) => activity.id.clone(),
        _ => None,
    }
}

fn pair(one: &str, other: &str) -> String {
    format!("{one} {other}")
}

fn key(actor: &str) -> String {
    format!("{actor}{FRAGMENT}")
}

/// Whether a delivery may go now.
pub(super) enum Turn {
    Now,
    /// Not before.
    At(Time),
    /// What it says was said better by another.
    Never,
}

/// Whether `activity` may go to `inbox` now, by the delivery `job`. For most that is no look at the database, for others
/// one, or two shortly after a change of keys.
pub(super) async fn of(federation: &Federation, activity: &Activity, (job, inbox): (JobId, &str)) -> Result<Turn> {
    let held = federation.held(activity.account_id).await?;
    let now = Time::now();
    if let Some(rotated_at) = held.rotated_at
        && rotation_of(activity).is_none()
    {
        if is_of_an_older_key(activity, held.pair.public_pem()) {
            return Ok(Turn::Never);
        }
        let until = rotated_at.plus(KEY_WAITS);
        if until > now {
            let conn = federation.db.read().await?;
            if let Some(at) = deliveries::left_at_host(&conn, &key(&activity.actor), inbox).await? {
                return Ok(Turn::At(at.max(now).plus(patience(now.since(activity.created_at))).min(until)));
            }
        }
    }
    if activity.is_first {
        return Ok(Turn::Now);
    }
    let before = jobs::before(&federation.db.read().await?, job).await?;
    Ok(before.map_or(Turn::Now, |at| Turn::At(at.max(now).plus(patience(now.since(activity.created_at))))))
}

/// Whether what `news` is about is told now: not while something that was said before is not told yet.
pub(super) async fn to_tell(federation: &Federation, job: JobId, news: &News) -> Result<Turn> {
    if place(news) == Place::First {
        return Ok(Turn::Now);
    }
    let (conn, now) = (federation.db.read().await?, Time::now());
    let before = jobs::told_before(&conn, job, now.plus(MOMENT)).await?;
    Ok(before.map_or(Turn::Now, |at| Turn::At(at.max(now).plus(MOMENT / 10))))
}

/// How long a delivery waits that has waited for so long already, until it looks again whether it is its turn: what comes
/// before is mostly just under way.
fn patience(waited: Duration) -> Duration {
    (waited / 4).clamp(MOMENT / 10, MOMENT)
}

/// A profile as it was with another key than the one of now: who took that would believe nobody. The word of the new key
/// shows all of the profile.
fn is_of_an_older_key(activity: &Activity, public_pem: &str) -> bool {
    let name = activity.uri.strip_prefix(activity.actor.as_str());
    let is_profile = name.is_some_and(|name| name.starts_with("#updates/"));
    is_profile && public_pem.lines().any(|line| !activity.body.contains(line))
}
