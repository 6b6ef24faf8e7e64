//! Timelines. Home is a derived table (account, status), written when a status arrives and cleaned when people part;
//! the others are indexed queries over statuses.
//!
//! What goes into a home feed is said once (`WANTED` and `TAG_WANTED` in the store), so that the delivery of a status, the arrival of an
//! author and a rebuild agree. Members of an exclusive list stay out of their owner's feed; when that begins or ends, the
//! feed is put right in the same transaction. One's own statuses are always at home.

mod store;

use crate::{
    Result,
    db::{Conn, Db, Tx},
    ids::{AccountId, Id, ListId, StatusId, TagId},
    lists::List,
    page::Page,
    statuses::{
        Status,
        visibility::{self, Place, Shown},
    },
};

/// Statuses kept in one home feed; older ones are found on their authors' profiles.
pub const HOME_LENGTH: i64 = 4000;
/// Statuses of somebody newly followed that are put into the follower's feed.
const BACKFILL: i64 = 40;
/// How often a page is filled up when what was read was not to be shown.
const ROUNDS: usize = 4;

/// What part of the public statuses is wanted.
#[derive(Clone, Debug, Default)]
pub struct Public {
    pub origin: Origin,
    pub only_media: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Origin {
    #[default]
    Anywhere,
    Local,
    Remote,
}

/// A hashtag timeline: `name` or any of `any`, with all of `all` and none of `none`; keys as `text::tag_key` makes them.
#[derive(Clone, Debug, Default)]
pub struct Tagged {
    pub any: Vec<String>,
    pub all: Vec<String>,
    pub none: Vec<String>,
    pub public: Public,
}

/// Whose statuses, and which.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    pub only_media: bool,
    pub exclude_replies: bool,
    pub exclude_reblogs: bool,
    pub tagged: Option<String>,
}

pub async fn home(conn: &Conn, viewer: AccountId, page: Page) -> Result<Shown> {
    let mut found = Found::of(page);
    for _ in 0..ROUNDS {
        let rows = store::home(conn, viewer, found.rest).await?;
        if !found.add(conn, rows, (Some(viewer), Place::Listed)).await? {
            break;
        }
    }
    Ok(found.page_order(page))
}

pub async fn public(conn: &Conn, viewer: Option<AccountId>, what: &Public, page: Page) -> Result<Shown> {
    let mut found = Found::of(page);
    for _ in 0..ROUNDS {
        let rows = store::public(conn, what, found.rest).await?;
        if !found.add(conn, rows, (viewer, Place::Public)).await? {
            break;
        }
    }
    Ok(found.page_order(page))
}

pub async fn tagged(conn: &Conn, viewer: Option<AccountId>, what: &Tagged, page: Page) -> Result<Shown> {
    let mut found = Found::of(page);
    for _ in 0..ROUNDS {
        let rows = store::tagged(conn, what, found.rest).await?;
        if !found.add(conn, rows, (viewer, Place::Public)).await? {
            break;
        }
    }
    Ok(found.page_order(page))
}

pub async fn account(
    conn: &Conn,
    viewer: Option<AccountId>,
    (author, what): (AccountId, &Profile),
    page: Page,
) -> Result<Shown> {
    let mut found = Found::of(page);
    for _ in 0..ROUNDS {
        let rows = store::account(conn, author, what, found.rest).await?;
        if !found.add(conn, rows, (viewer, Place::Profile)).await? {
            break;
        }
    }
    Ok(found.page_order(page))
}

/// What the members of a list posted and boosted, as its owner sees it.
pub async fn list(conn: &Conn, list: &List, page: Page) -> Result<Shown> {
    let mut found = Found::of(page);
    for _ in 0..ROUNDS {
        let rows = store::list(conn, list.id, found.rest).await?;
        if !found.add(conn, rows, (Some(list.account_id), Place::Listed)).await? {
            break;
        }
    }
    Ok(found.page_order(page))
}

/// What was found of a page, and where it goes on.
struct Found {
    shown: Shown,
    rest: Page,
}

impl Found {
    fn of(page: Page) -> Self {
        Self { shown: Shown::default(), rest: page }
    }

    /// Adds what may be shown of `rows` (in reading order). True when the page wants more and there may be more.
    async fn add(
        &mut self,
        conn: &Conn,
        rows: Vec<Status>,
        (viewer, place): (Option<AccountId>, Place),
    ) -> Result<bool> {
        let read = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let Some(last) = rows.last().map(|s| s.id.raw()) else { return Ok(false) };
        let more = visibility::filter(conn, viewer, rows, place).await?;
        let kept = i64::try_from(more.statuses.len()).unwrap_or(i64::MAX);
        self.shown.statuses.extend(more.statuses);
        self.shown.reblogged.extend(more.reblogged);
        let wanted = self.rest.limit;
        self.rest = self.rest.past(last, wanted - kept);
        Ok(read == wanted && kept < wanted)
    }

    fn page_order(mut self, page: Page) -> Shown {
        self.shown.statuses = page.newest_first(self.shown.statuses);
        self.shown
    }
}

/// Puts a new status into the feeds of its author and of the followers who should get it: the local ones, unless the
/// follow, a mute, a block, an exclusive list, or its being a reply to somebody they do not follow says otherwise; a public
/// one also into the feeds of those who follow one of its tags. In how many it is now that it was not in before.
pub async fn deliver(tx: &Tx, status: &Status) -> Result<u64> {
    let author = store::insert_for_author(tx, status).await?;
    let followers = store::insert_for_followers(tx, status).await?;
    Ok(author + followers + store::insert_for_tag_followers(tx, status).await?)
}

/// Removes a status, and boosts of it, from all feeds.
pub(crate) async fn withdraw(tx: &Tx, status: StatusId) -> Result<()> {
    store::delete_status(tx, status).await
}

/// Puts the latest statuses of `author`, newly followed, into the feed of `viewer`.
pub(crate) async fn add_author(tx: &Tx, viewer: AccountId, author: AccountId) -> Result<()> {
    store::insert_author(tx, viewer, author, BACKFILL).await
}

/// Puts the latest statuses of `authors`, whom no exclusive list keeps back any more, into the feed of `viewer`.
pub(crate) async fn add_authors(tx: &Tx, viewer: AccountId, authors: &[AccountId]) -> Result<()> {
    let many = i64::try_from(authors.len()).unwrap_or(HOME_LENGTH);
    store::insert_authors(tx, viewer, authors, BACKFILL.saturating_mul(many).min(HOME_LENGTH)).await
}

/// Takes what the members of a list, now exclusive, posted and boosted out of its owner's feed; not what is the owner's.
pub(crate) async fn remove_members(tx: &Tx, list: &List) -> Result<()> {
    store::delete_members(tx, list.account_id, list.id).await
}

/// Puts the latest public statuses with a tag, newly followed, into the feed of `viewer`.
pub(crate) async fn add_tag(tx: &Tx, viewer: AccountId, tag: TagId) -> Result<()> {
    store::insert_tag(tx, viewer, tag, BACKFILL).await
}

/// Takes out of the feed of `viewer` what was there by nothing but a tag, which is no longer followed.
pub(crate) async fn remove_tag(tx: &Tx, viewer: AccountId, tag: TagId) -> Result<()> {
    store::delete_tag(tx, viewer, tag).await
}

/// Why somebody leaves a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parting {
    /// What others boost of theirs, and what a followed tag brings, still comes along.
    Unfollowed,
    /// Nothing of theirs, whoever boosts it.
    Silenced,
}

/// Takes what `author` posted and boosted out of the feed of `viewer`.
pub(crate) async fn remove_author(tx: &Tx, viewer: AccountId, (author, why): (AccountId, Parting)) -> Result<()> {
    store::delete_author(tx, viewer, (author, why)).await
}

/// Everybody who has a home feed.
pub async fn owners(conn: &Conn) -> Result<Vec<AccountId>> {
    store::owners(conn).await
}

/// Makes the home feed of `viewer` anew from whom and what they follow. The number of statuses in it.
pub async fn rebuild(db: &Db, viewer: AccountId) -> Result<u64> {
    let tx = db.begin_long().await?;
    store::delete_feed(&tx, viewer).await?;
    let n = store::insert_feed(&tx, viewer, HOME_LENGTH).await?;
    tx.commit().await?;
    Ok(n)
}

/// Cuts feeds that grew over [`HOME_LENGTH`]. The number of entries removed.
pub async fn trim(db: &Db, viewer: AccountId) -> Result<u64> {
    let tx = db.begin_long().await?;
    let n = store::trim(&tx, viewer, HOME_LENGTH).await?;
    tx.commit().await?;
    Ok(n)
}

/// Which of `candidates` have `status` in their home feed: whom a live update concerns.
pub async fn holders(conn: &Conn, status: StatusId, candidates: &[AccountId]) -> Result<Vec<AccountId>> {
    store::holders(conn, status, candidates).await
}

/// Which of `candidates` show `status` to their owners: whom a live update of lists concerns.
pub async fn lists_with(conn: &Conn, status: StatusId, candidates: &[ListId]) -> Result<Vec<(ListId, AccountId)>> {
    store::lists_with(conn, status, candidates).await
}
