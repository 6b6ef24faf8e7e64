//! HTML back to text: for search, previews and everything that shows no markup.

use super::sanitise::sanitise;

/// The text of any HTML: paragraphs apart by an empty line, other blocks and breaks by a line
/// end, hidden parts of links in full. What [`super::html()`] wrote comes back as it was, but for
/// blank lines at the ends.
pub fn plain(html: &str) -> String {
    let safe = sanitise(html);
    let mut out = String::with_capacity(safe.len());
    let mut rest = safe.as_str();
    let mut verbatim = false;
    while !rest.is_empty() {
        let end = rest.find('<').unwrap_or(rest.len());
        push_text(&mut out, &rest[..end], verbatim);
        rest = &rest[end..];
        let len = rest.find('>').map_or(rest.len(), |at| at + 1);
        let name = rest[..len].trim_start_matches('<').split([' ', '>']).next().unwrap_or_default();
        match name {
            "br" => out.push('\n'),
            "p" | "/p" | "pre" | "/pre" | "blockquote" | "/blockquote" => space(&mut out, "\n\n"),
            "ul" | "/ul" | "ol" | "/ol" | "li" | "/li" => space(&mut out, "\n"),
            _ => {}
        }
        verbatim = name == "pre" || (verbatim && name != "/pre");
        rest = &rest[len..];
    }
    out.trim_matches('\n').to_owned()
}

/// Makes sure that the text ends with so many line ends, but for an empty text.
fn space(out: &mut String, lines: &str) {
    if out.is_empty() {
        return;
    }
    let have = out.len() - out.trim_end_matches('\n').len();
    for _ in have..lines.len() {
        out.push('\n');
    }
}

/// Decodes the five references that a serialiser writes.
fn push_text(out: &mut String, text: &str, verbatim: bool) {
    const REFERENCES: [(&str, &str); 5] =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&nbsp;", "\u{a0}"), ("&amp;", "&")];
    let mut rest = text;
    while let Some(at) = rest.find(['&', '\n']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let found = REFERENCES.iter().find(|(name, _)| rest.starts_with(name));
        let (len, meant) = match found {
            Some((name, meant)) => (name.len(), *meant),
            None if rest.starts_with('\n') => (1, if verbatim { "\n" } else { " " }),
            None => (1, "&"),
        };
        out.push_str(meant);
        rest = &rest[len..];
    }
    out.push_str(rest);
}
