//! What a page says of itself: its title, its `<meta>` and `<link>` elements. Reads any text, broken or hostile, once
//! from its beginning to its end.

use domain::text;
use url::Url;

/// Elements of each kind that are kept.
const MOST: usize = 300;
/// Bytes of a value that are kept.
const VALUE: usize = 8 * 1024;
/// Elements whose content is no markup, or none of the page.
const OPAQUE: [&str; 7] = ["script", "style", "noscript", "template", "textarea", "svg", "iframe"];

/// Attributes with their names in small letters.
type Attributes = Vec<(String, String)>;

#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) title: Option<String>,
    language: Option<String>,
    /// Name and content.
    metas: Vec<(String, String)>,
    links: Vec<Attributes>,
}

impl Page {
    /// The first content that is not empty, of the first of these names that has one.
    pub(super) fn meta(&self, names: &[&str]) -> Option<String> {
        let of = |name: &&str| self.metas.iter().find(|(known, content)| known == name && !content.trim().is_empty());
        names.iter().find_map(of).map(|(_, content)| content.clone())
    }

    /// Where the first link with this relation leads.
    pub(super) fn link(&self, rel: &str) -> Option<String> {
        self.links.iter().find(|link| relates(link, rel)).and_then(|link| value(link, "href")).map(str::to_owned)
    }

    /// Where more is told of the page, as JSON.
    pub(super) fn oembed(&self, at: &Url) -> Option<Url> {
        let is_oembed = |link: &&Attributes| {
            let kind = value(link, "type").unwrap_or_default();
            kind.eq_ignore_ascii_case("application/json+oembed") && relates(link, "alternate")
        };
        at.join(value(self.links.iter().find(is_oembed)?, "href")?).ok()
    }

    /// Of the text, if it is said.
    pub(super) fn language(&self) -> Option<String> {
        let said = self.language.clone().or_else(|| self.meta(&["og:locale", "content-language"]))?;
        let primary = said.trim().split(['-', '_']).next()?.to_ascii_lowercase();
        let is_code = (2..=3).contains(&primary.len()) && primary.bytes().all(|b| b.is_ascii_alphabetic());
        is_code.then_some(primary)
    }
}

fn value<'a>(attributes: &'a [(String, String)], name: &str) -> Option<&'a str> {
    attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

fn relates(link: &[(String, String)], wanted: &str) -> bool {
    let rel = value(link, "rel").unwrap_or_default();
    rel.split_ascii_whitespace().any(|rel| rel.eq_ignore_ascii_case(wanted))
}

pub(super) fn read(html: &str) -> Page {
    let mut page = Page::default();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = after(comment, "-->");
            continue;
        }
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let name = rest[..end].to_ascii_lowercase();
        if name.is_empty() {
            continue;
        }
        let wanted = matches!(name.as_str(), "html" | "meta" | "link" | "title");
        let (attributes, next) = attributes(&rest[end..], wanted);
        rest = next;
        if OPAQUE.contains(&name.as_str()) {
            rest = element_end(rest, &name).1;
        } else if name == "title" {
            let (title, next) = element_end(rest, &name);
            page.title.get_or_insert_with(|| decoded(title));
            rest = next;
        } else if wanted {
            page.take(&name, attributes);
        }
    }
    page
}

impl Page {
    fn take(&mut self, name: &str, attributes: Attributes) {
        match name {
            "html" => self.language = self.language.take().or_else(|| value(&attributes, "lang").map(str::to_owned)),
            "link" if self.links.len() < MOST => self.links.push(attributes),
            "meta" if self.metas.len() < MOST => {
                let name = ["property", "name", "itemprop", "http-equiv"].iter().find_map(|n| value(&attributes, n));
                if let (Some(name), Some(content)) = (name, value(&attributes, "content")) {
                    self.metas.push((name.trim().to_ascii_lowercase(), content.to_owned()));
                }
            }
            _ => {}
        }
    }
}

/// What comes after `end`; nothing when it does not come.
fn after<'a>(text: &'a str, end: &str) -> &'a str {
    text.find(end).and_then(|at| text.get(at + end.len()..)).unwrap_or_default()
}

/// The content of an element that has begun, and what comes after it.
fn element_end<'a>(text: &'a str, name: &str) -> (&'a str, &'a str) {
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find("</")) {
        let start = from + at;
        let rest = text.get(start + 2..).unwrap_or_default();
        if rest.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)) {
            return (&text[..start], after(rest, ">"));
        }
        from = start + 2;
    }
    (text, "")
}

/// Those of a tag whose name has been read, and what comes after it.
fn attributes(tag: &str, wanted: bool) -> (Attributes, &str) {
    let mut found = Attributes::new();
    let mut rest = tag;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        let Some(first) = rest.chars().next() else { return (found, "") };
        if first == '>' {
            return (found, &rest[1..]);
        }
        let end = rest.find(|c: char| c.is_ascii_whitespace() || matches!(c, '=' | '>' | '/')).unwrap_or(rest.len());
        // An equals sign where a name should be is one.
        let end = if end == 0 { first.len_utf8() } else { end };
        let name = &rest[..end];
        rest = rest[end..].trim_start();
        let mut text = "";
        if let Some(after) = rest.strip_prefix('=') {
            (text, rest) = attribute_value(after.trim_start());
        }
        if wanted && found.len() < MOST && name.len() <= 64 {
            let text = text.get(..text.floor_char_boundary(VALUE)).unwrap_or_default();
            found.push((name.to_ascii_lowercase(), decoded(text)));
        }
    }
}

/// A value, and what comes after it.
fn attribute_value(text: &str) -> (&str, &str) {
    match text.chars().next() {
        Some(quote @ ('"' | '\'')) => text[1..].split_once(quote).unwrap_or((&text[1..], "")),
        _ => {
            let end = text.find(|c: char| c.is_ascii_whitespace() || c == '>').unwrap_or(text.len());
            text.split_at(end)
        }
    }
}

/// Character references read, all white space one blank.
fn decoded(text: &str) -> String {
    let cut = text.get(..text.floor_char_boundary(VALUE)).unwrap_or_default();
    let plain = if cut.contains('&') { references(cut) } else { cut.to_owned() };
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// By way of the parser that knows all of their names: a text without markup.
fn references(text: &str) -> String {
    text::plain(&text.replace('<', "&lt;").replace('>', "&gt;"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_pages_say() {
        let page = read(
            "<!DOCTYPE html><HTML Lang='ja-JP'><!-- <title>no</title> <meta name=a content=no> -->\n\
            <head><script>'<title>no</title>'</script><title data-x>Tom &amp; J&eacute;r&#244;me\n &lt;3</title>\n\
            <meta Property=\"og:title\" CONTENT='A \"quoted\" > title'/><meta name=description content=plain>\n\
            <meta content=\"first\" name=\"Author\"><meta name=empty content=''><meta name=empty content=full>\n\
            <link rel='shortcut canonical' href=/here><link href=/o?a&amp;b type='application/json+oembed' rel=alternate>\n\
            <title>second</title></head>",
        );
        assert_eq!(page.title.as_deref(), Some("Tom & Jérôme <3"));
        assert_eq!(page.language().as_deref(), Some("ja"));
        assert_eq!(page.meta(&["og:title"]).as_deref(), Some("A \"quoted\" > title"));
        assert_eq!(page.meta(&["none", "description"]).as_deref(), Some("plain"));
        assert_eq!(
            (page.meta(&["author"]).as_deref(), page.meta(&["empty"]).as_deref()),
            (Some("first"), Some("full"))
        );
        assert_eq!((page.meta(&["a"]), page.link("canonical").as_deref()), (None, Some("/here")));
        let at = Url::parse("https://a.example/x").unwrap();
        assert_eq!(page.oembed(&at).map(String::from).as_deref(), Some("https://a.example/o?a&b"));
    }

    #[test]
    fn broken_pages() {
        for html in [
            "",
            "<",
            "<title",
            "<title>",
            "<meta",
            "<meta name",
            "<meta name=",
            "<meta name='",
            "<!--",
            "<script>",
            "<=>",
            "<a =b",
        ] {
            let page = read(html);
            assert_eq!(page.meta(&["x"]), None, "{html}");
        }
        assert_eq!(read("<title>open").title.as_deref(), Some("open"));
        assert_eq!(read("<svg><title>no</title></svg><title>yes</title>").title.as_deref(), Some("yes"));
    }

    #[test]
    fn long_pages_take_no_time() {
        for piece in ["<!--", "<script>", "<title>", "<meta a='", "<meta =", "</", "<a b=c ", "&amp;<"] {
            let started = std::time::Instant::now();
            read(&piece.repeat((1 << 20) / piece.len()));
            assert!(started.elapsed().as_secs() < 5, "{piece}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(html in "(<|/|title|meta|link|script|!--|-->|>|=|'|\"| |é|&amp;|.){0,60}") {
            read(&html);
        }
    }
}
