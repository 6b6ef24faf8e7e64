//! What other servers sent us: written down before it is answered, applied by a job, and known by name for as long as
//! it could be sent once more.

mod store;

use crate::{
    Result,
    accounts::Account,
    db::{Conn, Crowded, Db, Ids, Tx},
    hosts,
    ids::{self, AccountId, ArrivalId},
    jobs::Job,
    row, tombstones,
};
use futures_util::{FutureExt as _, future::try_join_all};
use std::time::Duration;

/// How long the name of what arrived is remembered: longer than any signature holds.
pub const KEPT: Duration = Duration::from_secs(2 * 24 * 3600);
/// Forgotten in one transaction: others write in between.
const BATCH: i64 = 1_000;

row! {
    /// Something that arrived and was found to be signed by `account_id`.
    pub struct Arrival {
        pub id: ArrivalId,
        pub uri: String,
        pub account_id: AccountId,
        /// None: it was applied.
        pub body: Option<String>,
    }
}

/// Something to be kept.
pub(crate) struct Taken {
    from: AccountId,
    host: Option<String>,
    uri: String,
    body: String,
}

impl Crowded for Taken {
    fn bytes(&self) -> usize {
        self.uri.len() + self.body.len()
    }
}

/// Keeps what arrived, to be applied by a job. False when it arrived from the same signer before.
pub async fn take(db: &Db, from: &Account, (uri, body): (&str, &str)) -> Result<bool> {
    let (uri, body) = (uri.to_owned(), body.to_owned());
    let taken = Taken { from: from.id, host: hosts::of(&from.uri), uri, body };
    db.crowds.arrivals.join(db, taken, |db, taken| together(db, taken).boxed()).await
}

async fn together(db: &Db, taken: &[Taken]) -> Result<Vec<bool>> {
    let mut tx = db.begin().await?;
    let row =
        |t: &Taken| Arrival { id: ids::next(), uri: t.uri.clone(), account_id: t.from, body: Some(t.body.clone()) };
    let rows: Vec<Arrival> = taken.iter().map(row).collect();
    let new = try_join_all(rows.iter().map(|row| store::insert(&tx, row))).await?;
    let jobs = rows.iter().zip(taken).map(|(row, t)| Job::Receive { arrival: row.id, from: t.host.clone() });
    let jobs: Vec<Job> = jobs.zip(&new).filter(|(_, new)| **new).map(|(job, _)| job).collect();
    tx.enqueue_all(&jobs).await?;
    tx.commit().await?;
    Ok(new)
}

pub async fn by_id(conn: &Conn, id: ArrivalId) -> Result<Option<Arrival>> {
    store::by_id(conn, id).await
}

/// They are applied: only their names are kept.
pub(crate) async fn applied(tx: &Tx, ids: Ids) -> Result<()> {
    store::clear(tx, ids).await
}

/// Whether what arrived, and is called `name`, was taken back before it came. Then nothing is left to apply of it, however
/// often that is tried: what comes once more under its name counts.
pub async fn is_taken_back(db: &Db, id: ArrivalId, name: &str) -> Result<bool> {
    if !tombstones::is_gone(&db.read().await?, name).await? {
        return Ok(false);
    }
    let tx = db.begin().await?;
    let lately = tombstones::recall(&tx, name).await?;
    if lately {
        store::clear(&tx, Ids::of([id])).await?;
    }
    tx.commit().await?;
    Ok(lately)
}

/// Forgets what is old and applied. How many.
pub async fn sweep(db: &Db) -> Result<u64> {
    db.in_batches(BATCH, |tx| Box::pin(store::prune(tx, tx.now.minus(KEPT), BATCH))).await
}
