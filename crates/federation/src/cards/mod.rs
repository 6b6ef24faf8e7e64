//! Previews of pages: what a page says of itself, and who made it.

mod charset;
mod oembed;
mod page;

use crate::Federation;
use crate::documents::host;
use crate::fetch::{Ask, Body, Bounds};
use domain::accounts::{self, Account};
use domain::cards::{self, Card, Kind};
use domain::ids::CardId;
use domain::{Error, Result};
use page::Page;
use std::time::Duration;
use url::Url;

/// Of a page no more than this is read: what describes it stands at its beginning. One that says that it is longer is not
/// read at all.
const BOUNDS: Bounds =
    Bounds { bytes: 1 << 20, idle: Duration::from_secs(8), total: Duration::from_secs(20), redirects: 5 };
const ACCEPT: &str = "text/html, application/xhtml+xml;q=0.9";

/// How often a page is asked that cannot be had at the moment.
const ATTEMPTS: i64 = 3;

/// Fetches the page of a preview, and writes down what there is to show of it. `attempt`: counted from one. An error
/// that passes is no answer, until the last one.
pub async fn fetch(federation: &Federation, id: CardId, attempt: i64) -> Result<()> {
    let preview = cards::by_id(&federation.db.read().await?, id).await?.ok_or(Error::NotFound)?;
    let card = match Url::parse(&preview.url) {
        Ok(url) => look(federation, &url).await,
        Err(_) => Ok(None),
    };
    let card = match card {
        Err(Error::Busy(_) | Error::Unreachable(_)) if attempt >= ATTEMPTS => None,
        card => card?,
    };
    cards::arrived(&federation.db, id, card).await
}

/// None when nothing is to be had: whoever links to it next makes us look again.
async fn look(federation: &Federation, url: &Url) -> Result<Option<Card>> {
    let reply = match federation.files.open(&Ask::foreign(url, ACCEPT, BOUNDS)).await {
        Ok(reply) => reply,
        Err(error) if error.passes() => {
            tracing::debug!(%url, %error, "a page cannot be had now");
            return Err(Error::Unreachable(host(url.as_str()).unwrap_or_default()));
        }
        Err(_) => return Ok(None),
    };
    let kind = reply.content_type().to_ascii_lowercase();
    if !kind.starts_with("text/html") && !kind.starts_with("application/xhtml+xml") {
        return Ok(None);
    }
    let (at, bytes) = (reply.url.clone(), beginning(reply.body).await);
    let page = page::read(&charset::decoded(&kind, &bytes));
    let mut card = described(&page, &at);
    add_player(&page, &mut card);
    if let Some(address) = page.oembed(&at) {
        oembed::add(federation, &address, &mut card).await;
    }
    if card.title.trim().is_empty() && card.html.is_empty() {
        return Ok(None);
    }
    if let Some(author) = creator(federation, &page, &card).await? {
        (card.author_name, card.author_url) = (author.display_name.clone(), author.url.clone());
        card.author = Some(author.id);
    }
    Ok(Some(card))
}

/// As much as comes: one that goes on and on, or breaks, has said what it is by then.
async fn beginning(mut body: Body) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(Ok(piece)) = body.next().await {
        bytes.extend_from_slice(&piece);
        if bytes.len() >= BOUNDS.bytes {
            break;
        }
    }
    bytes
}

fn described(page: &Page, at: &Url) -> Card {
    let address = |href: &str| at.join(href).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    // Nobody speaks for another site.
    let named = page.link("canonical").or_else(|| page.meta(&["og:url"])).and_then(|href| address(&href));
    let named = named.filter(|url| url.host_str() == at.host_str());
    let text = |names: &[&str]| page.meta(names).unwrap_or_default();
    let image = page.meta(&["og:image:secure_url", "og:image", "og:image:url", "twitter:image", "twitter:image:src"]);
    let size = |name: &str| text(&[name]).trim().parse::<i64>().unwrap_or_default();
    let published = page.meta(&["article:published_time", "og:article:published_time", "date", "dc.date"]);
    // Facebook wants an address there; others write a name.
    let author = page.meta(&["og:author", "author", "article:author"]).filter(|name| Url::parse(name).is_err());
    Card {
        url: named.unwrap_or_else(|| at.clone()).into(),
        title: page.meta(&["og:title", "twitter:title"]).or_else(|| page.title.clone()).unwrap_or_default(),
        description: text(&["og:description", "twitter:description", "description"]),
        language: page.language(),
        author_name: author.unwrap_or_default(),
        provider_name: text(&["og:site_name", "application-name"]),
        width: size("og:image:width"),
        height: size("og:image:height"),
        image: image.and_then(|href| address(&href)).map(String::from),
        image_description: text(&["og:image:alt", "twitter:image:alt"]),
        published_at: published.and_then(|at| moment(&at)),
        ..Card::default()
    }
}

/// What a page says is to be played in its place, as Mastodon understands it: `twitter:player`, at a secure address.
fn add_player(page: &Page, card: &mut Card) {
    let secure =
        |name: &str| page.meta(&[name]).and_then(|href| Url::parse(href.trim()).ok()).filter(oembed::is_secure);
    let number = |name: &str| page.meta(&[name]).and_then(|n| n.trim().parse().ok()).unwrap_or_default();
    let Some(source) = secure("twitter:player") else { return };
    card.kind = Kind::Video;
    (card.width, card.height) = (number("twitter:player:width"), number("twitter:player:height"));
    card.html = oembed::player(&source, (card.width, card.height));
    card.embed_url = secure("twitter:player:stream").map(String::from).unwrap_or_default();
}

fn moment(text: &str) -> Option<i64> {
    let at: jiff::Timestamp = text.trim().parse().ok()?;
    Some(at.as_millisecond())
}

/// Whom the page names as its author, if they say that pages of its site may.
async fn creator(federation: &Federation, page: &Page, card: &Card) -> Result<Option<Account>> {
    let Some(handle) = page.meta(&["fediverse:creator"]) else { return Ok(None) };
    let known = {
        let conn = federation.db.read().await?;
        accounts::lookup(&conn, &federation.site, &handle).await
    };
    let found = match known {
        Err(Error::NotFound) => crate::resolve::account::by_handle(federation, &handle).await,
        known => known,
    };
    let account = match found {
        Ok(account) => account,
        Err(error @ (Error::Internal(_) | Error::Busy(_))) => return Err(error),
        Err(_) => return Ok(None),
    };
    let site = Url::parse(&card.url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    Ok(Some(account).filter(|account| account.attribution_domains().iter().any(|domain| is_of(&site, domain))))
}

/// Whether `host` is `domain` or below it.
fn is_of(host: &str, domain: &str) -> bool {
    let domain = domain.trim_start_matches("*.").to_ascii_lowercase();
    !domain.is_empty() && host.strip_suffix(&domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_speak_for_themselves_alone() {
        let at = Url::parse("https://a.example/x/y?z").unwrap();
        let card = |html: &str| described(&page::read(html), &at);
        assert_eq!(card("<link rel=canonical href='/x'>").url, "https://a.example/x");
        assert_eq!(card("<link rel=canonical href='https://b.example/x'>").url, at.as_str());
        assert_eq!(card("<meta property=og:url content='javascript:alert(1)'>").url, at.as_str());
        assert_eq!(
            card("<meta property=og:image content='../i.png'>").image.as_deref(),
            Some("https://a.example/i.png")
        );
        assert_eq!(card("<meta property=og:image content='data:image/png;base64,AA'>").image, None);
        assert_eq!(card("<meta name=author content='https://b.example/'>").author_name, "");
        assert_eq!(
            card("<meta property=article:published_time content='2026-01-01T00:00:00Z'>").published_at,
            Some(1_767_225_600_000)
        );
    }

    #[test]
    fn players_are_framed_by_us() {
        let at = Url::parse("https://a.example/x/y?z").unwrap();
        let card = |html: &str| {
            let page = page::read(html);
            let mut card = described(&page, &at);
            add_player(&page, &mut card);
            card
        };
        let played = card(
            "<meta name=twitter:player content='https://a.example/e?a&amp;b\"onload=x'><meta name=twitter:player:width content=640>\
            <meta property=twitter:player:height content=360><meta name=twitter:player:stream content='https://a.example/s.mp4'>",
        );
        assert_eq!((played.kind, played.width, played.height), (Kind::Video, 640, 360));
        let start = "<iframe src=\"https://a.example/e?a&amp;b%22onload=x\" width=\"640\" height=\"360\" ";
        assert!(played.html.starts_with(start) && played.html.contains(" sandbox=\""), "{}", played.html);
        assert_eq!(played.embed_url, "https://a.example/s.mp4");
        for wrong in ["http://a.example/e", "javascript:alert(1)", "data:text/html,x", "/e", "null", ""] {
            let card = card(&format!("<meta name=twitter:player content='{wrong}'>"));
            assert_eq!((card.kind, card.html.as_str()), (Kind::Link, ""), "{wrong}");
        }
        // Mastodon plays nothing that OpenGraph alone names.
        assert_eq!(card("<meta property=og:video:secure_url content='https://a.example/e'>").kind, Kind::Link);
    }

    #[test]
    fn hosts_below_a_domain() {
        for (host, domain, wanted) in [
            ("a.example", "a.example", true),
            ("www.a.example", "A.example", true),
            ("www.a.example", "*.a.example", true),
            ("nota.example", "a.example", false),
            ("a.example", "b.a.example", false),
            ("a.example", "", false),
        ] {
            assert_eq!(is_of(host, domain), wanted, "{host} {domain}");
        }
    }
}
