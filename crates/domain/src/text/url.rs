//! Finds where a http(s) link in running text ends: brackets that belong to it, punctuation that
//! does not, and text in other scripts right behind it.
//! The rules are twitter-text's with Mastodon's changes (wider paths and queries); beyond them,
//! East Asian punctuation ends a link.

use super::chars::{is_cjk_stop, is_directional};
use super::host::host_len;

/// A longer link is left as text (twitter-text's limit), in characters.
const MAX_CHARS: usize = 4096;

pub(super) enum Found {
    /// A link of so many bytes.
    Link(usize),
    /// Looks like a link of so many bytes but cannot be one: leave it as text.
    Text(usize),
    Nothing,
}

/// Looks for a link at the very start of the text. `before` is the character in front of it.
pub(super) fn link_at(text: &str, before: Option<char>) -> Found {
    let Some(scheme) = scheme_len(text) else {
        return Found::Nothing;
    };
    if before.is_some_and(glued) {
        return Found::Nothing;
    }
    let Some(host) = host_len(&text[scheme..]) else {
        return Found::Nothing;
    };
    let mut end = scheme + host;
    end += port_len(&text[end..]);
    end += path_len(&text[end..]);
    end += query_len(&text[end..]);
    let link = &text[..end];
    let fits = link.len() <= MAX_CHARS || link.chars().count() <= MAX_CHARS;
    if fits && ::url::Url::parse(link).is_ok() { Found::Link(end) } else { Found::Text(end) }
}

fn scheme_len(text: &str) -> Option<usize> {
    ["https://", "http://"].into_iter().find_map(|scheme| {
        let head = text.get(..scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then_some(scheme.len())
    })
}

/// Characters behind which no link starts.
fn glued(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '@' | '＠' | '$' | '#' | '＃' | '\u{feff}' | '\u{fffe}')
}

fn port_len(text: &str) -> usize {
    let Some(rest) = text.strip_prefix(':') else {
        return 0;
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 { 0 } else { digits + 1 }
}

fn path_len(text: &str) -> usize {
    if !text.starts_with('/') {
        return 0;
    }
    let (mut at, mut end) = (1, 1);
    while let Some(c) = text[at..].chars().next() {
        if c == '(' {
            let Some(group) = group_len(&text[at..], Nesting::MayHoldOne) else {
                break;
            };
            at += group;
            end = at;
        } else if is_path(c) {
            at += c.len_utf8();
            if ends_path(c) {
                end = at;
            }
        } else {
            break;
        }
    }
    end
}

enum Nesting {
    MayHoldOne,
    Innermost,
}

/// Bytes of a bracketed group such as `(film)` or `(a_(b))`, the text starting with the bracket.
fn group_len(text: &str, nesting: Nesting) -> Option<usize> {
    let mut at = 1;
    let mut inner = matches!(nesting, Nesting::Innermost);
    loop {
        let c = text[at..].chars().next()?;
        if c == ')' {
            return (at > 1).then_some(at + 1);
        } else if c == '(' && !inner {
            inner = true;
            at += group_len(&text[at..], Nesting::Innermost)?;
        } else if is_path(c) {
            at += c.len_utf8();
        } else {
            return None;
        }
    }
}

fn is_path(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_graphic() && !matches!(c, '<' | '>' | '(' | ')' | '?' | '"');
    }
    is_outside_ascii(c)
}

fn ends_path(c: char) -> bool {
    !matches!(c, '!' | '*' | '\'' | ';' | ':' | '=' | ',' | '.' | '$' | '%' | '[' | ']' | '~' | '&' | '|')
        && ends_outside_ascii(c)
}

fn query_len(text: &str) -> usize {
    if !text.starts_with('?') {
        return 0;
    }
    let mut end = 0;
    for (at, c) in text.char_indices().skip(1) {
        if !is_query(c) {
            break;
        }
        if ends_query(c) {
            end = at + c.len_utf8();
        }
    }
    end
}

fn is_query(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_graphic() && !matches!(c, '<' | '>' | '"' | '\\' | '`' | '{' | '}');
    }
    is_outside_ascii(c)
}

fn ends_query(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || matches!(c, '_' | '&' | '=' | '#' | '/' | '-');
    }
    ends_outside_ascii(c)
}

fn is_outside_ascii(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && !is_cjk_stop(c) && !is_directional(c)
}

fn ends_outside_ascii(c: char) -> bool {
    !matches!(c, '…' | '‘' | '’' | '“' | '”')
}
