//! Flag: another server reports somebody here.

use crate::Federation;
use crate::documents::{Activity, Object};
use crate::resolve::{self, Found};
use domain::accounts::Account;
use domain::domain_blocks::name;
use domain::reports::{self, FromElsewhere};
use domain::{Error, Result};

/// Things of ours that one report names and that are looked at.
const NAMED: usize = 50;

/// The first account here that is named is the subject, or the author of the first post. That nobody here is named is
/// no reason to ask anybody anything.
pub(super) async fn apply(federation: &Federation, from: &Account, activity: &Activity) -> Result<()> {
    let rules = federation.policy.rules().await?;
    let domain = from.domain.as_deref().unwrap_or_default();
    if rules.rule_of_account(domain, &name::of_address(&from.uri)).reject_reports {
        return Ok(());
    }
    let (mut subject, mut first_author, mut posts) = (None, None, Vec::new());
    for uri in named(federation, activity) {
        match resolve::by_address(federation, &uri, None).await {
            Ok(Found::Account(account)) => subject = subject.or(Some(account.id)),
            Ok(Found::Status(status)) => {
                first_author = first_author.or(Some(status.account_id));
                posts.push(status.id);
            }
            Err(Error::NotFound | Error::Gone) => {}
            Err(error) => return Err(error),
        }
    }
    let subject = subject.or(first_author).ok_or(Error::NotFound)?;
    let comment = activity.content.clone().unwrap_or_default();
    reports::file_from_elsewhere(&federation.db, from, FromElsewhere { subject, posts, comment }).await
}

/// Names of things of ours in the report: among its objects, and in its words, where Misskey puts posts.
fn named(federation: &Federation, activity: &Activity) -> Vec<String> {
    let objects = activity.objects.iter().filter_map(Object::id).map(str::to_owned);
    let words = activity.content.as_deref().unwrap_or_default().split_whitespace();
    let words = words.map(|word| word.trim_end_matches([',', '.', ';', ')', '>']).to_owned());
    let mut all: Vec<String> = Vec::new();
    for uri in objects.chain(words).filter(|uri| federation.is_ours(uri)) {
        if all.len() < NAMED && !all.contains(&uri) {
            all.push(uri);
        }
    }
    all
}
