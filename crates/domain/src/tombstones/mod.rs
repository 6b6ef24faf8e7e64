//! What is gone: names of deleted things, remembered so that what arrives late stays away and who asks hears "gone".

mod store;

use crate::{
    Result,
    db::{Conn, Db, Tx},
};
use std::time::Duration;

/// How long a name is remembered.
pub const KEPT: Duration = Duration::from_secs(90 * 24 * 3600);

/// Remembers that what had this name is gone.
pub async fn put(tx: &Tx, uri: &str) -> Result<()> {
    store::put(tx, uri).await
}

pub async fn is_gone(conn: &Conn, uri: &str) -> Result<bool> {
    store::exists(conn, uri).await
}

/// Forgets what is old. How many.
pub async fn sweep(db: &Db) -> Result<u64> {
    let tx = db.begin().await?;
    let n = store::prune(&tx, tx.now.minus(KEPT)).await?;
    tx.commit().await?;
    Ok(n)
}
