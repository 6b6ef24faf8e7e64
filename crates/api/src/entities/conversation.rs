//! Direct conversations.

use super::{Account, Status};
use crate::App;
use domain::{
    Result, accounts, conversations,
    db::Conn,
    ids::{AccountId, ConversationId},
    statuses::{
        self,
        visibility::{self, Place},
    },
};
use serde::Serialize;
use std::{collections::HashMap, sync::Arc};

/// <https://docs.joinmastodon.org/entities/Conversation/>
#[derive(Debug, Serialize)]
pub struct Conversation {
    pub id: ConversationId,
    pub unread: bool,
    pub accounts: Vec<Arc<Account>>,
    pub last_status: Option<Status>,
}

pub async fn conversations(
    app: &App,
    conn: &Conn,
    rows: Vec<conversations::Conversation>,
    owner: AccountId,
) -> Result<Vec<Conversation>> {
    let people: Vec<AccountId> = rows.iter().flat_map(conversations::Conversation::participants).collect();
    let people = accounts::store::by_ids(conn, people).await?;
    let ids: Vec<AccountId> = people.iter().map(|a| a.id).collect();
    let made = super::accounts(app, conn, people).await?;
    let people: HashMap<AccountId, Arc<Account>> = ids.into_iter().zip(made.into_iter().map(Arc::new)).collect();
    let last = statuses::store::by_ids(conn, rows.iter().map(|c| c.last_status_id)).await?;
    let shown = visibility::filter(conn, Some(owner), last, Place::Asked).await?;
    let made = super::statuses(app, conn, shown, Some(owner)).await?;
    let mut last: HashMap<_, _> = made.into_iter().map(|s| (s.id, s)).collect();
    let out = rows.into_iter().map(|row| Conversation {
        id: row.id,
        unread: row.unread,
        accounts: row.participants().iter().filter_map(|id| people.get(id).cloned()).collect(),
        last_status: last.remove(&row.last_status_id),
    });
    Ok(out.collect())
}
