//! Reports: what people tell the moderators about somebody.

pub mod store;

use crate::{
    Error, Result, Time,
    accounts::{self, Account},
    db::{Conn, Db, Tx, stored_enum},
    deliveries::{self, News},
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
/// Reports of everybody on another server within a day; more are dropped.
const DAILY_OF_DOMAIN: i64 = 200;
/// Servers that one report is told to, besides.
const FORWARDED: usize = 10;
/// Characters of a comment from elsewhere; the rest is cut off.
const COMMENT_FROM_ELSEWHERE: usize = 5_000;
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
        /// Whether the target's own site is told
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
    /// Other servers than the target's own that should hear of it, as far as the posts answer somebody there; with any
    /// of these the target's own must be among them to be told.
    pub forward_to: Vec<String>,
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
    if report.forward {
        let domains = new.forward_to.iter().take(FORWARDED).map(|domain| domain.to_lowercase()).collect();
        deliveries::tell(&mut tx, News::Reported { report: report.id, domains }).await?;
    }
    tx.commit().await?;
    Ok((report, target))
}

/// What another server reports.
#[derive(Clone, Debug)]
pub struct FromElsewhere {
    pub subject: AccountId,
    pub posts: Vec<StatusId>,
    pub comment: String,
}

/// Files a report that `from`, of another server, sent about somebody here. Of the posts only those count that are the
/// subject's and that were meant for `from` or anybody on their server. Too many in a day are dropped, and so is what
/// an open report says already.
pub async fn file_from_elsewhere(db: &Db, from: &Account, new: FromElsewhere) -> Result<()> {
    let conn = db.read().await?;
    let subject = accounts::visible(&conn, new.subject).await?;
    if !subject.is_local() || from.is_local() {
        return Err(Error::NotFound);
    }
    let domain = from.domain.clone().unwrap_or_default();
    let named = named_from(&conn, (from, &domain), (subject.id, &new.posts)).await?;
    drop(conn);
    let report = Report {
        id: ids::next(),
        account_id: Some(from.id),
        target_id: subject.id,
        category: Category::Other,
        comment: new.comment.trim().chars().filter(|c| *c != '\0').take(COMMENT_FROM_ELSEWHERE).collect(),
        statuses_json: serde_json::to_string(&named)?,
        rules_json: "[]".into(),
        forward: false,
        created_at: Time::now(),
        resolved_at: None,
    };
    let mut tx = db.begin().await?;
    // One after the other, or each would be counted before the others are there.
    accounts::store::lock_pair(&tx, from.id, from.id).await?;
    let since = tx.now.minus(DAY);
    let too_many = store::count_since(&tx, from.id, since).await? >= DAILY
        || store::count_of_domain_since(&tx, &domain, since).await? >= DAILY_OF_DOMAIN;
    if too_many || store::same_is_open(&tx, &report).await? {
        tracing::info!(domain, "a report from elsewhere was dropped: there are enough of these");
        return Ok(());
    }
    store::insert(&tx, &report).await?;
    tell(&mut tx, from.id, &report).await?;
    tx.commit().await
}

/// Who moderates here does not come to see what was meant for few because a stranger guessed its name.
async fn named_from(
    conn: &Conn,
    (from, domain): (&Account, &str),
    (subject, posts): (AccountId, &[StatusId]),
) -> Result<Vec<StatusId>> {
    let mut named = named(conn, from.id, (subject, posts)).await?;
    let there = format!("@{domain}");
    let found = statuses::store::by_ids(conn, posts.iter().copied().take(STATUSES)).await?;
    let meant =
        found.iter().filter(|s| s.account_id == subject && s.mentions().iter().any(|m| m.acct.ends_with(&there)));
    named.extend(meant.map(|s| s.id));
    named.sort_unstable();
    named.dedup();
    Ok(named)
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
