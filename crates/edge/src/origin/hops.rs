//! Which edges a request has passed, so that one that goes in a circle ends at once instead of waiting for itself.
//! <https://www.rfc-editor.org/rfc/rfc8586>

use axum::http::{HeaderMap, HeaderName, header};
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::Arc;

pub(crate) const CDN_LOOP: HeaderName = HeaderName::from_static("cdn-loop");
/// For how many seconds an edge takes its copy for good, told to other edges.
pub(crate) const GOOD_FOR: HeaderName = HeaderName::from_static("noren-good-for");
/// The last so many edges are told: a circle of more is nobody's.
const MOST: usize = 8;
const NAME: &str = "noren-";
/// Digits behind it.
const DIGITS: usize = 16;

/// What an edge calls itself.
pub(crate) fn new_name() -> Arc<str> {
    format!("{NAME}{:0DIGITS$x}", RandomState::new().build_hasher().finish()).into()
}

/// Whether a request has passed the edge of this name.
pub(crate) fn has_passed(headers: &HeaderMap, name: &str) -> bool {
    let via = words(headers, &header::VIA).filter_map(|hop| hop.split_whitespace().nth(1));
    via.chain(named(headers)).any(|hop| hop == name)
}

/// The edges that a request has passed, as they are told to an origin. Only those like this one: whoever asks can write
/// anything into a request, also what would make an origin refuse it.
pub(crate) fn passed(headers: &HeaderMap) -> String {
    let is_edge = |hop: &&str| {
        let digits = hop.strip_prefix(NAME).unwrap_or_default();
        digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let edges: Vec<&str> = named(headers).filter(is_edge).collect();
    edges[edges.len().saturating_sub(MOST)..].join(", ")
}

fn named(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    words(headers, &CDN_LOOP).map(|hop| hop.split(';').next().unwrap_or_default().trim())
}

fn words<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> + use<'a> {
    headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_edges_are_told_and_the_last_of_them() {
        let (a, b) = (new_name(), new_name());
        assert_ne!(a, b);
        let request = headers(&[(CDN_LOOP, &format!("cloudflare; subreqs=1, {a};x=y")), (header::VIA, "1.1 c, 2 d")]);
        assert_eq!(passed(&request), *a);
        for (name, expected) in [(&*a, true), (&*b, false), ("c", true), ("d", true), ("cloudflare", true), ("", false)]
        {
            assert_eq!(has_passed(&request, name), expected, "{name}");
        }
        let fakes = "noren-1, noren-000000000000000G, noren-0123456789ABCDEF, xnoren-0123456789abcdef, noren-, \"";
        assert_eq!(passed(&headers(&[(CDN_LOOP, fakes)])), "");
        let many: Vec<String> = (0..100).map(|number| format!("noren-{number:016x}")).collect();
        let told = passed(&headers(&[(CDN_LOOP, &many.join(","))]));
        assert_eq!(told.split(", ").collect::<Vec<_>>(), many[92..]);
    }
}
