//! Reports, as whoever filed one and the moderators see them.

use super::{Account, Iso};
use crate::App;
use domain::{
    Result, accounts,
    db::Conn,
    ids::{AccountId, ReportId, StatusId},
    reports::{self, Category},
};
use serde::Serialize;
use std::{collections::HashMap, sync::Arc};

/// <https://docs.joinmastodon.org/entities/Report/>
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub id: ReportId,
    pub action_taken: bool,
    pub action_taken_at: Option<Iso>,
    pub category: Category,
    pub comment: String,
    /// Whether whoever reported it wished that the target's own site be told, and there is one.
    pub forwarded: bool,
    pub created_at: Iso,
    pub status_ids: Option<Vec<StatusId>>,
    pub collection_ids: Option<[StatusId; 0]>,
    pub rule_ids: Option<Vec<String>>,
    pub target_account: Arc<Account>,
}

/// Reports in the order of their rows; one whose account is gone is left out.
pub async fn reports(app: &App, conn: &Conn, rows: Vec<reports::Report>) -> Result<Vec<Report>> {
    let people = accounts::store::by_ids(conn, rows.iter().map(|r| r.target_id)).await?;
    let ids: Vec<AccountId> = people.iter().map(|a| a.id).collect();
    let made = super::accounts(app, conn, people).await?.into_iter().map(Arc::new);
    let people: HashMap<AccountId, Arc<Account>> = ids.into_iter().zip(made).collect();
    let one = |row: reports::Report| {
        let (statuses, rules) = (row.statuses(), row.rules());
        Some(Report {
            target_account: people.get(&row.target_id)?.clone(),
            id: row.id,
            action_taken: row.resolved_at.is_some(),
            action_taken_at: row.resolved_at.map(Iso),
            category: row.category,
            comment: row.comment,
            forwarded: row.forward,
            created_at: Iso(row.created_at),
            status_ids: (!statuses.is_empty()).then_some(statuses),
            collection_ids: None,
            rule_ids: (!rules.is_empty()).then(|| rules.iter().map(i64::to_string).collect()),
        })
    };
    Ok(rows.into_iter().filter_map(one).collect())
}
