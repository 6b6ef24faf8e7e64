//! Emoji that people put on statuses. Each counts as a favourite, too: that is what those see who know nothing else.

mod store;

use super::{
    Status, Visibility,
    actions::{about, finish, undone},
    consent::{self, Deed, Verdict},
    store as statuses, visibility,
};
use crate::{
    Error, Result, accounts,
    db::{Conn, Db, Ids, Tx},
    deliveries::{self, News},
    emojis::{self, Said},
    hosts,
    ids::{self, AccountId, FavouriteId, ReactionId, StatusId},
    jobs::Job,
    notifications::{self, Kind},
    relationships, row,
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::time::Duration;

/// Emoji of one person on one status, and different ones on it in all.
const EACH: usize = 5;
const NAMES: i64 = 60;
/// Bytes of a name and of the address of a picture.
const NAME: usize = 512;
const PICTURE: usize = 2048;
/// What is still there is told so much later than what is not, so that it comes after that.
const AFTERWARDS: Duration = Duration::from_secs(10);
/// People who are shown.
const SHOWN: i64 = 200;

/// What is put on a status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Emoji {
    /// An emoji of Unicode; the shortcode of one of this site; `shortcode@host` of one of another server.
    pub name: String,
    /// A key of the store, or the whole address where it is elsewhere; None for those of Unicode.
    pub picture: Option<String>,
}

row! {
    /// How often an emoji is on a status.
    pub struct Counted {
        pub status_id: StatusId,
        pub name: String,
        /// Empty for an emoji of Unicode.
        pub picture: String,
        pub count: i64,
        /// Above zero when the viewer is among them.
        pub me: i64,
    }
}

row! {
    /// Who put it there.
    pub struct Reaction {
        pub id: ReactionId,
        pub account_id: AccountId,
        pub name: String,
        pub picture: Option<String>,
        /// It made the favourite that goes with it.
        pub favours: bool,
    }
}

/// One emoji of Unicode, as far as can be told without its tables: no word, and not more than one can see as one.
pub fn is_emoji(text: &str) -> bool {
    let plain = |c: char| {
        matches!(u32::from(c), 0xa9 | 0xae | 0x203c | 0x2049 | 0x2122 | 0x2139 | 0x2194..=0x21aa | 0x231a..=0x23ff
            | 0x24c2 | 0x25aa..=0x27bf | 0x2934..=0x2935 | 0x2b05..=0x2b55 | 0x3030 | 0x303d | 0x3297 | 0x3299
            | 0x1f000..=0x1faff)
    };
    let joins = |c: char| matches!(u32::from(c), 0x200d | 0xfe0e | 0xfe0f | 0x20e3 | 0xe0020..=0xe007f);
    let is_skin = |c: char| matches!(u32::from(c), 0x1f3fb..=0x1f3ff);
    let is_flag = |c: char| matches!(u32::from(c), 0x1f1e6..=0x1f1ff);
    let keycap = text.ends_with('\u{20e3}') && text.starts_with(|c: char| c.is_ascii_digit() || "#*".contains(c));
    if keycap {
        return text.chars().count() <= 3 && text.chars().skip(1).all(joins);
    }
    let (mut before, mut seen, mut flags) = (None, 0, 0);
    for c in text.chars() {
        match (plain(c), joins(c)) {
            (false, false) => return false,
            (true, _) if is_skin(c) && before.is_some() => {}
            (true, _) if before == Some('\u{200d}') => {}
            (true, _) => seen += 1,
            _ => {}
        }
        flags += usize::from(is_flag(c));
        before = Some(c);
    }
    text.len() <= 64 && (seen == 1 || (seen == 2 && flags == 2)) && text.starts_with(plain)
}

/// What a person here means by `text`: an emoji of Unicode, one of this site, or one of another server that is on the
/// status already. None: nothing.
pub async fn meant(conn: &Conn, status: StatusId, text: &str) -> Result<Option<Emoji>> {
    if is_emoji(text) {
        return Ok(Some(Emoji { name: text.to_owned(), picture: None }));
    }
    let name = text.trim_matches(':');
    if let Some(ours) = emojis::by_shortcodes(conn, &[name]).await?.into_iter().next() {
        return Ok(Some(Emoji { name: ours.shortcode, picture: Some(ours.image) }));
    }
    let there = store::list(conn, status, SHOWN).await?.into_iter().find(|r| r.name == name);
    Ok(there.map(|r| Emoji { name: r.name, picture: r.picture }))
}

/// Puts an emoji on a status. Safe to repeat. [`Error::Invalid`] for more than one may put there.
pub async fn react(db: &Db, who: AccountId, (id, emoji): (StatusId, &Emoji)) -> Result<Status> {
    react_named(db, who, (id, emoji), None).await
}

/// As [`react`], by somebody elsewhere, whose server calls it `uri`.
pub async fn react_named(
    db: &Db,
    who: AccountId,
    (id, emoji): (StatusId, &Emoji),
    uri: Option<&str>,
) -> Result<Status> {
    let conn = db.read().await?;
    let status = visibility::visible_original(&conn, who, id).await?;
    consent::needed(&conn, who, (&status, Deed::Like)).await?;
    drop(conn);
    let fits = emoji.name.len() <= NAME && emoji.picture.as_ref().is_none_or(|p| p.len() <= PICTURE);
    if !fits {
        return Err(Error::invalid("Emoji", "is too long"));
    }
    let mut tx = db.begin().await?;
    let mine = store::of(&tx, who, status.id).await?;
    if mine.iter().any(|r| r.name == emoji.name) {
        return finish(tx, status.id).await;
    }
    let known = store::is_there(&tx, status.id, &emoji.name).await?;
    if mine.len() >= EACH || (!known && store::names(&tx, status.id).await? >= NAMES) {
        return Err(Error::invalid("Emoji", "are too many already"));
    }
    let favours = favour(&mut tx, who, &status).await?;
    let (name, picture) = (emoji.name.clone(), emoji.picture.clone());
    let reaction = Reaction { id: ids::next(), account_id: who, name, picture, favours };
    keep_picture(&mut tx, &reaction).await?;
    if store::insert(&tx, (status.id, uri), &reaction).await? && is_told(&tx, who, &status).await? {
        let (status, reaction) = (status.id, reaction.id);
        deliveries::tell(&mut tx, News::Reacted { account: who, status, reaction, emoji: emoji.clone() }).await?;
    }
    finish(tx, status.id).await
}

/// Whether anybody elsewhere hears of what `who` puts on `status`: its author, and followers of somebody here.
async fn is_told(tx: &Tx, who: AccountId, status: &Status) -> Result<bool> {
    if !status.local {
        return Ok(true);
    }
    let who = accounts::store::by_id(tx, who).await?;
    let followed = who.is_some_and(|who| who.is_local() && who.has_remote_followers);
    Ok(followed && status.visibility <= Visibility::Unlisted)
}

/// Whether followers of `who` hear of what they put on `status`: what everybody may see, and whoever may without asking.
pub async fn is_for_followers(conn: &Conn, who: AccountId, status: &Status) -> Result<bool> {
    let open = status.visibility <= Visibility::Unlisted;
    Ok(open && consent::verdict(conn, who, (status, Deed::Like)).await? == Verdict::Allowed)
}

/// An emoji of another server is shown as those in posts are: it gets a row. Whoever puts it there says how it looks; of
/// a third server's that counts as long as nothing better is known.
async fn keep_picture(tx: &mut Tx, reaction: &Reaction) -> Result<()> {
    let url = reaction.picture.as_deref().filter(|url| url.starts_with("https://") || url.starts_with("http://"));
    let (Some((shortcode, host)), Some(url)) = (reaction.name.split_once('@'), url) else { return Ok(()) };
    let Some(who) = accounts::store::by_id(tx, reaction.account_id).await? else { return Ok(()) };
    let own = !who.is_local() && (who.domain.as_deref() == Some(host) || hosts::of(&who.uri).as_deref() == Some(host));
    let emoji = emojis::Elsewhere { shortcode: shortcode.into(), url: url.into(), ..Default::default() };
    emojis::hear(tx, host, (emoji, if own { Said::ByItself } else { Said::ByOthers })).await
}

/// The favourite that goes with it; false when there was one.
async fn favour(tx: &mut Tx, who: AccountId, status: &Status) -> Result<bool> {
    if statuses::insert_favourite(tx, who, (status.id, None)).await?.is_none() {
        return Ok(false);
    }
    statuses::count_favourites(tx, status.id, 1).await?;
    notifications::notify(tx, about(status, who, Kind::Favourite)).await?;
    Ok(true)
}

/// Takes an emoji back, and with the last one the favourite that came with it. Safe to repeat.
pub async fn unreact(db: &Db, who: AccountId, (id, name): (StatusId, &str)) -> Result<Status> {
    let status = undone(db, who, id).await?;
    let mut tx = db.begin().await?;
    let mine = store::of(&tx, who, status.id).await?;
    let (gone, rest): (Vec<Reaction>, Vec<Reaction>) = mine.into_iter().partition(|r| r.name == name);
    let Some(gone) = gone.into_iter().next() else { return finish(tx, status.id).await };
    let keeps = !rest.is_empty() || !gone.favours;
    store::delete(&tx, gone.id).await?;
    match rest.first() {
        Some(next) if gone.favours => store::favours(&tx, next.id).await?,
        None if gone.favours => unfavour(&mut tx, who, &status).await?,
        _ => {}
    }
    tell_gone(&mut tx, &status, gone).await?;
    if keeps && !status.local {
        let news = News::LikeKept { account: who, status: status.id, telling: ids::next() };
        let at = tx.now.plus(AFTERWARDS);
        tx.enqueue_at(Job::Tell { news }, at).await?;
    }
    finish(tx, status.id).await
}

/// What is still on a status of another server, if anything is.
#[derive(Debug)]
pub enum Kept {
    Favourite(FavouriteId),
    Reaction(ReactionId, Emoji),
}

/// What of `who` counts on it now: the emoji put there last, else the favourite.
pub async fn kept(conn: &Conn, who: AccountId, id: StatusId) -> Result<Option<Kept>> {
    if let Some(last) = store::of(conn, who, id).await?.pop() {
        return Ok(Some(Kept::Reaction(last.id, Emoji { name: last.name, picture: last.picture })));
    }
    Ok(store::favourite_by(conn, who, id).await?.map(Kept::Favourite))
}

async fn tell_gone(tx: &mut Tx, status: &Status, gone: Reaction) -> Result<()> {
    if !is_told(tx, gone.account_id, status).await? {
        return Ok(());
    }
    let emoji = Emoji { name: gone.name, picture: gone.picture };
    let news = News::Unreacted { account: gone.account_id, status: status.id, reaction: gone.id, emoji };
    deliveries::tell(tx, news).await
}

async fn unfavour(tx: &mut Tx, who: AccountId, status: &Status) -> Result<()> {
    if statuses::delete_favourite(tx, who, status.id).await?.is_some() {
        statuses::count_favourites(tx, status.id, -1).await?;
        notifications::retract(tx, about(status, who, Kind::Favourite)).await?;
    }
    Ok(())
}

/// On which status `who` put which emoji under this name.
pub(super) async fn named(conn: &Conn, who: AccountId, uri: &str) -> Result<Option<(StatusId, String)>> {
    store::named(conn, who, uri).await
}

/// Whether `who` put anything on it.
pub async fn is_by(conn: &Conn, who: AccountId, id: StatusId) -> Result<bool> {
    Ok(!store::of(conn, who, id).await?.is_empty())
}

/// Takes back all that `who` put on it, when the favourite is taken back. Whether that had come with one of them.
pub(super) async fn clear(tx: &mut Tx, who: AccountId, status: &Status) -> Result<bool> {
    let gone = store::clear(tx, who, status.id).await?;
    let favoured = gone.iter().any(|reaction| reaction.favours);
    for reaction in gone {
        tell_gone(tx, status, reaction).await?;
    }
    Ok(favoured)
}

/// The emoji on each of the statuses, in the order in which they came; statuses without any are absent.
pub async fn counted(
    conn: &Conn,
    viewer: Option<AccountId>,
    statuses: impl IntoIterator<Item = StatusId>,
) -> Result<HashMap<StatusId, Vec<Counted>>> {
    let ids = Ids::of(statuses);
    let mut out: HashMap<StatusId, Vec<Counted>> = HashMap::new();
    if ids.is_empty() {
        return Ok(out);
    }
    for row in store::counted(conn, viewer.unwrap_or(AccountId(0)), ids).await? {
        out.entry(row.status_id).or_default().push(row);
    }
    Ok(out)
}

/// Who put which emoji on a status that `viewer` may see, without whom they do not want to see.
pub async fn list(conn: &Conn, viewer: Option<AccountId>, id: StatusId) -> Result<Vec<(Reaction, accounts::Account)>> {
    let status = visibility::visible(conn, viewer, id).await?;
    let rows = store::list(conn, status.reblog_of_id.unwrap_or(status.id), SHOWN).await?;
    let people = accounts::store::by_ids(conn, rows.iter().map(|r| r.account_id)).await?;
    let relations = relationships::with_authors(conn, viewer, people.iter().map(|a| a.id)).await?;
    let hidden = |id| relations.suspended(id) || relations.blocking(id) || relations.blocked_by(id);
    let people: HashMap<AccountId, accounts::Account> =
        people.into_iter().filter(|a| !hidden(a.id)).map(|a| (a.id, a)).collect();
    let shown = rows.into_iter().filter_map(|r| people.get(&r.account_id).cloned().map(|a| (r, a)));
    Ok(shown.collect())
}

#[cfg(test)]
mod tests {
    use super::is_emoji;

    #[test]
    fn emoji_are_told_from_words() {
        for text in ["👍", "❤", "❤️", "👨‍👩‍👧", "👍🏽", "🇯🇵", "1️⃣", "#⃣", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "☀️", "©️", "㊗️", "🧑🏽‍🚀"]
        {
            assert!(is_emoji(text), "{text}");
        }
        for text in
            ["", "like", "👍👍", "1", "a👍", "👍a", "🇯🇵🇯🇵", "\u{fe0f}", "\u{200d}", ":blob:", "<b>", "あ", "12⃣", "👍 "]
        {
            assert!(!is_emoji(text), "{text}");
        }
        assert!(!is_emoji(&"👨‍".repeat(50)));
    }
}
