//! Actors: people, bots, groups and whole servers.

use super::attachment::DESCRIPTION;
use super::reader::{Reader, address, cut, id_of, same_origin};
use super::{Emoji, Hashtag, Malformed, tag};
use domain::Time;
use serde_json::Value;

/// What stands behind an actor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ActorKind {
    #[default]
    Person,
    /// A bot.
    Service,
    /// A server's own actor, or a bot.
    Application,
    Group,
    Organization,
}

/// An actor document. Ids and inboxes are http(s) addresses; texts are as they came, not yet made safe.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Actor {
    pub id: String,
    pub kind: ActorKind,
    /// `preferredUsername`
    pub username: String,
    /// `user@domain` as the actor itself claims it (FEP-2c59); to be verified like any other handle.
    pub webfinger: Option<String>,
    /// Plain text.
    pub name: String,
    /// HTML.
    pub summary: String,
    /// The page for people.
    pub url: Option<String>,
    pub inbox: String,
    pub outbox: Option<String>,
    pub shared_inbox: Option<String>,
    pub followers: Option<String>,
    pub following: Option<String>,
    pub featured: Option<String>,
    pub featured_tags: Option<String>,
    pub icon: Option<Image>,
    pub image: Option<Image>,
    /// `manuallyApprovesFollowers`
    pub locked: bool,
    pub discoverable: Option<bool>,
    pub indexable: Option<bool>,
    pub published: Option<Time>,
    pub updated: Option<Time>,
    pub fields: Vec<Property>,
    pub emojis: Vec<Emoji>,
    pub hashtags: Vec<Hashtag>,
    pub also_known_as: Vec<String>,
    pub moved_to: Option<String>,
    pub suspended: bool,
    pub memorial: bool,
    pub attribution_domains: Vec<String>,
    /// `publicKey` and `assertionMethod`, those whose owner is this actor.
    pub keys: Vec<Key>,
    /// Addresses of keys that are named in `publicKey` and shown there alone.
    pub key_links: Vec<String>,
    /// `hidesToPublicFromUnauthedWeb`: posts for everybody are for nobody who is not signed in.
    pub hides_public: bool,
    /// `hidesCcPublicFromUnauthedWeb`: the same of posts that are not in public lists.
    pub hides_unlisted: bool,
    /// Says that it understands RFC 9421 (FEP-844e).
    pub knows_rfc9421: bool,
}

/// One line of a profile's table; `value` is HTML.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Property {
    pub name: String,
    pub value: String,
}

/// A picture of an actor or of an emoji.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    pub url: String,
    pub media_type: Option<String>,
    pub description: Option<String>,
}

/// A public key as published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub id: String,
    pub owner: String,
    pub material: KeyMaterial,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyMaterial {
    Pem(String),
    /// FEP-521a
    Multibase(String),
}

impl KeyMaterial {
    fn is_pem(&self) -> bool {
        matches!(self, Self::Pem(_))
    }
}

const NAME: usize = 2048;
const SUMMARY: usize = 20_000;
const FIELDS: usize = 50;
const FIELD: usize = 2047;
const ALIASES: usize = 256;
const KEYS: usize = 10;
/// Each has to be fetched.
const KEY_LINKS: usize = 2;
const USERNAME: usize = 2048;
/// A PEM or Multikey.
const MATERIAL: usize = 16 * 1024;

pub(super) fn kind(name: &str) -> Option<ActorKind> {
    match name {
        "Person" => Some(ActorKind::Person),
        "Service" => Some(ActorKind::Service),
        "Application" => Some(ActorKind::Application),
        "Group" => Some(ActorKind::Group),
        "Organization" => Some(ActorKind::Organization),
        _ => None,
    }
}

impl Actor {
    /// Needs an id, a type that is an actor's, and an inbox on the id's server; everything else may be missing.
    pub fn read(value: &Value) -> Result<Self, Malformed> {
        let reader = Reader::of(value)?;
        let kind = reader.kind(kind).ok_or(Malformed::Property("type"))?;
        let id = reader.id().ok_or(Malformed::Property("id"))?;
        // What is said to be elsewhere would be asked or written to in this actor's name.
        let own = |name: &str| reader.link(name).filter(|link| same_origin(link, &id));
        let inbox = own("inbox").ok_or(Malformed::Property("inbox"))?;
        let username = username(reader.text("preferredUsername").unwrap_or_default());
        let endpoints = reader.first("endpoints").and_then(Value::as_object).map(Reader);
        let shared = endpoints.and_then(|it| it.link("sharedInbox")).or_else(|| reader.link("sharedInbox"));
        let (emojis, hashtags) = (tag::emojis(reader), tag::hashtags(reader));
        let name = reader.worded("name", "nameMap").map(|name| cut(name, NAME)).filter(|name| !name.trim().is_empty());
        Ok(Self {
            kind,
            name: name.unwrap_or_else(|| username.clone()),
            username,
            webfinger: reader.text("webfinger").map(handle).filter(|handle| !handle.is_empty()),
            summary: cut(reader.worded("summary", "summaryMap").unwrap_or_default(), SUMMARY),
            url: page(reader).filter(|link| same_origin(link, &id)),
            inbox,
            outbox: own("outbox"),
            shared_inbox: shared.filter(|link| same_origin(link, &id)),
            followers: own("followers"),
            following: own("following"),
            featured: own("featured"),
            featured_tags: own("featuredTags"),
            icon: reader.list("icon").iter().find_map(Image::read),
            image: reader.list("image").iter().find_map(Image::read),
            locked: reader.flag("manuallyApprovesFollowers").unwrap_or(false),
            discoverable: reader.flag("discoverable"),
            indexable: reader.flag("indexable"),
            published: reader.time("published"),
            updated: reader.time("updated"),
            fields: fields(reader),
            emojis,
            hashtags,
            also_known_as: reader.links("alsoKnownAs", ALIASES),
            moved_to: reader.link("movedTo"),
            suspended: reader.flag("suspended").unwrap_or(false),
            memorial: reader.flag("memorial").unwrap_or(false),
            attribution_domains: domains(reader),
            keys: keys(reader, &id),
            key_links: key_links(reader, &id),
            hides_public: reader.flag("hidesToPublicFromUnauthedWeb").unwrap_or(false),
            hides_unlisted: reader.flag("hidesCcPublicFromUnauthedWeb").unwrap_or(false),
            knows_rfc9421: knows_rfc9421(reader),
            id,
        })
    }

    /// The keys for requests; the actor's first, if none is asked for by id.
    pub fn key(&self, id: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.id == id)
    }
}

/// What peers accept as one: letters, digits, `_`, and `.` and `-` inside. Empty when it is not one.
fn username(name: &str) -> String {
    let fits = !name.is_empty() && name.len() <= USERNAME && !name.contains(['@', '/', ':', '?', '#']);
    let plain = fits && !name.chars().any(|c| c.is_control() || c.is_whitespace());
    if plain { name.to_owned() } else { String::new() }
}

fn handle(text: &str) -> String {
    let text = text.strip_prefix("acct:").unwrap_or(text).trim_start_matches('@');
    let plain = text.len() <= 512 && !text.chars().any(|c| c.is_control() || c.is_whitespace());
    if plain && text.matches('@').count() == 1 { text.to_owned() } else { String::new() }
}

/// The address of the page: `url` as text, Link, or a list of them, of which one may be said to be HTML.
pub(super) fn page(reader: Reader<'_>) -> Option<String> {
    let list = reader.list("url");
    let kind = |value: &Value| value.get("mediaType").and_then(Value::as_str).map(str::to_owned);
    let html = list.iter().find(|value| kind(value).is_some_and(|kind| kind.starts_with("text/html")));
    let plain = || list.iter().find(|value| value.is_string());
    html.or_else(plain).or_else(|| list.iter().find(|value| kind(value).is_none())).and_then(id_of)
}

fn fields(reader: Reader<'_>) -> Vec<Property> {
    let field = |value: &Value| {
        let field = Reader::of(value).ok()?;
        if field.is("PropertyValue") {
            return Some(Property { name: field.cut("name", FIELD), value: field.cut("value", FIELD) });
        }
        // FEP-fb2a: a Note for each line.
        let is_note = field.is("Note") && field.raw("name").is_some();
        is_note.then(|| Property { name: field.cut("name", FIELD), value: field.cut("content", FIELD) })
    };
    reader
        .list("attachment")
        .iter()
        .filter_map(field)
        .filter(|field| !field.name.trim().is_empty())
        .take(FIELDS)
        .collect()
}

fn domains(reader: Reader<'_>) -> Vec<String> {
    let texts = reader.list("attributionDomains").iter().filter_map(Value::as_str);
    texts.filter(|text| !text.is_empty() && text.len() <= 253).take(ALIASES).map(str::to_ascii_lowercase).collect()
}

/// Keys of which both sides say that they belong together: PEM is for requests alone, Multikeys are for what is said too.
/// Of several with one name the first counts.
fn keys(reader: Reader<'_>, id: &str) -> Vec<Key> {
    let read = |value: &Value| Key::of(Reader::of(value).ok()?);
    let is_multikey = |value: &&Value| Reader::of(value).is_ok_and(|reader| reader.is("Multikey"));
    let pems = reader.list("publicKey").iter().filter_map(read).filter(|key| key.material.is_pem());
    let multikeys = reader.list("assertionMethod").iter().filter(is_multikey);
    let multikeys = multikeys.filter_map(read).filter(|key| !key.material.is_pem());
    let mut keys: Vec<Key> = Vec::new();
    for key in pems.chain(multikeys).filter(|key| key.owner == id && is_own(&key.id, id)) {
        if keys.len() < KEYS && keys.iter().all(|known| known.id != key.id) {
            keys.push(key);
        }
    }
    keys
}

/// Whether a key may be called so by this actor: as part of its own document, or as one by itself on its server. What is
/// part of another's document is for that other to name.
fn is_own(key: &str, id: &str) -> bool {
    same_origin(key, id) && key.split_once('#').is_none_or(|(document, _)| document == id)
}

/// FEP-844e: `generator.implements`.
fn knows_rfc9421(reader: Reader<'_>) -> bool {
    const SPEC: &str = "https://datatracker.ietf.org/doc/html/rfc9421";
    let generator = reader.first("generator").and_then(Value::as_object).map(Reader);
    generator.is_some_and(|it| it.list("implements").iter().filter_map(id_of).any(|href| href == SPEC))
}

/// Where keys are that are only named. One with a fragment would be in the actor itself.
fn key_links(reader: Reader<'_>, id: &str) -> Vec<String> {
    let links = reader.list("publicKey").iter().filter_map(address);
    links.filter(|link| same_origin(link, id) && link != id && !link.contains('#')).take(KEY_LINKS).collect()
}

impl Key {
    /// A key as it stands in an actor or by itself.
    pub(super) fn of(reader: Reader<'_>) -> Option<Self> {
        let text = |name: &str| reader.text(name).filter(|text| text.len() <= MATERIAL).map(str::to_owned);
        let pem = text("publicKeyPem").map(KeyMaterial::Pem);
        let material = pem.or_else(|| text("publicKeyMultibase").map(KeyMaterial::Multibase))?;
        Some(Self { id: reader.id()?, owner: reader.link("owner").or_else(|| reader.link("controller"))?, material })
    }
}

impl Image {
    /// An address, or an Image, Document or Link.
    pub(super) fn read(value: &Value) -> Option<Self> {
        if let Some(url) = address(value) {
            return Some(Self { url, ..Self::default() });
        }
        let reader = Reader::of(value).ok()?;
        let inner = reader.first("url").or_else(|| reader.first("href"))?;
        let (url, inner_type) = match inner.as_object().map(Reader) {
            None => (address(inner)?, None),
            Some(link) => (link.link("href")?, link.text("mediaType")),
        };
        let media_type = reader.text("mediaType").or(inner_type).map(|kind| cut(kind, 128));
        let words = reader.text("summary").or_else(|| reader.text("name")).filter(|words| !words.trim().is_empty());
        Some(Self { url, media_type, description: words.map(|words| cut(words, DESCRIPTION)) })
    }
}
