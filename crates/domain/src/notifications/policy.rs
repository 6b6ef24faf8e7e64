//! Whose notifications somebody wants at once, and what becomes of the others: decided when a notification is made.
//! <https://docs.joinmastodon.org/entities/NotificationPolicy/>

use super::{Kind, New, store};
use crate::{
    Result, Time,
    db::{Conn, Db, Tx, stored_enum},
    ids::{AccountId, StatusId},
    row,
    users::Role,
};
use std::time::Duration;

/// An account is new for so long.
const NEW_ACCOUNT: Duration = Duration::from_secs(30 * 24 * 3600);
/// Who has followed for less than this does not count as a follower yet.
const NEW_FOLLOWER: Duration = Duration::from_secs(3 * 24 * 3600);

stored_enum! {
    /// What is done with a notification. The later, the harder.
    pub enum Action {
        Accept = 0 => "accept",
        /// Kept, but held back.
        Filter = 1 => "filter",
        /// Not kept.
        Drop = 2 => "drop",
    }
}

row! {
    #[derive(Copy, PartialEq, Eq)]
    pub struct Policy {
        pub for_not_following: Action,
        pub for_not_followers: Action,
        pub for_new_accounts: Action,
        pub for_private_mentions: Action,
        pub for_limited_accounts: Action,
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            for_not_following: Action::Accept,
            for_not_followers: Action::Accept,
            for_new_accounts: Action::Accept,
            for_private_mentions: Action::Filter,
            for_limited_accounts: Action::Filter,
        }
    }
}

/// None leaves as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Change {
    pub for_not_following: Option<Action>,
    pub for_not_followers: Option<Action>,
    pub for_new_accounts: Option<Action>,
    pub for_private_mentions: Option<Action>,
    pub for_limited_accounts: Option<Action>,
}

impl Change {
    fn of(self, was: Policy) -> Policy {
        Policy {
            for_not_following: self.for_not_following.unwrap_or(was.for_not_following),
            for_not_followers: self.for_not_followers.unwrap_or(was.for_not_followers),
            for_new_accounts: self.for_new_accounts.unwrap_or(was.for_new_accounts),
            for_private_mentions: self.for_private_mentions.unwrap_or(was.for_private_mentions),
            for_limited_accounts: self.for_limited_accounts.unwrap_or(was.for_limited_accounts),
        }
    }
}

pub async fn read(conn: &Conn, account: AccountId) -> Result<Policy> {
    Ok(store::policy::by_account(conn, account).await?.unwrap_or_default())
}

pub async fn update(db: &Db, account: AccountId, change: Change) -> Result<Policy> {
    let tx = db.begin().await?;
    store::policy::upsert(&tx, account, &change.of(Policy::default()), &change).await?;
    let policy = read(&tx, account).await?;
    tx.commit().await?;
    Ok(policy)
}

row! {
    /// What the database knows of a new notification; columns of the policy are null without one.
    pub(super) struct Facts {
        for_not_following: Option<Action>,
        for_not_followers: Option<Action>,
        for_new_accounts: Option<Action>,
        for_private_mentions: Option<Action>,
        for_limited_accounts: Option<Action>,
        following: bool,
        follower_since: Option<Time>,
        since: Time,
        limited: bool,
        accepted: bool,
        role: Role,
        direct: bool,
        in_reply_to: Option<StatusId>,
    }
}

/// The sender and the notification, as the one sees them whom it is for.
#[derive(Clone, Copy, Debug)]
struct Sender {
    following: bool,
    follower_since: Option<Time>,
    /// When the account was made.
    since: Time,
    limited: bool,
    /// The notification is a private mention that answers none of one's own.
    intrudes: bool,
}

/// The hardest of what applies.
fn verdict(policy: &Policy, sender: &Sender, now: Time) -> Action {
    let stranger = !sender.following;
    let follower = sender.follower_since.is_some_and(|since| since <= now.minus(NEW_FOLLOWER));
    let new = sender.since > now.minus(NEW_ACCOUNT);
    let rules = [
        (stranger, policy.for_not_following),
        (!follower, policy.for_not_followers),
        (stranger && new, policy.for_new_accounts),
        (stranger && sender.intrudes, policy.for_private_mentions),
        (stranger && sender.limited, policy.for_limited_accounts),
    ];
    rules.into_iter().filter_map(|(applies, action)| applies.then_some(action)).max().unwrap_or(Action::Accept)
}

/// Kinds that strangers cause. The others tell of what one took part in or asked for.
fn is_judged(kind: Kind) -> bool {
    use Kind::{Favourite, Follow, FollowRequest, Mention, Quote, Reblog};
    matches!(kind, Mention | Reblog | Follow | FollowRequest | Favourite | Quote)
}

/// What the one it is for wants done with it. Who was accepted once, and moderators, always come through.
pub(super) async fn judge(tx: &Tx, new: &New) -> Result<Action> {
    if !is_judged(new.kind) {
        return Ok(Action::Accept);
    }
    // Nobody of this server: there is nothing to tell, and the insert sees that too.
    let Some(facts) = store::policy::facts(tx, new).await? else { return Ok(Action::Drop) };
    if facts.accepted || facts.role >= Role::Moderator {
        return Ok(Action::Accept);
    }
    let change = Change {
        for_not_following: facts.for_not_following,
        for_not_followers: facts.for_not_followers,
        for_new_accounts: facts.for_new_accounts,
        for_private_mentions: facts.for_private_mentions,
        for_limited_accounts: facts.for_limited_accounts,
    };
    let policy = change.of(Policy::default());
    let private = facts.direct && !facts.following && policy.for_private_mentions != Action::Accept;
    let sender = Sender {
        following: facts.following,
        follower_since: facts.follower_since,
        since: facts.since,
        limited: facts.limited,
        intrudes: private && !is_answer(tx, new, facts.in_reply_to).await?,
    };
    Ok(verdict(&policy, &sender, tx.now))
}

/// Whether somewhere above there is a private mention of the sender by the one who is told.
async fn is_answer(conn: &Conn, new: &New, parent: Option<StatusId>) -> Result<bool> {
    match parent {
        None => Ok(false),
        Some(parent) => store::policy::is_addressed_above(conn, parent, (new.account, new.from)).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    #[test]
    fn the_hardest_rule_that_applies_counts() {
        use Action::{Accept, Drop, Filter};
        let now = Time(400 * 86_400_000);
        let ago = |days: u32| now.minus(DAY * days);
        let known =
            Sender { following: true, follower_since: Some(ago(9)), since: ago(99), limited: false, intrudes: false };
        let stranger = Sender { following: false, follower_since: None, ..known };
        let nothing = Policy { for_private_mentions: Accept, for_limited_accounts: Accept, ..Policy::default() };
        let table = [
            (nothing, stranger, Accept),
            (Policy { for_not_following: Filter, ..nothing }, stranger, Filter),
            (Policy { for_not_following: Drop, ..nothing }, known, Accept),
            (Policy { for_not_followers: Filter, ..nothing }, known, Accept),
            (Policy { for_not_followers: Filter, ..nothing }, Sender { follower_since: Some(ago(2)), ..known }, Filter),
            (Policy { for_not_followers: Drop, ..nothing }, Sender { follower_since: None, ..known }, Drop),
            (Policy { for_new_accounts: Filter, ..nothing }, stranger, Accept),
            (Policy { for_new_accounts: Filter, ..nothing }, Sender { since: ago(29), ..stranger }, Filter),
            (Policy { for_new_accounts: Filter, ..nothing }, Sender { since: ago(29), ..known }, Accept),
            (Policy::default(), Sender { intrudes: true, ..stranger }, Filter),
            (Policy::default(), Sender { intrudes: true, ..known }, Accept),
            (Policy::default(), Sender { limited: true, ..stranger }, Filter),
            (Policy::default(), Sender { limited: true, ..known }, Accept),
            (Policy { for_not_following: Drop, ..Policy::default() }, Sender { limited: true, ..stranger }, Drop),
            (Policy { for_not_following: Filter, for_limited_accounts: Drop, ..nothing }, stranger, Filter),
        ];
        for (n, (policy, sender, expected)) in table.into_iter().enumerate() {
            assert_eq!(verdict(&policy, &sender, now), expected, "line {n}: {policy:?} {sender:?}");
        }
    }
}
