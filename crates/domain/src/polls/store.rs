//! Rows of polls and votes.

use super::Poll;
use crate::{
    Result, Time,
    db::{Conn, Ids, Tx},
    ids::{AccountId, PollId, StatusId},
    sql,
};

/// Local voters told when a poll ends.
const VOTERS: i64 = 10_000;

sql! {
    BY_ID = "SELECT ", Poll::COLUMNS, " FROM polls WHERE id = $1";
    BY_ID_LOCKED = "SELECT ", Poll::COLUMNS, " FROM polls WHERE id = $1 FOR NO KEY UPDATE";
    BY_IDS = "SELECT ", Poll::COLUMNS, " FROM polls WHERE id = ANY($1)";
    INSERT = "INSERT INTO polls (id, account_id, status_id, options_json, multiple, hide_totals, voters_count, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    INSERT_VOTE = "INSERT INTO poll_votes (poll_id, account_id, choice) VALUES ($1, $2, $3)";
    UPDATE_TALLY = "UPDATE polls SET options_json = $2, voters_count = $3 WHERE id = $1";
    UPDATE_END = "UPDATE polls SET expires_at = $2 WHERE id = $1";
    CHOICES_OF = "SELECT poll_id, choice FROM poll_votes WHERE account_id = $1 AND poll_id = ANY($2) ORDER BY choice";
    LIST_VOTERS = "SELECT DISTINCT v.account_id FROM poll_votes v JOIN users u ON u.account_id = v.account_id WHERE v.poll_id = $1 LIMIT $2";
    DELETE_OF_STATUS = "DELETE FROM polls WHERE status_id = $1";
}

pub async fn by_id(conn: &Conn, id: PollId) -> Result<Option<Poll>> {
    conn.opt(BY_ID, &[&id]).await
}

/// As [`by_id`], holding off other votes until this transaction ends: the tally is counted in the row.
pub(super) async fn by_id_locked(tx: &Tx, id: PollId) -> Result<Option<Poll>> {
    tx.opt(BY_ID_LOCKED, &[&id]).await
}

pub async fn by_ids(conn: &Conn, ids: impl IntoIterator<Item = PollId>) -> Result<Vec<Poll>> {
    let ids = Ids::of(ids);
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    conn.all(BY_IDS, &[&ids]).await
}

/// What `voter` chose in each of the polls.
pub async fn choices_of(conn: &Conn, voter: AccountId, polls: &[PollId]) -> Result<Vec<(PollId, i64)>> {
    if polls.is_empty() {
        return Ok(Vec::new());
    }
    conn.all(CHOICES_OF, &[&voter, &Ids::of(polls.iter().copied())]).await
}

pub(super) async fn insert(tx: &Tx, p: &Poll) -> Result<()> {
    tx.exec(
        INSERT,
        &[
            &p.id,
            &p.account_id,
            &p.status_id,
            &p.options_json,
            &p.multiple,
            &p.hide_totals,
            &p.voters_count,
            &p.expires_at,
        ],
    )
    .await?;
    Ok(())
}

pub(super) async fn insert_vote(tx: &Tx, poll: PollId, voter: AccountId, choice: i64) -> Result<()> {
    tx.exec(INSERT_VOTE, &[&poll, &voter, &choice]).await?;
    Ok(())
}

pub(super) async fn update_tally(tx: &Tx, p: &Poll) -> Result<()> {
    tx.exec(UPDATE_TALLY, &[&p.id, &p.options_json, &p.voters_count]).await?;
    Ok(())
}

pub(super) async fn update_end(tx: &Tx, id: PollId, at: Time) -> Result<()> {
    tx.exec(UPDATE_END, &[&id, &at]).await?;
    Ok(())
}

pub(super) async fn voters(conn: &Conn, poll: PollId) -> Result<Vec<AccountId>> {
    Ok(conn.all::<(AccountId,)>(LIST_VOTERS, &[&poll, &VOTERS]).await?.into_iter().map(|(id,)| id).collect())
}

pub(crate) async fn delete_of_status(tx: &Tx, status: StatusId) -> Result<()> {
    tx.exec(DELETE_OF_STATUS, &[&status]).await?;
    Ok(())
}
