//! Rows of our own keys.

use super::{Kept, Pair};
use crate::{
    Result, Time,
    db::{Conn, Ids, Tx},
    ids::{AccountId, ActivityId},
    sql,
};

sql! {
    BY_OWNER = "SELECT ", Kept::COLUMNS, " FROM own_keys WHERE account_id = $1";
    INSERT = "INSERT INTO own_keys (account_id, private_key, public_key, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    ROTATE = "UPDATE own_keys SET retired_key = private_key, private_key = $2, public_key = $3, rotation = $4, rotated_at = $5 \
        WHERE account_id = $1 AND (rotation IS NULL OR rotation < $4)";
    RETIRED = "SELECT retired_key FROM own_keys WHERE account_id = $1 AND rotation = $2 AND retired_key IS NOT NULL";
    ROTATED = "SELECT account_id FROM own_keys WHERE account_id = ANY($1) AND rotated_at > $2 ORDER BY account_id";
    LIST = "SELECT a.id FROM own_keys k JOIN accounts a ON a.id = k.account_id \
        WHERE a.id > $1 AND a.domain IS NULL AND a.suspended_at IS NULL ORDER BY a.id LIMIT $2";
    FORGET_RETIRED = "UPDATE own_keys SET retired_key = NULL WHERE rotated_at < $1 AND retired_key IS NOT NULL";
}

pub(super) async fn by_owner(conn: &Conn, owner: AccountId) -> Result<Option<Kept>> {
    conn.opt(BY_OWNER, &[&owner]).await
}

pub(super) async fn insert(tx: &Tx, owner: AccountId, pair: &Pair) -> Result<()> {
    tx.exec(INSERT, &[&owner, &pair.private_key, &pair.public_key, &tx.now]).await?;
    Ok(())
}

/// False when there is none, or it was changed for this or a later reason already.
pub(super) async fn rotate(tx: &Tx, owner: AccountId, (pair, rotation): (&Pair, ActivityId)) -> Result<bool> {
    Ok(tx.exec(ROTATE, &[&owner, &pair.private_key, &pair.public_key, &rotation, &tx.now]).await? > 0)
}

pub(super) async fn retired(conn: &Conn, owner: AccountId, rotation: ActivityId) -> Result<Option<String>> {
    Ok(conn.opt::<(String,)>(RETIRED, &[&owner, &rotation]).await?.map(|(key,)| key))
}

pub(super) async fn rotated(conn: &Conn, accounts: &[AccountId], since: Time) -> Result<Vec<AccountId>> {
    let accounts = Ids::of(accounts.iter().copied());
    Ok(conn.all::<(AccountId,)>(ROTATED, &[&accounts, &since]).await?.into_iter().map(|(id,)| id).collect())
}

pub(super) async fn list(conn: &Conn, after: AccountId, limit: i64) -> Result<Vec<AccountId>> {
    Ok(conn.all::<(AccountId,)>(LIST, &[&after, &limit]).await?.into_iter().map(|(id,)| id).collect())
}

pub(super) async fn forget_retired(tx: &Tx, before: Time) -> Result<u64> {
    tx.exec(FORGET_RETIRED, &[&before]).await
}
