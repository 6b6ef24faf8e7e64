//! Rows of what authors elsewhere allow, and of the consent they gave.

use crate::{
    Result,
    db::{Conn, Tx},
    ids::{AccountId, FavouriteId, ReactionId, StatusId},
    sql,
    statuses::Consent,
};

sql! {
    FIND = "SELECT rules_json FROM interaction_policies WHERE status_id = $1";
    PUT = "INSERT INTO interaction_policies (status_id, rules_json) VALUES ($1, $2) \
        ON CONFLICT (status_id) DO UPDATE SET rules_json = excluded.rules_json";
    DELETE = "DELETE FROM interaction_policies WHERE status_id = $1";
    APPROVAL = "SELECT uri FROM approvals WHERE status_id = $1";
    APPROVE = "INSERT INTO approvals (status_id, uri) VALUES ($1, $2) ON CONFLICT (status_id) DO UPDATE SET uri = excluded.uri";
    UPDATE_CONSENT = "UPDATE statuses SET consent = $2 WHERE id = $1";
    FAVOURITE = "SELECT account_id, status_id FROM favourites WHERE id = $1";
    REACTION = "SELECT account_id, status_id, name FROM reactions WHERE id = $1";
}

pub(super) async fn find(conn: &Conn, id: StatusId) -> Result<Option<String>> {
    Ok(conn.opt::<(String,)>(FIND, &[&id]).await?.map(|(rules,)| rules))
}

pub(super) async fn put(tx: &Tx, id: StatusId, rules: &str) -> Result<()> {
    tx.exec(PUT, &[&id, &rules]).await?;
    Ok(())
}

pub(super) async fn delete(tx: &Tx, id: StatusId) -> Result<()> {
    tx.exec(DELETE, &[&id]).await?;
    Ok(())
}

pub(super) async fn approval(conn: &Conn, id: StatusId) -> Result<Option<String>> {
    Ok(conn.opt::<(String,)>(APPROVAL, &[&id]).await?.map(|(uri,)| uri))
}

/// The author agrees, as can be looked at under `uri`.
pub(super) async fn approve(tx: &Tx, id: StatusId, uri: &str) -> Result<()> {
    tx.exec(APPROVE, &[&id, &uri]).await?;
    tx.exec(UPDATE_CONSENT, &[&id, &Consent::Given]).await?;
    Ok(())
}

pub(super) async fn favourite(conn: &Conn, id: FavouriteId) -> Result<Option<(AccountId, StatusId)>> {
    conn.opt(FAVOURITE, &[&id]).await
}

pub(super) async fn reaction(conn: &Conn, id: ReactionId) -> Result<Option<(AccountId, StatusId, String)>> {
    conn.opt(REACTION, &[&id]).await
}
