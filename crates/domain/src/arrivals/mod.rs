//! What other servers sent us: written down before it is answered, applied by a job, and known by name for as long as
//! it could be sent once more.

mod store;

use crate::{
    Result,
    db::{Conn, Db},
    ids::{self, AccountId, ArrivalId},
    jobs::Job,
    row,
};
use std::time::Duration;

/// How long the name of what arrived is remembered: longer than any signature holds.
pub const KEPT: Duration = Duration::from_secs(2 * 24 * 3600);

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

/// Keeps what arrived, to be applied by a job. False when it arrived from the same signer before.
pub async fn take(db: &Db, from: AccountId, (uri, body): (&str, &str)) -> Result<bool> {
    let mut tx = db.begin().await?;
    let row = Arrival { id: ids::next(), uri: uri.to_owned(), account_id: from, body: Some(body.to_owned()) };
    if !store::insert(&tx, &row).await? {
        return Ok(false);
    }
    tx.enqueue(Job::Receive { arrival: row.id }).await?;
    tx.commit().await?;
    Ok(true)
}

pub async fn by_id(conn: &Conn, id: ArrivalId) -> Result<Option<Arrival>> {
    store::by_id(conn, id).await
}

/// It is applied: only its name is kept.
pub async fn done(db: &Db, id: ArrivalId) -> Result<()> {
    let tx = db.begin().await?;
    store::clear(&tx, id).await?;
    tx.commit().await
}

/// Forgets what is old and applied. How many.
pub async fn sweep(db: &Db) -> Result<u64> {
    let tx = db.begin().await?;
    let n = store::prune(&tx, tx.now.minus(KEPT)).await?;
    tx.commit().await?;
    Ok(n)
}
