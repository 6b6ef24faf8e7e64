//! Rows of statuses, and of what people do to them.

use super::{Status, Visibility, edit::StatusEdit, remote::Told};
use crate::{
    Result, Time,
    db::{Conn, Ids, Texts, Tx},
    ids::{self, AccountId, BookmarkId, ConversationId, FavouriteId, PollId, StatusId, TagId},
    page::Page,
    sql, text,
};

/// Followers told of each new post of somebody they watch, in its transaction.
const WATCHERS: i64 = 1_000;
/// Boosters told of an edit.
const REBLOGGERS: i64 = 1_000;
/// Versions of one status that are shown.
const EDITS: i64 = 200;

sql! {
    BY_ID = "SELECT ", Status::COLUMNS, " FROM statuses WHERE id = $1";
    BY_URI = "SELECT ", Status::COLUMNS, " FROM statuses WHERE uri = $1";
    BY_IDS = "SELECT ", Status::COLUMNS, " FROM statuses WHERE id = ANY($1)";
    REPLIES_TO = "SELECT ", Status::COLUMNS, " FROM statuses WHERE in_reply_to_id = ANY($1) ORDER BY id LIMIT $2";
    REBLOG_BY = "SELECT ", Status::COLUMNS, " FROM statuses WHERE reblog_of_id = $1 AND account_id = $2";
    REBLOGS_OF = "SELECT ", Status::COLUMNS, " FROM statuses WHERE reblog_of_id = $1 ORDER BY id LIMIT $2";
    REBLOGGERS_OF = "SELECT s.account_id FROM statuses s JOIN users u ON u.account_id = s.account_id WHERE s.reblog_of_id = $1 LIMIT $2";
    INSERT = "INSERT INTO statuses (", Status::COLUMNS, ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, \
        $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35) ON CONFLICT DO NOTHING";
    UPDATE = "UPDATE statuses SET text = $2, content = $3, spoiler_text = $4, sensitive = $5, language = $6, has_media = $7, \
        mentions_json = $8, tags_json = $9, emojis_json = $10, quote_policy = $11, poll_id = $12, edited_at = $13, \
        content_type = $14 WHERE id = $1";
    UPDATE_PARENT = "UPDATE statuses SET in_reply_to_id = $2, in_reply_to_account_id = $3 \
        WHERE id = $1 AND in_reply_to_id IS NULL";
    RENAME = "UPDATE statuses SET uri = $2, created_at = $3 WHERE id = $1";
    UPDATE_TOLD = "UPDATE statuses SET told_favourites = $2, told_reblogs = $3 WHERE id = $1";
    UPDATE_POLL = "UPDATE statuses SET poll_id = $2 WHERE id = $1";
    DELETE = "DELETE FROM statuses WHERE id = $1";
    COUNT_REPLIES = "UPDATE statuses SET replies_count = replies_count + $2 WHERE id = $1";
    COUNT_REBLOGS = "UPDATE statuses SET reblogs_count = reblogs_count + $2, told_reblogs = told_reblogs + $2 WHERE id = $1";
    COUNT_FAVOURITES = "UPDATE statuses SET favourites_count = favourites_count + $2, told_favourites = told_favourites + $2 \
        WHERE id = $1";
    COUNT_QUOTES = "UPDATE statuses SET quotes_count = quotes_count + $2 WHERE id = $1";
    INSERT_MENTION = "INSERT INTO mentions (account_id, status_id) SELECT e.value, $2::bigint FROM unnest($1::bigint[]) AS e(value) \
        WHERE TRUE ON CONFLICT DO NOTHING";
    INSERT_TAG = "INSERT INTO tags (id, name, display_name, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING";
    FILE_UNDER = "INSERT INTO status_tags (tag_id, status_id, account_id) SELECT id, $2::bigint, $3::bigint FROM tags WHERE name = ANY($1) \
        ON CONFLICT DO NOTHING";
    CLEAR_TAGS = "DELETE FROM status_tags WHERE status_id = $1";
    INSERT_FAVOURITE = "INSERT INTO favourites (id, account_id, status_id, uri) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    FAVOURITE_NAMED = "SELECT status_id FROM favourites WHERE account_id = $1 AND uri = $2 LIMIT 1";
    DELETE_FAVOURITE = "DELETE FROM favourites WHERE account_id = $1 AND status_id = $2 RETURNING id";
    INSERT_BOOKMARK = "INSERT INTO bookmarks (id, account_id, status_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    DELETE_BOOKMARK = "DELETE FROM bookmarks WHERE account_id = $1 AND status_id = $2";
    INSERT_PIN = "INSERT INTO pins (account_id, status_id, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    DELETE_PIN = "DELETE FROM pins WHERE account_id = $1 AND status_id = $2";
    PINS = "SELECT status_id FROM pins WHERE account_id = $1 ORDER BY created_at DESC, status_id DESC LIMIT 100";
    INSERT_CONVERSATION_MUTE = "INSERT INTO conversation_mutes (account_id, conversation_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    DELETE_CONVERSATION_MUTE = "DELETE FROM conversation_mutes WHERE account_id = $1 AND conversation_id = $2";
    TOUCHED = "SELECT 1::bigint FROM favourites WHERE account_id = $1 AND status_id = $2 UNION ALL \
        SELECT 1::bigint FROM bookmarks WHERE account_id = $1 AND status_id = $2 UNION ALL \
        SELECT 1::bigint FROM statuses WHERE account_id = $1 AND reblog_of_id = $2 LIMIT 1";
    KEPT_DEAR = "SELECT f.status_id FROM favourites f JOIN users u ON u.account_id = f.account_id WHERE f.status_id = ANY($1) UNION \
        SELECT status_id FROM bookmarks WHERE status_id = ANY($1) UNION \
        SELECT reblog_of_id FROM statuses WHERE local AND reblog_of_id = ANY($1) UNION \
        SELECT in_reply_to_id FROM statuses WHERE local AND in_reply_to_id = ANY($1) UNION \
        SELECT quote_of_id FROM statuses WHERE local AND quote_of_id = ANY($1)";
    // What the viewer did to each: 1 favourite, 2 bookmark, 3 boost, 4 pin, 5 muted conversation.
    MARKS = "SELECT status_id, 1::bigint FROM favourites WHERE account_id = $1 AND status_id = ANY($2) UNION ALL \
        SELECT status_id, 2::bigint FROM bookmarks WHERE account_id = $1 AND status_id = ANY($2) UNION ALL \
        SELECT reblog_of_id, 3::bigint FROM statuses WHERE account_id = $1 AND reblog_of_id = ANY($2) UNION ALL \
        SELECT status_id, 4::bigint FROM pins WHERE account_id = $1 AND status_id = ANY($2) UNION ALL \
        SELECT s.id, 5::bigint FROM statuses s JOIN conversation_mutes c ON c.conversation_id = s.conversation_id \
            WHERE c.account_id = $1 AND s.id = ANY($2)";
    INSERT_IDEMPOTENCY = "INSERT INTO idempotency_keys (account_id, key, status_id, created_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (account_id, key) DO UPDATE SET status_id = excluded.status_id, created_at = excluded.created_at \
        WHERE idempotency_keys.created_at < $5";
    BY_IDEMPOTENCY = "SELECT status_id FROM idempotency_keys WHERE account_id = $1 AND key = $2 AND created_at > $3";
    PRUNE_IDEMPOTENCY = "DELETE FROM idempotency_keys WHERE created_at < $1";
    WATCHERS_OF = "SELECT account_id FROM follows WHERE target_id = $1 AND notify LIMIT $2";
    INSERT_EDIT = "INSERT INTO status_edits (", StatusEdit::COLUMNS, ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";
    LIST_EDITS = "SELECT ", StatusEdit::COLUMNS, " FROM status_edits WHERE status_id = $1 ORDER BY created_at LIMIT $2";
    FAVOURITES_NEWEST = "SELECT id, status_id FROM favourites WHERE account_id = $1 AND id < $2 AND id > $3 ORDER BY id DESC LIMIT $4";
    FAVOURITES_OLDEST = "SELECT id, status_id FROM favourites WHERE account_id = $1 AND id < $2 AND id > $3 ORDER BY id ASC LIMIT $4";
    BOOKMARKS_NEWEST = "SELECT id, status_id FROM bookmarks WHERE account_id = $1 AND id < $2 AND id > $3 ORDER BY id DESC LIMIT $4";
    BOOKMARKS_OLDEST = "SELECT id, status_id FROM bookmarks WHERE account_id = $1 AND id < $2 AND id > $3 ORDER BY id ASC LIMIT $4";
    FAVOURITERS_NEWEST = "SELECT id, account_id FROM favourites WHERE status_id = $1 AND id < $2 AND id > $3 ORDER BY id DESC LIMIT $4";
    FAVOURITERS_OLDEST = "SELECT id, account_id FROM favourites WHERE status_id = $1 AND id < $2 AND id > $3 ORDER BY id ASC LIMIT $4";
    REBLOGGERS_NEWEST = "SELECT id, account_id FROM statuses WHERE reblog_of_id = $1 AND id < $2 AND id > $3 \
        AND visibility IN (0, 1) AND consent <> 1 ORDER BY id DESC LIMIT $4";
    REBLOGGERS_OLDEST = "SELECT id, account_id FROM statuses WHERE reblog_of_id = $1 AND id < $2 AND id > $3 \
        AND visibility IN (0, 1) AND consent <> 1 ORDER BY id ASC LIMIT $4";
}

/// Those that people here favoured, boosted, bookmarked, answered or quoted.
pub async fn kept_dear(conn: &Conn, ids: impl IntoIterator<Item = StatusId>) -> Result<Vec<StatusId>> {
    let ids = Ids::of(ids);
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(conn.all::<(StatusId,)>(KEPT_DEAR, &[&ids]).await?.into_iter().map(|(id,)| id).collect())
}

pub async fn by_id(conn: &Conn, id: StatusId) -> Result<Option<Status>> {
    conn.opt(BY_ID, &[&id]).await
}

pub(super) async fn by_uri(conn: &Conn, uri: &str) -> Result<Option<Status>> {
    conn.opt(BY_URI, &[&uri]).await
}

pub async fn by_ids(conn: &Conn, ids: impl IntoIterator<Item = StatusId>) -> Result<Vec<Status>> {
    let ids = Ids::of(ids);
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    conn.all(BY_IDS, &[&ids]).await
}

pub(super) async fn replies_to(conn: &Conn, parents: &[StatusId], limit: i64) -> Result<Vec<Status>> {
    conn.all(REPLIES_TO, &[&Ids::of(parents.iter().copied()), &limit]).await
}

pub(super) async fn reblog_by(conn: &Conn, who: AccountId, original: StatusId) -> Result<Option<Status>> {
    conn.opt(REBLOG_BY, &[&original, &who]).await
}

pub(super) async fn reblogs_of(conn: &Conn, original: StatusId, limit: i64) -> Result<Vec<Status>> {
    conn.all(REBLOGS_OF, &[&original, &limit]).await
}

pub(crate) async fn rebloggers(conn: &Conn, original: StatusId) -> Result<Vec<AccountId>> {
    accounts(conn.all(REBLOGGERS_OF, &[&original, &REBLOGGERS]).await?)
}

fn accounts(rows: Vec<(AccountId,)>) -> Result<Vec<AccountId>> {
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// False when there already is one with this address, or this boost.
pub(super) async fn insert(tx: &Tx, s: &Status) -> Result<bool> {
    let params: crate::db::Params<'_> = &[
        &s.id,
        &s.account_id,
        &s.uri,
        &s.url,
        &s.local,
        &s.text,
        &s.content,
        &s.spoiler_text,
        &s.visibility,
        &s.sensitive,
        &s.language,
        &s.in_reply_to_id,
        &s.in_reply_to_account_id,
        &s.reblog_of_id,
        &s.conversation_id,
        &s.app_id,
        &s.poll_id,
        &s.quote_of_id,
        &s.quote_state,
        &s.quote_policy,
        &s.has_media,
        &s.mentions_json,
        &s.tags_json,
        &s.emojis_json,
        &s.replies_count,
        &s.reblogs_count,
        &s.favourites_count,
        &s.quotes_count,
        &s.created_at,
        &s.edited_at,
        &s.content_type,
        &s.told_favourites,
        &s.told_reblogs,
        &s.consent,
        &s.quote_manual,
    ];
    Ok(tx.exec(INSERT, params).await? > 0)
}

/// Writes what an edit may change.
pub(super) async fn update(tx: &Tx, s: &Status) -> Result<()> {
    let params: crate::db::Params<'_> = &[
        &s.id,
        &s.text,
        &s.content,
        &s.spoiler_text,
        &s.sensitive,
        &s.language,
        &s.has_media,
        &s.mentions_json,
        &s.tags_json,
        &s.emojis_json,
        &s.quote_policy,
        &s.poll_id,
        &s.edited_at,
        &s.content_type,
    ];
    tx.exec(UPDATE, params).await?;
    Ok(())
}

pub(super) async fn update_poll(tx: &Tx, id: StatusId, poll: Option<PollId>) -> Result<()> {
    tx.exec(UPDATE_POLL, &[&id, &poll]).await?;
    Ok(())
}

/// It is called so, and of this time, from now on.
pub(super) async fn rename(tx: &Tx, id: StatusId, (uri, at): (&str, Time)) -> Result<()> {
    tx.exec(RENAME, &[&id, &uri, &at]).await?;
    Ok(())
}

pub(super) async fn update_told(tx: &Tx, id: StatusId, told: Told) -> Result<()> {
    tx.exec(UPDATE_TOLD, &[&id, &told.favourites, &told.reblogs]).await?;
    Ok(())
}

/// False when it has a parent by now.
pub(super) async fn update_parent(tx: &Tx, id: StatusId, (parent, author): (StatusId, AccountId)) -> Result<bool> {
    Ok(tx.exec(UPDATE_PARENT, &[&id, &parent, &author]).await? > 0)
}

pub(super) async fn delete(tx: &Tx, id: StatusId) -> Result<()> {
    tx.exec(DELETE, &[&id]).await?;
    Ok(())
}

pub(super) async fn count_replies(tx: &Tx, id: StatusId, by: i64) -> Result<()> {
    tx.exec(COUNT_REPLIES, &[&id, &by]).await?;
    Ok(())
}

pub(super) async fn count_reblogs(tx: &Tx, id: StatusId, by: i64) -> Result<()> {
    tx.exec(COUNT_REBLOGS, &[&id, &by]).await?;
    Ok(())
}

pub(super) async fn count_favourites(tx: &Tx, id: StatusId, by: i64) -> Result<()> {
    tx.exec(COUNT_FAVOURITES, &[&id, &by]).await?;
    Ok(())
}

pub(super) async fn count_quotes(tx: &Tx, id: StatusId, by: i64) -> Result<()> {
    tx.exec(COUNT_QUOTES, &[&id, &by]).await?;
    Ok(())
}

pub(super) async fn insert_mentions(tx: &Tx, id: StatusId, who: impl Iterator<Item = AccountId>) -> Result<()> {
    let who = Ids::of(who);
    if !who.is_empty() {
        tx.exec(INSERT_MENTION, &[&who, &id]).await?;
    }
    Ok(())
}

/// Files a status under its tags, making those that are new. Its author is written down where everybody may see it.
pub(super) async fn file_under_tags(tx: &Tx, status: &Status, tags: &[text::Tag]) -> Result<()> {
    if tags.is_empty() {
        return Ok(());
    }
    // Everybody makes them in the same order, so that nobody waits for each other.
    let mut sorted: Vec<&text::Tag> = tags.iter().collect();
    sorted.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    for tag in sorted {
        tx.exec(INSERT_TAG, &[&ids::next::<TagId>(), &tag.key, &tag.name, &tx.now]).await?;
    }
    let names = Texts(tags.iter().map(|t| t.key.clone()).collect());
    let author = (status.visibility <= Visibility::Unlisted).then_some(status.account_id);
    tx.exec(FILE_UNDER, &[&names, &status.id, &author]).await?;
    Ok(())
}

pub(super) async fn clear_tags(tx: &Tx, id: StatusId) -> Result<()> {
    tx.exec(CLEAR_TAGS, &[&id]).await?;
    Ok(())
}

/// None when there was one already. `uri`: what another server calls it.
pub(super) async fn insert_favourite(
    tx: &Tx,
    who: AccountId,
    (id, uri): (StatusId, Option<&str>),
) -> Result<Option<FavouriteId>> {
    let new: FavouriteId = ids::next();
    Ok((tx.exec(INSERT_FAVOURITE, &[&new, &who, &id, &uri]).await? > 0).then_some(new))
}

/// What `who` favours under this name.
pub(super) async fn favourite_named(conn: &Conn, who: AccountId, uri: &str) -> Result<Option<StatusId>> {
    Ok(conn.opt::<(StatusId,)>(FAVOURITE_NAMED, &[&who, &uri]).await?.map(|(id,)| id))
}

/// None when there was none.
pub(super) async fn delete_favourite(tx: &Tx, who: AccountId, id: StatusId) -> Result<Option<FavouriteId>> {
    Ok(tx.opt::<(FavouriteId,)>(DELETE_FAVOURITE, &[&who, &id]).await?.map(|(id,)| id))
}

pub(super) async fn insert_bookmark(tx: &Tx, who: AccountId, id: StatusId) -> Result<()> {
    tx.exec(INSERT_BOOKMARK, &[&ids::next::<BookmarkId>(), &who, &id]).await?;
    Ok(())
}

pub(super) async fn delete_bookmark(tx: &Tx, who: AccountId, id: StatusId) -> Result<()> {
    tx.exec(DELETE_BOOKMARK, &[&who, &id]).await?;
    Ok(())
}

pub(super) async fn insert_pin(tx: &Tx, who: AccountId, id: StatusId, now: Time) -> Result<()> {
    tx.exec(INSERT_PIN, &[&who, &id, &now]).await?;
    Ok(())
}

/// False when there was none.
pub(super) async fn delete_pin(tx: &Tx, who: AccountId, id: StatusId) -> Result<bool> {
    Ok(tx.exec(DELETE_PIN, &[&who, &id]).await? > 0)
}

pub(super) async fn pins(conn: &Conn, who: AccountId) -> Result<Vec<StatusId>> {
    let rows: Vec<(StatusId,)> = conn.all(PINS, &[&who]).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

pub(super) async fn insert_conversation_mute(tx: &Tx, who: AccountId, id: ConversationId) -> Result<()> {
    tx.exec(INSERT_CONVERSATION_MUTE, &[&who, &id]).await?;
    Ok(())
}

pub(super) async fn delete_conversation_mute(tx: &Tx, who: AccountId, id: ConversationId) -> Result<()> {
    tx.exec(DELETE_CONVERSATION_MUTE, &[&who, &id]).await?;
    Ok(())
}

/// Whether there is something of `who` on it to take back.
pub(super) async fn touched(conn: &Conn, who: AccountId, id: StatusId) -> Result<bool> {
    conn.exists(TOUCHED, &[&who, &id]).await
}

/// What `viewer` did to each of the statuses, as (status, number) with the numbers of [`super::Mark`].
pub(super) async fn marks(conn: &Conn, viewer: AccountId, statuses: Ids) -> Result<Vec<(StatusId, i64)>> {
    conn.all(MARKS, &[&viewer, &statuses]).await
}

/// False when the key was used within the hour.
pub(super) async fn insert_idempotency(tx: &Tx, who: AccountId, key: &str, id: StatusId) -> Result<bool> {
    let stale = tx.now.minus(super::publish::IDEMPOTENCY);
    Ok(tx.exec(INSERT_IDEMPOTENCY, &[&who, &key, &id, &tx.now, &stale]).await? > 0)
}

pub(super) async fn by_idempotency(conn: &Conn, who: AccountId, key: &str, since: Time) -> Result<Option<StatusId>> {
    Ok(conn.opt::<(StatusId,)>(BY_IDEMPOTENCY, &[&who, &key, &since]).await?.map(|(id,)| id))
}

/// Forgets keys used before `before`.
pub(crate) async fn prune_idempotency(tx: &Tx, before: Time) -> Result<u64> {
    tx.exec(PRUNE_IDEMPOTENCY, &[&before]).await
}

pub(super) async fn watchers(conn: &Conn, author: AccountId) -> Result<Vec<AccountId>> {
    accounts(conn.all(WATCHERS_OF, &[&author, &WATCHERS]).await?)
}

pub(super) async fn insert_edit(tx: &Tx, e: &StatusEdit) -> Result<()> {
    let params: crate::db::Params<'_> = &[
        &e.status_id,
        &e.created_at,
        &e.text,
        &e.content,
        &e.spoiler_text,
        &e.sensitive,
        &e.media_json,
        &e.poll_json,
        &e.emojis_json,
    ];
    tx.exec(INSERT_EDIT, params).await?;
    Ok(())
}

pub(super) async fn list_edits(conn: &Conn, id: StatusId) -> Result<Vec<StatusEdit>> {
    conn.all(LIST_EDITS, &[&id, &EDITS]).await
}

type Rows<T> = Result<Vec<(i64, T)>>;

pub(super) async fn favourites_of(conn: &Conn, who: AccountId, p: Page) -> Rows<StatusId> {
    conn.all(p.pick(FAVOURITES_NEWEST, FAVOURITES_OLDEST), &[&who, &p.before, &p.after, &p.limit]).await
}

pub(super) async fn bookmarks_of(conn: &Conn, who: AccountId, p: Page) -> Rows<StatusId> {
    conn.all(p.pick(BOOKMARKS_NEWEST, BOOKMARKS_OLDEST), &[&who, &p.before, &p.after, &p.limit]).await
}

pub(super) async fn favouriters(conn: &Conn, id: StatusId, p: Page) -> Rows<AccountId> {
    conn.all(p.pick(FAVOURITERS_NEWEST, FAVOURITERS_OLDEST), &[&id, &p.before, &p.after, &p.limit]).await
}

pub(super) async fn reblogger_rows(conn: &Conn, id: StatusId, p: Page) -> Rows<AccountId> {
    conn.all(p.pick(REBLOGGERS_NEWEST, REBLOGGERS_OLDEST), &[&id, &p.before, &p.after, &p.limit]).await
}
