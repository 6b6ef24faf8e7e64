//! Threads across servers: when the answers to a post elsewhere are asked for there, and what others may read of the
//! threads here.

mod store;

use super::{
    Status, Visibility,
    visibility::{self, Place},
};
use crate::{
    Result, Time,
    db::{Conn, Db},
    ids::{AccountId, ConversationId, StatusId},
    jobs::Job,
    row,
};
use std::time::Duration;

/// Whoever looks again so soon sees what is here.
const FRESH: Duration = Duration::from_secs(15 * 60);

row! {
    /// Asking another server for the answers to one of its posts.
    pub struct Fetch {
        pub status_id: StatusId,
        pub started_at: Time,
        /// None: not done yet.
        pub finished_at: Option<Time>,
        /// Answers that were not here before.
        pub found: i64,
    }
}

impl Fetch {
    pub fn is_fresh(&self, now: Time) -> bool {
        now.since(self.started_at) < FRESH
    }
    /// One that began long ago and never ended runs no more.
    pub fn is_running(&self, now: Time) -> bool {
        self.finished_at.is_none() && self.is_fresh(now)
    }
}

/// Whether its server may know answers that are not here.
pub fn is_elsewhere(status: &Status) -> bool {
    !status.local && status.reblog_of_id.is_none() && status.visibility <= Visibility::Unlisted
}

/// How the last asking for the answers to this status went.
pub async fn last_fetch(conn: &Conn, id: StatusId) -> Result<Option<Fetch>> {
    store::by_id(conn, id).await
}

/// Has a job ask for the answers to a status of another server, unless that was done lately. What is known of it then.
pub async fn fetch_later(db: &Db, id: StatusId) -> Result<Option<Fetch>> {
    let mut tx = db.begin().await?;
    if store::begin(&tx, id, tx.now.minus(FRESH)).await? {
        tx.enqueue(Job::FetchThread { status: id }).await?;
    }
    let fetch = store::by_id(&tx, id).await?;
    tx.commit().await?;
    Ok(fetch)
}

/// Writes down how far it came.
pub async fn found(db: &Db, id: StatusId, found: i64) -> Result<()> {
    let tx = db.begin().await?;
    store::count(&tx, id, found).await?;
    tx.commit().await
}

/// It is done.
pub async fn finished(db: &Db, id: StatusId, found: i64) -> Result<()> {
    let tx = db.begin().await?;
    store::count(&tx, id, found).await?;
    store::finish(&tx, id).await?;
    tx.commit().await
}

/// Whose answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Of the author: their thread goes on.
    Own,
    Others,
}

/// A part of a list, oldest first.
#[derive(Debug)]
pub struct Part {
    pub statuses: Vec<Status>,
    /// What comes after this one is on the next page.
    pub more: Option<StatusId>,
}

/// Answers to `parent`, after the status `after`, as far as `viewer` may see them.
pub async fn answers(
    conn: &Conn,
    viewer: Option<AccountId>,
    (parent, whose): (&Status, Whose),
    (after, limit): (StatusId, i64),
) -> Result<Part> {
    let rows = store::answers(conn, (parent.id, parent.account_id, whose), (after, limit)).await?;
    part(conn, viewer, rows, limit).await
}

/// What everybody may see of a conversation.
pub async fn conversation(conn: &Conn, id: ConversationId, (after, limit): (StatusId, i64)) -> Result<Part> {
    let rows = store::conversation(conn, id, (after, limit)).await?;
    part(conn, None, rows, limit).await
}

async fn part(conn: &Conn, viewer: Option<AccountId>, rows: Vec<Status>, limit: i64) -> Result<Part> {
    let full = i64::try_from(rows.len()).is_ok_and(|n| n >= limit);
    let more = rows.last().map(|s| s.id).filter(|_| full);
    let statuses = visibility::filter(conn, viewer, rows, Place::Asked).await?.statuses;
    Ok(Part { statuses, more })
}
