//! What is named inside texts: people, hashtags, emoji.

use super::Image;
use super::reader::{Reader, address, cut};
use domain::Time;
use serde_json::Value;

/// Of each kind.
const TAGS: usize = 200;
const NAME: usize = 2048;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mention {
    /// The actor's id; some send the profile's address.
    pub href: String,
    /// `@user@host` as sent; may lack the host.
    pub name: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hashtag {
    /// Without the `#`, as typed.
    pub name: String,
    pub href: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Emoji {
    pub id: Option<String>,
    /// Without colons.
    pub shortcode: String,
    pub image: Image,
    pub updated: Option<Time>,
}

fn of<'a>(reader: Reader<'a>, kind: &'static str) -> impl Iterator<Item = Reader<'a>> {
    reader.list("tag").iter().filter_map(|value| Reader::of(value).ok()).filter(move |tag| tag.is(kind))
}

pub(super) fn mentions(reader: Reader<'_>) -> Vec<Mention> {
    let mention = |tag: Reader<'_>| {
        let href = tag.raw("href").and_then(address)?;
        Some(Mention { href, name: tag.cut("name", NAME) })
    };
    of(reader, "Mention").filter_map(mention).take(TAGS).collect()
}

pub(super) fn hashtags(reader: Reader<'_>) -> Vec<Hashtag> {
    let hashtag = |tag: Reader<'_>| {
        let name = tag.text("name")?.trim();
        let name = name.strip_prefix(['#', '＃']).unwrap_or(name);
        let fits = !name.is_empty() && name.len() <= NAME && !name.chars().any(char::is_whitespace);
        fits.then(|| Hashtag { name: name.to_owned(), href: tag.raw("href").and_then(address) })
    };
    of(reader, "Hashtag").filter_map(hashtag).take(TAGS).collect()
}

pub(super) fn emojis(reader: Reader<'_>) -> Vec<Emoji> {
    let emoji = |tag: Reader<'_>| {
        let shortcode = shortcode(tag.text("name")?)?;
        let image = tag.list("icon").iter().find_map(Image::read)?;
        Some(Emoji { id: tag.id(), shortcode, image, updated: tag.time("updated") })
    };
    of(reader, "Emoji").filter_map(emoji).take(TAGS).collect()
}

/// Without colons (and Iceshrimp's `@host`); Misskey's have `+` and `-`, too.
fn shortcode(name: &str) -> Option<String> {
    let name = name.trim().trim_matches(':');
    let name = name.split_once('@').map_or(name, |(name, _)| name);
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'+' | b'-');
    (!name.is_empty() && name.bytes().all(plain)).then(|| cut(name, NAME))
}

/// Addresses of what posts point at with Link tags that say that an object is there (FEP-e232).
pub(super) fn object_links<'a>(reader: Reader<'a>) -> impl Iterator<Item = Reader<'a>> {
    let is_object = |tag: &Reader<'a>| tag.text("mediaType").is_some_and(crate::fetch::is_activity);
    of(reader, "Link").filter(is_object)
}

/// A `Hashtag`, as the object of an Add, and other things with a name.
pub(super) fn name(value: &Value) -> Option<String> {
    Reader::of(value).ok()?.text("name").map(|name| cut(name, NAME))
}
