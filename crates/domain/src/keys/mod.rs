//! Our own key pairs: what other servers know the site and its people by. Made by whoever knows how, kept here.

mod store;

use crate::{
    Result,
    db::{Conn, Db},
    ids::AccountId,
    row,
};

/// The site itself, among the owners of keys.
pub const SITE: AccountId = AccountId(0);

row! {
    /// A key pair as text.
    pub struct Pair {
        pub private_key: String,
        /// PEM
        pub public_key: String,
    }
}

/// The pair of an account, or of the [`SITE`].
pub async fn by_owner(conn: &Conn, owner: AccountId) -> Result<Option<Pair>> {
    store::by_owner(conn, owner).await
}

/// Keeps `pair` unless there is one already; answers the one that is kept.
pub async fn keep(db: &Db, owner: AccountId, pair: Pair) -> Result<Pair> {
    let tx = db.begin().await?;
    store::insert(&tx, owner, &pair).await?;
    let kept = store::by_owner(&tx, owner).await?;
    tx.commit().await?;
    Ok(kept.unwrap_or(pair))
}
