//! Pages of lists: which slice a client asks for, and the Link header that leads to the next one.

use super::BaseUrl;
use super::Json;
use super::error::ApiError;
use super::tree;
use axum::extract::{FromRef, FromRequestParts, OriginalUri};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::fmt::Display;
use url::form_urlencoded;

/// How many items a page of one endpoint has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageLimits {
    pub default: i64,
    /// Larger wishes are clamped to this.
    pub max: i64,
}

impl PageLimits {
    /// Statuses, favourites, bookmarks, conversations, searches: 20, at most 40.
    pub const STATUSES: Self = Self::new(20, 40);
    /// Accounts, notifications, blocks, mutes, reblogged_by, suggestions, directory: 40, at most 80.
    pub const ACCOUNTS: Self = Self::new(40, 80);
    /// Domain blocks, followed tags and everything below /admin: 100, at most 200.
    pub const HUNDREDS: Self = Self::new(100, 200);
    /// Trending tags and links: 10, at most 20.
    pub const TRENDS: Self = Self::new(10, 20);
    /// Unread counts of notifications: 100, at most 1000.
    pub const UNREAD: Self = Self::new(100, 1000);

    pub const fn new(default: i64, max: i64) -> Self {
        Self { default, max }
    }
}

/// The slice a client asks for. Answers are newest first in all cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Only ids below this; `i64::MAX` when not given.
    pub max_id: i64,
    /// Only ids above this, the newest of them first; 0 when not given.
    pub since_id: i64,
    /// Only ids above this, and of them those next to it: a query sorts ascending and the answer is turned round.
    pub min_id: Option<i64>,
    /// From 1 to the endpoint's maximum.
    pub limit: i64,
}

impl Page {
    /// The ends of a page whose cursors are not in its items (join lists); `rows` is how many were found.
    pub fn between(&self, cursors: Option<(i64, i64)>, rows: usize) -> Option<Shown> {
        let (first, last) = cursors?;
        let full = i64::try_from(rows).is_ok_and(|n| n >= self.limit);
        Some(Shown { first: first.to_string(), last: last.to_string(), full })
    }

    /// What the Link header needs to know of the rows found for this page, newest first, before any were left out
    /// of the answer. `id` gives a row's cursor, decimal when shown.
    pub fn shown<R, I: Display>(&self, rows: &[R], id: impl Fn(&R) -> I) -> Option<Shown> {
        let (first, last) = (rows.first()?, rows.last()?);
        let full = i64::try_from(rows.len()).is_ok_and(|n| n >= self.limit);
        Some(Shown { first: id(first).to_string(), last: id(last).to_string(), full })
    }
}

/// First and last cursor of a page that is not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub first: String,
    pub last: String,
    /// As many rows as asked for, so that there may be more.
    pub full: bool,
}

/// A page of a list without cursors (search, directory, trends, collections).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offset {
    pub offset: i64,
    pub limit: i64,
}

/// Which links a list has, as Mastodon's lists differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// Timelines and notifications: `next` on every page that is not empty, `prev` by min_id.
    Timeline,
    /// An account's statuses, favourites, bookmarks and most lists: `next` on full pages, `prev` by min_id.
    List,
    /// Join lists (followers, following, blocks, mutes, *_by, follow requests): `next` on full pages,
    /// `prev` by since_id.
    Join,
}

/// Extractor: reads max_id, since_id, min_id, offset and limit from the query string, and remembers the rest of it
/// for the Link header. Needs a [`BaseUrl`] in the state.
#[derive(Clone, Debug)]
pub struct Paging {
    base: BaseUrl,
    path: String,
    query: Vec<(String, String)>,
}

/// Names that do not belong into the next page's URL.
const CURSORS: [&str; 5] = ["max_id", "since_id", "min_id", "offset", "access_token"];
/// Bytes of a Link header; over it there is none, as proxies would refuse the whole answer.
const MAX_LINK: usize = 4096;

impl<S> FromRequestParts<S> for Paging
where
    S: Send + Sync,
    BaseUrl: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        // Inside a nested router the URI has lost its first part.
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
        let mut query = Vec::new();
        for (name, value) in tree::pairs(uri.query().unwrap_or_default().as_bytes()).take(tree::MAX_PAIRS) {
            query.push((tree::decode(name)?, tree::decode(value)?));
        }
        Ok(Self { base: BaseUrl::from_ref(state), path: uri.path().to_owned(), query })
    }
}

impl Paging {
    /// The slice asked for. Cursors that are no numbers count as not given.
    pub fn page(&self, limits: PageLimits) -> Page {
        Page {
            max_id: self.cursor("max_id").unwrap_or(i64::MAX),
            since_id: self.cursor("since_id").unwrap_or(0),
            min_id: self.cursor("min_id"),
            limit: self.limit(limits),
        }
    }

    /// The slice asked for, of a list without cursors.
    pub fn offset(&self, limits: PageLimits) -> Offset {
        Offset { offset: self.cursor("offset").unwrap_or(0), limit: self.limit(limits) }
    }

    /// Whether `limit=0` was sent, which means all of them to a list's accounts.
    pub fn wants_all(&self) -> bool {
        self.find("limit") == Some("0")
    }

    /// The answer with its Link header; `shown` is `None` for an empty page, which has no links.
    pub fn paged<T>(&self, body: T, shown: Option<Shown>, links: Links) -> Paged<T> {
        let Some(shown) = shown else { return Paged { body, link: None } };
        let next = shown.full || links == Links::Timeline;
        let newer = if links == Links::Join { "since_id" } else { "min_id" };
        let next = next.then(|| self.url("max_id", &shown.last));
        Paged { body, link: link(next, Some(self.url(newer, &shown.first))) }
    }

    /// The answer with its Link header, of a list without cursors; `rows` is how many were found.
    pub fn paged_by_offset<T>(&self, body: T, at: Offset, rows: usize) -> Paged<T> {
        let full = i64::try_from(rows).is_ok_and(|n| n >= at.limit);
        let next = full.then(|| self.url("offset", &at.offset.saturating_add(at.limit).to_string()));
        let prev = (at.offset > 0).then(|| self.url("offset", &(at.offset - at.limit).max(0).to_string()));
        Paged { body, link: link(next, prev) }
    }

    fn find(&self, name: &str) -> Option<&str> {
        self.query.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// A number that is not negative; what is larger than any id counts as the largest.
    fn cursor(&self, name: &str) -> Option<i64> {
        let text = self.find(name)?.trim();
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        Some(text.parse().unwrap_or(i64::MAX))
    }

    fn limit(&self, limits: PageLimits) -> i64 {
        let Some(text) = self.find("limit") else { return limits.default };
        let text = text.trim();
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return limits.default;
        }
        match digits.parse().unwrap_or(i64::MAX) {
            0 => limits.default,
            n => n.min(limits.max),
        }
    }

    fn url(&self, cursor: &str, value: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &self.query {
            if !CURSORS.contains(&name.as_str()) {
                query.append_pair(name, value);
            }
        }
        query.append_pair(cursor, value);
        format!("{}{}?{}", self.base.as_str(), self.path, query.finish())
    }
}

fn link(next: Option<String>, prev: Option<String>) -> Option<HeaderValue> {
    let links = [next.map(|url| format!("<{url}>; rel=\"next\"")), prev.map(|url| format!("<{url}>; rel=\"prev\""))];
    let text = links.into_iter().flatten().collect::<Vec<_>>().join(", ");
    if text.is_empty() || text.len() > MAX_LINK {
        return None;
    }
    HeaderValue::try_from(text).ok()
}

/// A JSON answer with a Link header. Made by [`Paging::paged`].
#[derive(Debug)]
pub struct Paged<T> {
    body: T,
    link: Option<HeaderValue>,
}

impl<T: Serialize> IntoResponse for Paged<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.body).into_response();
        if let Some(link) = self.link {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}

impl From<Page> for domain::page::Page {
    fn from(page: Page) -> Self {
        use domain::page::From as End;
        let (after, from) = match page.min_id {
            Some(min) => (min.max(page.since_id), End::Oldest),
            None => (page.since_id, End::Newest),
        };
        Self { before: page.max_id, after, from, limit: page.limit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::http::Request;
    use axum::routing::get;
    use tower::ServiceExt;

    fn paging(query: &str) -> Paging {
        let pairs = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Paging { base: BaseUrl::new("https://x.example/"), path: "/api/v1/y".into(), query: pairs }
    }

    #[test]
    fn slices() {
        let none = Page { max_id: i64::MAX, since_id: 0, min_id: None, limit: 20 };
        let table = [
            ("", none),
            ("limit=5", Page { limit: 5, ..none }),
            ("limit=-5", Page { limit: 5, ..none }),
            ("limit=0", none),
            ("limit=", none),
            ("limit=x", none),
            ("limit=41", Page { limit: 40, ..none }),
            ("limit=99999999999999999999", Page { limit: 40, ..none }),
            ("limit=-9223372036854775808", Page { limit: 40, ..none }),
            ("limit=1&limit=2", Page { limit: 2, ..none }),
            ("max_id=7&since_id=3&min_id=4", Page { max_id: 7, since_id: 3, min_id: Some(4), limit: 20 }),
            ("max_id=&since_id=x&min_id=-1", none),
            ("min_id=0", Page { min_id: Some(0), ..none }),
            ("max_id=99999999999999999999", none),
        ];
        for (query, expected) in table {
            assert_eq!(paging(query).page(PageLimits::STATUSES), expected, "{query}");
        }
        assert_eq!(paging("offset=-3").offset(PageLimits::TRENDS), Offset { offset: 0, limit: 10 });
        assert!(paging("limit=0").wants_all());
    }

    fn header_of(query: &str, ids: &[i64], links: Links) -> String {
        let paging = paging(query);
        let page = paging.page(PageLimits::STATUSES);
        let paged = paging.paged((), page.shown(ids, |id| *id), links);
        paged.link.map_or(String::new(), |link| link.to_str().unwrap().to_owned())
    }

    #[test]
    fn links() {
        let url = "https://x.example/api/v1/y?";
        let full = header_of("limit=2&local=true&max_id=10&access_token=secret&any[]=a b", &[9, 8], Links::List);
        let kept = "limit=2&local=true&any%5B%5D=a+b";
        assert_eq!(full, format!("<{url}{kept}&max_id=8>; rel=\"next\", <{url}{kept}&min_id=9>; rel=\"prev\""));
        assert_eq!(header_of("", &[9, 8], Links::List), format!("<{url}min_id=9>; rel=\"prev\""));
        assert_eq!(header_of("", &[9, 8], Links::Join), format!("<{url}since_id=9>; rel=\"prev\""));
        let timeline = format!("<{url}max_id=8>; rel=\"next\", <{url}min_id=9>; rel=\"prev\"");
        assert_eq!(header_of("", &[9, 8], Links::Timeline), timeline);
        assert_eq!(header_of("limit=2", &[], Links::Timeline), "");
        assert_eq!(header_of(&format!("q={}", "x".repeat(5000)), &[1], Links::Timeline), "");
    }

    #[test]
    fn offsets() {
        let of = |query: &str, rows| {
            let paging = paging(query);
            let paged = paging.paged_by_offset((), paging.offset(PageLimits::TRENDS), rows);
            paged.link.map_or(String::new(), |link| link.to_str().unwrap().to_owned())
        };
        let url = "https://x.example/api/v1/y?";
        assert_eq!(of("", 10), format!("<{url}offset=10>; rel=\"next\""));
        assert_eq!(of("offset=5", 3), format!("<{url}offset=0>; rel=\"prev\""));
        assert_eq!(of("", 0), "");
    }

    #[tokio::test]
    async fn nested_routes_keep_their_path() {
        async fn list(paging: Paging) -> Paged<Vec<i64>> {
            let page = paging.page(PageLimits::ACCOUNTS);
            let rows = vec![3, 2, 1];
            let shown = page.shown(&rows, |id| *id);
            paging.paged(rows, shown, Links::Timeline)
        }
        let app = Router::new()
            .nest("/api/v1", Router::new().route("/z", get(list)))
            .with_state(BaseUrl::new("https://x.example"));
        let answer = |uri: &'static str| {
            let app = app.clone();
            async move { app.oneshot(Request::get(uri).body(Body::empty()).unwrap()).await.unwrap() }
        };
        let response = answer("/api/v1/z?limit=3").await;
        let link = response.headers()["link"].to_str().unwrap();
        assert!(link.starts_with("<https://x.example/api/v1/z?limit=3&max_id=1>; rel=\"next\""), "{link}");
        assert_eq!(answer("/api/v1/z?limit=%ff").await.status(), 400);
    }
}
