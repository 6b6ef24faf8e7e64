//! Notifications in groups: those of one kind about one thing, made within the same half day, as one line.
//! <https://docs.joinmastodon.org/methods/grouped_notifications/>
//!
//! A page is a range of ids that is read from one end until it has enough groups. Everything in the range belongs to a
//! group of the page, so that pages which follow each other show each notification exactly once; a group that goes on
//! beyond the end of its page comes again on the next with the rest.

use super::{Filter, Kind, New, Notification, store};
use crate::{
    Error, Result, Time,
    accounts::{self, Listed},
    db::{Conn, Db},
    ids::{AccountId, NotificationId},
    page::{From, Page},
};
use std::collections::HashMap;

/// Kinds that gather in groups.
pub const GROUPED: [Kind; 4] = [Kind::Favourite, Kind::Follow, Kind::Reblog, Kind::AdminSignUp];
/// People shown with a group.
pub(crate) const SAMPLE: i64 = 8;
/// A group is counted so far.
pub const COUNTED: i64 = 10_000;
/// Rows read for one page; a page that needs more ends there and the next goes on.
const ROWS: usize = 2_000;
/// Rows read at a time.
const BATCH: i64 = 400;
/// How the key of a notification that stays alone begins.
const ALONE: &str = "ungrouped-";

/// The key that a new notification gets. Favourites and boosts of one status, and follows, gather for half a day.
pub(super) fn key(id: NotificationId, new: &New, now: Time) -> String {
    let half_day = now.seconds() / (12 * 3600);
    match (new.kind, new.status) {
        (Kind::Favourite | Kind::Reblog, Some(status)) => format!("{}-{status}-{half_day}", new.kind.as_str()),
        (Kind::Follow | Kind::AdminSignUp, _) => format!("{}-{half_day}", new.kind.as_str()),
        _ => own_key(id),
    }
}

/// The key of a notification that is a group by itself.
pub(super) fn own_key(id: NotificationId) -> String {
    format!("{ALONE}{id}")
}

/// What a group's key names. Any notification can be named alone: clients that group fewer kinds do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    One(NotificationId),
    Group(String),
}

impl Key {
    pub fn parse(text: &str) -> Self {
        match text.strip_prefix(ALONE).and_then(|id| id.parse().ok()) {
            Some(id) => Self::One(id),
            None => Self::Group(text.to_owned()),
        }
    }
}

/// Notifications shown as one.
#[derive(Clone, Debug)]
pub struct Group {
    pub key: String,
    /// The newest of them, no newer than its page.
    pub newest: Notification,
    /// How many, with the older ones that are not on the page.
    pub count: i64,
    /// Who, latest first, each once.
    pub sample: Vec<AccountId>,
    /// The oldest on the page.
    pub page_min: NotificationId,
}

/// A page of groups, the one with the newest notification first.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    pub groups: Vec<Group>,
    /// The newest and the oldest id that were read for it: cursors of the pages beside it.
    pub range: Option<(i64, i64)>,
}

/// What was gathered for a page.
#[derive(Default)]
struct Walk {
    groups: Vec<Group>,
    at: HashMap<String, usize>,
    /// First and last row that is part of the page, in the order read.
    ends: Option<(NotificationId, NotificationId)>,
    read: usize,
}

impl Walk {
    /// Takes one more row; false when the page has no place for it.
    fn take(&mut self, row: Notification, grouped: &[Kind], limit: usize) -> bool {
        let key = if grouped.contains(&row.kind) { row.group_key.clone() } else { own_key(row.id) };
        let known = self.at.get(&key).copied();
        if known.is_none() && self.groups.len() >= limit {
            return false;
        }
        self.read += 1;
        let first = self.ends.map_or(row.id, |(first, _)| first);
        self.ends = Some((first, row.id));
        match known.and_then(|i| self.groups.get_mut(i)) {
            Some(group) => {
                group.page_min = group.page_min.min(row.id);
                if group.newest.id < row.id {
                    group.newest = row;
                }
            }
            None => {
                self.at.insert(key.clone(), self.groups.len());
                let sample = vec![row.from_account_id];
                self.groups.push(Group { key, page_min: row.id, newest: row, count: 1, sample });
            }
        }
        true
    }
}

async fn walk(conn: &Conn, account: AccountId, filter: &Filter, (page, grouped): (Page, &[Kind])) -> Result<Walk> {
    let limit = usize::try_from(page.limit).unwrap_or(0);
    let mut walk = Walk::default();
    // One more than the page has groups, as often nothing is grouped at all.
    let mut part = Page { limit: (page.limit + 1).min(BATCH), ..page };
    while walk.read < ROWS {
        let mut rows = store::list(conn, account, filter, part).await?;
        if page.from == From::Oldest {
            rows.reverse();
        }
        let (count, last) = (rows.len(), rows.last().map(|n| n.id));
        for row in rows {
            if !walk.take(row, grouped, limit) {
                return Ok(walk);
            }
        }
        match last {
            Some(last) if i64::try_from(count).is_ok_and(|n| n >= part.limit) => part = page.past(last.0, BATCH),
            _ => break,
        }
    }
    Ok(walk)
}

/// Groups of `account`'s notifications; `page.limit` counts groups. Only kinds of `grouped` gather.
pub async fn list(conn: &Conn, account: AccountId, filter: &Filter, what: (Page, &[Kind])) -> Result<Groups> {
    let mut walk = walk(conn, account, filter, what).await?;
    let Some((one, other)) = walk.ends else { return Ok(Groups::default()) };
    let (newest, oldest) = (one.max(other), one.min(other));
    complete(conn, account, &mut walk.groups, (filter.from, newest)).await?;
    walk.groups.sort_by_key(|g| std::cmp::Reverse(g.newest.id));
    Ok(Groups { groups: walk.groups, range: Some((newest.0, oldest.0)) })
}

/// Adds to each group what it has beyond the page, up to the id `newest`: one query for all.
async fn complete(
    conn: &Conn,
    account: AccountId,
    groups: &mut [Group],
    (from, newest): (Option<AccountId>, NotificationId),
) -> Result<()> {
    let keys = groups.iter().filter(|g| !g.key.starts_with(ALONE)).map(|g| g.key.clone()).collect();
    let mut found: HashMap<String, store::Summary> =
        store::summaries(conn, account, keys, (from, newest)).await?.into_iter().map(|s| (s.key.clone(), s)).collect();
    for group in groups {
        if let Some(summary) = found.remove(&group.key) {
            group.count = summary.count;
            group.sample = summary.sample();
        }
    }
    Ok(())
}

/// One group with all that is in it; [`Error::NotFound`] when there is nothing of `account`'s under this key.
pub async fn one(conn: &Conn, account: AccountId, key: &str) -> Result<Group> {
    let rows = match Key::parse(key) {
        Key::One(id) => store::by_id(conn, account, id).await?.into_iter().collect(),
        Key::Group(name) => store::list_group(conn, account, &name, Page::newest(1)).await?,
    };
    let newest = rows.into_iter().next().ok_or(Error::NotFound)?;
    let sample = vec![newest.from_account_id];
    let mut group = Group { key: key.to_owned(), page_min: newest.id, newest, count: 1, sample };
    complete(conn, account, std::slice::from_mut(&mut group), (None, NotificationId(i64::MAX))).await?;
    Ok(group)
}

/// Whose notifications are in a group, latest first; [`Error::NotFound`] as for [`one`].
pub async fn people(conn: &Conn, account: AccountId, key: &str, page: Page) -> Result<Vec<Listed>> {
    let rows = match Key::parse(key) {
        Key::One(id) => {
            let row = store::by_id(conn, account, id).await?.ok_or(Error::NotFound)?;
            let inside = page.after < row.id.0 && row.id.0 < page.before;
            if inside { vec![row] } else { Vec::new() }
        }
        Key::Group(name) => {
            if store::list_group(conn, account, &name, Page::newest(1)).await?.is_empty() {
                return Err(Error::NotFound);
            }
            store::list_group(conn, account, &name, page).await?
        }
    };
    accounts::listed(conn, rows.into_iter().map(|n| (n.id.0, n.from_account_id)).collect()).await
}

/// Removes all notifications of a group; no error when there are none.
pub async fn dismiss(db: &Db, account: AccountId, key: &str) -> Result<()> {
    let tx = db.begin_long().await?;
    match Key::parse(key) {
        Key::One(id) => drop(store::delete(&tx, account, id).await?),
        Key::Group(name) => store::delete_group(&tx, account, &name).await?,
    }
    tx.commit().await
}

/// How many groups the page has: counted, not shown. Pages of a thousand are fine.
pub async fn count(conn: &Conn, account: AccountId, filter: &Filter, what: (Page, &[Kind])) -> Result<i64> {
    let walk = walk(conn, account, filter, what).await?;
    Ok(i64::try_from(walk.groups.len()).unwrap_or(i64::MAX))
}
