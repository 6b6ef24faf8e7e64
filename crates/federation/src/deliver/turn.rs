//! Whose turn it is: what is about one thing comes to an inbox in the order in which it was said, and nothing that a new
//! key signs comes before the word that there is one.

use super::MOMENT;
use crate::Federation;
use crate::actors::keys::{key_id, rotation_of};
use domain::deliveries::{self, Activity, News, Pace, Place, Thing};
use domain::ids::JobId;
use domain::{Result, Time, jobs};
use std::time::Duration;

/// How long what somebody says waits for the word that there is a new key. Whoever has not heard it by then may not believe
/// what follows, or asks.
const KEY_WAITS: Duration = Duration::from_secs(6 * 3600);

/// What takes turns on the way to inboxes: what takes turns in being told. Only keys are heard of by whole servers, whose
/// people may be reached at several inboxes, and by the name of who has them: the site has two, with one account.
pub(super) fn thing(news: &News, actor: &str) -> Option<Thing> {
    match news {
        News::KeysRotated { .. } | News::SiteKeysRotated { .. } => Some(Thing::at_host(&key_id(actor))),
        _ => news.about().as_deref().map(Thing::at_inbox),
    }
}

/// Where what `news` says stands among all that is about the same.
pub(super) fn place(news: &News) -> Place {
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
        News::Parted { .. } => Place::Farewell,
        _ => Place::Later,
    }
}

/// The end of an account goes to every server there is: others do not wait for that.
pub(super) fn pace(news: &News) -> Pace {
    if matches!(news, News::AccountDeleted { .. }) { Pace::Gentle } else { Pace::Now }
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
            if let Some(at) = deliveries::left_at_host(&conn, &key_id(&activity.actor), inbox).await? {
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

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ids::{AccountId, ActivityId, StatusId};

    #[test]
    fn what_is_told_in_turn_comes_in_turn_and_keys_to_whole_servers() {
        let (account, status, telling) = (AccountId(1), StatusId(2), ActivityId(3));
        let of = |news: News| thing(&news, "https://a.example/actor");
        let created = of(News::StatusCreated { status });
        assert!(matches!(created, Some(Thing::AtInbox(_))));
        assert_eq!(of(News::Pinned { account, status, telling }), created);
        assert_ne!(of(News::StatusCreated { status: StatusId(4) }), created);
        assert_eq!(of(News::Relayed { status }), None);
        let key = of(News::KeysRotated { account, telling });
        assert!(matches!(key, Some(Thing::AtHost(_))));
        // The site has two names, each with its key.
        let (relay, site) =
            (News::SiteKeysRotated { relay: true, telling }, News::SiteKeysRotated { relay: false, telling });
        assert_ne!(thing(&relay, "https://a.example/relay"), thing(&site, "https://a.example/actor"));
    }
}
