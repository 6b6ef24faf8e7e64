//! Polls of other servers: their numbers are what their server last said.

use super::{Choice, Poll, store};
use crate::{
    Result, Time,
    db::Tx,
    ids::{self, AccountId, PollId, StatusId},
    jobs::Job,
};

/// Options, and characters of each, that are kept.
const OPTIONS: usize = 50;
const CHARACTERS: usize = 500;

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
            votes: o.votes.max(0),
        };
        self.options.iter().take(OPTIONS).map(cut).collect()
    }

    fn voters(&self, options: &[Choice]) -> i64 {
        self.voters.unwrap_or_else(|| options.iter().map(|o| o.votes).sum()).max(0)
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

/// Takes the numbers over, as long as the options are the same.
pub(crate) async fn update(tx: &Tx, id: PollId, poll: &Elsewhere) -> Result<()> {
    let Some(known) = store::by_id_locked(tx, id).await? else { return Ok(()) };
    let options = poll.options();
    if !known.options().iter().map(|o| &o.title).eq(options.iter().map(|o| &o.title)) {
        return Ok(());
    }
    let voters_count = poll.voters(&options);
    store::update_tally(tx, &Poll { options_json: serde_json::to_string(&options)?, voters_count, ..known }).await
}
