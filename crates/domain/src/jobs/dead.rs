//! Dead letters: what was given up, kept for a while for a person to see.

use super::{Job, store};
use crate::{
    Result, arrivals,
    db::{Db, Ids, Tx},
    ids::JobId,
};
use std::time::Duration;

/// How long they are kept.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// Puts dead letters back into their queue: one, or all. The number put back.
pub async fn retry(db: &Db, id: Option<JobId>) -> Result<u64> {
    let tx = db.begin().await?;
    let n = store::revive(&tx, id).await?;
    tx.commit().await?;
    db.wake().ring();
    Ok(n)
}

/// Removes a dead letter for good, and what it was to apply.
pub async fn discard(db: &Db, id: JobId) -> Result<u64> {
    let tx = db.begin().await?;
    let gone: Vec<String> = store::discard(&tx, id).await?.into_iter().collect();
    forget_arrivals(&tx, &gone).await?;
    tx.commit().await?;
    Ok(count(&gone))
}

/// Removes dead letters that nobody has tried again for so long. How many.
pub async fn sweep(db: &Db) -> Result<u64> {
    let tx = db.begin().await?;
    let gone = store::prune(&tx, tx.now.minus(KEPT)).await?;
    forget_arrivals(&tx, &gone).await?;
    tx.commit().await?;
    Ok(count(&gone))
}

fn count(gone: &[String]) -> u64 {
    u64::try_from(gone.len()).unwrap_or(u64::MAX)
}

/// Nobody will apply what these were about: only its name is kept, as long as others are.
async fn forget_arrivals(tx: &Tx, payloads: &[String]) -> Result<()> {
    let arrival = |payload: &String| match serde_json::from_str(payload) {
        Ok(Job::Receive { arrival, .. }) => Some(arrival),
        _ => None,
    };
    let arrivals = Ids::of(payloads.iter().filter_map(arrival));
    if arrivals.is_empty() { Ok(()) } else { arrivals::applied(tx, arrivals).await }
}
