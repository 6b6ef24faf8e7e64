//! Media that hangs on a post.

use super::Image;
use super::reader::{Reader, address, cut};
use serde_json::Value;

/// Characters of a description.
pub(super) const DESCRIPTION: usize = 10_000;
/// Components of a blurhash on each side: what Mastodon shows.
const COMPONENTS: usize = 5;
const ATTACHMENTS: usize = 16;
/// Pixels of a side: what says that it has more is nothing that is shown, and more than clients can count.
const SIDE: u32 = 1_000_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AttachmentKind {
    /// `Document`: only its media type says more.
    #[default]
    Document,
    Image,
    Video,
    Audio,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attachment {
    pub kind: AttachmentKind,
    pub url: String,
    pub media_type: Option<String>,
    /// What it shows, in words.
    pub description: Option<String>,
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub blurhash: Option<String>,
    /// Both from -1 to 1.
    pub focus: Option<(f64, f64)>,
    /// Seconds.
    pub duration: Option<f64>,
    /// A preview chosen by the sender.
    pub thumbnail: Option<Image>,
    pub sensitive: bool,
}

/// (media, pages that only a preview is shown of)
pub(super) fn read(reader: Reader<'_>) -> (Vec<Attachment>, Vec<String>) {
    let (mut media, mut links) = (Vec::new(), Vec::new());
    // Lemmy's pages have their picture in `image`.
    let pictures = if reader.is("Page") { reader.list("image") } else { &[] };
    for value in reader.list("attachment").iter().chain(pictures) {
        let Ok(one) = Reader::of(value) else { continue };
        if one.is("Link") && !one.text("mediaType").is_some_and(is_media) {
            links.extend(one.link("href").filter(|_| links.len() < ATTACHMENTS));
        } else if media.len() < ATTACHMENTS {
            media.extend(Attachment::read(one));
        }
    }
    (media, links)
}

/// Whether a picture can have so many pixels.
pub(super) fn is_side(pixels: u32) -> bool {
    (1..=SIDE).contains(&pixels)
}

fn is_media(kind: &str) -> bool {
    kind.starts_with("image/") || kind.starts_with("video/") || kind.starts_with("audio/")
}

impl Attachment {
    fn read(reader: Reader<'_>) -> Option<Self> {
        let kind = reader.kind(|name| match name {
            "Document" | "Link" => Some(AttachmentKind::Document),
            "Image" => Some(AttachmentKind::Image),
            "Video" => Some(AttachmentKind::Video),
            "Audio" => Some(AttachmentKind::Audio),
            _ => None,
        })?;
        let (url, link) = target(reader)?;
        let inner_type = link.and_then(|link| link.text("mediaType")).map(|kind| cut(kind, 128));
        let side =
            |of: Reader<'_>, name: &str| of.count(name).and_then(|n| u32::try_from(n).ok()).filter(|n| is_side(*n));
        let size = |name: &str| side(reader, name).or_else(|| side(link?, name));
        let words = [reader.text("summary"), reader.text("name")];
        Some(Self {
            kind,
            url,
            media_type: reader.text("mediaType").map(|kind| cut(kind, 128)).or(inner_type),
            description: words.into_iter().flatten().find(|t| !t.trim().is_empty()).map(|t| cut(t, DESCRIPTION)),
            width: size("width"),
            height: size("height"),
            blurhash: reader.text("blurhash").filter(|hash| is_blurhash(hash)).map(str::to_owned),
            focus: focus(reader),
            duration: duration(reader),
            thumbnail: reader.list("icon").iter().find_map(Image::read),
            sensitive: reader.flag("sensitive").unwrap_or(false),
        })
    }
}

/// The address: `url` or `href`, as text, as a Link, or the first medium of several of these.
fn target(reader: Reader<'_>) -> Option<(String, Option<Reader<'_>>)> {
    let list = if reader.raw("url").is_some() { reader.list("url") } else { reader.list("href") };
    list.iter().find_map(|value| {
        if let Some(url) = address(value) {
            return Some((url, None));
        }
        let link = Reader::of(value).ok()?;
        let is_page = link.text("mediaType").is_some_and(|kind| kind.starts_with("text/"));
        link.link("href").filter(|_| !is_page).map(|href| (href, Some(link)))
    })
}

/// Whether clients can draw it: its first letter says how long it is.
fn is_blurhash(hash: &str) -> bool {
    const LETTERS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~";
    let digit = |b: u8| LETTERS.iter().position(|letter| *letter == b);
    let Some(size) = hash.bytes().next().and_then(digit) else { return false };
    let (across, down) = (size % 9 + 1, size / 9 + 1);
    let fits = across <= COMPONENTS && down <= COMPONENTS && hash.len() == 4 + 2 * across * down;
    fits && hash.bytes().all(|b| digit(b).is_some())
}

fn focus(reader: Reader<'_>) -> Option<(f64, f64)> {
    let numbers: Vec<f64> = reader.list("focalPoint").iter().take(3).filter_map(Value::as_f64).collect();
    let [x, y] = numbers[..] else { return None };
    let fits = |n: f64| (-1.0..=1.0).contains(&n);
    (fits(x) && fits(y)).then_some((x, y))
}

/// Seconds as a number, or as `PT1M30.5S`.
fn duration(reader: Reader<'_>) -> Option<f64> {
    if let Some(seconds) = reader.number("duration") {
        return (seconds >= 0.0).then_some(seconds);
    }
    let span: jiff::Span = reader.text("duration").filter(|text| text.len() < 64)?.parse().ok()?;
    let seconds = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?.as_secs_f64();
    (seconds >= 0.0).then_some(seconds)
}
