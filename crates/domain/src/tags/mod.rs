//! Hashtags: following them (public statuses with a followed tag come into the home feed, see `timelines`), featuring them
//! on one's profile, and how much they were used in the last week.

pub mod remote;
mod store;

use crate::{
    Error, Result, Time, accounts,
    db::{Conn, Db, Ids, Texts, Tx},
    deliveries::{self, News},
    ids::{self, AccountId, ActivityId, FeaturedTagId, Id, TagId},
    page::Page,
    row,
    statuses::{Status, Visibility},
    text, timelines,
};
use std::collections::HashMap;

/// Tags one may follow.
const FOLLOWED: i64 = 1000;
/// Tags one may feature. Told to clients in the instance entity.
pub const FEATURED: i64 = 10;
/// Tags suggested to be featured.
const SUGGESTED: i64 = 10;
/// Uses of tags looked at for suggestions, the latest.
const RECENT: i64 = 1000;
/// Characters of a tag named by itself; inside statuses their length is the bound.
const NAME_CHARACTERS: usize = 500;
/// Days of a tag's history.
pub const WEEK: usize = 7;
const DAY_MILLIS: i64 = 86_400_000;

row! {
    /// A hashtag.
    pub struct Tag {
        /// 0: nobody has used it yet
        pub id: TagId,
        /// The key it is looked up by
        pub name: String,
        /// As its first user typed it
        pub display_name: String,
    }
}

impl Tag {
    fn unused(named: text::Tag) -> Self {
        Self { id: TagId(0), name: named.key, display_name: named.name }
    }
    pub fn is_used(&self) -> bool {
        self.id.raw() != 0
    }
}

/// A tag that somebody follows.
#[derive(Clone, Debug)]
pub struct Followed {
    pub cursor: i64,
    pub tag: Tag,
}

row! {
    /// A tag on somebody's profile, with how often they used it where everybody can see it.
    pub struct Featured {
        pub id: FeaturedTagId,
        /// As its owner typed it
        pub name: String,
        pub statuses_count: i64,
        pub last_status_at: Option<Time>,
    }
}

/// How much a tag was used on one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Use {
    pub uses: i64,
    pub accounts: i64,
}

/// What a viewer has to do with a tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    pub following: bool,
    pub featuring: bool,
}

/// The name of a tag as people type it, with or without its sign; None for what can be none.
pub fn parse(typed: &str) -> Option<text::Tag> {
    let name = typed.trim().trim_start_matches(['#', '＃']);
    if name.chars().nth(NAME_CHARACTERS).is_some() || text::tag_name(name) != Some(name) {
        return None;
    }
    let key = text::tag_key(name);
    (!key.is_empty()).then(|| text::Tag { key, name: name.to_owned() })
}

/// The tag of this name, or of this id: no name consists of digits only. [`Error::NotFound`] for what can be neither.
pub async fn find(conn: &Conn, named: &str) -> Result<Tag> {
    if !named.is_empty() && named.bytes().all(|b| b.is_ascii_digit()) {
        let id = named.parse().map_err(|_| Error::NotFound)?;
        return store::by_id(conn, id).await?.ok_or(Error::NotFound);
    }
    let named = parse(named).ok_or(Error::NotFound)?;
    Ok(store::by_name(conn, &named.key).await?.unwrap_or_else(|| Tag::unused(named)))
}

/// The tag with a row of its own, made when nobody used it yet.
async fn kept(tx: &Tx, tag: Tag) -> Result<Tag> {
    if tag.is_used() {
        return Ok(tag);
    }
    store::insert(tx, &tag).await?;
    store::by_name(tx, &tag.name).await?.ok_or(Error::NotFound)
}

/// Follows a tag: the latest public statuses with it come into the home feed. Again is fine.
/// [`Error::NotFound`] for what can be no tag, [`Error::Invalid`] over a thousand.
/// <https://docs.joinmastodon.org/methods/tags/#follow>
pub async fn follow(db: &Db, me: AccountId, named: &str) -> Result<Tag> {
    let tx = db.begin_long().await?;
    accounts::store::lock_pair(&tx, me, me).await?;
    let tag = kept(&tx, find(&tx, named).await?).await?;
    if store::insert_followed(&tx, me, tag.id).await? {
        if store::count_followed(&tx, me).await? > FOLLOWED {
            return Err(Error::invalid("base", format!("You cannot follow more than {FOLLOWED} hashtags")));
        }
        timelines::add_tag(&tx, me, tag.id).await?;
    }
    tx.commit().await?;
    Ok(tag)
}

/// Ends [`follow`]: what came into the home feed by nothing but this tag goes. No error when there was none.
/// <https://docs.joinmastodon.org/methods/tags/#unfollow>
pub async fn unfollow(db: &Db, me: AccountId, named: &str) -> Result<Tag> {
    let tx = db.begin_long().await?;
    let tag = find(&tx, named).await?;
    if store::delete_followed(&tx, me, tag.id).await? {
        timelines::remove_tag(&tx, me, tag.id).await?;
    }
    tx.commit().await?;
    Ok(tag)
}

/// Tags that `me` follows, the latest first.
pub async fn followed(conn: &Conn, me: AccountId, page: Page) -> Result<Vec<Followed>> {
    let rows = page.newest_first(store::followed(conn, me, page).await?);
    let line = |(cursor, id, name, display_name)| Followed { cursor, tag: Tag { id, name, display_name } };
    Ok(rows.into_iter().map(line).collect())
}

/// Who among `accounts` follows any of the tags with these names.
pub async fn followers_among(conn: &Conn, names: &[String], accounts: &[AccountId]) -> Result<Vec<AccountId>> {
    let keys = names.iter().map(|name| text::tag_key(name)).collect();
    store::followers_among(conn, Texts(keys), Ids::of(accounts.iter().copied())).await
}

/// Features a tag on one's profile; again is fine. [`Error::NotFound`] for what can be no tag, [`Error::Invalid`] over ten.
/// <https://docs.joinmastodon.org/methods/featured_tags/#feature>
pub async fn feature(db: &Db, me: AccountId, named: &str) -> Result<(Featured, Tag)> {
    let mut tx = db.begin_long().await?;
    accounts::store::lock_pair(&tx, me, me).await?;
    let found = find(&tx, named).await?;
    let name = parse(named).map_or_else(|| found.display_name.clone(), |typed| typed.name);
    let tag = kept(&tx, found).await?;
    if store::insert_featured(&tx, me, (tag.id, &name)).await? {
        if store::count_featured(&tx, me).await? > FEATURED {
            return Err(Error::invalid("base", "You have already featured the maximum number of hashtags"));
        }
        tell(&mut tx, me, |telling| News::TagFeatured { account: me, name, telling }).await?;
    }
    let featured = store::featured_one(&tx, me, tag.id).await?.ok_or(Error::NotFound)?;
    tx.commit().await?;
    Ok((featured, tag))
}

/// Ends [`feature`] by the featured tag's id. [`Error::NotFound`] when there was none.
/// <https://docs.joinmastodon.org/methods/featured_tags/#unfeature>
pub async fn unfeature(db: &Db, me: AccountId, id: FeaturedTagId) -> Result<()> {
    let mut tx = db.begin().await?;
    let name = store::delete_featured(&tx, me, id).await?.ok_or(Error::NotFound)?;
    tell(&mut tx, me, |telling| News::TagUnfeatured { account: me, name, telling }).await?;
    tx.commit().await
}

/// Has followers elsewhere told, if there are any.
async fn tell(tx: &mut Tx, me: AccountId, news: impl FnOnce(ActivityId) -> News) -> Result<()> {
    let account = accounts::store::by_id(tx, me).await?;
    match account.is_some_and(|account| account.has_remote_followers) {
        true => deliveries::tell(tx, news(ids::next())).await,
        false => Ok(()),
    }
}

/// Ends [`feature`] by the tag. No error when there was none.
/// <https://docs.joinmastodon.org/methods/tags/#unfeature>
pub async fn unfeature_tag(db: &Db, me: AccountId, named: &str) -> Result<Tag> {
    let mut tx = db.begin().await?;
    let tag = find(&tx, named).await?;
    if let Some(name) = store::delete_featured_tag(&tx, me, tag.id).await? {
        tell(&mut tx, me, |telling| News::TagUnfeatured { account: me, name, telling }).await?;
    }
    tx.commit().await?;
    Ok(tag)
}

/// Tags on a profile, the most used first. [`Error::NotFound`] without such an account.
pub async fn featured(conn: &Conn, of: AccountId) -> Result<Vec<Featured>> {
    if accounts::visible(conn, of).await?.suspended_at.is_some() {
        return Ok(Vec::new());
    }
    store::featured(conn, of, FEATURED).await
}

/// Tags that `me` used most of late and does not feature yet.
pub async fn suggestions(conn: &Conn, me: AccountId) -> Result<Vec<Tag>> {
    store::suggestions(conn, me, (RECENT, SUGGESTED)).await
}

/// What `viewer` has to do with each of the tags; those with nothing are absent.
pub async fn marks(conn: &Conn, viewer: AccountId, tags: &[Tag]) -> Result<HashMap<TagId, Marks>> {
    let mut out: HashMap<TagId, Marks> = HashMap::new();
    for (id, what) in store::marks(conn, viewer, ids_of(tags)).await? {
        let marks = out.entry(id).or_default();
        match what {
            1 => marks.following = true,
            _ => marks.featuring = true,
        }
    }
    Ok(out)
}

fn ids_of(tags: &[Tag]) -> Ids {
    Ids::of(tags.iter().filter(|t| t.is_used()).map(|t| t.id))
}

fn day(at: Time) -> i64 {
    at.millis().div_euclid(DAY_MILLIS)
}

/// How much each of the tags was used today and on the six days before, today first. Those not used at all are absent.
pub async fn history(conn: &Conn, tags: &[Tag]) -> Result<HashMap<TagId, [Use; WEEK]>> {
    let today = day(Time::now());
    let mut out: HashMap<TagId, [Use; WEEK]> = HashMap::new();
    for (id, day, uses, accounts) in store::days(conn, ids_of(tags), today - 7).await? {
        let week = out.entry(id).or_default();
        if let Some(cell) = usize::try_from(today - day).ok().and_then(|ago| week.get_mut(ago)) {
            *cell = Use { uses, accounts };
        }
    }
    Ok(out)
}

/// Counts the use of a new status's tags. Only what everybody finds counts; what is deleted later stays counted.
pub(crate) async fn count_use(tx: &Tx, status: &Status, tags: &[text::Tag]) -> Result<()> {
    if tags.is_empty() || status.visibility != Visibility::Public {
        return Ok(());
    }
    let since: crate::ids::StatusId = ids::floor(tx.now.midnight());
    store::count_use(tx, status, (tags, day(tx.now)), since).await
}

/// Forgets uses that no history shows any more: housekeeping. How many days of tags.
pub async fn forget_uses(db: &Db) -> Result<u64> {
    let tx = db.begin_long().await?;
    let n = store::delete_days(&tx, day(tx.now) - 7).await?;
    tx.commit().await?;
    Ok(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let long = "あ".repeat(NAME_CHARACTERS);
        for (typed, key) in [
            ("cats", "cats"),
            (" #ＣＡＴＳ", "cats"),
            ("＃東京", "東京"),
            ("café", "cafe"),
            ("12_3", "12_3"),
            (&long, &long),
        ] {
            assert_eq!(parse(typed).map(|t| t.key).as_deref(), Some(key), "{typed}");
        }
        for typed in
            ["", "#", "123", "a b", "a-b", "cats!", "#a#b", "/", "·", "\0", &format!("{long}い"), &"x".repeat(1 << 20)]
        {
            assert_eq!(parse(typed).map(|t| t.key), None, "{}", typed.chars().take(20).collect::<String>());
        }
        assert_eq!(parse("#Ｃａｆé").map(|t| t.name).as_deref(), Some("Ｃａｆé"));
    }

    #[tokio::test]
    async fn a_week_is_shown_and_then_forgotten() {
        let world = accounts::tests::world().await;
        let tx = world.db.begin().await.unwrap();
        let tag = Tag { id: TagId(0), name: "cats".into(), display_name: "Cats".into() };
        let tag = kept(&tx, tag).await.unwrap();
        assert_eq!(kept(&tx, tag.clone()).await.unwrap().id, tag.id);
        for ago in [0i64, 1, 6, 7, 30] {
            let sql = "INSERT INTO tag_days (tag_id, day, uses, accounts) VALUES ($1, $2, $3, 1)";
            tx.exec(sql, &[&tag.id, &(day(tx.now) - ago), &(ago + 1)]).await.unwrap();
        }
        tx.commit().await.unwrap();
        for forgotten in [2, 0] {
            let week = history(&world.db.read().await.unwrap(), std::slice::from_ref(&tag)).await.unwrap()[&tag.id];
            assert_eq!(week.map(|on| on.uses), [1, 2, 0, 0, 0, 0, 7]);
            assert_eq!(forget_uses(&world.db).await.unwrap(), forgotten);
        }
    }
}
