//! What a page's site tells of it to those who ask. <https://oembed.com>

use crate::Federation;
use crate::documents;
use crate::fetch::{Ask, Bounds, is_json};
use domain::cards::{Card, Kind};
use serde_json::Value;
use std::time::Duration;
use url::Url;

const BOUNDS: Bounds =
    Bounds { bytes: 256 << 10, idle: Duration::from_secs(8), total: Duration::from_secs(15), redirects: 3 };

/// Bytes of an address that a frame leads to.
const LONGEST: usize = 2048;

/// Adds what is told at `address`; nothing when that cannot be had.
pub(super) async fn add(federation: &Federation, address: &Url, card: &mut Card) {
    let Ok(reply) = federation.files.open(&Ask::foreign(address, "application/json", BOUNDS)).await else { return };
    if !is_json(reply.content_type()) && !reply.content_type().starts_with("text/json") {
        return;
    }
    let Ok(bytes) = reply.body.bytes().await else { return };
    if let Ok(told) = documents::parse(&bytes) {
        fill(card, &told, address);
    }
}

fn fill(card: &mut Card, told: &Value, base: &Url) {
    let text = |name: &str| told.get(name).and_then(Value::as_str).unwrap_or_default().trim().to_owned();
    let number = |name: &str| {
        let value = told.get(name);
        value.and_then(|value| value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())).unwrap_or_default()
    };
    let address = |name: &str| {
        let url = base.join(&text(name)).ok().filter(|_| !text(name).is_empty())?;
        matches!(url.scheme(), "http" | "https").then(|| String::from(url))
    };
    let better = |known: &mut String, told: String| {
        if !told.is_empty() {
            *known = told;
        }
    };
    if card.title.is_empty() {
        card.title = text("title");
    }
    better(&mut card.author_name, text("author_name"));
    better(&mut card.author_url, address("author_url").unwrap_or_default());
    better(&mut card.provider_name, text("provider_name"));
    better(&mut card.provider_url, address("provider_url").unwrap_or_default());
    if card.image.is_none() {
        card.image = address("thumbnail_url");
    }
    let size = (number("width"), number("height"));
    match text("type").as_str() {
        "link" => (card.kind, card.html) = (Kind::Link, String::new()),
        "photo" => {
            let Some(url) = address("url") else { return };
            (card.kind, card.html) = (Kind::Photo, String::new());
            card.image = Some(url.clone());
            (card.embed_url, (card.width, card.height)) = (url, size);
        }
        kind @ ("video" | "rich") => {
            let Some(source) = frame(&text("html")) else { return };
            card.kind = if kind == "video" { Kind::Video } else { Kind::Rich };
            (card.width, card.height) = size;
            card.html = player(&source, size);
        }
        _ => {}
    }
}

/// Where the first frame in it leads, if that is a secure place. Nothing else of their HTML is shown.
fn frame(html: &str) -> Option<Url> {
    let start = html.to_ascii_lowercase().find("<iframe")?;
    let tag = html.get(start..)?;
    let tag = tag.get(..tag.find('>')?)?;
    let lower = tag.to_ascii_lowercase();
    let at = lower.match_indices("src").find_map(|(at, _)| {
        let is_word = lower.get(..at)?.ends_with(|c: char| c.is_ascii_whitespace() || matches!(c, '"' | '\''));
        let rest = tag.get(at + 3..)?.trim_start();
        rest.strip_prefix('=').filter(|_| is_word)
    })?;
    let value = at.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let source = value.get(1..)?.split(quote).next()?.replace("&amp;", "&");
    let source = if source.starts_with("//") { format!("https:{source}") } else { source };
    Url::parse(&source).ok().filter(is_secure)
}

/// Whether a frame may lead there.
pub(super) fn is_secure(url: &Url) -> bool {
    url.scheme() == "https" && url.host_str().is_some() && url.as_str().len() <= LONGEST
}

/// Written here from what is needed: no attribute of theirs passes.
pub(super) fn player(source: &Url, (width, height): (i64, i64)) -> String {
    let size = |name: &str, n: i64| if n > 0 { format!(" {name}=\"{}\"", n.min(10_000)) } else { String::new() };
    let source = source.as_str().replace('&', "&amp;").replace('"', "%22").replace('<', "%3C").replace('>', "%3E");
    format!(
        "<iframe src=\"{source}\"{}{} allowfullscreen=\"\" frameborder=\"0\" scrolling=\"no\" \
         sandbox=\"allow-scripts allow-same-origin allow-popups allow-popups-to-escape-sandbox allow-forms\"></iframe>",
        size("width", width),
        size("height", height),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn filled(told: &Value) -> Card {
        let mut card = Card { title: "page".into(), ..Card::default() };
        fill(&mut card, told, &Url::parse("https://a.example/oembed?x").unwrap());
        card
    }

    #[test]
    fn videos_and_photos() {
        let card = filled(&json!({
            "type": "video", "title": "t", "author_name": "Mia", "author_url": "/mia", "provider_name": "A",
            "html": "<div><IFRAME onload=\"alert(1)\" src=\"https://a.example/e?x=1&amp;y\" allow='*'></IFRAME><script>1</script>",
            "width": "640", "height": 360, "thumbnail_url": "https://a.example/t.jpg",
        }));
        assert_eq!((card.kind, card.title.as_str(), card.width, card.height), (Kind::Video, "page", 640, 360));
        assert!(
            card.html.starts_with("<iframe src=\"https://a.example/e?x=1&amp;y\" width=\"640\" height=\"360\" "),
            "{}",
            card.html
        );
        assert!(
            !card.html.contains("onload") && !card.html.contains("script>") && card.html.contains("sandbox=\"allow-")
        );
        assert_eq!(
            (card.author_url.as_str(), card.image.as_deref()),
            ("https://a.example/mia", Some("https://a.example/t.jpg"))
        );
        let card = filled(&json!({ "type": "photo", "url": "/p.jpg", "width": 10, "height": -5 }));
        assert_eq!((card.kind, card.embed_url.as_str()), (Kind::Photo, "https://a.example/p.jpg"));
    }

    #[test]
    fn nothing_else_passes() {
        for html in [
            "<script>alert(1)</script>",
            "<iframe src='http://a.example/'></iframe>",
            "<iframe src='javascript:alert(1)'></iframe>",
            "<iframe src='data:text/html,x'></iframe>",
            "<iframe src=https://a.example></iframe>",
            "<iframe data-src='https://a.example/'></iframe>",
            "<iframe srcdoc='<p>'></iframe>",
            "<iframe",
            "",
            &format!("<iframe src='https://a.example/{}'></iframe>", "x".repeat(LONGEST)),
        ] {
            let card = filled(&json!({ "type": "rich", "html": html, "width": {}, "thumbnail_url": ["x"] }));
            assert_eq!((card.kind, card.html.as_str()), (Kind::Link, ""), "{html}");
        }
        let odd = frame("<iframe title='x' src='https://a.example/\"><script>'></iframe>");
        assert!(odd.is_none_or(|url| !player(&url, (0, 0)).contains("<script")));
        assert_eq!(filled(&json!([])).kind, Kind::Link);
        let mut card = Card { kind: Kind::Video, html: "<iframe>".into(), ..Card::default() };
        fill(&mut card, &json!({ "type": "link" }), &Url::parse("https://a.example/").unwrap());
        assert_eq!((card.kind, card.html.as_str()), (Kind::Link, ""), "what the site tells goes before its page");
        assert_eq!(filled(&json!({ "type": "photo", "url": "javascript:1" })).kind, Kind::Link);
    }
}
