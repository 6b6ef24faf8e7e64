//! Rows of notifications.

pub(super) mod policy;
pub(super) mod requests;

use super::{Filter, New, Notification, groups};
use crate::{
    Result,
    db::{Conn, Ids, Param, Texts, Tx},
    ids::{AccountId, Id, NotificationId},
    page::Page,
    row, sql,
};

/// Not of somebody who is suspended: they may come back, and so may what they did.
const PRESENT: &str =
    " AND NOT EXISTS (SELECT 1 FROM accounts a WHERE a.id = n.from_account_id AND a.suspended_at IS NOT NULL)";
const WHERE: &str = const_format::concatcp!(
    " FROM notifications n WHERE n.account_id = $1 AND n.id < $2 AND n.id > $3 AND n.kind = ANY($4) \
     AND ($5::boolean OR NOT n.filtered)",
    PRESENT
);
// With a sender given the rows are found by sender; those of somebody who hardly ever comes would else be sought in all.
const FROM: &str = " AND n.from_account_id = $7";
const GROUP: &str = const_format::concatcp!(
    " FROM notifications n WHERE n.account_id = $1 AND n.group_key = $2 AND n.id < $3 AND n.id > $4",
    PRESENT
);
// Of one key out of many, up to an id, from one sender or (0) from all.
const OF_KEY: &str = const_format::concatcp!(
    " FROM notifications n WHERE n.account_id = $1 AND n.group_key = e.value AND n.id <= $3 \
     AND ($4::bigint = 0 OR n.from_account_id = $4)",
    PRESENT
);

sql! {
    // One look decides: a local user, no block either way, no mute that covers notifications, no muted conversation,
    // and not told already.
    INSERT_IF_WANTED = "INSERT INTO notifications (id, account_id, from_account_id, kind, status_id, group_key, created_at, filtered) \
        SELECT $1::bigint, u.account_id, $3::bigint, $4::bigint, $5::bigint, $6::text, $7::bigint, $8::boolean \
        FROM users u WHERE u.account_id = $2 \
        AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.account_id = $2 AND b.target_id = $3) \
        AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.account_id = $3 AND b.target_id = $2) \
        AND NOT EXISTS (SELECT 1 FROM mutes m WHERE m.account_id = $2 AND m.target_id = $3 AND m.notifications \
            AND (m.expires_at IS NULL OR m.expires_at > $7)) \
        AND NOT EXISTS (SELECT 1 FROM conversation_mutes c JOIN statuses s ON s.conversation_id = c.conversation_id \
            WHERE c.account_id = $2 AND s.id = $5) \
        AND NOT EXISTS (SELECT 1 FROM accounts a JOIN account_domain_blocks d ON d.domain = a.domain \
            WHERE a.id = $3 AND d.account_id = $2) \
        AND NOT EXISTS (SELECT 1 FROM notifications n WHERE n.status_id = $5 AND n.account_id = $2 \
            AND n.from_account_id = $3 AND n.kind = $4)";
    NEWEST = "SELECT ", Notification::COLUMNS, WHERE, " ORDER BY n.id DESC LIMIT $6";
    OLDEST = "SELECT ", Notification::COLUMNS, WHERE, " ORDER BY n.id ASC LIMIT $6";
    NEWEST_FROM = "SELECT ", Notification::COLUMNS, WHERE, FROM, " ORDER BY n.id DESC LIMIT $6";
    OLDEST_FROM = "SELECT ", Notification::COLUMNS, WHERE, FROM, " ORDER BY n.id ASC LIMIT $6";
    COUNT = "SELECT COUNT(*) FROM (SELECT n.id", WHERE, " LIMIT $6) AS counted";
    COUNT_FROM = "SELECT COUNT(*) FROM (SELECT n.id", WHERE, FROM, " LIMIT $6) AS counted";
    BY_ID = "SELECT ", Notification::COLUMNS, " FROM notifications n WHERE n.id = $2 AND n.account_id = $1", PRESENT;
    GROUP_NEWEST = "SELECT ", Notification::COLUMNS, GROUP, " ORDER BY n.id DESC LIMIT $5";
    GROUP_OLDEST = "SELECT ", Notification::COLUMNS, GROUP, " ORDER BY n.id ASC LIMIT $5";
    SUMMARIES = "SELECT e.value, (SELECT COUNT(*) FROM (SELECT n.id", OF_KEY, " LIMIT $5) AS counted), \
        (SELECT string_agg(CAST(s.id AS TEXT) || ':' || CAST(s.from_account_id AS TEXT), ',') \
            FROM (SELECT n.id, n.from_account_id", OF_KEY, " ORDER BY n.id DESC LIMIT $6) AS s) \
        FROM unnest($2::text[]) AS e(value)";
    DELETE = "DELETE FROM notifications WHERE id = $1 AND account_id = $2";
    DELETE_ALL = "DELETE FROM notifications WHERE account_id = $1";
    DELETE_FROM = "DELETE FROM notifications WHERE account_id = $1 AND from_account_id = $2";
    DELETE_GROUP = "DELETE FROM notifications WHERE account_id = $1 AND group_key = $2";
    DELETE_SAME = "DELETE FROM notifications WHERE account_id = $1 AND from_account_id = $2 AND kind = $3 \
        AND COALESCE(status_id, 0) = $4";
}

pub(super) async fn insert_if_wanted(tx: &Tx, row: &Notification) -> Result<bool> {
    let n = tx
        .exec(
            INSERT_IF_WANTED,
            &[
                &row.id,
                &row.account_id,
                &row.from_account_id,
                &row.kind,
                &row.status_id,
                &row.group_key,
                &row.created_at,
                &row.filtered,
            ],
        )
        .await?;
    Ok(n > 0)
}

/// Newest first.
pub(super) async fn list(conn: &Conn, account: AccountId, filter: &Filter, page: Page) -> Result<Vec<Notification>> {
    let sql = page.pick(NEWEST, OLDEST);
    let sql_from = page.pick(NEWEST_FROM, OLDEST_FROM);
    let kinds = Ids::raw(filter.kinds().map(|k| k.number()));
    let all: [&dyn Param; 6] = [&account, &page.before, &page.after, &kinds, &filter.include_filtered, &page.limit];
    let rows = match &filter.from {
        None => conn.all(sql, &all).await?,
        Some(from) => conn.all(sql_from, &[&all[..], &[from]].concat()).await?,
    };
    Ok(page.newest_first(rows))
}

pub(super) async fn count(conn: &Conn, account: AccountId, filter: &Filter, page: Page) -> Result<i64> {
    let kinds = Ids::raw(filter.kinds().map(|k| k.number()));
    let all: [&dyn Param; 6] = [&account, &page.before, &page.after, &kinds, &filter.include_filtered, &page.limit];
    let (n,): (i64,) = match &filter.from {
        None => conn.one(COUNT, &all).await?,
        Some(from) => conn.one(COUNT_FROM, &[&all[..], &[from]].concat()).await?,
    };
    Ok(n)
}

pub async fn by_id(conn: &Conn, account: AccountId, id: NotificationId) -> Result<Option<Notification>> {
    conn.opt(BY_ID, &[&account, &id]).await
}

/// All of a group, newest first.
pub(super) async fn list_group(conn: &Conn, account: AccountId, key: &str, page: Page) -> Result<Vec<Notification>> {
    let sql = page.pick(GROUP_NEWEST, GROUP_OLDEST);
    let rows = conn.all(sql, &[&account, &key, &page.before, &page.after, &page.limit]).await?;
    Ok(page.newest_first(rows))
}

row! {
    /// What a group has in all.
    pub(super) struct Summary {
        pub(super) key: String,
        pub(super) count: i64,
        /// The latest as `id:account,id:account`, in any order.
        people: Option<String>,
    }
}

impl Summary {
    /// The latest people, latest first, each once.
    pub(super) fn sample(&self) -> Vec<AccountId> {
        let pair = |text: &str| {
            let (id, account) = text.split_once(':')?;
            Some((id.parse::<i64>().ok()?, AccountId(account.parse().ok()?)))
        };
        let mut pairs: Vec<_> = self.people.as_deref().unwrap_or_default().split(',').filter_map(pair).collect();
        pairs.sort_unstable_by_key(|(id, _)| std::cmp::Reverse(*id));
        let mut out: Vec<AccountId> = Vec::with_capacity(pairs.len());
        for (_, account) in pairs {
            if !out.contains(&account) {
                out.push(account);
            }
        }
        out
    }
}

/// What each group of `keys` has, no newer than the id `newest`, from one sender if one is given.
pub(super) async fn summaries(
    conn: &Conn,
    account: AccountId,
    keys: Vec<String>,
    (from, newest): (Option<AccountId>, NotificationId),
) -> Result<Vec<Summary>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let from = from.map_or(0, Id::raw);
    conn.all(SUMMARIES, &[&account, &Texts(keys), &newest, &from, &groups::COUNTED, &groups::SAMPLE]).await
}

pub(super) async fn delete(tx: &Tx, account: AccountId, id: NotificationId) -> Result<u64> {
    tx.exec(DELETE, &[&id, &account]).await
}

pub(super) async fn delete_all(tx: &Tx, account: AccountId) -> Result<()> {
    tx.exec(DELETE_ALL, &[&account]).await?;
    Ok(())
}

pub(super) async fn delete_from(tx: &Tx, owner: AccountId, from: AccountId) -> Result<()> {
    tx.exec(DELETE_FROM, &[&owner, &from]).await?;
    Ok(())
}

pub(super) async fn delete_group(tx: &Tx, account: AccountId, key: &str) -> Result<()> {
    tx.exec(DELETE_GROUP, &[&account, &key]).await?;
    Ok(())
}

pub(super) async fn delete_same(tx: &Tx, was: &New) -> Result<()> {
    let status = was.status.map_or(0, Id::raw);
    tx.exec(DELETE_SAME, &[&was.account, &was.from, &was.kind, &status]).await?;
    Ok(())
}
