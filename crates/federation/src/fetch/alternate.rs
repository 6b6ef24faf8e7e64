//! Where a page says that its document is: a `Link` header, or a `<link>` in its head.

use super::body::Body;
use super::is_activity;

/// Bytes of a page that are looked at.
const HEAD: usize = 128 * 1024;

/// The targets of `<…>; rel="alternate"; type="application/activity+json"` in a `Link` header.
pub(super) fn in_header(text: &str) -> Option<String> {
    text.split(",").find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let of = |name: &str| {
            parameters.split(';').find_map(|part| {
                let (key, value) = part.trim().split_once('=')?;
                key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
            })
        };
        // A profile's semicolon would split it: the name alone is enough to look there.
        let is_document = of("type").is_some_and(|kind| is_document(&kind));
        (is_document && of("rel").is_some_and(|rel| is_alternate(&rel))).then(|| target.to_owned())
    })
}

pub(super) async fn in_page(mut body: Body) -> Option<String> {
    let mut page = Vec::new();
    while let Some(Ok(piece)) = body.next().await {
        page.extend_from_slice(&piece);
        if page.len() >= HEAD {
            break;
        }
    }
    in_html(&String::from_utf8_lossy(page.get(..page.len().min(HEAD))?))
}

fn in_html(page: &str) -> Option<String> {
    let lower = page.to_ascii_lowercase();
    let mut from = 0;
    while let Some(found) = lower.get(from..)?.find("<link") {
        let start = from + found + "<link".len();
        let end = start + lower.get(start..)?.find('>')?;
        let attributes = attributes(page.get(start..end)?);
        let of = |name: &str| attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let is_document = of("type").is_some_and(is_document);
        if is_document
            && of("rel").is_some_and(is_alternate)
            && let Some(href) = of("href")
        {
            return Some(href.replace("&amp;", "&"));
        }
        from = end;
    }
    None
}

fn is_document(kind: &str) -> bool {
    is_activity(kind) || kind.eq_ignore_ascii_case("application/ld+json")
}

fn is_alternate(rel: &str) -> bool {
    rel.split_ascii_whitespace().any(|rel| rel.eq_ignore_ascii_case("alternate"))
}

/// (name in lower case, value)
fn attributes(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.split_ascii_whitespace().last().unwrap_or_default().to_ascii_lowercase();
        let after = after.trim_start();
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
        let (value, next) = match quote {
            Some(quote) => after.get(1..).and_then(|after| after.split_once(quote)).unwrap_or((after, "")),
            None => after.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((after, "")),
        };
        found.push((name, value.to_owned()));
        rest = next;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_and_pages() {
        for (text, target) in [
            (
                "<https://a.example/1>; rel=\"alternate\"; type=\"application/activity+json\"",
                Some("https://a.example/1"),
            ),
            ("</x>; rel=next, </1>; type=application/activity+json; rel=alternate", Some("/1")),
            ("</1>; rel=alternate; type=text/html", None),
            ("</1>", None),
            ("", None),
        ] {
            assert_eq!(in_header(text).as_deref(), target, "{text}");
        }
        for (text, target) in [
            ("<html><LINK href='/a?b&amp;c' type=\"application/activity+json\" rel=\"alternate\">", Some("/a?b&c")),
            ("<link rel=stylesheet href=x><link rel=alternate type='application/activity+json' href=/y />", Some("/y")),
            ("<link rel=alternate type='application/rss+xml' href=/y>", None),
            ("<link rel=alternate type='application/activity+json' href=/y", None),
            ("<link", None),
            ("", None),
        ] {
            assert_eq!(in_html(text).as_deref(), target, "{text}");
        }
    }
}
