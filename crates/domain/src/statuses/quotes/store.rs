//! Rows of statuses that quote another.

use crate::{
    Result,
    db::{Conn, Tx},
    ids::{AccountId, StatusId},
    page::Page,
    sql,
    statuses::{QuotePolicy, QuoteState, Status},
};

/// Quoters told of an edit.
const QUOTERS: i64 = 1_000;

const WHERE: &str = " FROM statuses WHERE quote_of_id = $1 AND quote_state = 2 AND id < $2 AND id > $3 ORDER BY id ";

sql! {
    NEWEST = "SELECT ", Status::COLUMNS, WHERE, "DESC LIMIT $4";
    OLDEST = "SELECT ", Status::COLUMNS, WHERE, "ASC LIMIT $4";
    QUOTERS_OF = "SELECT s.account_id, s.id FROM statuses s JOIN users u ON u.account_id = s.account_id \
        WHERE s.quote_of_id = $1 AND s.quote_state = 2 ORDER BY s.id DESC LIMIT $2";
    UPDATE_STATE = "UPDATE statuses SET quote_state = $3 WHERE id = $1 AND quote_state = $2";
    UPDATE_POLICY = "UPDATE statuses SET quote_policy = $2 WHERE id = $1";
}

/// Only those whose quote is accepted.
pub(super) async fn list(conn: &Conn, id: StatusId, page: Page) -> Result<Vec<Status>> {
    conn.all(page.pick(NEWEST, OLDEST), &[&id, &page.before, &page.after, &page.limit]).await
}

/// Local authors of accepted quotes, each with the quoting status.
pub(super) async fn quoters(conn: &Conn, id: StatusId) -> Result<Vec<(AccountId, StatusId)>> {
    conn.all(QUOTERS_OF, &[&id, &QUOTERS]).await
}

/// False when the state is another by now.
pub(super) async fn update_state(tx: &Tx, id: StatusId, (from, to): (QuoteState, QuoteState)) -> Result<bool> {
    Ok(tx.exec(UPDATE_STATE, &[&id, &from, &to]).await? > 0)
}

pub(super) async fn update_policy(tx: &Tx, id: StatusId, policy: QuotePolicy) -> Result<()> {
    tx.exec(UPDATE_POLICY, &[&id, &policy]).await?;
    Ok(())
}
