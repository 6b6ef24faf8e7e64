//! Polls: questions inside statuses.

mod elsewhere;
pub mod store;

pub use elsewhere::Elsewhere;
pub(crate) use elsewhere::{is_same, receive, replace as replace_elsewhere, update as update_elsewhere};

use crate::{
    Error, Result, Time, accounts,
    db::{Conn, Db, Tx},
    deliveries::{self, News},
    ids::{AccountId, PollId, StatusId},
    jobs::Job,
    notifications, row,
    statuses::{self, visibility},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

row! {
    pub struct Poll {
        pub id: PollId,
        pub account_id: AccountId,
        pub status_id: StatusId,
        /// JSON of `Vec<Choice>`
        pub options_json: String,
        pub multiple: bool,
        pub hide_totals: bool,
        pub voters_count: i64,
        pub expires_at: Option<Time>,
    }
}

/// One answer that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    pub title: String,
    pub votes: i64,
}

/// A poll as its author asks for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPoll {
    pub options: Vec<String>,
    /// Seconds from publication
    pub expires_in: u64,
    #[serde(default)]
    pub multiple: bool,
    #[serde(default)]
    pub hide_totals: bool,
}

/// Numbers are told elsewhere at most so often.
const COUNTED: Duration = Duration::from_secs(180);

/// The shortest and the longest time a poll may run.
pub const LIFETIME: std::ops::RangeInclusive<u64> = 300..=2_629_746;

impl Poll {
    pub fn options(&self) -> Vec<Choice> {
        serde_json::from_str(&self.options_json).unwrap_or_default()
    }
    pub fn expired(&self, now: Time) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

impl NewPoll {
    /// Says what is wrong with it, in Mastodon's words.
    pub fn check(&self, limits: &crate::site::Limits) -> Result<()> {
        let options = |why: String| Err(Error::Invalid { field: "Options", why });
        if self.options.len() < 2 {
            return options("must be more than one item".into());
        }
        if self.options.len() > limits.poll_options {
            return options(format!("can't contain more than {} items", limits.poll_options));
        }
        if self.options.iter().any(|o| o.trim().is_empty()) {
            return options("can't be blank".into());
        }
        if self.options.iter().any(|o| o.chars().count() > limits.poll_option_characters) {
            return options(format!("can't be longer than {} characters each", limits.poll_option_characters));
        }
        let unique: std::collections::HashSet<&str> = self.options.iter().map(|o| o.trim()).collect();
        if unique.len() != self.options.len() {
            return options("contain duplicate items".into());
        }
        if self.expires_in < *LIFETIME.start() {
            return Err(Error::invalid("Expires at", "is too soon"));
        }
        if self.expires_in > *LIFETIME.end() {
            return Err(Error::invalid("Expires at", "is too far into the future"));
        }
        Ok(())
    }
}

/// Writes a poll and the job that closes it.
pub(crate) async fn open(tx: &mut Tx, owner: AccountId, status: StatusId, new: &NewPoll) -> Result<PollId> {
    let id = crate::ids::next();
    let choices: Vec<Choice> =
        new.options.iter().map(|title| Choice { title: title.trim().to_owned(), votes: 0 }).collect();
    let expires_at = tx.now.plus(Duration::from_secs(new.expires_in));
    let poll = Poll {
        id,
        account_id: owner,
        status_id: status,
        options_json: serde_json::to_string(&choices)?,
        multiple: new.multiple,
        hide_totals: new.hide_totals,
        voters_count: 0,
        expires_at: Some(expires_at),
    };
    store::insert(tx, &poll).await?;
    tx.enqueue_at(Job::ClosePoll { poll: id }, expires_at).await?;
    Ok(id)
}

/// A poll whose status `viewer` may see.
pub async fn visible(conn: &Conn, viewer: Option<AccountId>, id: PollId) -> Result<Poll> {
    let poll = store::by_id(conn, id).await?.ok_or(Error::NotFound)?;
    visibility::visible(conn, viewer, poll.status_id).await?;
    Ok(poll)
}

/// Votes, once.
pub async fn vote(db: &Db, voter: AccountId, id: PollId, choices: &[usize]) -> Result<Poll> {
    let conn = db.read().await?;
    let poll = visible(&conn, Some(voter), id).await?;
    let elsewhere = statuses::store::by_id(&conn, poll.status_id).await?.is_some_and(|s| !s.local);
    drop(conn);
    let mut tx = db.begin().await?;
    let poll = store::by_id_locked(&tx, poll.id).await?.ok_or(Error::NotFound)?;
    let mut options = poll.options();
    let mut chosen: Vec<usize> = choices.to_vec();
    chosen.sort_unstable();
    chosen.dedup();
    if poll.expired(tx.now) {
        return Err(Error::invalid("The poll", "has already ended"));
    }
    if chosen.is_empty() || chosen.iter().any(|c| *c >= options.len()) || (chosen.len() > 1 && !poll.multiple) {
        return Err(Error::invalid("The chosen vote option", "does not exist"));
    }
    if !store::choices_of(&tx, voter, &[id]).await?.is_empty() {
        return Err(Error::invalid("You have", "already voted on this poll"));
    }
    for choice in chosen {
        options[choice].votes += 1;
        let choice = i64::try_from(choice).unwrap_or(0);
        store::insert_vote(&tx, id, voter, choice).await?;
        if elsewhere {
            deliveries::tell(&mut tx, News::Voted { account: voter, poll: id, choice }).await?;
        }
    }
    let voted = Poll { options_json: serde_json::to_string(&options)?, voters_count: poll.voters_count + 1, ..poll };
    store::update_tally(&tx, &voted).await?;
    let later = tx.now.plus(COUNTED);
    tell_numbers(&mut tx, &voted, later).await?;
    tx.commit().await?;
    Ok(voted)
}

/// One choice of somebody elsewhere, who sends each by itself. Not twice, not too late, and one only unless more may be
/// chosen.
pub async fn vote_from_elsewhere(db: &Db, voter: AccountId, (id, title): (PollId, &str)) -> Result<()> {
    let mut tx = db.begin().await?;
    let poll = store::by_id_locked(&tx, id).await?.ok_or(Error::NotFound)?;
    let mut options = poll.options();
    let choice = options.iter().position(|o| o.title == title).ok_or(Error::NotFound)?;
    let before = store::choices_of(&tx, voter, &[id]).await?;
    let number = i64::try_from(choice).unwrap_or(0);
    let again = before.iter().any(|(_, chosen)| *chosen == number) || (!poll.multiple && !before.is_empty());
    if poll.expired(tx.now) || again {
        return Err(Error::invalid("You have", "already voted on this poll"));
    }
    options[choice].votes += 1;
    store::insert_vote(&tx, id, voter, number).await?;
    let voters_count = poll.voters_count + i64::from(before.is_empty());
    let voted = Poll { options_json: serde_json::to_string(&options)?, voters_count, ..poll };
    store::update_tally(&tx, &voted).await?;
    let later = tx.now.plus(COUNTED);
    tell_numbers(&mut tx, &voted, later).await?;
    tx.commit().await
}

/// Whether somebody has its post who neither follows nor voted: they are named in it, or did something to it.
async fn is_elsewhere(tx: &Tx, poll: &Poll, author: &accounts::Account) -> Result<bool> {
    match statuses::store::by_id(tx, poll.status_id).await? {
        Some(status) => deliveries::is_elsewhere(tx, &status, author).await,
        None => Ok(false),
    }
}

/// Has the numbers of a poll here told to whoever has it elsewhere; hidden ones when it is over.
async fn tell_numbers(tx: &mut Tx, poll: &Poll, at: Time) -> Result<()> {
    if poll.hide_totals && !poll.expired(tx.now) {
        return Ok(());
    }
    let author = accounts::store::by_id(tx, poll.account_id).await?.filter(accounts::Account::is_local);
    let Some(author) = author else { return Ok(()) };
    let known = author.has_remote_followers || !deliveries::store::voter_inboxes(tx, poll.id, 1).await?.is_empty();
    if known || is_elsewhere(tx, poll, &author).await? {
        deliveries::tell_once(tx, News::PollCounted { status: poll.status_id }, at).await?;
    }
    Ok(())
}

/// Tells author and voters that it is over. Safe to repeat.
pub async fn close(db: &Db, id: PollId) -> Result<()> {
    let mut tx = db.begin().await?;
    let Some(poll) = store::by_id(&tx, id).await? else { return Ok(()) };
    if !poll.expired(tx.now) {
        // Edited into a longer life: that edit has put its own job in the queue.
        return Ok(());
    }
    let mut who = store::voters(&tx, id).await?;
    who.push(poll.account_id);
    for account in who {
        let kind = notifications::Kind::Poll;
        let new = notifications::New { account, from: poll.account_id, kind, status: Some(poll.status_id) };
        notifications::notify(&mut tx, new).await?;
    }
    let now = tx.now;
    tell_numbers(&mut tx, &poll, now).await?;
    tx.commit().await
}
