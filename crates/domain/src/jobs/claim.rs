//! Taking jobs out of the queue, giving them back, and keeping them.

use super::{
    Job, Queue,
    store::{self, Taken},
};
use crate::{
    Result,
    db::{Db, Ids, Texts, Tx},
    ids::JobId,
};

/// A job taken by a worker.
#[derive(Debug)]
pub struct Claimed {
    pub id: JobId,
    /// None: a payload this program does not know (written by another version); it must be given up, not dropped.
    pub job: Option<Job>,
    pub attempts: i64,
    /// Of these only so many may run at once: the server that the job asks.
    pub lane: Option<String>,
}

impl From<Taken> for Claimed {
    fn from(row: Taken) -> Self {
        Self { id: row.id, job: serde_json::from_str(&row.payload).ok(), attempts: row.attempts, lane: row.lane }
    }
}

/// Takes up to `limit` jobs that are due, oldest first, but none of the lanes that are `full`.
pub async fn claim(db: &Db, queue: Queue, limit: i64, full: &Texts) -> Result<Vec<Claimed>> {
    // Much may wait in lanes that are full, and all of it has to be passed over.
    let long = !full.0.is_empty();
    let conn = if long { db.read_long().await? } else { db.read().await? };
    // A look before the write: an idle server must not take the writer every second.
    if !store::any_due(&conn, queue, full).await? {
        return Ok(Vec::new());
    }
    drop(conn);
    let tx = if long { db.begin_long().await? } else { db.begin().await? };
    let rows = store::claim(&tx, queue, (limit, full)).await?;
    tx.commit().await?;
    Ok(rows.into_iter().map(Claimed::from).collect())
}

/// Takes jobs of these lanes that are due, of each the oldest and no more than so many.
pub async fn claim_of_lanes(db: &Db, queue: Queue, lanes: &[(String, i64)]) -> Result<Vec<Claimed>> {
    let tx: Tx = db.begin().await?;
    let mut claimed = Vec::new();
    for (lane, most) in lanes {
        claimed.extend(store::claim_of_lane(&tx, (queue, lane), *most).await?.into_iter().map(Claimed::from));
    }
    tx.commit().await?;
    Ok(claimed)
}

/// Gives back what cannot be begun now, as if it had not been taken.
pub async fn give_back(db: &Db, claimed: &[Claimed]) -> Result<()> {
    let tx = db.begin().await?;
    store::give_back(&tx, Ids::of(claimed.iter().map(|c| c.id))).await?;
    tx.commit().await
}

/// Keeps claims of work that is still running.
pub async fn renew(db: &Db, running: &[JobId]) -> Result<()> {
    if running.is_empty() {
        return Ok(());
    }
    let tx = db.begin().await?;
    store::renew(&tx, running).await?;
    tx.commit().await
}
