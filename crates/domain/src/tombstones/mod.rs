//! What is gone: names of deleted things, remembered so that what arrives late stays away and who asks hears "gone".

mod store;

use crate::{
    Result,
    db::{Conn, Db, Tx},
};
use std::time::Duration;

/// How long a name is remembered.
pub const KEPT: Duration = Duration::from_secs(90 * 24 * 3600);
/// Forgotten in one transaction: others write in between.
const BATCH: i64 = 1_000;

/// What is taken back before it came does not come later than this.
const LATELY: Duration = Duration::from_secs(6 * 3600);

/// Remembers that what had this name is gone.
pub async fn put(tx: &Tx, uri: &str) -> Result<()> {
    store::put(tx, uri).await
}

/// Remembers that something was taken back, which may come after that.
pub async fn remember(db: &Db, uri: &str) -> Result<()> {
    let tx = db.begin().await?;
    store::put(&tx, uri).await?;
    tx.commit().await
}

/// Remembers that `uri` was the name of something that has another name now, or ended: what is said about it is not about
/// what stands. It may become the name of something again.
pub(crate) async fn put_past(tx: &Tx, uri: &str) -> Result<()> {
    store::put(tx, &past(uri)).await
}

pub(crate) async fn is_past(conn: &Conn, uri: &str) -> Result<bool> {
    store::exists(conn, &past(uri)).await
}

/// No address, so that it is no name of anything that is gone.
fn past(uri: &str) -> String {
    format!("past {uri}")
}

/// Whether it was taken back lately; that is forgotten, so that what comes again under its name counts.
pub(crate) async fn recall(tx: &Tx, uri: &str) -> Result<bool> {
    store::delete(tx, uri, tx.now.minus(LATELY)).await
}

/// It is not gone after all.
pub async fn forget(db: &Db, uri: &str) -> Result<()> {
    let tx = db.begin().await?;
    store::delete(&tx, uri, tx.now).await?;
    tx.commit().await
}

pub async fn is_gone(conn: &Conn, uri: &str) -> Result<bool> {
    store::exists(conn, uri).await
}

/// Remembers for ever that somebody here had this name: other servers would take whoever gets it for them.
pub(crate) async fn put_name(tx: &Tx, username: &str) -> Result<()> {
    store::put_name(tx, &username.to_lowercase()).await
}

/// They are not gone after all.
pub(crate) async fn forget_name(tx: &Tx, username: &str) -> Result<()> {
    store::delete_name(tx, &username.to_lowercase()).await
}

/// Whether somebody here had this name, in whatever letter case, who was deleted or is being deleted.
pub async fn is_former_name(conn: &Conn, username: &str) -> Result<bool> {
    store::name_exists(conn, &username.to_lowercase()).await
}

/// Forgets what is old. How many.
pub async fn sweep(db: &Db) -> Result<u64> {
    db.in_batches(BATCH, |tx| Box::pin(store::prune(tx, tx.now.minus(KEPT), BATCH))).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::tests::world;
    use crate::ids::AccountId;

    #[tokio::test]
    async fn all_that_is_old_is_forgotten_in_batches() {
        let world = world().await;
        let add = async |how_many: i64, name: &str| {
            let tx = world.db.begin().await.unwrap();
            for n in 0..how_many {
                put(&tx, &format!("https://{name}.example/{n}")).await.unwrap();
            }
            tx.commit().await.unwrap();
        };
        add(2 * BATCH + 3, "old").await;
        world.exec("UPDATE tombstones SET gone_at = $1", AccountId(1)).await;
        add(2, "new").await;
        assert_eq!(sweep(&world.db).await.unwrap(), (2 * BATCH + 3).unsigned_abs());
        let conn = world.db.read().await.unwrap();
        assert!(is_gone(&conn, "https://new.example/1").await.unwrap());
        assert!(!is_gone(&conn, "https://old.example/1").await.unwrap());
    }
}
