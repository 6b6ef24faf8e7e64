//! Activities and collections as we write them.

use super::context::Terms;
use super::write::{self, Writer};
use super::{Activity, Collection, Object, Page, Verb};
use serde_json::{Value, json};

impl Verb {
    /// The name of the type.
    pub fn name(&self) -> &str {
        match self {
            Self::Create => "Create",
            Self::Update => "Update",
            Self::Delete => "Delete",
            Self::Announce => "Announce",
            Self::Undo => "Undo",
            Self::Follow => "Follow",
            Self::Accept => "Accept",
            Self::Reject => "Reject",
            Self::Like => "Like",
            Self::EmojiReact => "EmojiReact",
            Self::Dislike => "Dislike",
            Self::Block => "Block",
            Self::Flag => "Flag",
            Self::Add => "Add",
            Self::Remove => "Remove",
            Self::Move => "Move",
            Self::QuoteRequest => "QuoteRequest",
            Self::Other(name) => name,
        }
    }
}

impl Activity {
    /// The whole document. Hidden addressees are not in it.
    pub fn to_json(&self) -> Value {
        write::document(self.terms(), self.body())
    }

    fn terms(&self) -> Terms {
        let objects = self.objects.iter().chain(&self.target).chain(&self.instrument);
        let inside = objects.map(Object::terms).max().unwrap_or(Terms::Plain);
        // Verbs that are no plain ones of ActivityStreams are among the terms of posts.
        let special = matches!(self.verb, Verb::EmojiReact | Verb::QuoteRequest | Verb::Other(_));
        let special = special || self.approved_by.is_some();
        let own = if special || self.content.is_some() { Terms::Post } else { Terms::Plain };
        own.max(inside)
    }

    pub(super) fn body(&self) -> Value {
        let mut out = Writer::new(self.id.as_deref(), self.verb.name());
        out.put("actor", self.actor.as_str());
        out.opt("published", self.published.map(|time| time.iso()));
        out.some_texts("to", &self.to);
        out.some_texts("cc", &self.cc);
        match &self.objects[..] {
            [] => {}
            [one] => out.put("object", one.body()),
            several => out.list("object", several, Object::body),
        }
        out.opt("target", self.target.as_ref().map(Object::body));
        out.opt("instrument", self.instrument.as_ref().map(Object::body));
        out.opt("result", self.result.as_deref());
        if let Some(content) = &self.content {
            out.put("content", content.as_str());
            if self.verb == Verb::Like {
                out.put("_misskey_reaction", content.as_str());
            }
        }
        out.some("tag", &self.emojis, |emoji| emoji.body());
        out.opt("audience", self.audience.as_deref());
        out.opt("approvedBy", self.approved_by.as_deref());
        out.done()
    }
}

impl Object {
    fn terms(&self) -> Terms {
        match self {
            Self::Actor(_) => Terms::Actor,
            Self::Note(_) | Self::QuoteAuthorization(_) => Terms::Post,
            Self::Other { kind, .. } if kind == "Hashtag" => Terms::Post,
            Self::Activity(it) => it.terms(),
            Self::Collection(it) => it.terms(),
            Self::Id(_) | Self::Tombstone { .. } | Self::Other { .. } => Terms::Plain,
        }
    }

    pub(super) fn body(&self) -> Value {
        match self {
            Self::Id(id) => id.as_str().into(),
            Self::Actor(it) => it.body(),
            Self::Note(it) => it.body(),
            Self::Activity(it) => it.body(),
            Self::Collection(it) => it.body(),
            Self::QuoteAuthorization(it) => it.body(),
            Self::Tombstone { id, former } => tombstone(id, former.as_deref()),
            Self::Other { id, kind, name } => {
                let mut out = Writer::new(None, kind);
                // Hashtags are addressed by the page of the tag.
                out.opt(if kind == "Hashtag" { "href" } else { "id" }, id.as_deref());
                out.opt("name", name.as_deref());
                out.done()
            }
        }
    }
}

/// A Tombstone without `@context`.
fn tombstone(id: &str, former: Option<&str>) -> Value {
    let mut out = Writer::new(Some(id), "Tombstone");
    out.opt("formerType", former);
    out.done()
}

/// The whole document of something that was deleted.
pub fn tombstone_json(id: &str, former: Option<&str>) -> Value {
    write::document(Terms::Plain, tombstone(id, former))
}

impl Collection {
    /// The whole document.
    pub fn to_json(&self) -> Value {
        write::document(self.terms(), self.body())
    }

    fn terms(&self) -> Terms {
        let first = match &self.first {
            Some(Page::Embedded(page)) => page.terms(),
            _ => Terms::Plain,
        };
        self.items.iter().map(Object::terms).max().unwrap_or(Terms::Plain).max(first)
    }

    pub(super) fn body(&self) -> Value {
        let kind = match (self.ordered, self.is_page) {
            (true, true) => "OrderedCollectionPage",
            (true, false) => "OrderedCollection",
            (false, true) => "CollectionPage",
            (false, false) => "Collection",
        };
        let only_id = Self { id: self.id.clone(), ..Self::default() } == *self;
        if let (true, Some(id)) = (only_id, &self.id) {
            return id.as_str().into();
        }
        let mut out = Writer::new(self.id.as_deref(), kind);
        out.opt("attributedTo", self.owner.as_deref());
        out.opt("totalItems", self.total);
        out.opt("partOf", self.part_of.as_deref());
        out.opt(
            "first",
            self.first.as_ref().map(|page| match page {
                Page::Id(id) => json!(id),
                Page::Embedded(page) => page.body(),
            }),
        );
        out.opt("last", self.last.as_deref());
        out.opt("next", self.next.as_deref());
        out.opt("prev", self.prev.as_deref());
        let name = if self.ordered { "orderedItems" } else { "items" };
        // A collection that hides what is in it has a count and nothing else.
        if self.is_page || (self.first.is_none() && self.total == Some(0)) {
            out.list(name, &self.items, Object::body);
        } else {
            out.some(name, &self.items, Object::body);
        }
        out.done()
    }
}
