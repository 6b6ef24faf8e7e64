//! Rows of lists and of who is in them.

use super::{List, MEMBERS};
use crate::{
    Result,
    db::{Conn, Ids, Tx},
    ids::{self, AccountId, ListId, ListMemberId},
    page::Page,
    sql,
};

const MEMBERS_PAGE: &str = "SELECT m.id, m.account_id FROM list_members m JOIN accounts a ON a.id = m.account_id \
     WHERE m.list_id = $1 AND m.id < $2 AND m.id > $3 AND a.suspended_at IS NULL ORDER BY m.id ";

sql! {
    BY_ID = "SELECT ", List::COLUMNS, " FROM lists WHERE id = $2 AND account_id = $1";
    LIST = "SELECT ", List::COLUMNS, " FROM lists WHERE account_id = $1 ORDER BY id LIMIT $2";
    CONTAINING = "SELECT ", List::COLUMNS, " FROM lists WHERE account_id = $1 AND id IN \
        (SELECT list_id FROM list_members WHERE account_id = $2 AND owner_id = $1) ORDER BY id";
    COUNT = "SELECT COUNT(*) FROM lists WHERE account_id = $1";
    INSERT = "INSERT INTO lists (", List::COLUMNS, ") VALUES ($1, $2, $3, $4, $5)";
    UPDATE = "UPDATE lists SET title = $2, replies_policy = $3, exclusive = $4 WHERE id = $1";
    DELETE = "DELETE FROM lists WHERE id = $1";
    MEMBERS_NEWEST = MEMBERS_PAGE, "DESC LIMIT $4";
    MEMBERS_OLDEST = MEMBERS_PAGE, "ASC LIMIT $4";
    MEMBER_IDS = "SELECT account_id FROM list_members WHERE list_id = $1 LIMIT $2";
    MEMBERS_AMONG = "SELECT account_id FROM list_members WHERE list_id = $1 AND account_id = ANY($2)";
    COUNT_MEMBERS = "SELECT COUNT(*) FROM list_members WHERE list_id = $1";
    COUNT_ADDABLE = "SELECT COUNT(*) FROM accounts a WHERE a.id = ANY($2) AND (a.id = $1 \
        OR EXISTS (SELECT 1 FROM follows f WHERE f.account_id = $1 AND f.target_id = a.id) \
        OR EXISTS (SELECT 1 FROM follow_requests f WHERE f.account_id = $1 AND f.target_id = a.id))";
    INSERT_MEMBER = "INSERT INTO list_members (id, list_id, owner_id, account_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    DELETE_MEMBERS = "DELETE FROM list_members WHERE list_id = $1 AND account_id = ANY($2)";
    HOLDING = "SELECT list_id FROM list_members WHERE account_id = $1 AND list_id = ANY($2)";
    FORGET = "DELETE FROM list_members WHERE account_id = $2 AND owner_id = $1";
}

fn first<T>(rows: Vec<(T,)>) -> Vec<T> {
    rows.into_iter().map(|(first,)| first).collect()
}

pub(super) async fn by_id(conn: &Conn, owner: AccountId, id: ListId) -> Result<Option<List>> {
    conn.opt(BY_ID, &[&owner, &id]).await
}

pub(super) async fn list(conn: &Conn, owner: AccountId, limit: i64) -> Result<Vec<List>> {
    conn.all(LIST, &[&owner, &limit]).await
}

pub(super) async fn containing(conn: &Conn, owner: AccountId, account: AccountId) -> Result<Vec<List>> {
    conn.all(CONTAINING, &[&owner, &account]).await
}

pub(super) async fn count(conn: &Conn, owner: AccountId) -> Result<i64> {
    let (n,): (i64,) = conn.one(COUNT, &[&owner]).await?;
    Ok(n)
}

pub(super) async fn insert(tx: &Tx, l: &List) -> Result<()> {
    tx.exec(INSERT, &[&l.id, &l.account_id, &l.title, &l.replies_policy, &l.exclusive]).await?;
    Ok(())
}

pub(super) async fn update(tx: &Tx, l: &List) -> Result<()> {
    tx.exec(UPDATE, &[&l.id, &l.title, &l.replies_policy, &l.exclusive]).await?;
    Ok(())
}

pub(super) async fn delete(tx: &Tx, id: ListId) -> Result<()> {
    tx.exec(DELETE, &[&id]).await?;
    Ok(())
}

/// (membership, member), in the order read.
pub(super) async fn members(conn: &Conn, id: ListId, page: Page) -> Result<Vec<(i64, AccountId)>> {
    let sql = page.pick(MEMBERS_NEWEST, MEMBERS_OLDEST);
    conn.all(sql, &[&id, &page.before, &page.after, &page.limit]).await
}

pub(super) async fn member_ids(conn: &Conn, id: ListId) -> Result<Vec<AccountId>> {
    Ok(first(conn.all(MEMBER_IDS, &[&id, &MEMBERS]).await?))
}

pub(super) async fn members_among(conn: &Conn, id: ListId, accounts: &[AccountId]) -> Result<Vec<AccountId>> {
    Ok(first(conn.all(MEMBERS_AMONG, &[&id, &Ids::of(accounts.iter().copied())]).await?))
}

pub(super) async fn count_members(conn: &Conn, id: ListId) -> Result<i64> {
    let (n,): (i64,) = conn.one(COUNT_MEMBERS, &[&id]).await?;
    Ok(n)
}

/// How many of `accounts` are followed by `owner`, asked to be, or `owner`.
pub(super) async fn count_addable(conn: &Conn, owner: AccountId, accounts: &[AccountId]) -> Result<i64> {
    let (n,): (i64,) = conn.one(COUNT_ADDABLE, &[&owner, &Ids::of(accounts.iter().copied())]).await?;
    Ok(n)
}

/// False when the account is in the list already.
pub(super) async fn insert_member(tx: &Tx, list: &List, account: AccountId) -> Result<bool> {
    let id: ListMemberId = ids::next();
    Ok(tx.exec(INSERT_MEMBER, &[&id, &list.id, &list.account_id, &account]).await? > 0)
}

pub(super) async fn delete_members(tx: &Tx, id: ListId, accounts: &[AccountId]) -> Result<()> {
    tx.exec(DELETE_MEMBERS, &[&id, &Ids::of(accounts.iter().copied())]).await?;
    Ok(())
}

pub(super) async fn holding(conn: &Conn, account: AccountId, candidates: &[ListId]) -> Result<Vec<ListId>> {
    Ok(first(conn.all(HOLDING, &[&account, &Ids::of(candidates.iter().copied())]).await?))
}

pub(super) async fn forget(tx: &Tx, owner: AccountId, account: AccountId) -> Result<()> {
    tx.exec(FORGET, &[&owner, &account]).await?;
    Ok(())
}
