//! A report about somebody elsewhere, told to their server. The site itself says it: who reported stays here.

use crate::Federation;
use crate::documents::{Activity, Object, Verb};
use domain::accounts::{self, Account};
use domain::db::Conn;
use domain::deliveries::store;
use domain::ids::{AccountId, ReportId};
use domain::reports::{self, Report};
use domain::statuses::{self, Status};
use domain::{Error, Result, keys};

pub(super) async fn made(federation: &Federation, conn: &Conn, id: ReportId) -> Result<(AccountId, Activity)> {
    let (report, subject) = known(conn, id).await?;
    let actor = federation.site_uri();
    let posts = posts(conn, &report).await?.into_iter().map(|status| status.uri);
    let activity = Activity {
        id: Some(format!("{actor}#flags/{id}")),
        verb: Verb::Flag,
        actor,
        objects: std::iter::once(subject.uri.clone()).chain(posts).map(Object::Id).collect(),
        content: Some(report.comment),
        to: vec![subject.uri],
        ..Activity::default()
    };
    Ok((keys::SITE, activity))
}

/// The server of who is reported, unless only others are meant; of `domains` those that the reported posts answer.
pub(super) async fn inboxes(conn: &Conn, id: ReportId, domains: &[String]) -> Result<Vec<String>> {
    let (report, subject) = match known(conn, id).await {
        Err(Error::NotFound) => return Ok(Vec::new()),
        found => found?,
    };
    let is_meant = |account: &Account| account.domain.as_ref().is_some_and(|domain| domains.contains(domain));
    let answered = posts(conn, &report).await?.into_iter().filter_map(|status| status.in_reply_to_account_id);
    let answered = accounts::store::by_ids(conn, answered).await?;
    let mut people: Vec<AccountId> = answered.iter().filter(|a| is_meant(a)).map(|a| a.id).collect();
    if domains.is_empty() || is_meant(&subject) {
        people.push(subject.id);
    }
    store::shared_inboxes(conn, people).await
}

async fn known(conn: &Conn, id: ReportId) -> Result<(Report, Account)> {
    let report = reports::one(conn, id).await?;
    let subject = accounts::store::by_id(conn, report.target_id).await?;
    let subject = subject.filter(|a| !a.is_local()).ok_or(Error::NotFound)?;
    Ok((report, subject))
}

async fn posts(conn: &Conn, report: &Report) -> Result<Vec<Status>> {
    statuses::store::by_ids(conn, report.statuses()).await
}
