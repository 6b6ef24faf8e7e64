//! Notes and everything else that is a post.

use super::reader::{Reader, cut, id_of};
use super::{
    Attachment, Collection, Emoji, Hashtag, Malformed, Mention, PUBLIC, Policy, Poll, Quote, actor, attachment,
    note_parts, tag,
};
use domain::Time;
use domain::statuses::Visibility;
use serde_json::Value;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NoteKind {
    #[default]
    Note,
    Question,
    Article,
    Page,
    Image,
    Audio,
    Video,
    Event,
}

/// A post. Ids are http(s) addresses, addressees too; texts are as they came, not yet made safe.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Note {
    pub id: String,
    pub kind: NoteKind,
    /// `attributedTo`: the first person in it, else the first entry.
    pub author: String,
    /// The page for people.
    pub url: Option<String>,
    /// A title; on a poll vote the chosen option.
    pub name: Option<String>,
    /// HTML.
    pub content: String,
    /// The language of the content where it is told (`contentMap`, Lemmy's `language`).
    pub language: Option<String>,
    /// The content warning.
    pub summary: String,
    pub sensitive: bool,
    /// What the author typed.
    pub source: Option<Source>,
    /// `content` holds MFM that is rendered already (FEP-c16b).
    pub html_mfm: bool,
    /// HTML that stands for what is no note where only notes are shown (FEP-b2b8).
    pub preview: Option<String>,
    /// Of an event: when it begins, in its own time, and where.
    pub when: Option<String>,
    pub place: Option<String>,
    pub in_reply_to: Option<String>,
    pub published: Option<Time>,
    pub updated: Option<Time>,
    pub to: Vec<String>,
    pub cc: Vec<String>,
    pub mentions: Vec<Mention>,
    pub hashtags: Vec<Hashtag>,
    pub emojis: Vec<Emoji>,
    pub attachments: Vec<Attachment>,
    /// Pages whose previews the sender attached (`Link` attachments).
    pub links: Vec<String>,
    /// Its id, or what is embedded of it.
    pub replies: Option<Collection>,
    pub likes: Option<u64>,
    pub shares: Option<u64>,
    pub context: Option<String>,
    pub conversation: Option<String>,
    pub quote: Option<Quote>,
    pub policy: Policy,
    /// Where the parent's author approved this reply.
    pub approved_by: Option<String>,
    pub poll: Option<Poll>,
    /// The group it was posted to.
    pub audience: Option<String>,
    pub direct: Option<bool>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    pub content: String,
    pub media_type: String,
}

/// A vote in a poll, which travels as a Note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote<'a> {
    pub voter: &'a str,
    pub question: &'a str,
    pub choice: &'a str,
}

const NAME: usize = 2048;
const SUMMARY: usize = 20_000;
/// Characters of HTML; nobody's limit is higher than a tenth of the largest document.
const CONTENT: usize = 500_000;
/// Of each of `to` and `cc`.
const ADDRESSEES: usize = 2000;

pub(super) fn kind(name: &str) -> Option<NoteKind> {
    match name {
        // Akkoma's votes.
        "Note" | "Answer" => Some(NoteKind::Note),
        "Question" => Some(NoteKind::Question),
        "Article" => Some(NoteKind::Article),
        "Page" => Some(NoteKind::Page),
        "Image" => Some(NoteKind::Image),
        "Audio" => Some(NoteKind::Audio),
        "Video" => Some(NoteKind::Video),
        "Event" => Some(NoteKind::Event),
        _ => None,
    }
}

/// `cc`, and whom only we are told of: it is for them, and nobody writes them for others.
fn addressees(reader: Reader<'_>) -> Vec<String> {
    let hidden = ["bto", "bcc"].into_iter().flat_map(|name| reader.links(name, ADDRESSEES));
    let mut all = reader.links("cc", ADDRESSEES);
    // That everybody may see it is said openly, or not meant.
    all.extend(hidden.filter(|uri| uri != PUBLIC));
    all.truncate(ADDRESSEES);
    all
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{200b}'
}

impl Note {
    /// Needs an id, a type that is a post's, and an author.
    pub fn read(value: &Value) -> Result<Self, Malformed> {
        let reader = Reader::of(value)?;
        let kind = reader.kind(kind).ok_or(Malformed::Property("type"))?;
        let id = reader.id().ok_or(Malformed::Property("id"))?;
        let author = note_parts::author(reader).ok_or(Malformed::Property("attributedTo"))?;
        let (content, language) = note_parts::content(reader);
        let (attachments, links) = attachment::read(reader);
        let media = note_parts::media_of(reader, kind);
        let summary = cut(reader.worded("summary", "summaryMap").unwrap_or_default(), SUMMARY);
        let count = |name: &str| {
            let collection = reader.first(name).and_then(Value::as_object).map(Reader);
            collection.and_then(|it| it.count("totalItems"))
        };
        let conversation = ["conversation", "ostatus:conversation"].into_iter().find_map(|name| reader.text(name));
        Ok(Self {
            id,
            kind,
            author,
            url: actor::page(reader),
            name: reader.worded("name", "nameMap").map(|name| cut(name, NAME)).filter(|name| !name.is_empty()),
            content: cut(&content, CONTENT),
            language,
            // Misskey marks a warning without words by a space of no width.
            summary: if summary.chars().all(is_blank) { String::new() } else { summary },
            sensitive: reader.flag("sensitive").or_else(|| reader.flag("as:sensitive")).unwrap_or(false),
            source: note_parts::source(reader, CONTENT),
            html_mfm: reader.flag("htmlMfm").unwrap_or(false),
            preview: note_parts::preview(reader).map(|html| cut(html, CONTENT)),
            when: note_parts::when(reader, kind),
            place: note_parts::place(reader, kind).map(|name| cut(name, NAME)),
            in_reply_to: reader.link("inReplyTo"),
            published: reader.time("published"),
            updated: reader.time("updated"),
            to: reader.links("to", ADDRESSEES),
            cc: addressees(reader),
            mentions: tag::mentions(reader),
            hashtags: tag::hashtags(reader),
            emojis: tag::emojis(reader),
            attachments: media.into_iter().chain(attachments).collect(),
            links,
            replies: note_parts::replies(reader),
            likes: count("likes"),
            shares: count("shares"),
            context: reader.first("context").and_then(note_parts::opaque),
            conversation: conversation.map(|text| cut(text, NAME)),
            quote: Quote::read(reader),
            policy: Policy::read(reader),
            approved_by: reader.link("approvedBy"),
            poll: Poll::read(reader),
            audience: reader.first("audience").and_then(id_of),
            direct: reader.flag("directMessage"),
        })
    }

    /// Who may see it, given the author's followers collection. None: nobody is addressed, or only a server's own
    /// people, which is not for others to show.
    pub fn visibility(&self, followers: Option<&str>) -> Option<Visibility> {
        let has = |list: &[String], link: &str| list.iter().any(|entry| entry == link);
        let is_local_only = |link: &String| link.ends_with("/#Public") && link != PUBLIC;
        if has(&self.to, PUBLIC) {
            return Some(Visibility::Public);
        }
        if has(&self.cc, PUBLIC) {
            return Some(Visibility::Unlisted);
        }
        if self.to.iter().chain(&self.cc).any(is_local_only) || (self.to.is_empty() && self.cc.is_empty()) {
            return None;
        }
        // Misskey's forks put it into cc.
        match followers.is_some_and(|link| has(&self.to, link) || has(&self.cc, link)) {
            true => Some(Visibility::Private),
            false => Some(Visibility::Direct),
        }
    }

    /// Whether there is anything to be shown of it: votes without a choice and the like have nothing.
    pub fn is_empty(&self) -> bool {
        let typed = self.source.as_ref().map(|source| &source.content);
        let words = [&self.content, &self.summary].into_iter().chain(&self.name).chain(&self.preview).chain(typed);
        let is_silent = words.into_iter().all(|words| words.chars().all(is_blank));
        let is_bare =
            self.attachments.is_empty() && self.links.is_empty() && self.poll.is_none() && self.quote.is_none();
        self.kind == NoteKind::Note && is_silent && is_bare
    }

    /// The vote that this is, if it looks like one; whether the parent is a poll with that choice is for the caller.
    pub fn vote(&self) -> Option<Vote<'_>> {
        let (Some(choice), Some(question)) = (&self.name, &self.in_reply_to) else { return None };
        let is_bare = self.kind == NoteKind::Note && self.content.is_empty() && self.attachments.is_empty();
        is_bare.then_some(Vote { voter: &self.author, question, choice })
    }
}
