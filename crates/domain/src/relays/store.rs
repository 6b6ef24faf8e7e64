//! Rows of relays.

use super::{State, Style};
use crate::{
    Result, Time,
    db::{Conn, Tx},
    ids::{AccountId, RelayId},
    row, sql,
};

row! {
    /// A relay that this site asked.
    pub struct Relay {
        pub id: RelayId,
        pub style: Style,
        /// As it was given
        pub url: String,
        pub inbox: String,
        /// Who speaks for it
        pub account_id: Option<AccountId>,
        pub state: State,
        /// The name of the subscription among servers
        pub follow_uri: String,
        pub created_at: Time,
        pub answered_at: Option<Time>,
        /// What it brought, and when last
        pub received: i64,
        pub received_at: Option<Time>,
    }
}

sql! {
    INSERT = "INSERT INTO relays (", Relay::COLUMNS, ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING";
    // One only: two may have the same inbox. As it was given counts first.
    DELETE = "DELETE FROM relays WHERE id = (SELECT id FROM relays WHERE url = $1 OR inbox = $1 \
        ORDER BY CASE WHEN url = $1 THEN 0 ELSE 1 END, id LIMIT 1) RETURNING ", Relay::COLUMNS;
    LIST = "SELECT ", Relay::COLUMNS, " FROM relays ORDER BY id LIMIT $1";
    BY_ID = "SELECT ", Relay::COLUMNS, " FROM relays WHERE id = $1";
    BY_FOLLOW = "SELECT ", Relay::COLUMNS, " FROM relays WHERE follow_uri = $1";
    BY_ACCOUNT = "SELECT ", Relay::COLUMNS, " FROM relays WHERE account_id = $1 AND state = 1 ORDER BY id LIMIT 1";
    ANY_ACCEPTED = "SELECT 1::bigint FROM relays WHERE state = 1 LIMIT 1";
    ANSWER = "UPDATE relays SET account_id = $2, state = $3, answered_at = $4 WHERE id = $1";
    COUNT = "UPDATE relays SET received = received + 1, received_at = $3, \
        counted = CASE WHEN counted_since < $2 THEN 1 ELSE counted + 1 END, \
        counted_since = CASE WHEN counted_since < $2 THEN $3 ELSE counted_since END WHERE id = $1 RETURNING counted";
}

/// False when there is one at this address.
pub(super) async fn insert(tx: &Tx, r: &Relay) -> Result<bool> {
    let values: [&dyn crate::db::Param; 11] = [
        &r.id,
        &r.style,
        &r.url,
        &r.inbox,
        &r.account_id,
        &r.state,
        &r.follow_uri,
        &r.created_at,
        &r.answered_at,
        &r.received,
        &r.received_at,
    ];
    Ok(tx.exec(INSERT, &values).await? > 0)
}

/// What it was; None when there was none.
pub(super) async fn delete(tx: &Tx, url: &str) -> Result<Option<Relay>> {
    tx.opt(DELETE, &[&url]).await
}

pub(super) async fn list(conn: &Conn, limit: i64) -> Result<Vec<Relay>> {
    conn.all(LIST, &[&limit]).await
}

pub async fn by_id(conn: &Conn, id: RelayId) -> Result<Option<Relay>> {
    conn.opt(BY_ID, &[&id]).await
}

/// The relay that was asked under this name.
pub async fn by_follow(conn: &Conn, uri: &str) -> Result<Option<Relay>> {
    conn.opt(BY_FOLLOW, &[&uri]).await
}

pub(super) async fn by_account(conn: &Conn, account: AccountId) -> Result<Option<Relay>> {
    conn.opt(BY_ACCOUNT, &[&account]).await
}

pub(super) async fn any_accepted(conn: &Conn) -> Result<bool> {
    conn.exists(ANY_ACCEPTED, &[]).await
}

pub(super) async fn answer(tx: &Tx, (id, account): (RelayId, AccountId), state: State) -> Result<()> {
    tx.exec(ANSWER, &[&id, &account, &state, &tx.now]).await?;
    Ok(())
}

/// How much it brought since `since`, or since the counting began after that; None when the relay is gone.
pub(super) async fn count(tx: &Tx, id: RelayId, since: Time) -> Result<Option<i64>> {
    Ok(tx.opt::<(i64,)>(COUNT, &[&id, &since, &tx.now]).await?.map(|(n,)| n))
}
