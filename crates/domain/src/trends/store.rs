//! What is counted. Only the latest public posts are looked at, so that a busy site answers as fast as a quiet one.

use crate::{Result, db::Conn, ids::StatusId, sql, tags::Tag};

const POSTS: &str = "(SELECT id, account_id FROM statuses WHERE visibility = 0 AND reblog_of_id IS NULL AND id > $1 \
     ORDER BY id DESC LIMIT 5000) AS s JOIN status_tags st ON st.status_id = s.id";

sql! {
    TAGS = "SELECT t.id, t.name, t.display_name FROM ", POSTS, " JOIN tags t ON t.id = st.tag_id \
        GROUP BY t.id, t.name, t.display_name HAVING COUNT(DISTINCT s.account_id) > 1 \
        ORDER BY COUNT(DISTINCT s.account_id) DESC, COUNT(*) DESC, t.id LIMIT $2 OFFSET $3";
    STATUSES = "SELECT s.id FROM (SELECT id, account_id, favourites_count + 2 * reblogs_count AS likes, \
        favourites_count + reblogs_count AS people, sensitive, in_reply_to_id FROM statuses \
        WHERE visibility = 0 AND reblog_of_id IS NULL AND id > $1 ORDER BY id DESC LIMIT 5000) AS s \
        JOIN accounts a ON a.id = s.account_id WHERE s.people > 1 AND NOT s.sensitive AND s.in_reply_to_id IS NULL \
        AND a.discoverable AND a.silenced_at IS NULL AND a.suspended_at IS NULL \
        ORDER BY s.likes DESC, s.id DESC LIMIT $2 OFFSET $3";
}

pub(super) async fn tags(conn: &Conn, since: StatusId, (limit, offset): (i64, i64)) -> Result<Vec<Tag>> {
    conn.all(TAGS, &[&since, &limit, &offset]).await
}

pub(super) async fn statuses(conn: &Conn, since: StatusId, (limit, offset): (i64, i64)) -> Result<Vec<StatusId>> {
    let rows: Vec<(StatusId,)> = conn.all(STATUSES, &[&since, &limit, &offset]).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}
