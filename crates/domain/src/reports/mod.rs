//! Reports: what people tell the moderators about somebody.

pub mod store;

use crate::{
    Error, Result, Time,
    accounts::{self, Account},
    db::{Conn, Db, Tx, stored_enum},
    events::Event,
    ids::{self, AccountId, NotificationId, ReportId, StatusId},
    page::Page,
    row, settings, statuses,
};
use statuses::visibility::{self, Place};
use std::time::Duration;

/// Characters of a comment.
/// <https://docs.joinmastodon.org/methods/reports/#form-data-parameters>
pub const COMMENT_CHARACTERS: usize = 1_000;
/// Statuses that one report names.
const STATUSES: usize = 100;
/// Reports of one person within a day; more are refused.
const DAILY: i64 = 50;
const DAY: Duration = Duration::from_secs(86_400);

stored_enum! {
    pub enum Category {
        Other = 0 => "other",
        Spam = 1 => "spam",
        Legal = 2 => "legal",
        /// Of the site's rules.
        Violation = 3 => "violation",
    }
}

row! {
    pub struct Report {
        pub id: ReportId,
        /// Who reported; None: an account that is gone
        pub account_id: Option<AccountId>,
        pub target_id: AccountId,
        pub category: Category,
        pub comment: String,
        /// JSON of ids, of statuses that may be gone by now
        pub statuses_json: String,
        /// JSON of the numbers of rules
        pub rules_json: String,
        /// Whether the target's own site should be told; nobody is told yet
        pub forward: bool,
        pub created_at: Time,
        pub resolved_at: Option<Time>,
    }
}

impl Report {
    pub fn statuses(&self) -> Vec<StatusId> {
        serde_json::from_str(&self.statuses_json).unwrap_or_default()
    }
    pub fn rules(&self) -> Vec<i64> {
        serde_json::from_str(&self.rules_json).unwrap_or_default()
    }
}

/// What somebody reports.
#[derive(Clone, Debug, Default)]
pub struct NewReport {
    pub statuses: Vec<StatusId>,
    pub comment: String,
    pub forward: bool,
    /// None: other, or a violation when rules are named.
    pub category: Option<Category>,
    pub rules: Vec<i64>,
}

/// Files a report about `target` and tells the owners and admins. Of the statuses only those count that are the
/// target's and that `who` may see.
pub async fn file(db: &Db, who: AccountId, (target, new): (AccountId, NewReport)) -> Result<(Report, Account)> {
    let comment = new.comment.trim().replace('\0', "");
    if comment.len() > COMMENT_CHARACTERS * 4 || comment.chars().count() > COMMENT_CHARACTERS {
        let most = format!("is too long (maximum is {COMMENT_CHARACTERS} characters)");
        return Err(Error::invalid("Comment", most));
    }
    let conn = db.read().await?;
    let target = accounts::visible(&conn, target).await?;
    let (category, rules) = category(&conn, &new).await?;
    let named = named(&conn, who, (target.id, &new.statuses)).await?;
    drop(conn);
    let mut tx = db.begin().await?;
    if store::count_since(&tx, who, tx.now.minus(DAY)).await? >= DAILY {
        return Err(Error::invalid("You have", format!("exceeded the limit of {DAILY} reports for one day")));
    }
    let report = Report {
        id: ids::next(),
        account_id: Some(who),
        target_id: target.id,
        category,
        comment,
        statuses_json: serde_json::to_string(&named)?,
        rules_json: serde_json::to_string(&rules)?,
        forward: new.forward && !target.is_local(),
        created_at: tx.now,
        resolved_at: None,
    };
    store::insert(&tx, &report).await?;
    tell(&mut tx, who, &report).await?;
    tx.commit().await?;
    Ok((report, target))
}

/// Rules make it a violation, and a violation needs some.
async fn category(conn: &Conn, new: &NewReport) -> Result<(Category, Vec<i64>)> {
    if new.rules.is_empty() && new.category != Some(Category::Violation) {
        return Ok((new.category.unwrap_or(Category::Other), Vec::new()));
    }
    let known = settings::read(conn).await?.rules;
    let mut rules = new.rules.clone();
    rules.sort_unstable();
    rules.dedup();
    if rules.is_empty() || !rules.iter().all(|id| known.iter().any(|rule| rule.id == *id)) {
        return Err(Error::invalid("Rule ids", "does not reference valid rules"));
    }
    Ok((Category::Violation, rules))
}

async fn named(conn: &Conn, who: AccountId, (target, wanted): (AccountId, &[StatusId])) -> Result<Vec<StatusId>> {
    let mut found = statuses::store::by_ids(conn, wanted.iter().copied().take(STATUSES)).await?;
    found.retain(|s| s.account_id == target);
    let shown = visibility::filter(conn, Some(who), found, Place::Asked).await?;
    let mut ids: Vec<StatusId> = shown.statuses.iter().map(|s| s.id).collect();
    ids.sort_unstable();
    Ok(ids)
}

/// Whoever runs the site learns of every report, also from somebody whom they muted or blocked.
async fn tell(tx: &mut Tx, who: AccountId, report: &Report) -> Result<()> {
    for account in store::admins(tx).await? {
        let notification: NotificationId = ids::next();
        store::insert_notification(tx, (notification, account), (who, report.id)).await?;
        tx.publish(Event::Notified { notification, account });
    }
    Ok(())
}

/// Which reports are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    Open,
    Resolved,
}

/// Newest first.
pub async fn list(conn: &Conn, which: Which, page: Page) -> Result<Vec<Report>> {
    Ok(page.newest_first(store::list(conn, which, page).await?))
}

pub async fn one(conn: &Conn, id: ReportId) -> Result<Report> {
    store::by_ids(conn, [id]).await?.into_iter().next().ok_or(Error::NotFound)
}

/// Says that a report was dealt with; once is enough.
pub async fn resolve(db: &Db, id: ReportId) -> Result<Report> {
    let tx = db.begin().await?;
    let report = one(&tx, id).await?;
    let resolved_at = report.resolved_at.or(Some(tx.now));
    store::update_resolved(&tx, id, resolved_at).await?;
    tx.commit().await?;
    Ok(Report { resolved_at, ..report })
}
