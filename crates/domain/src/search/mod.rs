//! Searching statuses by their words, Japanese included: the index holds the tokens of `text::search`.
//! Accounts are searched in their own noun, hashtags by the start of their names here.

mod store;

use crate::{
    Result,
    db::{Conn, Tx},
    ids::{AccountId, StatusId},
    statuses::{
        self, Status,
        visibility::{self, Place, Shown},
    },
    tags::Tag,
    text,
};

/// Candidates looked at for one page; more than this behind what may not be seen is not dug for.
const CANDIDATES: i64 = 400;

/// What to look for among statuses.
#[derive(Clone, Debug)]
pub struct Query<'a> {
    pub words: &'a str,
    pub author: Option<AccountId>,
    pub before: i64,
    pub after: i64,
    pub offset: usize,
    pub limit: usize,
}

/// Makes a status findable; again after an edit.
pub(crate) async fn index_status(tx: &Tx, status: &Status) -> Result<()> {
    let words = format!("{}\n{}", status.spoiler_text, text::plain(&status.content));
    store::put_status(tx, status.id, &words).await
}

pub(crate) async fn forget_status(tx: &Tx, id: StatusId) -> Result<()> {
    store::delete_status(tx, id).await
}

/// Statuses with all the words, newest first, as far as `viewer` may see them.
pub async fn statuses(conn: &Conn, viewer: Option<AccountId>, query: &Query<'_>) -> Result<Shown> {
    let terms = text::search::query(query.words);
    if terms.is_empty() {
        return Ok(Shown::default());
    }
    let ids = store::find_statuses(conn, &terms, query, CANDIDATES).await?;
    let mut found = statuses::store::by_ids(conn, ids).await?;
    found.sort_by_key(|s| std::cmp::Reverse(s.id));
    let mut shown = visibility::filter(conn, viewer, found, Place::Public).await?;
    shown.statuses = shown.statuses.into_iter().skip(query.offset).take(query.limit).collect();
    Ok(shown)
}

/// Hashtags that start with `name`, the shortest first.
pub async fn tags(conn: &Conn, name: &str, offset: i64, limit: i64) -> Result<Vec<Tag>> {
    let key = text::tag_key(name.trim_start_matches(['#', '＃']));
    if key.is_empty() {
        return Ok(Vec::new());
    }
    store::find_tags(conn, &key, offset, limit).await
}
