//! The one gate for HTML that somebody else wrote: what Mastodon lets through, nothing more.
//! First [`super::tame`] bounds size and depth and rewrites what is worth keeping; then ammonia,
//! which parses like a browser, has the last word on every element, attribute and address.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::tame::tame;

/// More input than this is cut off, in bytes. Mastodon's own bodies end at a fraction of it.
pub const MAX_INPUT: usize = 128 * 1024;

const ELEMENTS: &[&str] = &[
    "p",
    "br",
    "span",
    "a",
    "abbr",
    "del",
    "s",
    "pre",
    "blockquote",
    "code",
    "b",
    "strong",
    "u",
    "sub",
    "sup",
    "i",
    "em",
    "ul",
    "ol",
    "li",
    "ruby",
    "rt",
    "rp",
];

const SCHEMES: &[&str] = &["http", "https", "dat", "dweb", "ipfs", "ipns", "ssb", "gopher", "xmpp", "magnet", "gemini"];

/// Functions of MFM that somebody shows in some way, as classes (FEP-c16b).
const MFM_CLASSES: &[&str] = &[
    "mfm-tada",
    "mfm-jelly",
    "mfm-twitch",
    "mfm-shake",
    "mfm-spin",
    "mfm-jump",
    "mfm-bounce",
    "mfm-flip",
    "mfm-x2",
    "mfm-x3",
    "mfm-x4",
    "mfm-scale",
    "mfm-position",
    "mfm-fg",
    "mfm-bg",
    "mfm-border",
    "mfm-font",
    "mfm-blur",
    "mfm-rainbow",
    "mfm-sparkle",
    "mfm-rotate",
    "mfm-ruby",
    "mfm-unixtime",
    "mfm-fade",
    "mfm-crop",
    "mfm-followmouse",
];

/// Their arguments.
pub(super) const MFM_ATTRIBUTES: &[&str] = &[
    "data-mfm-x",
    "data-mfm-y",
    "data-mfm-h",
    "data-mfm-v",
    "data-mfm-left",
    "data-mfm-right",
    "data-mfm-top",
    "data-mfm-bottom",
    "data-mfm-alternate",
    "data-mfm-out",
    "data-mfm-speed",
    "data-mfm-delay",
    "data-mfm-loop",
    "data-mfm-deg",
    "data-mfm-color",
    "data-mfm-width",
    "data-mfm-style",
    "data-mfm-radius",
    "data-mfm-noclip",
    "data-mfm-serif",
    "data-mfm-monospace",
    "data-mfm-cursive",
    "data-mfm-fantasy",
    "data-mfm-emoji",
    "data-mfm-math",
];

/// Characters of what such an argument says.
const MFM_VALUE: usize = 32;

static GATE: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let mut gate = ammonia::Builder::empty();
    gate.tags(ELEMENTS.iter().copied().collect())
        .clean_content_tags(HashSet::from(["script", "style"]))
        .generic_attributes(HashSet::from(["lang"]))
        .tag_attributes(HashMap::from([
            ("a", HashSet::from(["href", "class", "translate"])),
            ("abbr", HashSet::from(["title"])),
            ("blockquote", HashSet::from(["cite"])),
            ("li", HashSet::from(["value"])),
            ("ol", HashSet::from(["start", "reversed"])),
            ("p", HashSet::from(["class"])),
            ("span", MFM_ATTRIBUTES.iter().copied().chain(["class", "translate"]).collect()),
        ]))
        .url_schemes(SCHEMES.iter().copied().collect())
        .url_relative(ammonia::UrlRelative::Deny)
        .link_rel(Some("nofollow noopener"))
        .set_tag_attribute_value("a", "target", "_blank")
        .attribute_filter(|_, name, value| attribute(name, value));
    gate
});

/// Makes strangers' HTML safe to show: Mastodon's elements, classes and link schemes stay,
/// headings become bold paragraphs, links get `rel` and `target`, links that lead nowhere become
/// their text, scripts vanish with their content, everything else leaves its text behind.
///
/// Any input is fine, broken or hostile; beyond [`MAX_INPUT`] bytes it is cut, and elements
/// nested deeper than 64 are dropped. Running it twice changes nothing more.
pub fn sanitise(html: &str) -> String {
    if !html.contains(['<', '>', '&', '\0', '\r']) && html.len() <= MAX_INPUT {
        return polish(html);
    }
    polish(&GATE.clean(&tame(cut(html, MAX_INPUT))).to_string())
}

/// The longest start of the text that is at most so many bytes.
pub(super) fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

const MFM_CLASS: &str = "mfm-";
const MFM_DATA: &str = "data-mfm-";

/// The class of a function of MFM, if somebody knows it.
pub(super) fn mfm_class(name: &str) -> Option<&'static str> {
    MFM_CLASSES.iter().copied().find(|class| &class[MFM_CLASS.len()..] == name)
}

/// The attribute of an argument of a function of MFM.
pub(super) fn mfm_attribute(name: &str) -> Option<&'static str> {
    MFM_ATTRIBUTES.iter().copied().find(|attribute| &attribute[MFM_DATA.len()..] == name)
}

/// Where a quotation is from: a page, not whatever else links may lead to.
fn is_page(value: &str) -> bool {
    let web = |scheme: &str| value.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme));
    (web("https://") || web("http://")) && !value.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// What an attribute may hold; None drops it. Both stages ask here.
pub(super) fn attribute<'v>(name: &str, value: &'v str) -> Option<Cow<'v, str>> {
    match name {
        "class" => classes(value),
        "translate" => (value == "no").then_some(Cow::Borrowed(value)),
        "lang" => is_language(value).then_some(Cow::Borrowed(value)),
        "start" | "value" => value.parse::<i32>().is_ok().then_some(Cow::Borrowed(value)),
        "reversed" => Some(Cow::Borrowed("")),
        "cite" => is_page(value).then_some(Cow::Borrowed(value)),
        _ if name.starts_with(MFM_DATA) => {
            let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'#' | b'%' | b'_');
            (value.len() <= MFM_VALUE && value.bytes().all(plain)).then_some(Cow::Borrowed(value))
        }
        _ => Some(Cow::Borrowed(value)),
    }
}

fn is_language(value: &str) -> bool {
    (2..=35).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Keeps microformats and the classes by which clients know mentions, tags and shortened links.
fn classes(value: &str) -> Option<Cow<'_, str>> {
    let kept: Vec<&str> = value.split_ascii_whitespace().filter(|class| is_class(class)).collect();
    if kept.is_empty() {
        return None;
    }
    let joined = kept.join(" ");
    Some(if joined == value { Cow::Borrowed(value) } else { Cow::Owned(joined) })
}

fn is_class(class: &str) -> bool {
    let known = matches!(class, "mention" | "hashtag" | "ellipsis" | "invisible" | "quote-inline")
        || ["h-", "p-", "u-", "dt-", "e-"].iter().any(|kind| class.starts_with(kind))
        || MFM_CLASSES.contains(&class);
    known && class.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// Works on what ammonia wrote: takes the tags of links without an address away, control
/// characters, byte order marks, and line ends that a parser would swallow at the start of `<pre>`.
fn polish(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    let mut bare = false;
    let mut swallow = false;
    while !rest.is_empty() {
        let end = rest.find('<').unwrap_or(rest.len());
        for c in rest[..end].chars().filter(|c| !is_control(*c)) {
            if !(swallow && c == '\n') {
                swallow = false;
                out.push(c);
            }
        }
        rest = &rest[end..];
        let len = rest.find('>').map_or(rest.len(), |at| at + 1);
        let (tag, after) = rest.split_at(len);
        rest = after;
        if tag.starts_with("<a ") && !tag.contains(" href=\"") {
            bare = true;
        } else if bare && tag == "</a>" {
            bare = false;
        } else {
            swallow = (swallow && tag.is_empty()) || tag.starts_with("<pre");
            out.extend(tag.chars().filter(|c| !is_control(*c)));
        }
    }
    out
}

fn is_control(c: char) -> bool {
    c < ' ' && !matches!(c, '\n' | '\t') || matches!(c, '\u{7f}' | '\u{feff}')
}
