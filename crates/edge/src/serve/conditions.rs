//! Validators and the conditions that requests put on them.
//! <https://www.rfc-editor.org/rfc/rfc9110#section-13>

use axum::http::{HeaderMap, HeaderName, header};
use jiff::Timestamp;
use jiff::fmt::rfc2822::{DateTimeParser, DateTimePrinter};
use std::time::{SystemTime, UNIX_EPOCH};

static PRINTER: DateTimePrinter = DateTimePrinter::new();
static PARSER: DateTimeParser = DateTimeParser::new();

/// What tells one content of a key from another.
#[derive(Debug)]
pub(crate) struct Validators {
    /// Strong, with its quotes.
    pub(crate) etag: String,
    /// `Last-Modified`, when the time can be written so.
    pub(crate) last_modified: Option<String>,
    seconds: Option<i64>,
}

/// What the conditions of a request say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Answer as if there were none.
    Proceed,
    /// 304: the client has it.
    NotModified,
    /// 412: it is not what the client meant.
    Failed,
}

impl Validators {
    /// From what a store knows without reading. A key is never written twice with different content in
    /// practice; the time and the length catch it if it is.
    pub(crate) fn of_file(key: &str, len: u64, modified: SystemTime) -> Validators {
        let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
        let etag = format!("\"{:x}-{:x}-{:x}\"", fnv(key), len, since.as_nanos());
        Validators::known(etag, Some(modified))
    }

    /// From a strong tag with its quotes that somebody else answers for.
    pub(crate) fn known(etag: String, modified: Option<SystemTime>) -> Validators {
        let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let seconds = since.map(|since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX));
        let time = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
        let last_modified = time.and_then(|time| PRINTER.timestamp_to_rfc9110_string(&time).ok());
        Validators { etag, last_modified, seconds }
    }

    /// In the order of RFC 9110, section 13.2.2; the conditions of ranges are not here.
    pub(crate) fn judge(&self, headers: &HeaderMap) -> Verdict {
        if headers.contains_key(header::IF_MATCH) {
            if !self.matches(headers, &header::IF_MATCH, Comparison::Strong) {
                return Verdict::Failed;
            }
        } else if seconds(headers, &header::IF_UNMODIFIED_SINCE).is_some_and(|time| self.is_after(time)) {
            return Verdict::Failed;
        }
        let has_it = match headers.contains_key(header::IF_NONE_MATCH) {
            true => self.matches(headers, &header::IF_NONE_MATCH, Comparison::Weak),
            false => seconds(headers, &header::IF_MODIFIED_SINCE)
                .is_some_and(|time| self.seconds.is_some() && !self.is_after(time)),
        };
        if has_it { Verdict::NotModified } else { Verdict::Proceed }
    }

    /// Whether a Range header counts: there is no `If-Range`, or it names exactly this content.
    pub(crate) fn allow_range(&self, headers: &HeaderMap) -> bool {
        let Some(condition) = headers.get(header::IF_RANGE) else { return true };
        let condition = condition.to_str().unwrap_or_default().trim();
        condition == self.etag || self.last_modified.as_deref() == Some(condition)
    }

    fn is_after(&self, time: i64) -> bool {
        self.seconds.is_some_and(|seconds| seconds > time)
    }

    fn matches(&self, headers: &HeaderMap, name: &HeaderName, comparison: Comparison) -> bool {
        // Our own tags have no commas inside, so splitting at commas finds them all.
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).map(str::trim).any(|tag| match comparison {
            Comparison::Strong => tag == "*" || tag == self.etag,
            Comparison::Weak => tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == self.etag,
        })
    }
}

#[derive(Clone, Copy)]
enum Comparison {
    Strong,
    Weak,
}

fn seconds(headers: &HeaderMap, name: &HeaderName) -> Option<i64> {
    let text = headers.get(name)?.to_str().ok()?;
    PARSER.parse_timestamp(text).ok().map(Timestamp::as_second)
}

/// FNV-1a: stable over releases and machines, which the standard hasher is not.
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use std::time::Duration;

    fn validators() -> Validators {
        let modified = UNIX_EPOCH + Duration::from_millis(784_111_777_500);
        Validators::of_file("a/b.png", 10, modified)
    }

    fn judged(pairs: &[(&'static str, &str)]) -> Verdict {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        validators().judge(&headers)
    }

    #[test]
    fn validators_are_stable() {
        let Validators { etag, last_modified, .. } = validators();
        assert_eq!(last_modified.as_deref(), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
        let other = Validators::of_file("a/c.png", 10, UNIX_EPOCH);
        assert_ne!(etag, other.etag);
        assert!(etag.starts_with('"') && etag.ends_with("-a-ae1b981da166f00\""), "{etag}");
    }

    #[test]
    fn table() {
        let etag = validators().etag;
        let (weak, list) = (format!("W/{etag}"), format!("\"x\", {etag}"));
        let (then, before, after) =
            ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:36 GMT", "Sun, 06 Nov 1994 08:49:38 GMT");
        let table: [(&[(&str, &str)], Verdict); 16] = [
            (&[], Verdict::Proceed),
            (&[("if-none-match", &etag)], Verdict::NotModified),
            (&[("if-none-match", &weak)], Verdict::NotModified),
            (&[("if-none-match", &list)], Verdict::NotModified),
            (&[("if-none-match", "*")], Verdict::NotModified),
            (&[("if-none-match", "\"x\"")], Verdict::Proceed),
            (&[("if-none-match", "\"x\""), ("if-modified-since", after)], Verdict::Proceed),
            (&[("if-modified-since", then)], Verdict::NotModified),
            (&[("if-modified-since", after)], Verdict::NotModified),
            (&[("if-modified-since", before)], Verdict::Proceed),
            (&[("if-modified-since", "yesterday")], Verdict::Proceed),
            (&[("if-match", &etag)], Verdict::Proceed),
            (&[("if-match", &weak)], Verdict::Failed),
            (&[("if-match", "\"x\"")], Verdict::Failed),
            (&[("if-unmodified-since", before)], Verdict::Failed),
            (&[("if-unmodified-since", then)], Verdict::Proceed),
        ];
        for (pairs, expected) in table {
            assert_eq!(judged(pairs), expected, "{pairs:?}");
        }
    }

    #[test]
    fn if_range_needs_exactly_this_content() {
        let etag = validators().etag;
        let (weak, then) = (format!("W/{etag}"), "Sun, 06 Nov 1994 08:49:37 GMT");
        for (value, expected) in [(etag.as_str(), true), (then, true), (&weak, false), ("\"x\"", false)] {
            let headers = HeaderMap::from_iter([(header::IF_RANGE, HeaderValue::from_str(value).unwrap())]);
            assert_eq!(validators().allow_range(&headers), expected, "{value}");
        }
        assert!(validators().allow_range(&HeaderMap::new()));
    }
}
