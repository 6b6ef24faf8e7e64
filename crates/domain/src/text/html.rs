//! Plain text to the HTML that Mastodon's clients expect: paragraphs, shortened links, mentions
//! and hashtags with their classes. Emoji stay as shortcodes; everything else is escaped.

use std::collections::{HashMap, HashSet};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::entities::{Entity, Handle, Kind, scan};

/// So much of a link is shown, in characters.
const SHOWN: usize = 30;

const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-').remove(b'.').remove(b'~');

/// The accounts that a text may link to, by [`Handle::key`]. Hold the author's own too: Mastodon
/// writes `@name@domain` when two of them share a name.
pub type Mentions = HashMap<String, MentionLink>;

/// What a link to an account needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MentionLink {
    /// The profile's page.
    pub url: String,
    pub username: String,
    /// `alice`, or `alice@remote.example` with the domain in its own script.
    pub pretty_acct: String,
}

/// Where links lead, and who is known.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// This server's address such as `https://noren.example`.
    pub base_url: &'a str,
    /// The domain of this server's accounts.
    pub local_domains: &'a [&'a str],
    pub mentions: &'a Mentions,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Paragraphs and line breaks.
    Block,
    /// One line, whole addresses of accounts, links that may prove who somebody is.
    Field,
}

/// The HTML of a status. A blank text gives an empty string.
pub fn html(text: &str, options: &Options<'_>) -> String {
    if text.trim().is_empty() {
        return String::new();
    }
    paragraphs(&inline(text, options, Style::Block))
}

/// The HTML of a profile's note.
pub fn note_html(text: &str, options: &Options<'_>) -> String {
    html(text, options)
}

/// The HTML of the value of a profile field: one line without a paragraph, links with `rel=me`.
pub fn field_html(text: &str, options: &Options<'_>) -> String {
    inline(text.trim(), options, Style::Field).replace('\n', " ")
}

/// The link that Mastodon writes for an address: scheme and `www.` hidden, thirty characters
/// shown, the rest hidden.
pub fn shortened_link(url: &str) -> String {
    let mut out = String::new();
    push_link(&mut out, url, Style::Block);
    out
}

/// One run of text, escaped, with links for what is one. `namesakes` are those of the options' mentions.
pub(super) fn inline_html(text: &str, options: &Options<'_>, namesakes: &HashSet<String>) -> String {
    inline_among(text, options, (Style::Block, namesakes))
}

fn inline(text: &str, options: &Options<'_>, style: Style) -> String {
    inline_among(text, options, (style, &namesakes(options.mentions)))
}

fn inline_among(text: &str, options: &Options<'_>, (style, namesakes): (Style, &HashSet<String>)) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut last = 0;
    for Entity { range, kind } in scan(text) {
        push_escaped(&mut out, &text[last..range.start]);
        last = range.end;
        let written = &text[range];
        match kind {
            Kind::Url => push_link(&mut out, written, style),
            Kind::Hashtag { name } => push_hashtag(&mut out, &name, options.base_url),
            Kind::Emoji { .. } => out.push_str(written),
            Kind::Mention { username, domain } => {
                let handle = Handle::new(&username, domain.as_deref(), options.local_domains);
                match options.mentions.get(&handle.key()) {
                    Some(link) => {
                        let whole = style == Style::Field || namesakes.contains(&link.username.to_lowercase());
                        let name = if whole { &link.pretty_acct } else { &link.username };
                        push_mention(&mut out, &link.url, name);
                    }
                    None => push_escaped(&mut out, written),
                }
            }
        }
    }
    push_escaped(&mut out, &text[last..]);
    out
}

/// User names that more than one of the accounts has.
pub(super) fn namesakes(mentions: &Mentions) -> HashSet<String> {
    let mut seen = HashSet::new();
    mentions.values().map(|link| link.username.to_lowercase()).filter(|name| !seen.insert(name.clone())).collect()
}

fn push_link(out: &mut String, url: &str, style: Style) {
    let prefix = prefix_len(url);
    let (hidden, rest) = url.split_at(prefix);
    // A cut that would hide a single character is none.
    let cut = match rest.char_indices().nth(SHOWN) {
        Some((at, c)) if at + c.len_utf8() < rest.len() => at,
        _ => rest.len(),
    };
    let (shown, tail) = rest.split_at(cut);
    let me = if style == Style::Field { " me" } else { "" };
    out.push_str("<a href=\"");
    push_escaped(out, url);
    out.push_str("\" target=\"_blank\" rel=\"nofollow noopener");
    out.push_str(me);
    out.push_str("\" translate=\"no\"><span class=\"invisible\">");
    push_escaped(out, hidden);
    out.push_str("</span><span class=\"");
    out.push_str(if tail.is_empty() { "" } else { "ellipsis" });
    out.push_str("\">");
    push_escaped(out, shown);
    out.push_str("</span><span class=\"invisible\">");
    push_escaped(out, tail);
    out.push_str("</span></a>");
}

/// Bytes of `https://www.` and its shorter forms at the start.
fn prefix_len(url: &str) -> usize {
    let scheme = ["https://", "http://"]
        .into_iter()
        .find(|scheme| url.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme)));
    let Some(scheme) = scheme else {
        return 0;
    };
    let www = url[scheme.len()..].starts_with("www.");
    scheme.len() + if www { 4 } else { 0 }
}

fn push_hashtag(out: &mut String, name: &str, base_url: &str) {
    out.push_str("<a href=\"");
    push_escaped(out, base_url.trim_end_matches('/'));
    out.push_str("/tags/");
    out.extend(utf8_percent_encode(name, PATH));
    out.push_str("\" class=\"mention hashtag\" rel=\"tag\">#<span>");
    push_escaped(out, name);
    out.push_str("</span></a>");
}

fn push_mention(out: &mut String, url: &str, name: &str) {
    out.push_str("<span class=\"h-card\" translate=\"no\"><a href=\"");
    push_escaped(out, url);
    out.push_str("\" class=\"u-url mention\">@<span>");
    push_escaped(out, name);
    out.push_str("</span></a></span>");
}

/// Escapes for both text and quoted attributes; drops NUL, which HTML cannot hold, and turns all
/// line ends into `\n`.
fn push_escaped(out: &mut String, text: &str) {
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\0' => {}
            '\r' => {
                if chars.peek() != Some(&'\n') {
                    out.push('\n');
                }
            }
            _ => out.push(c),
        }
    }
}

/// An empty line starts a paragraph, any other line end is a break; links hold no line ends.
fn paragraphs(inline: &str) -> String {
    let mut out = String::with_capacity(inline.len() + 16);
    for paragraph in inline.split("\n\n") {
        let paragraph = paragraph.trim_matches('\n');
        if !paragraph.is_empty() {
            out.push_str("<p>");
            out.push_str(&paragraph.replace('\n', "<br />"));
            out.push_str("</p>");
        }
    }
    out
}
