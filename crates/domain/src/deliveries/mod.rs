//! What is told to other servers. An operation that concerns somebody elsewhere adds [`News`] in its own transaction; a
//! job makes the activity of it, finds out who should get it, and adds one delivery for each inbox.

mod news;
mod send;
pub mod store;

pub use news::{Asked, Bond, Gone, News, Parting};
use send::PACE;
pub(crate) use send::readdress_at_once;
pub use send::{New, Pace, Place, Thing, bring, left_at_host, readdress, send};

use crate::{
    Result,
    accounts::{self, Account},
    db::{Conn, Db, Tx},
    ids::{self, AccountId, ActivityId, StatusId},
    jobs::{self, Job},
    relays, row,
    statuses::{Consent, Status, Visibility, store as statuses},
};
use std::time::Duration;

/// How long a delivery is tried.
pub const KEPT: Duration = Duration::from_secs(3 * 24 * 3600);
/// And one that says that something has ended: longer than what may have told of it waits for its last attempt.
pub const ENDS_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
/// Forgotten in one transaction: others write in between.
const BATCH: i64 = 1_000;
/// Bytes of what is passed on for others: more than that nobody needs to take something back.
const PASSED: usize = 16 * 1024;
/// Servers elsewhere where one status is known, and people here who showed it to others.
const HOLDERS: i64 = 50_000;

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
        /// Not tried any more after this.
        pub kept_until: crate::Time,
        /// Nothing was said before of what it is about.
        pub is_first: bool,
        /// It goes also to servers that are blocked.
        pub is_farewell: bool,
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

/// As [`tell`], as one of many that can wait: `before` of them begin first, so many a second.
pub(crate) async fn tell_gently(tx: &mut Tx, news: News, before: u64) -> Result<()> {
    let at = tx.now.plus(Duration::from_secs(before) / PACE);
    tx.enqueue_at(Job::Tell { news }, at).await
}

/// Whether anybody elsewhere should get `status`, by what is known without a look at the database.
pub(crate) fn concerns_others(status: &Status, author: &Account) -> bool {
    let to_followers = author.has_remote_followers && status.visibility != Visibility::Direct;
    to_followers || status.mentions().iter().any(|m| m.acct.contains('@'))
}

/// Who is here, is answered by `status` for all to see, and followed elsewhere: conversations are whole where they are
/// followed.
pub async fn answered(conn: &Conn, status: &Status) -> Result<Option<AccountId>> {
    let parent = status.in_reply_to_account_id.filter(|parent| *parent != status.account_id);
    let (Some(parent), Visibility::Public | Visibility::Unlisted) = (parent, status.visibility) else {
        return Ok(None);
    };
    let parent = accounts::store::by_id(conn, parent).await?;
    Ok(parent.filter(|a| a.is_local() && a.has_remote_followers).map(|a| a.id))
}

/// Who is elsewhere and got `status` because it answers them.
async fn answers_elsewhere(conn: &Conn, status: &Status) -> Result<Option<AccountId>> {
    match status.in_reply_to_account_id.filter(|_| status.is_told_to_parent()) {
        Some(parent) => {
            let parent = accounts::store::by_id(conn, parent).await?;
            Ok(parent.filter(|parent| !parent.is_local()).map(|parent| parent.id))
        }
        None => Ok(None),
    }
}

/// Whether anybody favoured, boosted, answered or quoted it. Not every quote and answer is counted, but who wrote one has
/// the post.
async fn is_touched(conn: &Conn, status: &Status) -> Result<bool> {
    Ok(status.touched() || store::is_entangled(conn, status.id).await?)
}

/// Whether anybody elsewhere may have `status`: as [`concerns_others`], or they did something to it, were named in it before
/// an edit, are answered by it, or follow whom it answers.
pub(crate) async fn is_elsewhere(tx: &Tx, status: &Status, author: &Account) -> Result<bool> {
    let concerns = concerns_others(status, author) || is_touched(tx, status).await?;
    let answers = concerns || answered(tx, status).await?.is_some() || answers_elsewhere(tx, status).await?.is_some();
    Ok(answers || !store::named_after(tx, (status.id, AccountId(0)), 1).await?.is_empty())
}

/// Whether anybody elsewhere wants to know what `account` looks like now: followers, relays, and who blocks it.
pub(crate) async fn is_profile_elsewhere(tx: &Tx, account: &Account) -> Result<bool> {
    Ok(account.has_remote_followers
        || relays::any_accepted(tx).await?
        || !store::blocker_inboxes(tx, account.id, 1).await?.is_empty())
}

/// What telling of the end of `status` takes, if anybody elsewhere may have it. To be asked before it is removed.
pub(crate) async fn gone(tx: &Tx, status: &Status) -> Result<Option<Gone>> {
    let author = accounts::store::by_id(tx, status.account_id).await?;
    let Some(author) = author.filter(Account::is_local) else { return Ok(None) };
    let mut concerned: Vec<AccountId> =
        status.mentions().into_iter().filter(|m| m.acct.contains('@')).map(|m| m.id).collect();
    concerned.extend(store::named_at_each(tx, status.id, HOLDERS).await?);
    let (mut boosted, mut boosters) = (None, Vec::new());
    match status.reblog_of_id {
        Some(original) => {
            let original = statuses::by_id(tx, original).await?;
            concerned.extend(original.iter().filter(|s| !s.local).map(|s| s.account_id));
            boosted = original.map(|s| s.uri);
        }
        None if is_touched(tx, status).await? => {
            concerned.extend(store::touched_at_each(tx, status.id, HOLDERS).await?);
            boosters = boosters_here(tx, status.id).await?;
        }
        None => {}
    }
    // Of what waited for somebody's consent only they know.
    let waited = status.consent == Consent::Waiting;
    concerned.extend(answers_elsewhere(tx, status).await?);
    concerned.sort_unstable();
    concerned.dedup();
    let to_followers = author.has_remote_followers && status.visibility != Visibility::Direct && !waited;
    let answered = if waited { None } else { answered(tx, status).await? };
    let is_elsewhere = to_followers || !concerned.is_empty() || !boosters.is_empty() || answered.is_some();
    if !is_elsewhere && !relays::want(tx, status, &author).await? {
        return Ok(None);
    }
    Ok(Some(Gone {
        account: author.id,
        status: Some(status.id),
        uri: status.uri.clone(),
        visibility: if waited { Visibility::Direct } else { status.visibility },
        boosted,
        concerned,
        boosters,
        answered,
    }))
}

/// Those here who boosted or quoted it to somebody elsewhere.
pub async fn boosters_here(conn: &Conn, id: StatusId) -> Result<Vec<AccountId>> {
    store::boosters(conn, id, HOLDERS).await
}

/// Has what somebody elsewhere said about `status`, under the name `about`, passed on as it came to everybody who has that.
/// Whoever wrote the status signs for bringing it.
pub(crate) async fn pass_on(
    tx: &mut Tx,
    (status, author): (&Status, &Account),
    (about, body): (&str, &str),
) -> Result<()> {
    if body.len() > PASSED {
        return Ok(());
    }
    let row = Activity {
        id: ids::next(),
        uri: format!("{about} {}", status.id),
        account_id: author.id,
        actor: author.uri.clone(),
        body: body.to_owned(),
        created_at: tx.now,
        kept_until: tx.now.plus(KEPT),
        is_first: false,
        is_farewell: false,
    };
    match store::insert(tx, &row).await? {
        true => tell(tx, News::Passed { status: status.id, activity: row.id }).await,
        false => Ok(()),
    }
}

/// When nobody elsewhere follows `account` any more: until somebody does, posts need not be told.
pub async fn mark_unfollowed(db: &Db, account: AccountId) -> Result<()> {
    let known = accounts::store::by_id(&db.read().await?, account).await?;
    if !known.is_some_and(|known| known.has_remote_followers) {
        return Ok(());
    }
    let tx = db.begin().await?;
    accounts::store::lock_pair(&tx, account, account).await?;
    if !store::is_followed(&tx, account).await? {
        accounts::remote::store::mark_followed(&tx, account, false).await?;
    }
    tx.commit().await
}

/// Forgets activities that are not tried any more. How many.
pub async fn sweep(db: &Db) -> Result<u64> {
    db.in_batches(BATCH, |tx| Box::pin(store::prune(tx, tx.now, BATCH))).await
}

#[cfg(test)]
mod tests;
