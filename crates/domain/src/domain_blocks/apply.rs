//! Makes what is known of a domain as the rules say: limits, hides, or lets go of it again.

use super::{Rule, Rules, name, store, store::Marked};
use crate::{
    Error, Result, Time,
    accounts::{self, Account, remote},
    db::{Conn, Db, Tx},
    deliveries::{self, Bond, News, Parting},
    follows::{self, Follow},
    ids::{self, AccountId},
    media,
};
use std::collections::HashSet;
use std::time::Duration;

/// Accounts looked at in one transaction.
const PAGE: i64 = 500;
/// Follows that are ended between two looks.
const FOLLOWS: i64 = 200;

/// How often an account is looked at again that others mark.
const TRIES: usize = 5;

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Accounts that were limited or hidden, or are no longer.
    pub accounts: u64,
    pub follows: u64,
}

/// What a rule for a domain is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    pub accounts: i64,
    /// Follows between people here and there, and requests.
    pub follows: i64,
}

/// What is known of `domains` and all below them.
pub async fn extent(conn: &Conn, domains: &[String]) -> Result<Extent> {
    let groups = groups(conn, domains).await?;
    let (accounts, follows) = store::extent(conn, groups).await?;
    Ok(Extent { accounts, follows })
}

/// The names in handles, and of servers, that rules for `domains` are about.
pub(super) async fn groups(conn: &Conn, domains: &[String]) -> Result<Vec<String>> {
    let domains: HashSet<String> = domains.iter().filter_map(|domain| name::normal(domain)).collect();
    let mut groups = store::names(conn).await?;
    let is_meant = |group: &String| {
        name::normal(group).is_some_and(|group| name::covering(&group).into_iter().any(|name| domains.contains(name)))
    };
    groups.retain(is_meant);
    Ok(groups)
}

/// Marks the accounts of `domains` and all below them as the rules of this moment say. `was`: the marks of the rules that
/// were made, changed or taken back. Accounts that somebody limited or hid for themselves stay as they are. Safe to repeat,
/// in pages: when it is interrupted the next time goes on.
pub async fn apply(db: &Db, domains: &[String], was: &[Time]) -> Result<Applied> {
    let conn = db.read_long().await?;
    let groups = groups(&conn, domains).await?;
    let rules = Rules::new(&store::list(&conn).await?, []);
    drop(conn);
    if domains.iter().any(|domain| rules.rejects_media(domain)) {
        let barred = groups.iter().filter(|group| rules.rejects_media(group)).cloned().collect();
        media::forget_servers(db, barred).await?;
    }
    let mut done = Applied::default();
    for group in groups {
        let mut after = AccountId(0);
        loop {
            let page = mark(db, (&group, after), was).await?;
            done.accounts += page.changed;
            for account in page.suspended {
                done.follows += part(db, account, done.follows).await?;
            }
            match page.last {
                Some(last) => after = last,
                None => break,
            }
        }
    }
    Ok(done)
}

struct Page {
    changed: u64,
    suspended: Vec<AccountId>,
    last: Option<AccountId>,
}

/// One page of accounts, in one transaction: rules and marks are of one moment.
async fn mark(db: &Db, (group, after): (&str, AccountId), was: &[Time]) -> Result<Page> {
    let tx = db.begin_long().await?;
    let blocks = store::list(&tx).await?;
    let marks: HashSet<Time> = blocks.iter().map(|b| b.created_at).chain(was.iter().copied()).collect();
    let rules = Rules::new(&blocks, []);
    let rows = store::accounts(&tx, (group, after), PAGE).await?;
    let mut page = Page { changed: 0, suspended: Vec::new(), last: rows.last().map(|row| row.id) };
    for row in rows {
        let rule = rules.rule_of_account(&row.domain, &row.host);
        if rule.suspended_at().is_some() {
            page.suspended.push(row.id);
        }
        page.changed += u64::from(mark_one(&tx, row, (rule, &marks)).await?);
    }
    tx.commit().await?;
    Ok(page)
}

/// Whether it was marked otherwise before.
async fn mark_one(tx: &Tx, mut row: Marked, (rule, marks): (Rule, &HashSet<Time>)) -> Result<bool> {
    for _ in 0..TRIES {
        let by_hand = |at: &Option<Time>| at.is_some_and(|at| !marks.contains(&at));
        let keep = |now: Option<Time>, wanted: Option<Time>| if by_hand(&now) { now } else { wanted };
        let wanted = (keep(row.silenced_at, rule.silenced_at()), keep(row.suspended_at, rule.suspended_at()));
        if wanted == (row.silenced_at, row.suspended_at) {
            return Ok(false);
        }
        if store::update_marks(tx, &row, wanted).await? {
            return Ok(true);
        }
        // Somebody else marked it meanwhile, or it went.
        match store::marked(tx, row.id).await? {
            Some(now) => row = now,
            None => return Ok(false),
        }
    }
    Err(Error::Busy(Duration::from_secs(1)))
}

/// Ends all follows and requests of an account that is not seen any more, both ways, and has its server told, which would
/// take them for standing for ever. `before`: how many were ended before these.
async fn part(db: &Db, account: AccountId, before: u64) -> Result<u64> {
    let conn = db.read().await?;
    let Some(other) = accounts::store::by_id(&conn, account).await? else { return Ok(0) };
    let inbox = remote::store::actor(&conn, account).await?.map(|actor| actor.inbox);
    let other = Other { account: other, inbox };
    drop(conn);
    let mut ended = 0;
    loop {
        let pairs = store::follows(&db.read().await?, account, FOLLOWS).await?;
        if pairs.is_empty() {
            return Ok(ended);
        }
        for (follower, followee) in pairs {
            let mut tx = db.begin().await?;
            accounts::store::lock_pair(&tx, follower, followee).await?;
            let follow = follows::end(&tx, follower, followee).await?;
            let request = follows::withdraw(&tx, follower, followee).await?;
            if let Some(parting) = follow.or(request).and_then(|was| other.parting(was)) {
                deliveries::tell_gently(&mut tx, News::Parted { parting }, before + ended).await?;
            }
            tx.commit().await?;
            ended += 1;
        }
    }
}

/// Somebody elsewhere, and where they are reached.
struct Other {
    account: Account,
    inbox: Option<String>,
}

impl Other {
    /// None where nobody elsewhere knows of it.
    fn parting(&self, was: Follow) -> Option<Parting> {
        let bond = Bond { account: was.account_id, target: was.target_id, uri: was.uri?, id: ids::next() };
        Some(Parting { bond, other: self.account.uri.clone(), inbox: self.inbox.clone()? })
    }
}
