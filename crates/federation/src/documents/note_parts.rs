//! The parts of a post that its many senders write in many ways.

use super::attachment::is_side;
use super::reader::{Reader, address, cut, id_of, one_of};
use super::{Attachment, AttachmentKind, Collection, Image, NoteKind, Source};
use serde_json::Value;

/// Bytes of a name that need not be an address, such as a conversation's.
const OPAQUE: usize = 2048;
/// Taller videos are only slower.
const TALLEST: u64 = 1080;

/// The first person among the authors, else the first entry: PeerTube names the account and its channel.
pub(super) fn author(reader: Reader<'_>) -> Option<String> {
    let list = reader.list("attributedTo");
    let is_person = |value: &&Value| Reader::of(value).is_ok_and(|it| it.is("Person"));
    let named = list.iter().find(is_person).or_else(|| list.iter().find(|value| id_of(value).is_some()));
    named.or_else(|| reader.first("actor")).and_then(id_of)
}

/// (HTML, its language)
pub(super) fn content(reader: Reader<'_>) -> (String, Option<String>) {
    let map = reader.raw("contentMap").and_then(Value::as_object);
    // PeerTube's is Markdown: that is a source.
    let plain = reader.text("content").filter(|_| is_html(reader));
    let texts = || map.into_iter().flatten().filter_map(|(language, text)| Some((language, one_of(text)?.as_str()?)));
    let of_map = match plain {
        // GoToSocial has several languages; the one of the text is meant.
        Some(plain) => texts().find(|(_, text)| *text == plain).or_else(|| texts().next()),
        None => texts().next(),
    };
    let lemmy = || reader.first("language").and_then(|it| Reader::of(it).ok()).and_then(|it| it.text("identifier"));
    let language = of_map.map(|(language, _)| language.as_str()).or_else(lemmy).and_then(language_tag);
    (plain.or(of_map.map(|(_, text)| text)).unwrap_or_default().to_owned(), language)
}

fn is_html(reader: Reader<'_>) -> bool {
    reader.text("mediaType").is_none_or(|kind| kind.starts_with("text/html"))
}

/// Letters of a language and of all that may stand behind it.
const LANGUAGE: usize = 35;

/// A tag as BCP 47 has them, with the language in small letters. `und` says nothing.
fn language_tag(tag: &str) -> Option<String> {
    let tag = tag.trim().replace('_', "-");
    let (language, rest) = tag.split_once('-').map_or((tag.as_str(), None), |(first, rest)| (first, Some(rest)));
    let is_language = matches!(language.len(), 2 | 3) && language.bytes().all(|b| b.is_ascii_alphabetic());
    let is_part = |part: &str| matches!(part.len(), 1..=8) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    let fits = tag.len() <= LANGUAGE && is_language && rest.is_none_or(|rest| rest.split('-').all(is_part));
    let language = language.to_ascii_lowercase();
    if !fits || language == "und" {
        return None;
    }
    Some(rest.map_or_else(|| language.clone(), |rest| format!("{language}-{rest}")))
}

/// What is to be shown where only notes are.
pub(super) fn preview(reader: Reader<'_>) -> Option<&str> {
    let preview = reader.first("preview").and_then(|it| Reader::of(it).ok())?;
    preview.text("content").filter(|html| preview.is("Note") && is_html(preview) && !html.trim().is_empty())
}

/// When an event begins, as its place counts the hours.
pub(super) fn when(reader: Reader<'_>, kind: NoteKind) -> Option<String> {
    let text = reader.text("startTime").filter(|text| kind == NoteKind::Event && text.is_ascii() && text.len() < 64)?;
    reader.time("startTime")?;
    let (day, time) = (text.get(..10)?, text.get(11..16)?);
    let zone = text.rfind(['+', '-', 'Z']).filter(|at| *at > 15).and_then(|at| text.get(at..))?;
    Some(format!("{day} {time} {}", if zone == "Z" { "UTC" } else { zone }))
}

pub(super) fn place(reader: Reader<'_>, kind: NoteKind) -> Option<&str> {
    let places = if kind == NoteKind::Event { reader.list("location") } else { &[] };
    let named = places.iter().filter_map(|value| Reader::of(value).ok()?.text("name"));
    named.map(str::trim).find(|name| !name.is_empty())
}

/// What was typed: `source`, or Misskey's own property.
pub(super) fn source(reader: Reader<'_>, most: usize) -> Option<Source> {
    if let Some(source) = reader.first("source").and_then(Value::as_object).map(Reader)
        && let Some(content) = source.text("content")
    {
        let media_type = source.text("mediaType").unwrap_or("text/plain");
        return Some(Source { content: cut(content, most), media_type: cut(media_type, 128) });
    }
    if !is_html(reader) {
        let media_type = cut(reader.text("mediaType").unwrap_or_default(), 128);
        return Some(Source { content: cut(reader.text("content")?, most), media_type });
    }
    let content = cut(reader.text("_misskey_content")?, most);
    Some(Source { content, media_type: "text/x.misskeymarkdown".to_owned() })
}

pub(super) fn replies(reader: Reader<'_>) -> Option<Collection> {
    let value = reader.first("replies")?;
    match address(value) {
        Some(id) => Some(Collection { id: Some(id), ..Collection::default() }),
        None => Collection::read(value).ok(),
    }
}

/// A context may be any name (Pleroma's, tags), an address, or a collection.
pub(super) fn opaque(value: &Value) -> Option<String> {
    let text = value.as_str().map(str::to_owned).or_else(|| id_of(value))?;
    (text.len() <= OPAQUE && !text.chars().any(char::is_control)).then_some(text)
}

/// The medium that a Video, Audio or Image itself is: PeerTube lists its files among the addresses.
pub(super) fn media_of(reader: Reader<'_>, kind: NoteKind) -> Option<Attachment> {
    let (kind, prefix) = match kind {
        NoteKind::Video => (AttachmentKind::Video, "video/"),
        NoteKind::Audio => (AttachmentKind::Audio, "audio/"),
        NoteKind::Image => (AttachmentKind::Image, "image/"),
        _ => return None,
    };
    let links: Vec<Reader<'_>> = reader.list("url").iter().filter_map(|value| Reader::of(value).ok()).collect();
    // Streams keep their files one level deeper.
    let nested = links.iter().flat_map(|link| link.list("tag")).filter_map(|value| Reader::of(value).ok());
    let files = links.iter().copied().chain(nested);
    let is_file = |link: &Reader<'_>| {
        link.text("mediaType").is_some_and(|kind| kind.starts_with(prefix)) && link.link("href").is_some()
    };
    let files = files.filter(is_file);
    let height = |link: &Reader<'_>| link.count("height").unwrap_or(0);
    let file = files.filter(|link| height(link) <= TALLEST).max_by_key(height)?;
    let size = |name: &str| file.count(name).and_then(|n| u32::try_from(n).ok()).filter(|n| is_side(*n));
    Some(Attachment {
        kind,
        url: file.link("href")?,
        media_type: file.text("mediaType").map(|kind| cut(kind, 128)),
        description: reader.text("name").map(|name| cut(name, 2048)),
        width: size("width"),
        height: size("height"),
        thumbnail: reader.list("icon").iter().rev().find_map(Image::read),
        ..Attachment::default()
    })
}
