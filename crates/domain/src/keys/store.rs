//! Rows of our own keys.

use super::Pair;
use crate::{
    Result,
    db::{Conn, Tx},
    ids::AccountId,
    sql,
};

sql! {
    BY_OWNER = "SELECT ", Pair::COLUMNS, " FROM own_keys WHERE account_id = $1";
    INSERT = "INSERT INTO own_keys (account_id, private_key, public_key, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
}

pub(super) async fn by_owner(conn: &Conn, owner: AccountId) -> Result<Option<Pair>> {
    conn.opt(BY_OWNER, &[&owner]).await
}

pub(super) async fn insert(tx: &Tx, owner: AccountId, pair: &Pair) -> Result<()> {
    tx.exec(INSERT, &[&owner, &pair.private_key, &pair.public_key, &tx.now]).await?;
    Ok(())
}
