//! Activities: who did what to what.

use super::reader::{Reader, cut, id_of};
use super::{Actor, Collection, Emoji, Malformed, Note, PUBLIC, QuoteAuthorization, actor, note, tag};
use domain::Time;
use serde_json::Value;

/// Activities inside activities: Announce of an Undo of a Like is three deep.
pub(super) const NESTED: usize = 4;
const ADDRESSEES: usize = 2000;
const OBJECTS: usize = 500;
/// Characters of a reaction or report.
const CONTENT: usize = 5000;
const NAME: usize = 64;

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Verb {
    #[default]
    Create,
    Update,
    Delete,
    Announce,
    Undo,
    Follow,
    Accept,
    Reject,
    /// A favourite, or a reaction: see [`Activity::reaction`].
    Like,
    /// Pleroma's reactions, of which one person may have several.
    EmojiReact,
    Dislike,
    Block,
    Flag,
    Add,
    Remove,
    Move,
    /// FEP-044f: may I quote this?
    QuoteRequest,
    /// Whatever is answered with 202 and ignored.
    Other(String),
}

/// An activity. Hidden addressees (`bto`, `bcc`) are apart, so that nobody writes or forwards them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Activity {
    /// Mastodon's Add and Remove have none.
    pub id: Option<String>,
    pub verb: Verb,
    pub actor: String,
    /// Nearly always one; reports name several, GoToSocial puts several votes into one Create.
    pub objects: Vec<Object>,
    pub target: Option<Object>,
    pub instrument: Option<Object>,
    /// Where the approval is, in an Accept.
    pub result: Option<String>,
    /// A reaction, or the words of a report.
    pub content: Option<String>,
    pub emojis: Vec<Emoji>,
    pub to: Vec<String>,
    pub cc: Vec<String>,
    pub hidden: Vec<String>,
    pub published: Option<Time>,
    /// Where the author of the object approved this Like or Announce.
    pub approved_by: Option<String>,
    /// The group it is meant for.
    pub audience: Option<String>,
    /// It carries a Linked Data signature or an integrity proof.
    pub carries_proof: bool,
}

/// What an activity is about: an id, or the thing itself as the sender shows it.
#[derive(Clone, Debug, PartialEq)]
pub enum Object {
    Id(String),
    Actor(Box<Actor>),
    Note(Box<Note>),
    Activity(Box<Activity>),
    Collection(Box<Collection>),
    QuoteAuthorization(Box<QuoteAuthorization>),
    Tombstone {
        id: String,
        former: Option<String>,
    },
    /// Of an unknown type, or too odd to be read as what it says it is.
    Other {
        id: Option<String>,
        kind: String,
        name: Option<String>,
    },
}

/// What somebody feels about a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reaction<'a> {
    Favourite,
    /// One emoji of Unicode.
    Unicode(&'a str),
    /// `:shortcode:`, with its picture if it was sent along. The host is given where the sender wrote `:name@host:`.
    Custom {
        shortcode: &'a str,
        host: Option<&'a str>,
        emoji: Option<&'a Emoji>,
    },
}

impl Activity {
    /// The first object.
    pub fn object(&self) -> Option<&Object> {
        self.objects.first()
    }
    /// The first object's id.
    pub fn object_id(&self) -> Option<&str> {
        self.object()?.id()
    }
    /// What somebody feels about the object; None if this is no Like and no reaction.
    pub fn reaction(&self) -> Option<Reaction<'_>> {
        if !matches!(self.verb, Verb::Like | Verb::EmojiReact) {
            return None;
        }
        let Some(text) = self.content.as_deref().map(str::trim).filter(|text| !text.is_empty()) else {
            return Some(Reaction::Favourite);
        };
        let Some(name) = text.strip_prefix(':').and_then(|rest| rest.strip_suffix(':')) else {
            return Some(Reaction::Unicode(text));
        };
        let (shortcode, host) = name.split_once('@').map_or((name, None), |(name, host)| (name, Some(host)));
        let emoji = self.emojis.iter().find(|emoji| emoji.shortcode == shortcode);
        Some(Reaction::Custom { shortcode, host: host.filter(|host| *host != "."), emoji })
    }

    /// With hidden addressees (`bto`, `bcc`) as those of the posts that it is about, for who applies it. A post that does
    /// not say for whom it is, in `value` that this was read of, is for whom it was sent to; one that says nobody is not.
    pub(crate) fn revealed(mut self, value: &Value) -> Self {
        let objects = Reader::of(value).map(|it| it.list("object")).unwrap_or_default();
        let says = |it: Reader<'_>| ["to", "cc"].into_iter().any(|name| it.raw(name).is_some());
        let is_silent = |id: &str| {
            let of = |it: &&Value| Reader::of(it).is_ok_and(|it| it.id().as_deref() == Some(id));
            objects.iter().filter(of).all(|it| Reader::of(it).is_ok_and(|it| !says(it)))
        };
        let sends = matches!(self.verb, Verb::Create | Verb::Update);
        for object in &mut self.objects {
            if let Object::Note(note) = object {
                if sends && note.to.is_empty() && note.cc.is_empty() && is_silent(&note.id) {
                    (note.to, note.cc) = (self.to.clone(), self.cc.clone());
                }
                note.cc.extend(self.hidden.iter().filter(|uri| *uri != PUBLIC).cloned());
            }
        }
        self
    }

    /// Needs a type that is an activity's and an actor; nearly all have an object, too.
    pub fn read(value: &Value) -> Result<Self, Malformed> {
        Self::at(value, NESTED)
    }

    fn at(value: &Value, depth: usize) -> Result<Self, Malformed> {
        let reader = Reader::of(value)?;
        let named = || reader.kinds().next().map(|kind| Verb::Other(cut(kind, NAME)));
        let verb = reader.kind(verb).or_else(named).ok_or(Malformed::Property("type"))?;
        let actor = reader.link("actor").ok_or(Malformed::Property("actor"))?;
        let objects: Vec<Object> =
            reader.list("object").iter().take(OBJECTS).filter_map(|it| Object::at(it, depth)).collect();
        if objects.is_empty() && !matches!(verb, Verb::Other(_)) {
            return Err(Malformed::Property("object"));
        }
        let one = |name: &str| reader.first(name).and_then(|it| Object::at(it, depth));
        let feeling = ["_misskey_reaction", "content", "name"].into_iter().find_map(|name| reader.text(name));
        let content = if matches!(verb, Verb::Like | Verb::EmojiReact) { feeling } else { reader.text("content") };
        let mut hidden = reader.links("bto", ADDRESSEES);
        hidden.extend(reader.links("bcc", ADDRESSEES));
        let links = |name: &str| reader.links(name, ADDRESSEES);
        Ok(Self {
            id: reader.id(),
            verb,
            actor,
            objects,
            target: one("target"),
            instrument: one("instrument"),
            result: reader.link("result"),
            content: content.map(|text| cut(text, CONTENT)),
            emojis: tag::emojis(reader),
            to: links("to"),
            cc: links("cc"),
            hidden,
            published: reader.time("published"),
            approved_by: reader.link("approvedBy"),
            audience: reader.link("audience"),
            carries_proof: reader.raw("signature").is_some() || reader.raw("proof").is_some(),
        })
    }
}

impl Object {
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Id(id) | Self::Tombstone { id, .. } => Some(id),
            Self::Actor(it) => Some(&it.id),
            Self::Note(it) => Some(&it.id),
            Self::Activity(it) => it.id.as_deref(),
            Self::Collection(it) => it.id.as_deref(),
            Self::QuoteAuthorization(it) => Some(&it.id),
            Self::Other { id, .. } => id.as_deref(),
        }
    }

    /// Reads an id or an embedded thing; None for what is neither.
    pub fn read(value: &Value) -> Option<Self> {
        Self::at(value, NESTED)
    }

    pub(super) fn at(value: &Value, depth: usize) -> Option<Self> {
        let Some(reader) = value.as_object().map(Reader) else { return id_of(value).map(Self::Id) };
        if let Some(read) = depth.checked_sub(1).and_then(|depth| Self::embedded(value, reader, depth)) {
            return Some(read);
        }
        // An object with nothing but an id is that id; so is a link.
        if reader.kinds().next().is_none() || reader.is("Link") {
            return id_of(value).map(Self::Id);
        }
        let kind = reader.kinds().next().map(|kind| cut(kind, NAME)).unwrap_or_default();
        let id = reader.id().or_else(|| reader.link("href"));
        Some(Self::Other { id, kind, name: tag::name(value) })
    }

    /// What is whole enough to be read as what it says it is.
    fn embedded(value: &Value, reader: Reader<'_>, depth: usize) -> Option<Self> {
        if reader.is("Tombstone") {
            let former = reader.text("formerType").map(|kind| cut(kind, NAME));
            return Some(Self::Tombstone { id: reader.id()?, former });
        }
        if reader.is("QuoteAuthorization") {
            return QuoteAuthorization::read(value).ok().map(|it| Self::QuoteAuthorization(Box::new(it)));
        }
        if reader.kind(actor::kind).is_some() {
            return Actor::read(value).ok().map(|it| Self::Actor(Box::new(it)));
        }
        if reader.kind(note::kind).is_some() {
            return Note::read(value).ok().map(|it| Self::Note(Box::new(it)));
        }
        if reader.kinds().any(|kind| kind.contains("Collection")) {
            return Collection::at(value, depth).ok().map(|it| Self::Collection(Box::new(it)));
        }
        let is_activity = reader.raw("actor").is_some() && reader.kind(verb).is_some();
        if is_activity { Activity::at(value, depth).ok().map(|it| Self::Activity(Box::new(it))) } else { None }
    }
}

pub(super) fn verb(name: &str) -> Option<Verb> {
    Some(match name {
        "Create" => Verb::Create,
        "Update" => Verb::Update,
        "Delete" => Verb::Delete,
        "Announce" => Verb::Announce,
        "Undo" => Verb::Undo,
        "Follow" => Verb::Follow,
        "Accept" => Verb::Accept,
        "Reject" => Verb::Reject,
        "Like" => Verb::Like,
        "EmojiReact" | "EmojiReaction" => Verb::EmojiReact,
        "Dislike" => Verb::Dislike,
        "Block" => Verb::Block,
        "Flag" => Verb::Flag,
        "Add" => Verb::Add,
        "Remove" => Verb::Remove,
        "Move" => Verb::Move,
        "QuoteRequest" => Verb::QuoteRequest,
        "View" | "Read" | "Listen" | "Arrive" | "Travel" | "Offer" | "Invite" | "Join" | "Leave" | "Bite" | "Lock"
        | "Ignore" | "TentativeAccept" | "TentativeReject" | "FeatureRequest" | "LikeRequest" | "ReplyRequest"
        | "AnnounceRequest" => Verb::Other(name.to_owned()),
        _ => return None,
    })
}
