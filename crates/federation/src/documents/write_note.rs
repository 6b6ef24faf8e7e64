//! Posts as we write them.

use super::QuoteAuthorization;
use super::context::Terms;
use super::write::{self, Writer};
use super::{Attachment, AttachmentKind, Emoji, Grant, Hashtag, Mention, Note, NoteKind, Policy, Poll, Quote};
use serde_json::{Value, json};

impl Note {
    /// The whole document.
    pub fn to_json(&self) -> Value {
        write::document(Terms::Post, self.body())
    }

    pub(super) fn body(&self) -> Value {
        let kind = if self.poll.is_some() { NoteKind::Question } else { self.kind };
        let mut out = Writer::new(Some(&self.id), kind_name(kind));
        out.put("attributedTo", self.author.as_str());
        out.opt("url", self.url.as_deref());
        out.opt("name", self.name.as_deref());
        out.text("summary", &self.summary);
        out.opt("inReplyTo", self.in_reply_to.as_deref());
        out.opt("published", self.published.map(|time| time.iso()));
        out.opt("updated", self.updated.map(|time| time.iso()));
        out.texts("to", &self.to);
        out.texts("cc", &self.cc);
        // A vote has neither text nor anything that comes with one.
        if self.vote().is_none() {
            self.write_text(&mut out);
        }
        out.opt("audience", self.audience.as_deref());
        out.opt("directMessage", self.direct);
        out.opt("approvedBy", self.approved_by.as_deref());
        if let Some(poll) = &self.poll {
            poll.write(&mut out);
        }
        out.done()
    }

    fn write_text(&self, out: &mut Writer) {
        out.put("sensitive", self.sensitive);
        out.put("content", self.content.as_str());
        out.opt("contentMap", self.language.as_ref().map(|language| json!({ language: self.content })));
        out.opt("source", self.source.as_ref().map(|it| json!({ "content": it.content, "mediaType": it.media_type })));
        out.flag("htmlMfm", self.html_mfm);
        let pages = self.links.iter().map(|href| json!({ "type": "Link", "href": href }));
        out.put("attachment", self.attachments.iter().map(Attachment::body).chain(pages).collect::<Vec<Value>>());
        let tags = self.mentions.iter().map(Mention::body).chain(self.hashtags.iter().map(Hashtag::body));
        let tags = tags.chain(self.emojis.iter().map(Emoji::body)).chain(self.quote.iter().map(Quote::tag));
        out.put("tag", tags.collect::<Vec<Value>>());
        out.opt("context", self.context.as_deref());
        out.opt("conversation", self.conversation.as_deref());
        if let Some(quote) = &self.quote {
            quote.write(out);
        }
        out.opt("interactionPolicy", self.policy.body());
        out.opt("replies", self.replies.as_ref().map(super::Collection::body));
        let counted = |name: &str, total: u64| json!({ "id": format!("{}/{name}", self.id), "type": "Collection", "totalItems": total });
        out.opt("likes", self.likes.map(|total| counted("likes", total)));
        out.opt("shares", self.shares.map(|total| counted("shares", total)));
    }
}

fn kind_name(kind: NoteKind) -> &'static str {
    match kind {
        NoteKind::Note => "Note",
        NoteKind::Question => "Question",
        NoteKind::Article => "Article",
        NoteKind::Page => "Page",
        NoteKind::Image => "Image",
        NoteKind::Audio => "Audio",
        NoteKind::Video => "Video",
        NoteKind::Event => "Event",
    }
}

impl Attachment {
    fn body(&self) -> Value {
        let kind = match self.kind {
            AttachmentKind::Document => "Document",
            AttachmentKind::Image => "Image",
            AttachmentKind::Video => "Video",
            AttachmentKind::Audio => "Audio",
        };
        let mut out = Writer::new(None, kind);
        out.opt("mediaType", self.media_type.as_deref());
        out.put("url", self.url.as_str());
        out.opt("name", self.description.as_deref());
        out.opt("width", self.width);
        out.opt("height", self.height);
        out.opt("blurhash", self.blurhash.as_deref());
        out.opt("focalPoint", self.focus.map(|(x, y)| json!([x, y])));
        out.opt("duration", self.duration.map(|seconds| format!("PT{seconds}S")));
        out.opt("icon", self.thumbnail.as_ref().map(super::Image::body));
        out.flag("sensitive", self.sensitive);
        out.done()
    }
}

impl Mention {
    fn body(&self) -> Value {
        json!({ "type": "Mention", "href": self.href, "name": self.name })
    }
}

impl Hashtag {
    pub(super) fn body(&self) -> Value {
        let mut out = Writer::new(None, "Hashtag");
        out.opt("href", self.href.as_deref());
        out.put("name", format!("#{}", self.name));
        out.done()
    }
}

impl Emoji {
    /// The whole document.
    pub fn to_json(&self) -> Value {
        write::document(Terms::Post, self.body())
    }

    pub(super) fn body(&self) -> Value {
        let mut out = Writer::new(self.id.as_deref(), "Emoji");
        out.put("name", format!(":{}:", self.shortcode));
        out.opt("updated", self.updated.map(|time| time.iso()));
        out.put("icon", self.image.body());
        out.done()
    }
}

impl Poll {
    fn write(&self, out: &mut Writer) {
        let choices: Vec<Value> = self
            .choices
            .iter()
            .map(|choice| {
                let mut replies = Writer::new(None, "Collection");
                replies.opt("totalItems", choice.votes);
                json!({ "type": "Note", "name": choice.name, "replies": replies.done() })
            })
            .collect();
        out.put(if self.multiple { "anyOf" } else { "oneOf" }, choices);
        let ends = self.ends_at.map(|time| time.iso());
        if self.closed {
            out.put("closed", ends.clone().map_or(Value::Bool(true), Value::String));
        }
        out.opt("endTime", ends);
        out.opt("votersCount", self.voters);
    }
}

impl Policy {
    fn body(&self) -> Option<Value> {
        let grants = [
            ("canQuote", &self.quote),
            ("canReply", &self.reply),
            ("canLike", &self.like),
            ("canAnnounce", &self.announce),
        ];
        let mut out = Writer::default();
        for (name, grant) in grants {
            out.opt(name, grant.as_ref().map(Grant::body));
        }
        Some(out.done()).filter(|value| value.as_object().is_some_and(|map| !map.is_empty()))
    }
}

impl Grant {
    fn body(&self) -> Value {
        let mut out = Writer::default();
        out.texts("automaticApproval", &self.automatic);
        out.some_texts("manualApproval", &self.manual);
        out.done()
    }
}

impl Quote {
    /// In all the ways that somebody reads.
    fn write(&self, out: &mut Writer) {
        for name in ["quote", "quoteUri", "quoteUrl", "_misskey_quote"] {
            if name != "quote" || !self.legacy {
                out.put(name, self.id.as_str());
            }
        }
        out.opt("quoteAuthorization", self.authorization.as_deref());
    }

    fn tag(&self) -> Value {
        json!({
            "type": "Link",
            "mediaType": "application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"",
            "rel": "https://misskey-hub.net/ns#_misskey_quote",
            "href": self.id,
            "name": format!("RE: {}", self.id),
        })
    }
}

impl QuoteAuthorization {
    /// The whole document.
    pub fn to_json(&self) -> Value {
        write::document(Terms::Post, self.body())
    }

    pub(super) fn body(&self) -> Value {
        let mut out = Writer::new(Some(&self.id), "QuoteAuthorization");
        out.put("attributedTo", self.author.as_str());
        out.put("interactingObject", self.quoting.as_str());
        out.put("interactionTarget", self.quoted.as_str());
        out.done()
    }
}
