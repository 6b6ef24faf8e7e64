//! Finds links, mentions, hashtags and emoji shortcodes in plain text, in one pass from left to
//! right: what starts first wins, nothing overlaps, the time grows with the length only.
//! The rules are Mastodon's; where this one is wider or narrower, the comment says so.

use std::collections::HashSet;
use std::ops::Range;

use super::chars::{is_latin_accent, is_unspaced, is_word};
use super::tag::{tag_key, tag_name};
use super::url::{Found, link_at};

/// A longer domain cannot be anyone's (RFC 1035), in bytes.
const MAX_DOMAIN: usize = 253;

/// Something in a text that is more than text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// Bytes of the text, on character boundaries, `@` and `#` included.
    pub range: Range<usize>,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A http(s) link; its address is the text itself.
    Url,
    /// `@alice` or `@alice@remote.example`, both parts as written.
    Mention { username: String, domain: Option<String> },
    /// `#name`, as written; see [`tag_key`] for looking it up.
    Hashtag { name: String },
    /// `:shortcode:`; whether such an emoji exists is another question.
    Emoji { shortcode: String },
}

/// Whom a mention means, in the form in which accounts are stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Handle {
    /// As written: compare without case.
    pub username: String,
    /// ASCII (punycode), lower case; None for an account of this server.
    pub domain: Option<String>,
}

impl Handle {
    /// One of `local_domains` written after the name means the same as no domain.
    pub fn new(username: &str, domain: Option<&str>, local_domains: &[&str]) -> Handle {
        let is_local = |domain: &String| local_domains.iter().any(|local| ascii_domain(local) == *domain);
        let domain = domain.map(ascii_domain).filter(|domain| !is_local(domain));
        Handle { username: username.to_owned(), domain }
    }

    /// `alice` or `alice@remote.example` in lower case: the key of [`super::Mentions`].
    pub fn key(&self) -> String {
        let name = self.username.to_ascii_lowercase();
        match &self.domain {
            Some(domain) => format!("{name}@{domain}"),
            None => name,
        }
    }
}

fn ascii_domain(domain: &str) -> String {
    let (host, port) = match domain.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (domain, None),
    };
    let host = ::url::Host::parse(host).map_or_else(|_| host.to_lowercase(), |host| host.to_string());
    match port {
        Some(port) => format!("{host}:{port}"),
        None => host,
    }
}

/// A hashtag of a text: the name as written and the key it is stored under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    pub key: String,
    pub name: String,
}

/// Everyone whom the text mentions, each once, in order.
pub fn mentioned(text: &str, local_domains: &[&str]) -> Vec<Handle> {
    let mut seen = HashSet::new();
    let handles = scan(text).into_iter().filter_map(|entity| match entity.kind {
        Kind::Mention { username, domain } => Some(Handle::new(&username, domain.as_deref(), local_domains)),
        _ => None,
    });
    handles.filter(|handle| seen.insert(handle.key())).collect()
}

/// The text's hashtags, each key once, in order, with the first spelling.
pub fn tags(text: &str) -> Vec<Tag> {
    let mut seen = HashSet::new();
    let tags = scan(text).into_iter().filter_map(|entity| match entity.kind {
        Kind::Hashtag { name } => Some(Tag { key: tag_key(&name), name }),
        _ => None,
    });
    tags.filter(|tag| !tag.key.is_empty() && seen.insert(tag.key.clone())).collect()
}

/// The text's emoji shortcodes, each once, in order, without the colons.
pub fn shortcodes(text: &str) -> Vec<String> {
    let mut seen = HashSet::new();
    let codes = scan(text).into_iter().filter_map(|entity| match entity.kind {
        Kind::Emoji { shortcode } => Some(shortcode),
        _ => None,
    });
    codes.filter(|code| seen.insert(code.clone())).collect()
}

/// Finds everything in the text that is more than text, in order, without overlaps.
pub fn scan(text: &str) -> Vec<Entity> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        at += 1;
        let rest = match bytes[start] {
            b'h' | b'H' | b'@' | b'#' | b':' => &text[start..],
            0xef if text[start..].starts_with('＃') => &text[start..],
            _ => continue,
        };
        let before = text[..start].chars().next_back();
        let step = match bytes[start] {
            b'h' | b'H' => link(rest, before),
            b'@' => mention(rest, before),
            b':' => emoji(rest, before),
            _ => hashtag(rest, before),
        };
        match step {
            Step::Is(len, kind) => {
                at = start + len;
                found.push(Entity { range: start..at, kind });
            }
            Step::Skip(len) => at = start + len.max(1),
            Step::Nothing => {}
        }
    }
    found
}

/// What stands at one place: an entity of so many bytes, or text of so many bytes to pass over.
enum Step {
    Is(usize, Kind),
    Skip(usize),
    Nothing,
}

fn link(text: &str, before: Option<char>) -> Step {
    match link_at(text, before) {
        Found::Link(len) => Step::Is(len, Kind::Url),
        Found::Text(len) => Step::Skip(len),
        Found::Nothing => Step::Nothing,
    }
}

fn mention(text: &str, before: Option<char>) -> Step {
    if before.is_some_and(|c| is_word(c) || matches!(c, '=' | '/')) {
        return Step::Nothing;
    }
    let name = dotted_len(&text[1..], |c| c.is_ascii_alphanumeric() || c == '_');
    if name == 0 {
        return Step::Nothing;
    }
    let username = &text[1..=name];
    let mut end = 1 + name;
    let mut domain = None;
    if let Some(rest) = text[end..].strip_prefix('@') {
        let host = domain_at(rest);
        if !host.is_empty() {
            end += 1 + host.len();
            domain = Some(host);
        }
    }
    let after = &text[end..];
    let spoiled = after.starts_with("://")
        || after.starts_with(|c| matches!(c, '@' | '＠') || is_latin_accent(c))
        || domain.is_some_and(|host| host.len() > MAX_DOMAIN);
    if spoiled {
        return Step::Skip(end);
    }
    let kind = Kind::Mention { username: username.to_owned(), domain: domain.map(str::to_owned) };
    Step::Is(end, kind)
}

/// Bytes of words joined by dots and hyphens, which stand inside only.
fn dotted_len(text: &str, is_part: impl Fn(char) -> bool) -> usize {
    let mut end = 0;
    for (at, c) in text.char_indices() {
        if is_part(c) {
            end = at + c.len_utf8();
        } else if !(matches!(c, '.' | '-') && end > 0) {
            break;
        }
    }
    end
}

/// The domain of a mention. Narrower than Mastodon's where Japanese text follows without a
/// space (`@alice@example.comさん`); wider by the port that test servers on this machine have.
fn domain_at(text: &str) -> &str {
    let host = &text[..dotted_len(text, is_word)];
    let last = host.rfind(['.', '-']).map_or(0, |at| at + 1);
    let label = &host[last..];
    let end = if label.starts_with(|c: char| c.is_ascii()) {
        label.find(is_unspaced).map_or(host.len(), |at| last + at)
    } else {
        host.len()
    };
    let host = &host[..end];
    let here = host.eq_ignore_ascii_case("localhost") || host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if !here || host.is_empty() {
        return host;
    }
    let port =
        text[end..].strip_prefix(':').map_or(0, |rest| rest.bytes().take(5).take_while(u8::is_ascii_digit).count());
    if port == 0 { host } else { &text[..end + 1 + port] }
}

/// Wider than today's Mastodon, which asks for a space in front: brackets, quotation marks and
/// Japanese punctuation will do here, as in its earlier versions.
fn hashtag(text: &str, before: Option<char>) -> Step {
    if before.is_some_and(|c| is_word(c) || "/=).#＃&@＠:?%~+-\\$".contains(c)) {
        return Step::Nothing;
    }
    let sign = text.chars().next().map_or(1, char::len_utf8);
    let Some(mut name) = tag_name(&text[sign..]) else {
        return Step::Nothing;
    };
    // `#taghttp://…`: the scheme belongs to the link behind.
    if text[sign + name.len()..].starts_with("://") {
        let cut = name.strip_suffix("https").or_else(|| name.strip_suffix("http"));
        name = cut.filter(|cut| !cut.is_empty()).unwrap_or(name);
    }
    let kind = Kind::Hashtag { name: name.to_owned() };
    Step::Is(sign + name.len(), kind)
}

fn emoji(text: &str, before: Option<char>) -> Step {
    let bounds = |c: char| c.is_alphanumeric() || c == ':';
    if before.is_some_and(bounds) {
        return Step::Nothing;
    }
    let len = text[1..].bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
    let Some(after) = text[1 + len..].strip_prefix(':') else {
        return Step::Nothing;
    };
    if len < 2 || after.starts_with(bounds) {
        return Step::Nothing;
    }
    let shortcode = text[1..=len].to_owned();
    Step::Is(len + 2, Kind::Emoji { shortcode })
}
