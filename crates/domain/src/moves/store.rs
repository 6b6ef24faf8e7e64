//! Rows of aliases and moves.

use super::{Alias, Move};
use crate::{
    Result,
    db::{Conn, Tx},
    ids::{AccountId, BlockId, FollowId, MuteId},
    sql,
};

sql! {
    ALIASES = "SELECT ", Alias::COLUMNS, " FROM account_aliases WHERE account_id = $1 ORDER BY id LIMIT $2";
    INSERT_ALIAS = "INSERT INTO account_aliases (", Alias::COLUMNS, ") VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    DELETE_ALIAS = "DELETE FROM account_aliases WHERE account_id = $1 AND (uri = $2 OR lower(acct) = lower($2))";
    COUNT_ALIASES = "SELECT COUNT(*) FROM account_aliases WHERE account_id = $1";
    HAS_ALIAS = "SELECT 1::bigint FROM account_aliases WHERE account_id = $1 AND uri = $2";
    LAST = "SELECT ", Move::COLUMNS, " FROM account_moves WHERE account_id = $1";
    PUT = "INSERT INTO account_moves (", Move::COLUMNS, ") VALUES ($1, $2, $3) \
        ON CONFLICT (account_id) DO UPDATE SET target_id = excluded.target_id, moved_at = excluded.moved_at";
    UPDATE_MOVED_TO = "UPDATE accounts SET moved_to_id = $2 WHERE id = $1";
    // Who of those here has something to do with an account, in the order of the rows.
    FOLLOWERS = "SELECT f.id, f.account_id FROM follows f JOIN users u ON u.account_id = f.account_id \
        WHERE f.target_id = $1 AND f.id > $2 ORDER BY f.id LIMIT $3";
    BLOCKERS = "SELECT b.id, b.account_id FROM blocks b JOIN users u ON u.account_id = b.account_id \
        WHERE b.target_id = $1 AND b.id > $2 ORDER BY b.id LIMIT $3";
    MUTERS = "SELECT m.id, m.account_id FROM mutes m WHERE m.target_id = $1 AND m.id > $2 ORDER BY m.id LIMIT $3";
    NOTERS = "SELECT n.account_id, n.account_id FROM account_notes n WHERE n.target_id = $1 AND n.account_id > $2 \
        ORDER BY n.account_id LIMIT $3";
}

pub(super) async fn aliases(conn: &Conn, account: AccountId, limit: i64) -> Result<Vec<Alias>> {
    conn.all(ALIASES, &[&account, &limit]).await
}

/// False when it was there already.
pub(super) async fn insert_alias(tx: &Tx, a: &Alias) -> Result<bool> {
    Ok(tx.exec(INSERT_ALIAS, &[&a.id, &a.account_id, &a.uri, &a.acct]).await? > 0)
}

/// False when there was none.
pub(super) async fn delete_alias(tx: &Tx, account: AccountId, named: &str) -> Result<bool> {
    Ok(tx.exec(DELETE_ALIAS, &[&account, &named]).await? > 0)
}

pub(super) async fn count_aliases(conn: &Conn, account: AccountId) -> Result<i64> {
    let (n,): (i64,) = conn.one(COUNT_ALIASES, &[&account]).await?;
    Ok(n)
}

pub(super) async fn has_alias(conn: &Conn, account: AccountId, uri: &str) -> Result<bool> {
    conn.exists(HAS_ALIAS, &[&account, &uri]).await
}

pub(super) async fn last(conn: &Conn, account: AccountId) -> Result<Option<Move>> {
    conn.opt(LAST, &[&account]).await
}

pub(super) async fn put(tx: &Tx, m: &Move) -> Result<()> {
    tx.exec(PUT, &[&m.account_id, &m.target_id, &m.moved_at]).await?;
    Ok(())
}

pub(super) async fn update_moved_to(tx: &Tx, account: AccountId, to: Option<AccountId>) -> Result<()> {
    tx.exec(UPDATE_MOVED_TO, &[&account, &to]).await?;
    Ok(())
}

type Rows = Result<Vec<(i64, AccountId)>>;

/// (cursor, somebody here who follows `of`), oldest first, as the other lists below.
pub(super) async fn list_followers(conn: &Conn, of: AccountId, after: i64, limit: i64) -> Rows {
    conn.all(FOLLOWERS, &[&of, &FollowId(after), &limit]).await
}

pub(super) async fn list_blockers(conn: &Conn, of: AccountId, after: i64, limit: i64) -> Rows {
    conn.all(BLOCKERS, &[&of, &BlockId(after), &limit]).await
}

pub(super) async fn list_muters(conn: &Conn, of: AccountId, after: i64, limit: i64) -> Rows {
    conn.all(MUTERS, &[&of, &MuteId(after), &limit]).await
}

pub(super) async fn list_noters(conn: &Conn, of: AccountId, after: i64, limit: i64) -> Rows {
    conn.all(NOTERS, &[&of, &AccountId(after), &limit]).await
}
