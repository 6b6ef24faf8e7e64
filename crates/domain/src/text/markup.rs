//! Reads pieces of HTML: tags with their attributes, comments, elements to pass over. Each
//! function takes the text from its piece on and looks at every byte once.

use super::sanitise::MFM_ATTRIBUTES;

/// Attributes that are worth reading; ammonia decides on which elements they stay.
const ATTRIBUTES: &[&str] = &["href", "class", "translate", "lang", "title", "start", "reversed", "value", "cite"];

/// A start or end tag.
pub(super) struct Tag<'a> {
    pub(super) name: &'a str,
    pub(super) closing: bool,
    /// Those worth reading, each once, references not decoded.
    pub(super) attributes: Vec<(&'static str, &'a str)>,
    /// Bytes from `<` to behind `>`.
    pub(super) len: usize,
}

pub(super) fn skip_comment(html: &str) -> &str {
    if html.starts_with("<!--") { after(&html[2..], "-->") } else { after(html, ">") }
}

/// What follows the first such mark; nothing when there is none.
pub(super) fn after<'a>(text: &'a str, mark: &str) -> &'a str {
    text.find(mark).map_or("", |at| &text[at + mark.len()..])
}

pub(super) fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r' | 0x0c)
}

/// Reads the tag at the start of the text; None when it never ends.
pub(super) fn tag_at(html: &str) -> Option<Tag<'_>> {
    let bytes = html.as_bytes();
    let closing = bytes.get(1) == Some(&b'/');
    let start = if closing { 2 } else { 1 };
    let mut at = start + span(&bytes[start..], |b| !is_space(b) && !matches!(b, b'/' | b'>'));
    let name = &html[start..at];
    let mut attributes: Vec<(&'static str, &str)> = Vec::new();
    loop {
        at += span(&bytes[at..], |b| is_space(b) || b == b'/');
        if *bytes.get(at)? == b'>' {
            return Some(Tag { name, closing, attributes, len: at + 1 });
        }
        let key = at;
        // An equals sign at the start belongs to the name.
        at += 1 + span(&bytes[at + 1..], |b| !is_space(b) && !matches!(b, b'/' | b'>' | b'='));
        let key = html.get(key..at).unwrap_or_default();
        let (value, end) = value_at(html, at)?;
        at = end;
        let is_mfm = key.get(..5).is_some_and(|head| head.eq_ignore_ascii_case("data-"));
        let names = if is_mfm { MFM_ATTRIBUTES } else { ATTRIBUTES };
        let known = names.iter().find(|known| known.eq_ignore_ascii_case(key));
        if let Some(known) = known
            && !attributes.iter().any(|(seen, _)| seen == known)
        {
            attributes.push((known, value));
        }
    }
}

/// The attribute's value behind its name, and where it ends.
fn value_at(html: &str, at: usize) -> Option<(&str, usize)> {
    let bytes = html.as_bytes();
    let sign = at + span(&bytes[at..], is_space);
    if bytes.get(sign) != Some(&b'=') {
        return Some(("", at));
    }
    let start = sign + 1 + span(&bytes[sign + 1..], is_space);
    match *bytes.get(start)? {
        quote @ (b'"' | b'\'') => {
            let len = html[start + 1..].find(char::from(quote))?;
            Some((&html[start + 1..start + 1 + len], start + len + 2))
        }
        _ => {
            let end = start + span(&bytes[start..], |b| !is_space(b) && b != b'>');
            Some((&html[start..end], end))
        }
    }
}

fn span(bytes: &[u8], keep: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|b| !keep(*b)).unwrap_or(bytes.len())
}

/// What follows the element's end tag; nothing when it never ends.
pub(super) fn skip_element<'a>(html: &'a str, name: &str) -> &'a str {
    let mut rest = html;
    while let Some(at) = rest.find("</") {
        rest = &rest[at + 2..];
        if rest.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)) {
            return after(rest, ">");
        }
    }
    ""
}

/// `$x^2$` of a formula's annotation, nothing when it has none.
pub(super) fn tex(formula: &str) -> String {
    let Some(annotation) = formula.find("<annotation").map(|at| &formula[at..]) else {
        return String::new();
    };
    let head = annotation.find('>').map_or("", |at| &annotation[..at]);
    let body = after(annotation, ">");
    let body = &body[..body.find('<').unwrap_or(body.len())];
    if head.contains("application/x-tex") {
        format!("${body}$")
    } else if head.contains("text/plain") {
        body.to_owned()
    } else {
        String::new()
    }
}
