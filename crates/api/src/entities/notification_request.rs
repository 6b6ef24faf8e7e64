//! People whose mentions are held back.

use super::{Account, Iso, Status};
use crate::App;
use domain::{
    Result, accounts,
    db::Conn,
    ids::{AccountId, NotificationRequestId},
    notifications::requests::Request,
    statuses::{
        self,
        visibility::{self, Place},
    },
};
use serde::Serialize;
use std::collections::HashMap;

/// <https://docs.joinmastodon.org/entities/NotificationRequest/>
#[derive(Debug, Serialize)]
pub struct NotificationRequest {
    pub id: NotificationRequestId,
    pub created_at: Iso,
    pub updated_at: Iso,
    /// A number in decimal digits.
    pub notifications_count: String,
    pub account: Account,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_status: Option<Status>,
}

/// Requests as their owner sees them.
pub async fn notification_requests(
    app: &App,
    conn: &Conn,
    rows: Vec<Request>,
    owner: AccountId,
) -> Result<Vec<NotificationRequest>> {
    let people = accounts::store::by_ids(conn, rows.iter().map(|r| r.from_account_id)).await?;
    let made = super::accounts(app, conn, people).await?;
    let mut people: HashMap<AccountId, Account> = made.into_iter().map(|a| (a.id, a)).collect();
    let last = statuses::store::by_ids(conn, rows.iter().filter_map(|r| r.last_status_id)).await?;
    let shown = visibility::filter(conn, Some(owner), last, Place::Asked).await?;
    let made = super::statuses(app, conn, shown, Some(owner)).await?;
    let mut last: HashMap<_, _> = made.into_iter().map(|s| (s.id, s)).collect();
    let out = rows.into_iter().filter_map(|row| {
        Some(NotificationRequest {
            id: row.id,
            created_at: Iso(row.created_at),
            updated_at: Iso(row.updated_at),
            notifications_count: row.count.to_string(),
            // Each sender has one request.
            account: people.remove(&row.from_account_id)?,
            last_status: row.last_status_id.and_then(|id| last.remove(&id)),
        })
    });
    Ok(out.collect())
}
