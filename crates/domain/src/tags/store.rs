//! Rows of tags: the tags themselves, who follows and features them, and their use by day.

use super::{Featured, Tag};
use crate::{
    Result,
    db::{Conn, Ids, Texts, Tx},
    ids::{self, AccountId, FeaturedTagId, FollowedTagId, StatusId, TagId},
    page::Page,
    sql,
    statuses::Status,
    text,
};

const FOLLOWED: &str = "SELECT f.id, t.id, t.name, t.display_name FROM followed_tags f JOIN tags t ON t.id = f.tag_id \
     WHERE f.account_id = $1 AND f.id < $2 AND f.id > $3 ORDER BY f.id ";
const FEATURED: &str = "SELECT p.id, p.name, p.uses, s.created_at FROM (SELECT f.id, f.name, COUNT(st.status_id) AS uses, \
     MAX(st.status_id) AS latest FROM featured_tags f \
     LEFT JOIN status_tags st ON st.account_id = f.account_id AND st.tag_id = f.tag_id WHERE f.account_id = $1";
const FEATURED_ORDER: &str =
    " GROUP BY f.id, f.name) AS p LEFT JOIN statuses s ON s.id = p.latest ORDER BY p.uses DESC, p.id LIMIT $2";

sql! {
    BY_ID = "SELECT ", Tag::COLUMNS, " FROM tags WHERE id = $1";
    BY_NAME = "SELECT ", Tag::COLUMNS, " FROM tags WHERE name = $1";
    INSERT = "INSERT INTO tags (id, name, display_name, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING";
    INSERT_FOLLOWED = "INSERT INTO followed_tags (id, account_id, tag_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    DELETE_FOLLOWED = "DELETE FROM followed_tags WHERE account_id = $1 AND tag_id = $2";
    COUNT_FOLLOWED = "SELECT COUNT(*) FROM followed_tags WHERE account_id = $1";
    FOLLOWED_NEWEST = FOLLOWED, "DESC LIMIT $4";
    FOLLOWED_OLDEST = FOLLOWED, "ASC LIMIT $4";
    FOLLOWERS_AMONG = "SELECT DISTINCT f.account_id FROM followed_tags f JOIN tags t ON t.id = f.tag_id \
        WHERE t.name = ANY($1) AND f.account_id = ANY($2)";
    INSERT_FEATURED = "INSERT INTO featured_tags (id, account_id, tag_id, name) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    DELETE_FEATURED = "DELETE FROM featured_tags WHERE account_id = $1 AND id = $2 RETURNING name";
    DELETE_FEATURED_TAG = "DELETE FROM featured_tags WHERE account_id = $1 AND tag_id = $2 RETURNING name";
    DELETE_ALL_FEATURED = "DELETE FROM featured_tags WHERE account_id = $1";
    COUNT_FEATURED = "SELECT COUNT(*) FROM featured_tags WHERE account_id = $1";
    LIST_FEATURED = FEATURED, FEATURED_ORDER;
    FEATURED_ONE = FEATURED, " AND f.tag_id = $3", FEATURED_ORDER;
    SUGGESTIONS = "SELECT t.id, t.name, t.display_name FROM (SELECT r.tag_id, COUNT(*) AS uses FROM (SELECT st.tag_id FROM status_tags st \
        WHERE st.account_id = $1 ORDER BY st.status_id DESC LIMIT $2) AS r GROUP BY r.tag_id) AS used JOIN tags t ON t.id = used.tag_id \
        WHERE NOT EXISTS (SELECT 1 FROM featured_tags f WHERE f.account_id = $1 AND f.tag_id = t.id) \
        ORDER BY used.uses DESC, t.id LIMIT $3";
    MARKS = "SELECT tag_id, 1::bigint FROM followed_tags WHERE account_id = $1 AND tag_id = ANY($2) UNION ALL \
        SELECT tag_id, 2::bigint FROM featured_tags WHERE account_id = $1 AND tag_id = ANY($2)";
    DAYS = "SELECT tag_id, day, uses, accounts FROM tag_days WHERE tag_id = ANY($1) AND day > $2";
    DELETE_DAYS = "DELETE FROM tag_days WHERE day <= $1";
    // Somebody counts once a day for a tag: $4 is the first id of the day. In order, so that two statuses with the same tags
    // cannot wait for each other.
    COUNT_USE = "INSERT INTO tag_days (tag_id, day, uses, accounts) SELECT t.id, $2::bigint, 1, \
        CASE WHEN EXISTS (SELECT 1 FROM status_tags x JOIN statuses s ON s.id = x.status_id WHERE x.account_id = $3 AND x.tag_id = t.id \
            AND x.status_id >= $4 AND x.status_id <> $5 AND s.visibility = 0) THEN 0 ELSE 1 END \
        FROM tags t WHERE t.name = ANY($1) ORDER BY t.id \
        ON CONFLICT (tag_id, day) DO UPDATE SET uses = tag_days.uses + 1, accounts = tag_days.accounts + excluded.accounts";
}

pub(super) async fn by_id(conn: &Conn, id: TagId) -> Result<Option<Tag>> {
    conn.opt(BY_ID, &[&id]).await
}

pub(super) async fn by_name(conn: &Conn, name: &str) -> Result<Option<Tag>> {
    conn.opt(BY_NAME, &[&name]).await
}

/// Under an id of its own; nothing when the name is there already.
pub(super) async fn insert(tx: &Tx, tag: &Tag) -> Result<()> {
    let id: TagId = ids::next();
    tx.exec(INSERT, &[&id, &tag.name, &tag.display_name, &tx.now]).await?;
    Ok(())
}

/// False when it was followed already.
pub(super) async fn insert_followed(tx: &Tx, me: AccountId, tag: TagId) -> Result<bool> {
    let id: FollowedTagId = ids::next();
    Ok(tx.exec(INSERT_FOLLOWED, &[&id, &me, &tag]).await? > 0)
}

/// False when it was not followed.
pub(super) async fn delete_followed(tx: &Tx, me: AccountId, tag: TagId) -> Result<bool> {
    Ok(tx.exec(DELETE_FOLLOWED, &[&me, &tag]).await? > 0)
}

pub(super) async fn count_followed(conn: &Conn, me: AccountId) -> Result<i64> {
    let (n,): (i64,) = conn.one(COUNT_FOLLOWED, &[&me]).await?;
    Ok(n)
}

/// (follow, tag, its name, its name as typed), in the order read.
pub(super) async fn followed(conn: &Conn, me: AccountId, page: Page) -> Result<Vec<(i64, TagId, String, String)>> {
    let sql = page.pick(FOLLOWED_NEWEST, FOLLOWED_OLDEST);
    conn.all(sql, &[&me, &page.before, &page.after, &page.limit]).await
}

pub(super) async fn followers_among(conn: &Conn, names: Texts, accounts: Ids) -> Result<Vec<AccountId>> {
    let rows: Vec<(AccountId,)> = conn.all(FOLLOWERS_AMONG, &[&names, &accounts]).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// False when it was featured already.
pub(super) async fn insert_featured(tx: &Tx, me: AccountId, (tag, name): (TagId, &str)) -> Result<bool> {
    let id: FeaturedTagId = ids::next();
    Ok(tx.exec(INSERT_FEATURED, &[&id, &me, &tag, &name]).await? > 0)
}

/// Its name; None when there was none.
pub(super) async fn delete_featured(tx: &Tx, me: AccountId, id: FeaturedTagId) -> Result<Option<String>> {
    Ok(tx.opt::<(String,)>(DELETE_FEATURED, &[&me, &id]).await?.map(|(name,)| name))
}

/// Its name; None when there was none.
pub(super) async fn delete_featured_tag(tx: &Tx, me: AccountId, tag: TagId) -> Result<Option<String>> {
    Ok(tx.opt::<(String,)>(DELETE_FEATURED_TAG, &[&me, &tag]).await?.map(|(name,)| name))
}

pub(super) async fn delete_all_featured(tx: &Tx, of: AccountId) -> Result<()> {
    tx.exec(DELETE_ALL_FEATURED, &[&of]).await?;
    Ok(())
}

pub(super) async fn count_featured(conn: &Conn, me: AccountId) -> Result<i64> {
    let (n,): (i64,) = conn.one(COUNT_FEATURED, &[&me]).await?;
    Ok(n)
}

pub(super) async fn featured(conn: &Conn, of: AccountId, limit: i64) -> Result<Vec<Featured>> {
    conn.all(LIST_FEATURED, &[&of, &limit]).await
}

pub(super) async fn featured_one(conn: &Conn, of: AccountId, tag: TagId) -> Result<Option<Featured>> {
    conn.opt(FEATURED_ONE, &[&of, &1i64, &tag]).await
}

/// The most used among the latest `recent` uses.
pub(super) async fn suggestions(conn: &Conn, me: AccountId, (recent, limit): (i64, i64)) -> Result<Vec<Tag>> {
    conn.all(SUGGESTIONS, &[&me, &recent, &limit]).await
}

/// (tag, 1: follows, 2: features).
pub(super) async fn marks(conn: &Conn, viewer: AccountId, tags: Ids) -> Result<Vec<(TagId, i64)>> {
    if tags.is_empty() {
        return Ok(Vec::new());
    }
    conn.all(MARKS, &[&viewer, &tags]).await
}

/// (tag, day, uses, accounts) of days after `since`.
pub(super) async fn days(conn: &Conn, tags: Ids, since: i64) -> Result<Vec<(TagId, i64, i64, i64)>> {
    if tags.is_empty() {
        return Ok(Vec::new());
    }
    conn.all(DAYS, &[&tags, &since]).await
}

pub(super) async fn delete_days(tx: &Tx, until: i64) -> Result<u64> {
    tx.exec(DELETE_DAYS, &[&until]).await
}

pub(super) async fn count_use(
    tx: &Tx,
    status: &Status,
    (tags, day): (&[text::Tag], i64),
    since: StatusId,
) -> Result<()> {
    let names = Texts(tags.iter().map(|t| t.key.clone()).collect());
    tx.exec(COUNT_USE, &[&names, &day, &status.account_id, &since, &status.id]).await?;
    Ok(())
}
