//! Previews of pages that posts link to: fetched once for each address, a little later than the post, and shared.

mod link;
mod store;

pub use link::first_link;

use crate::{
    Result, Time,
    db::{Conn, Db, Ids, Tx, stored_enum},
    domain_blocks::{Rules, name},
    events::Event,
    ids::{self, AccountId, CardId, StatusId},
    jobs::Job,
    media, row,
    site::Site,
    statuses::Status,
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::time::Duration;

/// How long a preview is shown before its page is asked again, when the next post links to it.
const GOOD: Duration = Duration::from_secs(14 * 24 * 3600);
/// The same for a page without one.
const WITHOUT: Duration = Duration::from_secs(3600);
/// After so long nobody is fetching it any more, whatever was said.
const FETCHING: Duration = Duration::from_secs(600);
/// Posts that are told when their preview has come.
const TOLD: i64 = 200;
/// Removed in one transaction.
const BATCH: i64 = 500;
/// Bytes of an address: what the index of all engines can hold.
const LINK: usize = 2000;

stored_enum! {
    pub enum State {
        Wanted = 0 => "wanted",
        Ready = 1 => "ready",
        /// The page cannot be had, or says nothing of itself.
        Nothing = 2 => "nothing",
    }
}

row! {
    /// What is known of the page at an address.
    pub struct Preview {
        pub id: CardId,
        pub url: String,
        pub state: State,
        pub asked_at: Time,
        /// JSON of `Card`
        pub card_json: String,
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    #[default]
    Link,
    Photo,
    Video,
    Rich,
}

/// What is shown of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Card {
    pub kind: Kind,
    /// The page's own name for itself.
    pub url: String,
    pub title: String,
    pub description: String,
    pub language: Option<String>,
    pub author_name: String,
    pub author_url: String,
    /// Who says that the page may name them as its author.
    pub author: Option<AccountId>,
    pub provider_name: String,
    pub provider_url: String,
    /// Safe to show.
    pub html: String,
    pub width: i64,
    pub height: i64,
    /// The address of a picture.
    pub image: Option<String>,
    pub image_description: String,
    pub embed_url: String,
    pub blurhash: Option<String>,
    pub published_at: Option<i64>,
}

/// How long fetching may be put off, so that a page that many link to at once is not asked by all servers at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Haste {
    /// The author looks at it.
    Own,
    Others,
}

impl Haste {
    fn pause(self) -> Duration {
        let most = match self {
            Self::Own => 2_000,
            Self::Others => 60_000,
        };
        // The sequence in ids is as good as chance here.
        let chance = ids::next::<CardId>().0.wrapping_mul(0x9e37_79b9).unsigned_abs() >> 8;
        Duration::from_millis(500 + chance % most)
    }
}

impl Preview {
    pub fn card(&self) -> Card {
        serde_json::from_str(&self.card_json).unwrap_or_default()
    }

    /// Whether its picture is kept from sight, and not fetched: by a rule about the server of the page or of the picture.
    pub fn is_barred(&self, card: &Card, rules: &Rules) -> bool {
        let addresses = [Some(&self.url), Some(&card.url), card.image.as_ref()];
        !rules.is_empty() && addresses.into_iter().flatten().any(|url| rules.rejects_media(&name::of_address(url)))
    }

    fn is_to_be_asked(&self, now: Time) -> bool {
        let good = match self.state {
            State::Wanted => FETCHING,
            State::Ready => GOOD,
            State::Nothing => WITHOUT,
        };
        now.since(self.asked_at) > good
    }
}

/// What is shown with each of these posts.
pub async fn by_statuses(
    conn: &Conn,
    statuses: impl IntoIterator<Item = StatusId>,
) -> Result<HashMap<StatusId, Preview>> {
    let ids = Ids::of(statuses);
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let pairs = store::pairs(conn, &ids).await?;
    let previews = store::ready(conn, pairs.iter().map(|(_, card)| *card)).await?;
    let by_id: HashMap<CardId, Preview> = previews.into_iter().map(|p| (p.id, p)).collect();
    Ok(pairs.into_iter().filter_map(|(status, card)| Some((status, by_id.get(&card)?.clone()))).collect())
}

pub async fn by_id(conn: &Conn, id: CardId) -> Result<Option<Preview>> {
    store::by_id(conn, id).await
}

pub async fn by_ids(conn: &Conn, ids: impl IntoIterator<Item = CardId>) -> Result<Vec<Preview>> {
    store::ready(conn, ids).await
}

/// Gives a post the preview of what it links to, and has it fetched if need be. `hint`: the page that its server says is
/// to be shown, if it says so. Pages of this site need none.
pub(crate) async fn attach(
    tx: &mut Tx,
    site: &Site,
    status: &Status,
    (hint, haste): (Option<&str>, Haste),
) -> Result<()> {
    let before = store::detach(tx, status.id).await?;
    let now = attached(tx, site, status, (hint, haste)).await?;
    match before.filter(|before| Some(*before) != now) {
        Some(before) => drop_unused(tx, before).await,
        None => Ok(()),
    }
}

async fn attached(
    tx: &mut Tx,
    site: &Site,
    status: &Status,
    (hint, haste): (Option<&str>, Haste),
) -> Result<Option<CardId>> {
    if status.has_media || status.reblog_of_id.is_some() {
        return Ok(None);
    }
    let fits = |url: &String| url.len() <= LINK;
    let Some(url) = hint.and_then(|hint| hinted(hint, site)).or_else(|| first_link(&status.content, site).filter(fits))
    else {
        return Ok(None);
    };
    let id: CardId = ids::next();
    store::insert(tx, id, &url).await?;
    let Some(preview) = store::by_url(tx, &url).await? else { return Ok(None) };
    store::attach(tx, status.id, preview.id).await?;
    if preview.id == id || preview.is_to_be_asked(tx.now) {
        store::begin(tx, preview.id, tx.now).await?;
        tx.enqueue_at(Job::FetchCard { card: preview.id }, tx.now.plus(haste.pause())).await?;
    }
    Ok(Some(preview.id))
}

/// A post goes: so does what nobody else shows.
pub(crate) async fn let_go(tx: &mut Tx, status: &Status) -> Result<()> {
    if status.has_media || status.reblog_of_id.is_some() {
        return Ok(());
    }
    match store::detach(tx, status.id).await? {
        Some(card) => drop_unused(tx, card).await,
        None => Ok(()),
    }
}

async fn drop_unused(tx: &mut Tx, id: CardId) -> Result<()> {
    let gone = store::delete_if_unused(tx, id).await?;
    forget(tx, gone.into_iter().collect()).await
}

async fn forget(tx: &mut Tx, gone: Vec<Preview>) -> Result<()> {
    media::forget(tx, gone.iter().flat_map(|preview| media::of_card(preview.id, preview.card().image))).await
}

/// All there are, after `after` by their ids.
pub(crate) async fn list(conn: &Conn, after: CardId, limit: i64) -> Result<Vec<Preview>> {
    store::list(conn, after, limit).await
}

/// The address of the page that is meant, if it may be shown.
fn hinted(hint: &str, site: &Site) -> Option<String> {
    Some(hint).filter(|hint| !site.has(hint)).and_then(link::page).filter(|url| url.len() <= LINK)
}

/// Nobody here looks at a post as yet: what its server says is to be shown with it is remembered until somebody does.
pub(crate) async fn keep_hint(tx: &Tx, site: &Site, (status, hint): (&Status, Option<&str>)) -> Result<()> {
    match hint.filter(|_| !status.has_media).and_then(|hint| hinted(hint, site)) {
        Some(url) => store::insert_hint(tx, status.id, &url).await,
        None => Ok(()),
    }
}

/// Gives its preview to a post that nobody here was interested in until now.
pub(crate) async fn attach_late(tx: &mut Tx, site: &Site, (status, haste): (&Status, Haste)) -> Result<()> {
    if store::is_attached(tx, status.id).await? {
        return Ok(());
    }
    let hint = store::hint(tx, status.id).await?;
    if hint.is_some() {
        store::delete_hint(tx, status.id).await?;
    }
    attach(tx, site, status, (hint.as_deref(), haste)).await
}

/// Whether somebody here was interested in a post, as far as its links tell.
pub(crate) async fn was_wanted(conn: &Conn, site: &Site, status: &Status) -> Result<bool> {
    let had_none = status.has_media || first_link(&status.content, site).is_none();
    Ok(had_none || store::is_attached(conn, status.id).await?)
}

/// Somebody here opens a post: one that nobody was interested in until now gets its preview.
pub async fn open(db: &Db, site: &Site, status: &Status) -> Result<()> {
    if status.local || status.has_media {
        return Ok(());
    }
    let conn = db.read().await?;
    let linked = first_link(&status.content, site).is_some() || store::hint(&conn, status.id).await?.is_some();
    if !linked || store::is_attached(&conn, status.id).await? {
        return Ok(());
    }
    drop(conn);
    let mut tx = db.begin().await?;
    attach_late(&mut tx, site, (status, Haste::Own)).await?;
    tx.commit().await
}

/// What came of fetching: those who show it are told.
pub async fn arrived(db: &Db, id: CardId, card: Option<Card>) -> Result<()> {
    let mut tx = db.begin().await?;
    let Some(old) = store::by_id(&tx, id).await? else { return Ok(()) };
    let state = match (&card, old.state) {
        (Some(_), _) => State::Ready,
        // What was there once is shown, as long as nothing better comes.
        (None, State::Ready) => return tx.commit().await,
        (None, _) => State::Nothing,
    };
    let text = match &card {
        Some(card) => serde_json::to_string(&cut(card.clone()))?,
        None => "{}".to_owned(),
    };
    store::update(&tx, id, (state, &text)).await?;
    let before = old.card().image.filter(|image| card.as_ref().and_then(|card| card.image.as_ref()) != Some(image));
    media::forget(&mut tx, media::of_card(id, before)).await?;
    if state == State::Ready && text != old.card_json {
        for status in store::statuses(&tx, id, TOLD).await? {
            tx.publish(Event::StatusEdited { status });
        }
    }
    tx.commit().await
}

/// Its picture has been seen.
pub async fn describe(db: &Db, id: CardId, (width, height): (u32, u32), blurhash: String) -> Result<()> {
    let tx = db.begin().await?;
    let Some(preview) = store::by_id(&tx, id).await? else { return Ok(()) };
    let mut card = preview.card();
    if card.blurhash.is_some() {
        return Ok(());
    }
    card.blurhash = Some(blurhash);
    if card.html.is_empty() {
        (card.width, card.height) = (i64::from(width), i64::from(height));
    }
    store::update(&tx, id, (preview.state, &serde_json::to_string(&card)?)).await?;
    tx.commit().await
}

/// Pages say as much as they like.
fn cut(card: Card) -> Card {
    let text = |text: String, most: usize| -> String {
        let text: String = text.chars().filter(|c| !c.is_control()).take(most).collect();
        text.trim().to_owned()
    };
    Card {
        url: text(card.url, 2048),
        title: text(card.title, 500),
        description: text(card.description, 1000),
        author_name: text(card.author_name, 200),
        author_url: text(card.author_url, 2048),
        provider_name: text(card.provider_name, 200),
        provider_url: text(card.provider_url, 2048),
        image_description: text(card.image_description, 1500),
        embed_url: text(card.embed_url, 2048),
        width: card.width.clamp(0, 10_000),
        height: card.height.clamp(0, 10_000),
        ..card
    }
}

/// Forgets what was not asked for since `before`, whether posts show it or not; it is fetched again when the next post
/// links to it. How many, also if they are only to be counted.
pub async fn remove(db: &Db, before: Time, what: Removal) -> Result<u64> {
    if what == Removal::Count {
        return store::count_old(&db.read().await?, before).await;
    }
    let mut removed = 0;
    loop {
        let mut tx = db.begin().await?;
        let gone = store::delete_old(&tx, before, BATCH).await?;
        let n = gone.len() as u64;
        forget(&mut tx, gone).await?;
        tx.commit().await?;
        removed += n;
        if n == 0 {
            return Ok(removed);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    Count,
    Remove,
}

/// Removes what no post shows any more. How many.
pub async fn sweep(db: &Db) -> Result<u64> {
    let mut tx = db.begin().await?;
    let gone = store::delete_unused(&tx, tx.now.minus(GOOD), BATCH).await?;
    let n = gone.len() as u64;
    forget(&mut tx, gone).await?;
    tx.commit().await?;
    Ok(n)
}
