//! Feeds and the indexed queries of timelines.

use super::{Origin, Parting, Profile, Public, Tagged};
use crate::{
    Result,
    db::{Conn, Ids, Texts, Tx},
    ids::{AccountId, ListId, StatusId, TagId},
    page::Page,
    sql,
    statuses::{Status, Visibility},
};

const PICK: &str = const_format::concatcp!("SELECT ", Status::COLUMNS, " FROM statuses JOIN (");
const NEWEST_LAST: &str = ") AS picked ON statuses.id = picked.picked_id ORDER BY statuses.id ";

const HOME_PART: &str = "SELECT status_id AS picked_id FROM home_feed WHERE account_id = $1 AND status_id < $2 AND status_id > $3 ORDER BY status_id ";
const PUBLIC_WHERE: &str = " FROM statuses WHERE visibility = 0 AND reblog_of_id IS NULL AND id < $1 AND id > $2 \
     AND ($3::bigint = 0 OR local = ($3 = 1)) AND (NOT $4::boolean OR has_media) \
     AND (in_reply_to_account_id IS NULL OR in_reply_to_account_id = account_id) ORDER BY id ";
const TAG_WHERE: &str = " FROM statuses WHERE id IN (SELECT st.status_id FROM status_tags st JOIN tags t ON t.id = st.tag_id \
     WHERE t.name = ANY($1) AND st.status_id < $2 AND st.status_id > $3) \
     AND (SELECT COUNT(*) FROM status_tags st JOIN tags t ON t.id = st.tag_id WHERE st.status_id = statuses.id AND t.name = ANY($4)) = $5 \
     AND NOT EXISTS (SELECT 1 FROM status_tags st JOIN tags t ON t.id = st.tag_id WHERE st.status_id = statuses.id AND t.name = ANY($6)) \
     AND visibility = 0 AND ($7::bigint = 0 OR local = ($7 = 1)) AND (NOT $8::boolean OR has_media) ORDER BY id ";
const ACCOUNT_WHERE: &str = " FROM statuses WHERE account_id = $1 AND id < $2 AND id > $3 AND (NOT $4::boolean OR has_media) \
     AND (NOT $5::boolean OR in_reply_to_id IS NULL OR in_reply_to_account_id = account_id) \
     AND (NOT $6::boolean OR reblog_of_id IS NULL) \
     AND ($7 = '' OR EXISTS (SELECT 1 FROM status_tags st JOIN tags t ON t.id = st.tag_id WHERE st.status_id = statuses.id AND t.name = $7)) \
     ORDER BY id ";

// Whether status s (a boost of o, or o is null) belongs into the feed of the follower f. Parameters are not used here,
// so that both the one new status and the rebuild of a feed say the same.
const WANTED: &str = "\
     (s.visibility <> 3 OR EXISTS (SELECT 1 FROM mentions m WHERE m.account_id = f.account_id AND m.status_id = s.id)) \
     AND (s.reblog_of_id IS NULL OR f.show_reblogs) \
     AND (f.languages_json IS NULL OR s.language IS NULL OR f.languages_json LIKE '%\"' || s.language || '\"%') \
     AND (s.in_reply_to_account_id IS NULL OR s.in_reply_to_account_id = s.account_id OR s.in_reply_to_account_id = f.account_id \
        OR EXISTS (SELECT 1 FROM follows p WHERE p.account_id = f.account_id AND p.target_id = s.in_reply_to_account_id)) \
     AND NOT EXISTS (SELECT 1 FROM mutes x WHERE x.account_id = f.account_id AND x.target_id IN (s.account_id, COALESCE(o.account_id, 0)) \
        AND x.expires_at IS NULL) \
     AND NOT EXISTS (SELECT 1 FROM blocks x WHERE x.account_id = f.account_id AND x.target_id = o.account_id) \
     AND NOT EXISTS (SELECT 1 FROM blocks x WHERE x.account_id = o.account_id AND x.target_id = f.account_id) \
     AND NOT EXISTS (SELECT 1 FROM list_members x JOIN lists l ON l.id = x.list_id \
        WHERE x.account_id = s.account_id AND x.owner_id = f.account_id AND l.exclusive)";

// Whether status s by a belongs into the feed of t.account_id because of the followed tag t.
const TAG_WANTED: &str = "\
     s.visibility = 0 AND s.reblog_of_id IS NULL AND s.account_id <> t.account_id AND a.silenced_at IS NULL AND a.suspended_at IS NULL \
     AND NOT EXISTS (SELECT 1 FROM mutes x WHERE x.account_id = t.account_id AND x.target_id = s.account_id AND x.expires_at IS NULL) \
     AND NOT EXISTS (SELECT 1 FROM blocks x WHERE x.account_id = t.account_id AND x.target_id = s.account_id) \
     AND NOT EXISTS (SELECT 1 FROM blocks x WHERE x.account_id = s.account_id AND x.target_id = t.account_id) \
     AND (a.domain IS NULL OR NOT EXISTS (SELECT 1 FROM account_domain_blocks x WHERE x.account_id = t.account_id AND x.domain = a.domain)) \
     AND NOT EXISTS (SELECT 1 FROM list_members x JOIN lists l ON l.id = x.list_id \
        WHERE x.account_id = s.account_id AND x.owner_id = t.account_id AND l.exclusive)";
const INSERT_TAGGED: &str = "INSERT INTO home_feed (account_id, status_id) SELECT t.account_id, s.id \
     FROM followed_tags t JOIN status_tags st ON st.tag_id = t.tag_id JOIN statuses s ON s.id = st.status_id \
     JOIN accounts a ON a.id = s.account_id WHERE ";

// A list's timeline: its members' statuses, as far as the owner follows the member (f) or is the member. A plain join: with
// 50,000 statuses and 5 to 500 members both engines answer a page in 0.2 to 1 ms, SQLite by reading each member's newest
// only as far as they can be on the page, PostgreSQL by choosing whether to walk the members or the statuses.
const LIST_FROM: &str = " FROM lists l JOIN list_members m ON m.list_id = l.id \
     LEFT JOIN follows f ON f.account_id = m.owner_id AND f.target_id = m.account_id \
     JOIN statuses s ON s.account_id = m.account_id WHERE ";
// Replies to oneself and to the list's owner are always shown, others as the policy says: 0 to whom the owner follows,
// 1 to other members.
const IN_LIST: &str = "\
     (f.id IS NOT NULL OR m.account_id = m.owner_id) AND s.visibility <> 3 \
     AND (s.reblog_of_id IS NULL OR f.id IS NULL OR f.show_reblogs) \
     AND (f.languages_json IS NULL OR s.language IS NULL OR f.languages_json LIKE '%\"' || s.language || '\"%') \
     AND (s.in_reply_to_account_id IS NULL OR s.in_reply_to_account_id IN (s.account_id, l.account_id) \
        OR (l.replies_policy = 0 AND EXISTS (SELECT 1 FROM follows p WHERE p.account_id = l.account_id AND p.target_id = s.in_reply_to_account_id)) \
        OR (l.replies_policy = 1 AND EXISTS (SELECT 1 FROM list_members p WHERE p.list_id = l.id AND p.account_id = s.in_reply_to_account_id)))";
const LIST_PART: &str = const_format::concatcp!(
    "SELECT s.id AS picked_id",
    LIST_FROM,
    "l.id = $1 AND s.id < $2 AND s.id > $3 AND ",
    IN_LIST,
    " ORDER BY s.id "
);

sql! {
    OWNERS = "SELECT account_id FROM users ORDER BY id";
    HOME_NEWEST = PICK, HOME_PART, "DESC LIMIT $4", NEWEST_LAST, "DESC";
    HOME_OLDEST = PICK, HOME_PART, "ASC LIMIT $4", NEWEST_LAST, "ASC";
    PUBLIC_NEWEST = "SELECT ", Status::COLUMNS, PUBLIC_WHERE, "DESC LIMIT $5";
    PUBLIC_OLDEST = "SELECT ", Status::COLUMNS, PUBLIC_WHERE, "ASC LIMIT $5";
    TAG_NEWEST = "SELECT ", Status::COLUMNS, TAG_WHERE, "DESC LIMIT $9";
    TAG_OLDEST = "SELECT ", Status::COLUMNS, TAG_WHERE, "ASC LIMIT $9";
    ACCOUNT_NEWEST = "SELECT ", Status::COLUMNS, ACCOUNT_WHERE, "DESC LIMIT $8";
    ACCOUNT_OLDEST = "SELECT ", Status::COLUMNS, ACCOUNT_WHERE, "ASC LIMIT $8";
    LIST_NEWEST = PICK, LIST_PART, "DESC LIMIT $4", NEWEST_LAST, "DESC";
    LIST_OLDEST = PICK, LIST_PART, "ASC LIMIT $4", NEWEST_LAST, "ASC";
    LISTS_WITH = "SELECT l.id, l.account_id", LIST_FROM, "s.id = $2 AND l.id = ANY($1) AND ", IN_LIST;
    INSERT_FOR_AUTHOR = "INSERT INTO home_feed (account_id, status_id) SELECT account_id, $2::bigint FROM users WHERE account_id = $1 \
        ON CONFLICT DO NOTHING";
    INSERT_FOR_FOLLOWERS = "INSERT INTO home_feed (account_id, status_id) \
        SELECT f.account_id, s.id FROM follows f JOIN users u ON u.account_id = f.account_id \
        JOIN statuses s ON s.id = $1 LEFT JOIN statuses o ON o.id = s.reblog_of_id \
        WHERE f.target_id = $2 AND ", WANTED, " ON CONFLICT DO NOTHING";
    DELETE_STATUS = "DELETE FROM home_feed WHERE account_id IN (SELECT f.account_id FROM follows f JOIN statuses s ON s.account_id = f.target_id \
        WHERE s.id = $1 OR s.reblog_of_id = $1 UNION SELECT s.account_id FROM statuses s WHERE s.id = $1 OR s.reblog_of_id = $1 \
        UNION SELECT t.account_id FROM status_tags st JOIN followed_tags t ON t.tag_id = st.tag_id WHERE st.status_id = $1) \
        AND status_id IN (SELECT id FROM statuses WHERE id = $1 OR reblog_of_id = $1)";
    INSERT_AUTHOR = "INSERT INTO home_feed (account_id, status_id) \
        SELECT f.account_id, s.id FROM follows f JOIN statuses s ON s.account_id = f.target_id \
        LEFT JOIN statuses o ON o.id = s.reblog_of_id \
        WHERE f.account_id = $1 AND f.target_id = $2 AND ", WANTED, " ORDER BY s.id DESC LIMIT $3 ON CONFLICT DO NOTHING";
    INSERT_AUTHORS = "INSERT INTO home_feed (account_id, status_id) \
        SELECT f.account_id, s.id FROM follows f JOIN statuses s ON s.account_id = f.target_id \
        LEFT JOIN statuses o ON o.id = s.reblog_of_id \
        WHERE f.account_id = $1 AND f.target_id = ANY($2) AND ", WANTED, " ORDER BY s.id DESC LIMIT $3 ON CONFLICT DO NOTHING";
    DELETE_MEMBERS = "DELETE FROM home_feed WHERE account_id = $1 AND status_id IN (SELECT s.id FROM statuses s \
        WHERE s.id IN (SELECT status_id FROM home_feed WHERE account_id = $1) AND s.account_id <> $1 \
        AND s.account_id IN (SELECT account_id FROM list_members WHERE list_id = $2))";
    DELETE_AUTHOR = "DELETE FROM home_feed WHERE account_id = $1 AND status_id IN (SELECT s.id FROM statuses s \
        LEFT JOIN statuses o ON o.id = s.reblog_of_id WHERE s.id IN (SELECT status_id FROM home_feed WHERE account_id = $1) \
        AND (s.account_id = $2 OR ($3::boolean AND o.account_id = $2)) AND ($3 OR NOT EXISTS (SELECT 1 FROM status_tags st \
        JOIN followed_tags t ON t.tag_id = st.tag_id JOIN accounts a ON a.id = s.account_id \
        WHERE st.status_id = s.id AND t.account_id = $1 AND ", TAG_WANTED, ")))";
    INSERT_FOR_TAG_FOLLOWERS = INSERT_TAGGED, "st.status_id = $1 AND ", TAG_WANTED, " ON CONFLICT DO NOTHING";
    INSERT_TAG = INSERT_TAGGED, "t.account_id = $1 AND t.tag_id = $2 AND ", TAG_WANTED, " ORDER BY st.status_id DESC LIMIT $3 ON CONFLICT DO NOTHING";
    INSERT_FEED_TAGGED = INSERT_TAGGED, "t.account_id = $1 AND ", TAG_WANTED, " ORDER BY st.status_id DESC LIMIT $2 ON CONFLICT DO NOTHING";
    DELETE_TAG = "DELETE FROM home_feed WHERE account_id = $1 AND status_id IN (SELECT s.id FROM home_feed h JOIN statuses s ON s.id = h.status_id \
        JOIN status_tags st ON st.status_id = s.id LEFT JOIN statuses o ON o.id = s.reblog_of_id \
        WHERE h.account_id = $1 AND st.tag_id = $2 AND s.account_id <> $1 \
        AND NOT EXISTS (SELECT 1 FROM status_tags p JOIN followed_tags t ON t.tag_id = p.tag_id WHERE p.status_id = s.id AND t.account_id = $1) \
        AND NOT EXISTS (SELECT 1 FROM follows f WHERE f.account_id = $1 AND f.target_id = s.account_id AND ", WANTED, "))";
    DELETE_FEED = "DELETE FROM home_feed WHERE account_id = $1";
    INSERT_FEED_OWN = "INSERT INTO home_feed (account_id, status_id) SELECT account_id, id FROM statuses WHERE account_id = $1 \
        ORDER BY id DESC LIMIT $2 ON CONFLICT DO NOTHING";
    INSERT_FEED = "INSERT INTO home_feed (account_id, status_id) \
        SELECT f.account_id, s.id FROM follows f JOIN statuses s ON s.account_id = f.target_id \
        LEFT JOIN statuses o ON o.id = s.reblog_of_id \
        WHERE f.account_id = $1 AND ", WANTED, " ORDER BY s.id DESC LIMIT $2 ON CONFLICT DO NOTHING";
    TRIM = "DELETE FROM home_feed WHERE account_id = $1 AND status_id < COALESCE((SELECT status_id FROM home_feed \
        WHERE account_id = $1 ORDER BY status_id DESC LIMIT 1 OFFSET $2), 0)";
    HOLDERS = "SELECT account_id FROM home_feed WHERE account_id = ANY($1) AND status_id = $2";
}

fn origin(origin: Origin) -> i64 {
    match origin {
        Origin::Anywhere => 0,
        Origin::Local => 1,
        Origin::Remote => 2,
    }
}

pub(super) async fn home(conn: &Conn, viewer: AccountId, page: Page) -> Result<Vec<Status>> {
    conn.all(page.pick(HOME_NEWEST, HOME_OLDEST), &[&viewer, &page.before, &page.after, &page.limit]).await
}

pub(super) async fn public(conn: &Conn, what: &Public, page: Page) -> Result<Vec<Status>> {
    let sql = page.pick(PUBLIC_NEWEST, PUBLIC_OLDEST);
    conn.all(sql, &[&page.before, &page.after, &origin(what.origin), &what.only_media, &page.limit]).await
}

pub(super) async fn tagged(conn: &Conn, what: &Tagged, page: Page) -> Result<Vec<Status>> {
    let count = i64::try_from(what.all.len()).unwrap_or(i64::MAX);
    let (any, all, none) = (Texts(what.any.clone()), Texts(what.all.clone()), Texts(what.none.clone()));
    let public = &what.public;
    let origin = origin(public.origin);
    conn.all(
        page.pick(TAG_NEWEST, TAG_OLDEST),
        &[&any, &page.before, &page.after, &all, &count, &none, &origin, &public.only_media, &page.limit],
    )
    .await
}

pub(super) async fn account(conn: &Conn, author: AccountId, what: &Profile, page: Page) -> Result<Vec<Status>> {
    let tag = what.tagged.clone().unwrap_or_default();
    conn.all(
        page.pick(ACCOUNT_NEWEST, ACCOUNT_OLDEST),
        &[
            &author,
            &page.before,
            &page.after,
            &what.only_media,
            &what.exclude_replies,
            &what.exclude_reblogs,
            &tag,
            &page.limit,
        ],
    )
    .await
}

pub(super) async fn list(conn: &Conn, list: ListId, page: Page) -> Result<Vec<Status>> {
    conn.all(page.pick(LIST_NEWEST, LIST_OLDEST), &[&list, &page.before, &page.after, &page.limit]).await
}

/// (list, its owner) of those among `candidates` that show `status`.
pub(super) async fn lists_with(
    conn: &Conn,
    status: StatusId,
    candidates: &[ListId],
) -> Result<Vec<(ListId, AccountId)>> {
    conn.all(LISTS_WITH, &[&Ids::of(candidates.iter().copied()), &status]).await
}

pub(super) async fn insert_for_author(tx: &Tx, status: &Status) -> Result<u64> {
    tx.exec(INSERT_FOR_AUTHOR, &[&status.account_id, &status.id]).await
}

pub(super) async fn insert_for_followers(tx: &Tx, status: &Status) -> Result<u64> {
    // Told apart here only to keep a direct status without mentions from looking at every follower.
    if status.visibility == Visibility::Direct && status.mentions_json == "[]" {
        return Ok(0);
    }
    tx.exec(INSERT_FOR_FOLLOWERS, &[&status.id, &status.account_id]).await
}

pub(super) async fn insert_for_tag_followers(tx: &Tx, status: &Status) -> Result<u64> {
    // Most statuses have no tags, and then nobody needs to be looked for.
    if status.visibility == Visibility::Public && status.reblog_of_id.is_none() && status.tags_json != "[]" {
        return tx.exec(INSERT_FOR_TAG_FOLLOWERS, &[&status.id]).await;
    }
    Ok(0)
}

pub(super) async fn insert_tag(tx: &Tx, viewer: AccountId, tag: TagId, limit: i64) -> Result<()> {
    tx.exec(INSERT_TAG, &[&viewer, &tag, &limit]).await?;
    Ok(())
}

pub(super) async fn delete_tag(tx: &Tx, viewer: AccountId, tag: TagId) -> Result<()> {
    tx.exec(DELETE_TAG, &[&viewer, &tag]).await?;
    Ok(())
}

pub(super) async fn delete_status(tx: &Tx, status: StatusId) -> Result<()> {
    tx.exec(DELETE_STATUS, &[&status]).await?;
    Ok(())
}

pub(super) async fn insert_author(tx: &Tx, viewer: AccountId, author: AccountId, limit: i64) -> Result<()> {
    tx.exec(INSERT_AUTHOR, &[&viewer, &author, &limit]).await?;
    Ok(())
}

pub(super) async fn insert_authors(tx: &Tx, viewer: AccountId, authors: &[AccountId], limit: i64) -> Result<()> {
    let authors = Ids::of(authors.iter().copied());
    if !authors.is_empty() {
        tx.exec(INSERT_AUTHORS, &[&viewer, &authors, &limit]).await?;
    }
    Ok(())
}

pub(super) async fn delete_members(tx: &Tx, viewer: AccountId, list: ListId) -> Result<()> {
    tx.exec(DELETE_MEMBERS, &[&viewer, &list]).await?;
    Ok(())
}

pub(super) async fn delete_author(tx: &Tx, viewer: AccountId, (author, why): (AccountId, Parting)) -> Result<()> {
    tx.exec(DELETE_AUTHOR, &[&viewer, &author, &(why == Parting::Silenced)]).await?;
    Ok(())
}

pub(super) async fn delete_feed(tx: &Tx, viewer: AccountId) -> Result<()> {
    tx.exec(DELETE_FEED, &[&viewer]).await?;
    Ok(())
}

pub(super) async fn insert_feed(tx: &Tx, viewer: AccountId, length: i64) -> Result<u64> {
    let own = tx.exec(INSERT_FEED_OWN, &[&viewer, &length]).await?;
    let others = tx.exec(INSERT_FEED, &[&viewer, &length]).await?;
    let tagged = tx.exec(INSERT_FEED_TAGGED, &[&viewer, &length]).await?;
    let cut = trim(tx, viewer, length).await?;
    Ok((own + others + tagged).saturating_sub(cut))
}

pub(super) async fn trim(tx: &Tx, viewer: AccountId, length: i64) -> Result<u64> {
    tx.exec(TRIM, &[&viewer, &(length - 1)]).await
}

pub(super) async fn holders(conn: &Conn, status: StatusId, candidates: &[AccountId]) -> Result<Vec<AccountId>> {
    let candidates = Ids::of(candidates.iter().copied());
    Ok(conn.all::<(AccountId,)>(HOLDERS, &[&candidates, &status]).await?.into_iter().map(|(id,)| id).collect())
}

pub(super) async fn owners(conn: &Conn) -> Result<Vec<AccountId>> {
    Ok(conn.all::<(AccountId,)>(OWNERS, &[]).await?.into_iter().map(|(id,)| id).collect())
}
