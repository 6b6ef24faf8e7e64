//! Polls of other servers: their numbers are what their server last said.

use super::{Choice, Poll, store};
use crate::{
    Result, Time,
    db::Tx,
    ids::{self, AccountId, PollId, StatusId},
    jobs::Job,
    statuses::Status,
};

/// Options, and characters of each, that are kept. A vote names what it chooses: what is cut could not be voted for.
const OPTIONS: usize = 500;
const CHARACTERS: usize = 2048;
/// Nobody checks what numbers others say, and clients keep them in 32 bits.
const MOST: i64 = i32::MAX as i64;

/// A poll as it arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Elsewhere {
    pub options: Vec<Choice>,
    pub multiple: bool,
    pub voters: Option<i64>,
    pub ends_at: Option<Time>,
}

impl Elsewhere {
    fn options(&self) -> Vec<Choice> {
        let cut = |o: &Choice| Choice {
            title: o.title.chars().filter(|c| *c != '\0').take(CHARACTERS).collect(),
            votes: o.votes.clamp(0, MOST),
        };
        self.options.iter().take(OPTIONS).map(cut).collect()
    }

    fn asks_the_same(&self, known: &Poll) -> bool {
        let (before, now) = (known.options(), self.options());
        self.multiple == known.multiple && before.iter().map(|o| &o.title).eq(now.iter().map(|o| &o.title))
    }

    fn voters(&self, options: &[Choice]) -> i64 {
        self.voters.unwrap_or_else(|| options.iter().map(|o| o.votes).sum()).clamp(0, MOST)
    }
}

/// Writes a poll down; None when there is nothing to choose.
pub(crate) async fn receive(tx: &mut Tx, of: (AccountId, StatusId), poll: &Elsewhere) -> Result<Option<PollId>> {
    let options = poll.options();
    if options.is_empty() {
        return Ok(None);
    }
    let row = Poll {
        id: ids::next(),
        account_id: of.0,
        status_id: of.1,
        voters_count: poll.voters(&options),
        options_json: serde_json::to_string(&options)?,
        multiple: poll.multiple,
        hide_totals: false,
        expires_at: poll.ends_at,
    };
    store::insert(tx, &row).await?;
    if let Some(at) = poll.ends_at.filter(|at| *at > tx.now) {
        tx.enqueue_at(Job::ClosePoll { poll: row.id }, at).await?;
    }
    Ok(Some(row.id))
}

/// Whether what arrived asks what is here, in the same words and until the same time; numbers apart.
pub(crate) fn is_same(known: Option<&Poll>, arrived: Option<&Elsewhere>, now: Time) -> bool {
    match (known, arrived) {
        (None, None) => true,
        (Some(known), Some(poll)) => {
            let ended = poll.ends_at.is_some_and(|at| at <= now) && known.expired(now);
            poll.asks_the_same(known) && (ended || known.expires_at == poll.ends_at)
        }
        // One without anything to choose is none.
        (None, Some(poll)) => poll.options.is_empty(),
        (Some(_), None) => false,
    }
}

/// Takes the numbers over, and that it is over, as long as the options are the same.
pub(crate) async fn update(tx: &mut Tx, id: PollId, poll: &Elsewhere) -> Result<()> {
    let Some(known) = store::by_id_locked(tx, id).await? else { return Ok(()) };
    if !poll.asks_the_same(&known) {
        return Ok(());
    }
    let options = poll.options();
    let voters_count = poll.voters(&options);
    let ended = poll.ends_at.filter(|at| *at <= tx.now && !known.expired(tx.now));
    store::update_tally(tx, &Poll { options_json: serde_json::to_string(&options)?, voters_count, ..known }).await?;
    end(tx, id, ended).await
}

/// The poll of an edited status. Other options are another poll: what was voted before counts no more.
pub(crate) async fn replace(tx: &mut Tx, old: &Status, poll: Option<&Elsewhere>) -> Result<Option<PollId>> {
    let known = match old.poll_id {
        None => None,
        Some(id) => store::by_id_locked(tx, id).await?,
    };
    match (known, poll) {
        (Some(known), Some(poll)) if poll.asks_the_same(&known) => {
            let moved = poll.ends_at.filter(|at| Some(*at) != known.expires_at);
            end(tx, known.id, moved).await?;
            return Ok(Some(known.id));
        }
        (Some(_), _) => store::delete_of_status(tx, old.id).await?,
        (None, _) => {}
    }
    match poll {
        None => Ok(None),
        Some(poll) => receive(tx, (old.account_id, old.id), poll).await,
    }
}

/// It ends, or ended, at another time than was said.
async fn end(tx: &mut Tx, id: PollId, at: Option<Time>) -> Result<()> {
    let Some(at) = at else { return Ok(()) };
    store::update_end(tx, id, at).await?;
    tx.enqueue_at(Job::ClosePoll { poll: id }, at.max(tx.now)).await
}
