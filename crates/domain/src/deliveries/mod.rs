//! What is told to other servers. An operation that concerns somebody elsewhere adds [`News`] in its own transaction; a
//! job makes the activity of it, finds out who should get it, and adds one delivery for each inbox.

pub mod store;

use crate::{
    Result,
    accounts::{self, Account},
    db::{Conn, Db, Tx},
    hosts,
    ids::{
        self, AccountId, ActivityId, BlockId, FavouriteId, FollowId, PollId, ReactionId, RelayId, ReportId, StatusId,
    },
    jobs::{self, Job},
    relays, row,
    statuses::{Consent, Status, Visibility, reactions::Emoji, store as statuses},
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::time::Duration;

/// How long a delivery is tried.
pub const KEPT: Duration = Duration::from_secs(3 * 24 * 3600);
/// Forgotten in one transaction: others write in between.
const BATCH: i64 = 1_000;
/// Accounts elsewhere that did something to one status and hear of its end.
const TOUCHED: i64 = 1_000;

/// Something that happened here and concerns others elsewhere. Part of the stored form of jobs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "news", rename_all = "snake_case")]
pub enum News {
    /// A new status, or a boost.
    StatusCreated {
        status: StatusId,
    },
    StatusEdited {
        status: StatusId,
    },
    /// Not edited, but other than it was told: what it quotes, who may quote it. `telling` names this occasion.
    StatusRetold {
        status: StatusId,
        telling: ActivityId,
    },
    StatusDeleted {
        gone: Gone,
    },
    /// An answer or a boost that waited for somebody's consent has it: now it is for everybody whom it is for.
    StatusApproved {
        status: StatusId,
    },
    /// A status of ours shows one of another server: may it? `again`: how often that was asked before without an answer.
    QuoteRequested {
        status: StatusId,
        #[serde(default, skip_serializing_if = "is_first")]
        again: u8,
    },
    /// Somebody elsewhere asked; their `quoting` may.
    QuoteAccepted {
        asked: Asked,
        quoting: StatusId,
        telling: ActivityId,
    },
    QuoteRejected {
        asked: Asked,
        telling: ActivityId,
    },
    /// Somebody elsewhere asked to show somebody here in a list: they may not.
    FeatureRejected {
        asked: Asked,
        telling: ActivityId,
    },
    /// `quoting` may no longer show what `account` wrote.
    QuoteRevoked {
        account: AccountId,
        quoting: StatusId,
    },
    Favourited {
        account: AccountId,
        status: StatusId,
        favourite: FavouriteId,
    },
    Unfavourited {
        account: AccountId,
        status: StatusId,
        favourite: FavouriteId,
    },
    Reacted {
        account: AccountId,
        status: StatusId,
        reaction: ReactionId,
        emoji: Emoji,
    },
    Unreacted {
        account: AccountId,
        status: StatusId,
        reaction: ReactionId,
        emoji: Emoji,
    },
    /// `telling` names this occasion.
    Pinned {
        account: AccountId,
        status: StatusId,
        telling: ActivityId,
    },
    Unpinned {
        account: AccountId,
        status: StatusId,
        telling: ActivityId,
    },
    /// A hashtag on the profile.
    TagFeatured {
        account: AccountId,
        name: String,
        telling: ActivityId,
    },
    TagUnfeatured {
        account: AccountId,
        name: String,
        telling: ActivityId,
    },
    Followed {
        bond: Bond,
    },
    Unfollowed {
        bond: Bond,
    },
    /// `bond.account`, from elsewhere, follows somebody here.
    FollowAccepted {
        bond: Bond,
    },
    /// They do not, or no longer.
    FollowRejected {
        bond: Bond,
    },
    Blocked {
        account: AccountId,
        target: AccountId,
        block: BlockId,
    },
    Unblocked {
        account: AccountId,
        target: AccountId,
        block: BlockId,
    },
    /// `choice`: the place of the option among the options.
    Voted {
        account: AccountId,
        poll: PollId,
        choice: i64,
    },
    /// The numbers of a poll here, after votes or at its end.
    PollCounted {
        status: StatusId,
    },
    ProfileChanged {
        account: AccountId,
        telling: ActivityId,
    },
    /// Another key signs for somebody here from now on; what says so is the last that the old one signs.
    KeysRotated {
        account: AccountId,
        telling: ActivityId,
    },
    /// A report about somebody elsewhere; `domains` are the servers that should hear of it, none means theirs.
    Reported {
        report: ReportId,
        domains: Vec<String>,
    },
    AccountDeleted {
        account: AccountId,
        uri: String,
    },
    /// The site asks a relay to pass posts on.
    RelayFollowed {
        relay: RelayId,
    },
    /// It no longer wants that.
    RelayLeft {
        left: relays::Left,
    },
    /// A public post goes to the relays that take boosts.
    Relayed {
        status: StatusId,
    },
    /// Somebody elsewhere asked to follow the site itself, under the name `object`.
    SiteAnswered {
        follower: AccountId,
        uri: String,
        object: String,
        accepted: bool,
        telling: ActivityId,
    },
    /// Somebody here left for another account.
    Moved {
        account: AccountId,
        target: AccountId,
        telling: ActivityId,
    },
}

/// Left out, because it was not there at first.
fn is_first(again: &u8) -> bool {
    *again == 0
}

/// A status that is gone, with what telling of it takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gone {
    pub account: AccountId,
    pub uri: String,
    pub visibility: Visibility,
    /// Of a boost: the name of what it boosted.
    #[serde(default)]
    pub boosted: Option<String>,
    /// Who was named in it or did something to it.
    pub concerned: Vec<AccountId>,
    /// Who boosted it here: their followers have it, too.
    #[serde(default)]
    pub boosters: Vec<AccountId>,
}

/// A request of somebody elsewhere to quote somebody here, or to show them in a list, and what it named.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// Who is quoted, or shown.
    pub account: AccountId,
    pub by: AccountId,
    pub uri: String,
    pub quoted: String,
    pub quoting: String,
}

/// Who follows whom, and under which name servers know it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bond {
    pub account: AccountId,
    pub target: AccountId,
    pub uri: String,
    /// Names the answer: another one each time.
    pub id: FollowId,
}

row! {
    /// An activity of ours on its way.
    pub struct Activity {
        pub id: ActivityId,
        pub uri: String,
        /// Who signs; [`crate::keys::SITE`] for the site itself.
        pub account_id: AccountId,
        /// Their name among servers, also when the account is gone.
        pub actor: String,
        /// The bytes that are sent.
        pub body: String,
        pub created_at: crate::Time,
    }
}

/// Has `news` told, once this transaction is true.
pub(crate) async fn tell(tx: &mut Tx, news: News) -> Result<()> {
    tx.enqueue(Job::Tell { news }).await
}

/// As [`tell`], at `at`; not again when the same waits to be told.
pub(crate) async fn tell_once(tx: &mut Tx, news: News, at: crate::Time) -> Result<()> {
    let job = Job::Tell { news };
    if jobs::is_queued(tx, &job).await? { Ok(()) } else { tx.enqueue_at(job, at).await }
}

/// Whether anybody elsewhere should get `status`, by what is known without a look at the database.
pub(crate) fn concerns_others(status: &Status, author: &Account) -> bool {
    let to_followers = author.has_remote_followers && status.visibility != Visibility::Direct;
    to_followers || status.mentions().iter().any(|m| m.acct.contains('@'))
}

/// What telling of the end of `status` takes, if anybody elsewhere may have it. To be asked before it is removed.
pub(crate) async fn gone(tx: &Tx, status: &Status) -> Result<Option<Gone>> {
    let author = accounts::store::by_id(tx, status.account_id).await?;
    let Some(author) = author.filter(Account::is_local) else { return Ok(None) };
    let mut concerned: Vec<AccountId> =
        status.mentions().into_iter().filter(|m| m.acct.contains('@')).map(|m| m.id).collect();
    let (mut boosted, mut boosters) = (None, Vec::new());
    match status.reblog_of_id {
        Some(original) => {
            let original = statuses::by_id(tx, original).await?;
            concerned.extend(original.iter().filter(|s| !s.local).map(|s| s.account_id));
            boosted = original.map(|s| s.uri);
        }
        None if status.touched() => {
            concerned.extend(store::touched(tx, status.id, TOUCHED).await?);
            boosters = boosters_here(tx, status.id).await?;
        }
        None => {}
    }
    if let Some(parent) = status.in_reply_to_account_id {
        let parent = accounts::store::by_id(tx, parent).await?.filter(|a| !a.is_local());
        concerned.extend(parent.map(|a| a.id));
    }
    concerned.sort_unstable();
    concerned.dedup();
    // Of what waited for somebody's consent only they know.
    let waited = status.consent == Consent::Waiting;
    let to_followers = author.has_remote_followers && status.visibility != Visibility::Direct && !waited;
    let is_elsewhere = to_followers || !concerned.is_empty() || !boosters.is_empty();
    if !is_elsewhere && !relays::want(tx, status, &author).await? {
        return Ok(None);
    }
    Ok(Some(Gone {
        account: author.id,
        uri: status.uri.clone(),
        visibility: if waited { Visibility::Direct } else { status.visibility },
        boosted,
        concerned,
        boosters,
    }))
}

/// Those here who boosted it to somebody elsewhere.
pub async fn boosters_here(conn: &Conn, id: StatusId) -> Result<Vec<AccountId>> {
    let boosters = accounts::store::by_ids(conn, statuses::rebloggers(conn, id).await?).await?;
    Ok(boosters.into_iter().filter(|a| a.has_remote_followers).map(|a| a.id).collect())
}

/// An activity to send.
#[derive(Clone, Copy, Debug)]
pub struct New<'a> {
    pub uri: &'a str,
    /// Who signs, and their name among servers.
    pub account: AccountId,
    pub actor: &'a str,
    pub body: &'a str,
}

/// Keeps an activity and adds a delivery for each inbox; nothing when it was kept before. How many deliveries.
pub async fn send(db: &Db, new: New<'_>, inboxes: &[String]) -> Result<usize> {
    if inboxes.is_empty() {
        return Ok(0);
    }
    let mut tx = db.begin_long().await?;
    let row = Activity {
        id: ids::next(),
        uri: new.uri.to_owned(),
        account_id: new.account,
        actor: new.actor.to_owned(),
        body: new.body.to_owned(),
        created_at: tx.now,
    };
    if !store::insert(&tx, &row).await? {
        return Ok(0);
    }
    let jobs: Vec<Job> =
        in_turn(inboxes).map(|inbox| Job::Deliver { activity: row.id, inbox: inbox.clone() }).collect();
    tx.enqueue_all(&jobs).await?;
    tx.commit().await?;
    Ok(inboxes.len())
}

/// The inbox that an activity was to go to is at another address now.
pub async fn readdress(db: &Db, activity: ActivityId, inbox: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    tx.enqueue(Job::Deliver { activity, inbox: inbox.to_owned() }).await?;
    tx.commit().await
}

/// One of each host after the other, so that nobody waits for all of a large one.
fn in_turn(inboxes: &[String]) -> impl Iterator<Item = &String> {
    let mut seen = HashMap::<Option<String>, usize>::new();
    let mut turns: Vec<(usize, &String)> = Vec::with_capacity(inboxes.len());
    for inbox in inboxes {
        let turn = seen.entry(hosts::of(inbox)).or_default();
        turns.push((*turn, inbox));
        *turn += 1;
    }
    turns.sort_by_key(|(turn, _)| *turn);
    turns.into_iter().map(|(_, inbox)| inbox)
}

/// When nobody elsewhere follows `account` any more: until somebody does, posts need not be told.
pub async fn mark_unfollowed(db: &Db, account: AccountId) -> Result<()> {
    let known = accounts::store::by_id(&db.read().await?, account).await?;
    if !known.is_some_and(|known| known.has_remote_followers) {
        return Ok(());
    }
    let tx = db.begin().await?;
    accounts::store::lock_pair(&tx, account, account).await?;
    if store::follower_inboxes(&tx, [account], 1).await?.is_empty() {
        accounts::remote::store::mark_followed(&tx, account, false).await?;
    }
    tx.commit().await
}

/// Forgets activities that are not tried any more. How many.
pub async fn sweep(db: &Db) -> Result<u64> {
    db.in_batches(BATCH, |tx| Box::pin(store::prune(tx, tx.now.minus(KEPT), BATCH))).await
}

#[cfg(test)]
mod tests;
