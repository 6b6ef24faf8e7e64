//! Notifications.

use super::{Account, Iso, Report, Status};
use crate::App;
use domain::{
    Result, accounts,
    db::Conn,
    ids::{AccountId, NotificationId},
    notifications::{self, Kind},
    reports,
    statuses::{
        self,
        visibility::{self, Place},
    },
};
use serde::Serialize;
use std::{collections::HashMap, sync::Arc};

/// <https://docs.joinmastodon.org/entities/Notification/>
#[derive(Debug, Serialize)]
pub struct Notification {
    pub id: NotificationId,
    #[serde(rename = "type")]
    pub kind: Kind,
    pub group_key: String,
    pub created_at: Iso,
    pub account: Arc<Account>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Held back by the owner's policy.
    #[serde(skip_serializing_if = "super::account::is_false")]
    pub filtered: bool,
    /// Of `admin.report`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
}

/// Notifications as their owner sees them; one from somebody suspended, or about a status that is no longer theirs to
/// see, is left out.
pub async fn notifications(
    app: &App,
    conn: &Conn,
    rows: Vec<notifications::Notification>,
    owner: AccountId,
) -> Result<Vec<Notification>> {
    let mut people = accounts::store::by_ids(conn, rows.iter().map(|n| n.from_account_id)).await?;
    people.retain(|account| account.suspended_at.is_none());
    let ids: Vec<AccountId> = people.iter().map(|a| a.id).collect();
    let made = super::accounts(app, conn, people).await?;
    let people: HashMap<AccountId, Arc<Account>> = ids.into_iter().zip(made.into_iter().map(Arc::new)).collect();
    let about = statuses::store::by_ids(conn, rows.iter().filter_map(|n| n.status_id)).await?;
    let shown = visibility::filter(conn, Some(owner), about, Place::Asked).await?;
    let made = super::statuses(app, conn, shown, Some(owner)).await?;
    let statuses: HashMap<_, _> = made.into_iter().map(|s| (s.id, s)).collect();
    let mut reported = reported(app, conn, &rows).await?;
    let out = rows.into_iter().filter_map(|row| {
        let status = match row.status_id {
            None => None,
            Some(id) => Some(statuses.get(&id)?.clone()),
        };
        Some(Notification {
            id: row.id,
            kind: row.kind,
            group_key: row.group_key,
            created_at: Iso(row.created_at),
            account: people.get(&row.from_account_id)?.clone(),
            status,
            filtered: row.filtered,
            report: reported.remove(&row.id),
        })
    });
    Ok(out.collect())
}

/// The reports that notifications are about; not a query where there are none.
async fn reported(
    app: &App,
    conn: &Conn,
    rows: &[notifications::Notification],
) -> Result<HashMap<NotificationId, Report>> {
    let about = rows.iter().filter(|n| n.kind == Kind::AdminReport).map(|n| n.id);
    let pairs = reports::store::by_notifications(conn, about).await?;
    let found = reports::store::by_ids(conn, pairs.iter().map(|(_, report)| *report)).await?;
    let made: HashMap<_, _> = super::reports(app, conn, found).await?.into_iter().map(|r| (r.id, r)).collect();
    let of = |(notification, report)| Some((notification, made.get(&report)?.clone()));
    Ok(pairs.into_iter().filter_map(of).collect())
}
