//! Whether who asks wants a document or a page, by what they accept.

use axum::http::{HeaderMap, header};

/// What an entry of the header may be answered with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Document,
    Page,
    /// Anything, so that a page will do.
    Any,
}

impl Kind {
    fn of(range: &str) -> Option<Self> {
        let (name, parameters) = range.split_once(';').unwrap_or((range, ""));
        match name.trim() {
            "application/activity+json" => Some(Self::Document),
            "application/ld+json" if parameters.contains("activitystreams") => Some(Self::Document),
            "text/html" | "application/xhtml+xml" => Some(Self::Page),
            "*/*" | "text/*" => Some(Self::Any),
            _ => None,
        }
    }
}

/// How much it is wanted, from 0 (not at all) to 1. What is no number is as if it were not there.
fn weight(range: &str) -> f32 {
    let values = range.split(';').skip(1).filter_map(|parameter| parameter.trim().strip_prefix("q="));
    let numbers = values.filter_map(|value| value.trim().parse::<f32>().ok());
    numbers.filter(|number| number.is_finite()).last().unwrap_or(1.0).clamp(0.0, 1.0)
}

/// Whether who asks would rather have a document than a page: it weighs more, or as much and is named first. What is only
/// covered by a wildcard gives way to what is named.
pub(crate) fn accepts_documents(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let (mut document, mut page, mut any) = (0.0_f32, None::<f32>, 0.0_f32);
    // Whether a page was named before a document of the same weight.
    let mut page_first = false;
    for range in accepted.flat_map(|value| value.split(',')) {
        let range = range.to_ascii_lowercase();
        let weight = weight(&range);
        match Kind::of(&range) {
            Some(Kind::Document) if weight > document => {
                document = weight;
                page_first = page.is_some_and(|page| page >= weight);
            }
            Some(Kind::Page) => page = Some(page.unwrap_or(0.0).max(weight)),
            Some(Kind::Any) => any = any.max(weight),
            _ => {}
        }
    }
    let page_wins = match page {
        Some(page) => page > document || (page_first && page >= document),
        None => any > document,
    };
    document > 0.0 && !page_wins
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn of(values: &[&'static str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::ACCEPT, HeaderValue::from_static(value));
        }
        accepts_documents(&headers)
    }

    #[test]
    fn programs_get_documents() {
        for (who, accept) in [
            ("Mastodon, Pleroma, Lemmy, WordPress", "application/activity+json"),
            ("Mastodon", "application/activity+json, application/ld+json"),
            (
                "Mastodon that looks for something",
                "application/activity+json, application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\", text/html;q=0.1",
            ),
            ("Misskey", "application/activity+json, application/ld+json"),
            (
                "Misskey",
                "application/activity+json, application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"",
            ),
            (
                "GoToSocial",
                "application/activity+json,application/ld+json;profile=\"https://www.w3.org/ns/activitystreams\"",
            ),
            ("Pleroma", "application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\""),
            (
                "PeerTube",
                "application/activity+json, application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"",
            ),
            (
                "Hubzilla",
                "application/x-zot+json, application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\", application/activity+json",
            ),
            ("with a wildcard behind it", "application/activity+json, application/json, */*;q=0.5"),
            ("with one of the same weight", "application/activity+json, */*"),
            ("pages less", "application/activity+json, text/html;q=0.5"),
            ("pages as much, but later", "application/activity+json, text/html"),
            ("pages not at all", "text/html;q=0, application/activity+json;q=0.1"),
            ("in any letter case", "Application/Activity+JSON; Q=0.9, TEXT/HTML; q=0.8"),
            ("not quite a number", "application/activity+json;q=much"),
        ] {
            assert!(of(&[accept]), "{who}: {accept}");
        }
        assert!(of(&["application/activity+json", "text/html;q=0.1"]));
        assert!(of(&["text/html;q=0.1", "application/activity+json"]));
    }

    #[test]
    fn browsers_get_pages() {
        for (who, accept) in [
            ("Firefox", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
            (
                "Chromium",
                "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
            ),
            ("Safari", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
            ("curl", "*/*"),
            ("nothing", ""),
            ("documents less", "text/html, application/activity+json;q=0.1"),
            ("documents as much, but later", "text/html, application/activity+json"),
            ("documents not at all", "application/activity+json;q=0"),
            ("documents not at all, in other words", "application/activity+json; q=0.000, text/html;q=0.1"),
            ("anything rather", "application/activity+json;q=0.5, */*"),
            ("another JSON", "application/json"),
            ("linked data of anything", "application/ld+json"),
            ("what only begins so", "application/activity+jsonp"),
        ] {
            assert!(!of(&[accept]), "{who}: {accept}");
        }
        assert!(!of(&[]));
        assert!(!of(&["text/html", "application/activity+json;q=0.9"]));
    }
}
