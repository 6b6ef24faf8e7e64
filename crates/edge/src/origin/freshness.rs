//! How long an origin says that its answer is good. <https://www.rfc-editor.org/rfc/rfc9111#section-4.2>

use super::hops::GOOD_FOR;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

static PARSER: DateTimeParser = DateTimeParser::new();
/// Longer is as good as for ever.
const MOST: u64 = 10 * 365 * 24 * 3600;

/// What an origin says of keeping its answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Word {
    /// `None` when it says nothing.
    pub(super) fresh_for: Option<Duration>,
    /// It is not to be kept at all, or not where many ask.
    pub(super) unkept: bool,
}

/// Of an object that was stored with these words.
pub(super) fn of_stored(cache_control: Option<&str>, expires: Option<&str>) -> Word {
    let said = [(header::CACHE_CONTROL, cache_control), (header::EXPIRES, expires)];
    let said = said.into_iter().filter_map(|(name, text)| Some((name, HeaderValue::from_str(text?).ok()?)));
    of(&said.collect())
}

pub(super) fn of(headers: &HeaderMap) -> Word {
    let directives = directives(headers);
    let has = |name: &str| directives.iter().any(|directive| directive.split('=').next() == Some(name));
    if has("no-store") || has("private") {
        return Word { fresh_for: Some(Duration::ZERO), unkept: true };
    }
    let fresh_for = if has("no-cache") { Some(Duration::ZERO) } else { lifetime(headers, &directives) };
    Word { fresh_for, unkept: false }
}

/// How long another edge takes its copy for good. What comes from there is good no longer: edges that have each other as
/// origins would call it good for ever, one after the other.
pub(super) fn of_an_edge(headers: &HeaderMap) -> Option<Duration> {
    Some(Duration::from_secs(text(headers, &GOOD_FOR)?.parse().ok()?))
}

fn directives(headers: &HeaderMap) -> Vec<String> {
    let mut directives = Vec::new();
    for value in headers.get_all(header::CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok()) {
        directives.extend(value.split(',').map(|directive| directive.trim().to_ascii_lowercase()));
    }
    directives
}

fn lifetime(headers: &HeaderMap, directives: &[String]) -> Option<Duration> {
    let seconds = |name: &str| {
        let found = directives.iter().find_map(|directive| directive.strip_prefix(name)?.strip_prefix('='));
        found.map(|text| text.trim_matches('"').parse::<u64>().unwrap_or(0).min(MOST))
    };
    let age = text(headers, &header::AGE).and_then(|age| age.parse::<u64>().ok()).unwrap_or(0);
    if let Some(seconds) = seconds("s-maxage").or_else(|| seconds("max-age")) {
        return Some(Duration::from_secs(seconds.saturating_sub(age)));
    }
    let expires = text(headers, &header::EXPIRES)?;
    // What is no date has expired; servers write 0 and -1.
    let Some(expires) = date(expires) else { return Some(Duration::ZERO) };
    let sent = text(headers, &header::DATE).and_then(date).unwrap_or_else(SystemTime::now);
    Some(expires.duration_since(sent).unwrap_or_default().min(Duration::from_secs(MOST)))
}

/// A date as HTTP writes it.
pub(super) fn date(text: &str) -> Option<SystemTime> {
    let seconds = PARSER.parse_timestamp(text).ok().map(Timestamp::as_second)?;
    Some(UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).ok()?))
}

/// For asking conditionally.
pub(super) fn printed(time: SystemTime) -> Option<String> {
    use jiff::fmt::rfc2822::DateTimePrinter;
    let seconds = time.duration_since(UNIX_EPOCH).ok()?.as_secs();
    let time = Timestamp::from_second(i64::try_from(seconds).ok()?).ok()?;
    DateTimePrinter::new().timestamp_to_rfc9110_string(&time).ok()
}

pub(super) fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(pairs: &[(&'static str, &str)]) -> Word {
        let headers = pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        of(&headers.collect())
    }

    #[test]
    fn table() {
        let (date, later) = ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 09:49:37 GMT");
        type Case<'a> = (&'a [(&'static str, &'a str)], Option<u64>);
        let table: [Case<'_>; 16] = [
            (&[], None),
            (&[("cache-control", "public")], None),
            (&[("cache-control", "public, max-age=60")], Some(60)),
            (&[("cache-control", "max-age=60, s-maxage=7")], Some(7)),
            (&[("cache-control", "Max-Age=\"60\""), ("age", "20")], Some(40)),
            (&[("cache-control", "max-age=60"), ("age", "90")], Some(0)),
            (&[("cache-control", "max-age=60, no-store")], Some(0)),
            (&[("cache-control", "private")], Some(0)),
            (&[("cache-control", "Private=\"set-cookie\"")], Some(0)),
            (&[("cache-control", "no-cache, max-age=60")], Some(0)),
            (&[("cache-control", "x-private"), ("expires", later), ("date", date)], Some(3600)),
            (&[("cache-control", "max-age=x")], Some(0)),
            (&[("cache-control", "max-age=99999999999999999")], Some(MOST)),
            (&[("expires", later), ("date", date)], Some(3600)),
            (&[("expires", date), ("date", later)], Some(0)),
            (&[("expires", "-1")], Some(0)),
        ];
        for (pairs, expected) in table {
            let word = word(pairs);
            assert_eq!(word.fresh_for.map(|time| time.as_secs()), expected, "{pairs:?}");
            let forbids = |directive: &str| matches!(directive.split('=').next(), Some("no-store" | "private"));
            let is_forbidden = |(_, value): &(&str, &str)| value.to_lowercase().split(", ").any(forbids);
            assert_eq!(word.unkept, pairs.iter().any(is_forbidden), "{pairs:?}");
        }
        let stored = of_stored(Some("max-age=5"), Some("-1"));
        assert_eq!(stored, Word { fresh_for: Some(Duration::from_secs(5)), unkept: false });
        assert!(of_stored(Some("no-store"), None).unkept);
        assert_eq!(of_stored(None, Some("0")).fresh_for, Some(Duration::ZERO));
        assert_eq!(of_stored(None, None), Word::default());
    }

    #[test]
    fn dates_go_both_ways() {
        let text = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(printed(date(text).unwrap()).as_deref(), Some(text));
        assert_eq!(date("1969"), None);
    }
}
