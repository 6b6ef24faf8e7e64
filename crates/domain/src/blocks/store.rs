//! Rows of blocks.

use crate::{
    Result,
    db::{Conn, Tx},
    ids::{self, AccountId, BlockId},
    page::Page,
    sql,
};

const LIST: &str = "SELECT b.id, b.target_id FROM blocks b JOIN accounts a ON a.id = b.target_id \
     WHERE b.account_id = $1 AND b.id < $2 AND b.id > $3 AND a.suspended_at IS NULL ORDER BY b.id ";
const DOMAINS: &str =
    "SELECT id, domain FROM account_domain_blocks WHERE account_id = $1 AND id < $2 AND id > $3 ORDER BY id ";

sql! {
    INSERT = "INSERT INTO blocks (id, account_id, target_id, uri) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    DELETE_NAMED = "DELETE FROM blocks WHERE account_id = $1 AND uri = $2";
    DELETE = "DELETE FROM blocks WHERE account_id = $1 AND target_id = $2 RETURNING id";
    LIST_NEWEST = LIST, "DESC LIMIT $4";
    LIST_OLDEST = LIST, "ASC LIMIT $4";
    INSERT_DOMAIN = "INSERT INTO account_domain_blocks (id, account_id, domain) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    DELETE_DOMAIN = "DELETE FROM account_domain_blocks WHERE account_id = $1 AND domain = $2";
    DOMAINS_NEWEST = DOMAINS, "DESC LIMIT $4";
    DOMAINS_OLDEST = DOMAINS, "ASC LIMIT $4";
    DELETE_NOTIFICATIONS = "DELETE FROM notifications WHERE account_id = $1 \
        AND from_account_id IN (SELECT id FROM accounts WHERE domain = $2)";
}

/// None when there was one already. `uri`: what another server calls it.
pub(super) async fn insert(
    tx: &Tx,
    me: AccountId,
    (target, uri): (AccountId, Option<&str>),
) -> Result<Option<BlockId>> {
    let id: BlockId = ids::next();
    Ok((tx.exec(INSERT, &[&id, &me, &target, &uri]).await? > 0).then_some(id))
}

/// False when `me` blocks nobody under this name.
pub(super) async fn delete_named(tx: &Tx, me: AccountId, uri: &str) -> Result<bool> {
    Ok(tx.exec(DELETE_NAMED, &[&me, &uri]).await? > 0)
}

/// None when there was none.
pub(super) async fn delete(tx: &Tx, me: AccountId, target: AccountId) -> Result<Option<BlockId>> {
    Ok(tx.opt::<(BlockId,)>(DELETE, &[&me, &target]).await?.map(|(id,)| id))
}

/// (block, blocked), in the order read.
pub(super) async fn list(conn: &Conn, me: AccountId, page: Page) -> Result<Vec<(i64, AccountId)>> {
    conn.all(page.pick(LIST_NEWEST, LIST_OLDEST), &[&me, &page.before, &page.after, &page.limit]).await
}

pub(super) async fn insert_domain(tx: &Tx, me: AccountId, domain: &str) -> Result<()> {
    let id: BlockId = ids::next();
    tx.exec(INSERT_DOMAIN, &[&id, &me, &domain]).await?;
    Ok(())
}

pub(super) async fn delete_domain(tx: &Tx, me: AccountId, domain: &str) -> Result<()> {
    tx.exec(DELETE_DOMAIN, &[&me, &domain]).await?;
    Ok(())
}

/// (block, domain), in the order read.
pub(super) async fn list_domains(conn: &Conn, me: AccountId, page: Page) -> Result<Vec<(i64, String)>> {
    conn.all(page.pick(DOMAINS_NEWEST, DOMAINS_OLDEST), &[&me, &page.before, &page.after, &page.limit]).await
}

pub(super) async fn delete_notifications_of_domain(tx: &Tx, me: AccountId, domain: &str) -> Result<()> {
    tx.exec(DELETE_NOTIFICATIONS, &[&me, &domain]).await?;
    Ok(())
}
