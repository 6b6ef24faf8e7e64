//! ActivityPub's documents: read tolerantly, written the way the strictest peer wants them.
//!
//! Each type here is both what was read and what is to be written: `X::read` takes JSON as it came, `x.to_json()` gives
//! ours. Reading never fails over a property that is merely odd; it fails when what makes the thing what it is (id,
//! actor, author) is missing. Every list and text has a bound; what goes beyond is left out.

mod activity;
mod actor;
mod attachment;
mod collection;
pub(crate) mod context;
mod note;
mod note_parts;
mod policy;
mod poll;
mod quote;
mod reader;
mod tag;
pub(crate) mod terms;
mod write;
mod write_activity;
mod write_actor;
mod write_note;

pub use activity::{Activity, Object, Reaction, Verb};
pub use actor::{Actor, ActorKind, Image, Key, KeyMaterial, Property};
pub use attachment::{Attachment, AttachmentKind};
pub use collection::{Collection, Page, ids_in, items_in};
pub use note::{Note, NoteKind, Source, Vote};
pub use policy::{Approval, Grant, Policy};
pub use poll::{Choice, Poll};
pub use quote::{Quote, QuoteAuthorization};
pub use reader::{host, origin, parse, same_origin};
pub use tag::{Emoji, Hashtag, Mention};
pub use write_activity::tombstone_json;

use serde_json::Value;

/// Everybody. Other spellings (`as:Public`, `Public`) are turned into this one while reading.
pub const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";
/// What we send and serve; some compare it as a whole.
pub const CONTENT_TYPE: &str = "application/activity+json; charset=utf-8";
/// What to ask for.
pub const ACCEPT: &str =
    "application/activity+json, application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"";

/// Why something is not a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("not JSON, or JSON that is too deep or too large")]
    NotJson,
    #[error("not an object")]
    NotAnObject,
    /// This property is missing, or is not what it must be.
    #[error("{0} is missing or wrong")]
    Property(&'static str),
}

/// Anything that can be fetched by its id.
#[derive(Clone, Debug, PartialEq)]
pub enum Document {
    Actor(Box<Actor>),
    Note(Box<Note>),
    Activity(Box<Activity>),
    Collection(Box<Collection>),
    Key(Key),
    QuoteAuthorization(QuoteAuthorization),
    Approval(Approval),
    Tombstone {
        id: String,
        former: Option<String>,
    },
    /// Of a type that is none of the above; `kind` is its first type.
    Other {
        id: Option<String>,
        kind: String,
    },
}

impl Document {
    /// What `value` is, by its type. [`Malformed`] when it says what it is and is not that.
    pub fn read(value: &Value) -> Result<Self, Malformed> {
        reader::document(value)
    }
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Actor(it) => Some(&it.id),
            Self::Note(it) => Some(&it.id),
            Self::Activity(it) => it.id.as_deref(),
            Self::Collection(it) => it.id.as_deref(),
            Self::Key(it) => Some(&it.id),
            Self::QuoteAuthorization(it) => Some(&it.id),
            Self::Approval(it) => Some(&it.id),
            Self::Tombstone { id, .. } => Some(id),
            Self::Other { id, .. } => id.as_deref(),
        }
    }
}
