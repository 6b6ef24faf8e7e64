//! Rows of conversations.

use super::{Conversation, Names};
use crate::{
    Result,
    db::{Conn, Ids, Tx},
    ids::{AccountId, ConversationId},
    page::Page,
    sql,
};

const WHERE: &str = " FROM account_conversations WHERE account_id = $1 AND last_status_id < $2 AND last_status_id > $3 \
     ORDER BY last_status_id ";

sql! {
    INSERT = "INSERT INTO conversations (id) VALUES ($1)";
    BY_URI = "SELECT id FROM conversations WHERE uri = $1";
    NAMES = "SELECT ", Names::COLUMNS, " FROM conversations WHERE id = $1";
    INSERT_NAMED = "INSERT INTO conversations (id, uri, context) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    UPDATE_CONTEXT = "UPDATE conversations SET context = $2 WHERE id = $1 AND context IS NULL";
    LOCAL_OF = "SELECT account_id FROM users WHERE account_id = ANY($1)";
    UPSERT = "INSERT INTO account_conversations (id, account_id, conversation_id, participants_json, last_status_id, unread) \
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (account_id, conversation_id) \
        DO UPDATE SET participants_json = excluded.participants_json, last_status_id = excluded.last_status_id, unread = excluded.unread \
        RETURNING id";
    NEWEST = "SELECT ", Conversation::COLUMNS, WHERE, "DESC LIMIT $4";
    OLDEST = "SELECT ", Conversation::COLUMNS, WHERE, "ASC LIMIT $4";
    BY_ID = "SELECT ", Conversation::COLUMNS, " FROM account_conversations WHERE id = $1 AND account_id = $2";
}

pub(super) async fn insert(tx: &Tx, id: ConversationId) -> Result<()> {
    tx.exec(INSERT, &[&id]).await?;
    Ok(())
}

pub(super) async fn by_uri(conn: &Conn, uri: &str) -> Result<Option<ConversationId>> {
    Ok(conn.opt::<(ConversationId,)>(BY_URI, &[&uri]).await?.map(|(id,)| id))
}

pub(super) async fn names(conn: &Conn, id: ConversationId) -> Result<Option<Names>> {
    conn.opt(NAMES, &[&id]).await
}

/// Unless one is known.
pub(super) async fn update_context(tx: &Tx, id: ConversationId, context: &str) -> Result<()> {
    tx.exec(UPDATE_CONTEXT, &[&id, &context]).await?;
    Ok(())
}

/// False when there is one of this name, perhaps since this moment.
pub(super) async fn insert_named(tx: &Tx, id: ConversationId, names: &Names) -> Result<bool> {
    Ok(tx.exec(INSERT_NAMED, &[&id, &names.uri, &names.context]).await? > 0)
}

pub(super) async fn local_of(tx: &Tx, people: &[AccountId]) -> Result<Vec<AccountId>> {
    let rows: Vec<(AccountId,)> = tx.all(LOCAL_OF, &[&Ids::of(people.iter().copied())]).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

pub(super) async fn upsert(tx: &Tx, c: &Conversation) -> Result<ConversationId> {
    let params: crate::db::Params<'_> =
        &[&c.id, &c.account_id, &c.conversation_id, &c.participants_json, &c.last_status_id, &c.unread];
    let (id,): (ConversationId,) = tx.one(UPSERT, params).await?;
    Ok(id)
}

pub(super) async fn list(conn: &Conn, owner: AccountId, page: Page) -> Result<Vec<Conversation>> {
    conn.all(page.pick(NEWEST, OLDEST), &[&owner, &page.before, &page.after, &page.limit]).await
}

pub async fn by_id(conn: &Conn, owner: AccountId, id: ConversationId) -> Result<Option<Conversation>> {
    conn.opt(BY_ID, &[&id, &owner]).await
}
