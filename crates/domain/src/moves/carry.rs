//! What people here have with an account that moved is carried over to the new one, a few of them at a time: follows with
//! the lists that hold them, private notes, blocks and mutes.

use super::store;
use crate::{
    Error, Result,
    accounts::{self, Account},
    blocks,
    db::Db,
    follows,
    ids::AccountId,
    jobs::{self, Job},
    mutes, relationships,
};
use serde::{Deserialize, Serialize};

/// People of one job: it ends soon, and others get their turn in between.
const BATCH: i64 = 100;

/// What is carried over next. Part of the stored form of jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Follows,
    Notes,
    Blocks,
    Mutes,
}

/// One step of carrying over. Part of the stored form of jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carry {
    pub from: AccountId,
    pub to: AccountId,
    pub what: What,
    /// The last row that was looked at.
    pub after: i64,
}

impl Carry {
    pub(super) fn first(from: AccountId, to: AccountId) -> Self {
        Self { from, to, what: What::Follows, after: 0 }
    }

    /// The step behind this one, whose last row was `last`; None: it was the end.
    fn next(self, last: Option<i64>) -> Option<Self> {
        if let Some(after) = last {
            return Some(Self { after, ..self });
        }
        let what = match self.what {
            What::Follows => What::Notes,
            What::Notes => What::Blocks,
            What::Blocks => What::Mutes,
            What::Mutes => return None,
        };
        Some(Self { what, after: 0, ..self })
    }
}

/// Does one step and puts the next one into the queue. Each person is a transaction of their own: safe to repeat.
pub async fn carry(db: &Db, step: Carry) -> Result<()> {
    let conn = db.read().await?;
    let find = accounts::store::by_id;
    let (from, to) = (find(&conn, step.from).await?.ok_or(Error::NotFound)?, find(&conn, step.to).await?);
    let to = to.filter(|to| to.suspended_at.is_none()).ok_or(Error::NotFound)?;
    let rows = match step.what {
        What::Follows => store::list_followers(&conn, from.id, step.after, BATCH).await?,
        What::Notes => store::list_noters(&conn, from.id, step.after, BATCH).await?,
        What::Blocks => store::list_blockers(&conn, from.id, step.after, BATCH).await?,
        What::Mutes => store::list_muters(&conn, from.id, step.after, BATCH).await?,
    };
    drop(conn);
    for (_, who) in rows.iter().filter(|(_, who)| *who != to.id) {
        match one(db, (*who, step.what), (&from, &to)).await {
            Ok(()) => {}
            Err(error @ (Error::Internal(_) | Error::Busy(_))) => return Err(error),
            // One who may not does not hold up the others.
            Err(error) => tracing::debug!(%who, %error, "not carried over"),
        }
    }
    let full = i64::try_from(rows.len()).is_ok_and(|n| n == BATCH);
    match step.next(rows.last().filter(|_| full).map(|(cursor, _)| *cursor)) {
        None => Ok(()),
        Some(carry) => jobs::ensure(db, Job::Carry { carry }).await,
    }
}

async fn one(db: &Db, (who, what): (AccountId, What), (from, to): (&Account, &Account)) -> Result<()> {
    match what {
        What::Follows => follows::migrate(db, who, (from, to)).await,
        What::Notes => relationships::carry_note(db, who, (from, to)).await,
        What::Blocks => blocks::carry(db, who, (from, to)).await,
        What::Mutes => mutes::carry(db, who, (from, to)).await,
    }
}
