//! What is known of a slice, and how that is written down.

use super::key::{SliceId, shortened};
use super::upstream::{Meta, Validators};
use super::{CacheConfig, ObjectKey};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Tells one version of an object from another: its length and what the origin calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version(pub(super) [u8; 16]);

/// A slice and the object it belongs to. Times are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) number: u32,
    /// Length of slices when this one was cut.
    pub(super) slice_size: u64,
    pub(super) status: u16,
    /// When it was asked for; what was asked for later is newer.
    pub(super) stamp: u64,
    /// When the origin last said that it is good.
    pub(super) checked: u64,
    /// How long it is good after that; else the configuration says.
    pub(super) fresh_for: Option<u64>,
    /// Length of the whole object.
    pub(super) total: u64,
    pub(super) version: Version,
    pub(super) content_type: Option<Box<str>>,
    pub(super) etag: Option<Box<str>>,
    pub(super) last_modified: Option<u64>,
    pub(super) location: Option<Box<str>>,
}

/// When a slice was asked for, and which.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) number: u32,
    pub(super) slice_size: u64,
    pub(super) stamp: u64,
}

impl Facts {
    /// From an origin's answer.
    pub(super) fn new(asked: Asked, status: u16, (meta, total): (&Meta, u64)) -> Facts {
        let last_modified = meta.last_modified.map(millis);
        Facts {
            number: asked.number,
            slice_size: asked.slice_size,
            status,
            stamp: asked.stamp,
            checked: asked.stamp,
            fresh_for: meta.fresh_for.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            total,
            version: version(meta, total, asked),
            content_type: meta.content_type.as_deref().map(Into::into),
            etag: meta.etag.as_deref().map(Into::into),
            last_modified,
            location: meta.location.as_deref().map(Into::into),
        }
    }

    /// Whether the answer was another edge's.
    pub(super) fn is_of_an_edge(&self) -> bool {
        self.etag.as_deref().is_some_and(|etag| of_an_edge(etag, self.total).is_some())
    }

    /// The same for another slice of the same answer.
    pub(super) fn numbered(&self, number: u32) -> Facts {
        Facts { number, ..self.clone() }
    }

    /// The same, found good again at this time.
    pub(super) fn checked_at(&self, now: u64) -> Facts {
        Facts { checked: now, ..self.clone() }
    }

    /// For an object that is not there.
    pub(super) fn nothing(status: u16) -> Facts {
        Facts::new(Asked { number: 0, slice_size: 1, stamp: 0 }, status, (&Meta::default(), 0))
    }

    /// Which bytes of the object the slice has.
    pub(super) fn span(&self) -> std::ops::Range<u64> {
        self.numbered_span(self.number)
    }

    /// Which bytes of the object another slice has.
    pub(super) fn numbered_span(&self, number: u32) -> std::ops::Range<u64> {
        let start = u64::from(number).saturating_mul(self.slice_size).min(self.total);
        start..start.saturating_add(self.slice_size).min(self.total)
    }

    pub(super) fn len(&self) -> u64 {
        let span = self.span();
        span.end - span.start
    }

    pub(super) fn id(&self, key: &ObjectKey) -> SliceId {
        key.slice(self.number)
    }

    /// Whether it may be served without asking. A clock that was set back makes nothing last for ever.
    pub(super) fn is_fresh(&self, now: u64, config: &CacheConfig) -> bool {
        let usual = config.validity(self.status).as_millis();
        let valid = self.fresh_for.map_or(usual, u128::from);
        let ahead = self.checked.saturating_sub(now);
        u128::from(now.saturating_sub(self.checked)) < valid && u128::from(ahead) < 86_400_000
    }

    /// What to ask the origin with, if it gave anything.
    pub(super) fn validators(&self) -> Option<Validators> {
        let (etag, last_modified) = (self.etag.as_deref().map(str::to_owned), self.last_modified.map(time));
        (etag.is_some() || last_modified.is_some()).then_some(Validators { etag, last_modified })
    }

    /// Whether slices of this length can be cut from the object at the same places.
    pub(super) fn fits(&self, slice_size: u64) -> bool {
        self.slice_size == slice_size || (self.number == 0 && self.total <= self.slice_size.min(slice_size))
    }
}

pub(super) fn millis(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

pub(super) fn time(millis: u64) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_millis(millis)).unwrap_or(UNIX_EPOCH)
}

/// Where the origin names nothing, an object of one slice is as new as its fetch; the slices of a longer one are
/// held together by the length alone, for there is nothing else.
///
/// What an edge before us calls by such a name keeps it: edges that have each other as origins, or two before a third,
/// then know one version by one name, whichever way it came.
fn version(meta: &Meta, total: u64, asked: Asked) -> Version {
    let location = meta.location.as_deref().unwrap_or_default();
    let theirs = meta.etag.as_deref().and_then(|etag| of_an_edge(etag, total));
    if let (Some(theirs), "") = (theirs, location) {
        return theirs;
    }
    let name = match (&meta.etag, meta.last_modified) {
        (Some(etag), _) => format!("e{etag}"),
        (None, Some(time)) => format!("m{}", millis(time)),
        (None, None) if total <= asked.slice_size => format!("s{}", asked.stamp),
        (None, None) => String::new(),
    };
    let mut version = shortened(format!("{total} {location}\n{name}").as_bytes());
    let (name, seal) = version.split_at_mut(NAMED);
    seal.copy_from_slice(&sealed(name, total));
    Version(version)
}

/// Bytes of a version that tell it from others. Those behind them tell that an edge has made it, and for which length.
const NAMED: usize = 12;

fn sealed(name: &[u8], total: u64) -> [u8; 4] {
    let [a, b, c, d, ..] = shortened(&[name, b"edge", &total.to_le_bytes()].concat());
    [a, b, c, d]
}

/// The version that [`super::Object::etag`] of another edge tells, for an object of this length.
fn of_an_edge(etag: &str, total: u64) -> Option<Version> {
    let digits = etag.strip_prefix('"')?.strip_suffix('"')?;
    let is_plain = digits.len() == 32 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let version = u128::from_str_radix(digits, 16).ok().filter(|_| is_plain)?.to_be_bytes();
    let (name, seal) = version.split_at(NAMED);
    (seal == sealed(name, total)).then_some(Version(version))
}

/// Writes the name of the object and the facts.
pub(super) fn encode(text: &str, facts: &Facts, out: &mut Vec<u8>) {
    let strings = [Some(text), facts.content_type.as_deref(), facts.etag.as_deref(), facts.location.as_deref()];
    for number in [facts.slice_size, facts.stamp, facts.checked, facts.total] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    for number in [facts.fresh_for, facts.last_modified] {
        out.push(u8::from(number.is_some()));
        out.extend_from_slice(&number.unwrap_or_default().to_le_bytes());
    }
    out.extend_from_slice(&facts.number.to_le_bytes());
    out.extend_from_slice(&facts.status.to_le_bytes());
    out.extend_from_slice(&facts.version.0);
    for string in strings {
        let length = string.map_or(u32::MAX, |string| u32::try_from(string.len()).unwrap_or(u32::MAX));
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(string.unwrap_or_default().as_bytes());
    }
}

/// Reads what [`encode`] wrote, to the last byte.
pub(super) fn decode(bytes: &[u8]) -> Option<(&str, Facts)> {
    let mut cursor = Cursor(bytes);
    let [slice_size, stamp, checked, total] = [cursor.u64()?, cursor.u64()?, cursor.u64()?, cursor.u64()?];
    let [fresh_for, last_modified] = [cursor.optional()?, cursor.optional()?];
    let number = u32::from_le_bytes(cursor.array()?);
    let status = u16::from_le_bytes(cursor.array()?);
    let version = Version(cursor.array()?);
    let text = cursor.string()??;
    let [content_type, etag, location] = [cursor.string()?, cursor.string()?, cursor.string()?];
    let facts = Facts {
        number,
        slice_size,
        status,
        stamp,
        checked,
        fresh_for,
        total,
        version,
        content_type: content_type.map(Into::into),
        etag: etag.map(Into::into),
        last_modified,
        location: location.map(Into::into),
    };
    (cursor.0.is_empty() && slice_size > 0).then_some((text, facts))
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn optional(&mut self) -> Option<Option<u64>> {
        let is_there = self.take(1)?[0];
        let number = self.u64()?;
        Some((is_there == 1).then_some(number))
    }

    fn string(&mut self) -> Option<Option<&'a str>> {
        let length = u32::from_le_bytes(self.array()?);
        if length == u32::MAX {
            return Some(None);
        }
        let bytes = self.take(usize::try_from(length).ok()?)?;
        std::str::from_utf8(bytes).ok().map(Some)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn sample(total: u64) -> Facts {
        let meta = Meta {
            content_type: Some("image/png".into()),
            etag: Some("\"abc\"".into()),
            last_modified: Some(time(1_700_000_000_000)),
            fresh_for: Some(Duration::from_secs(60)),
            location: Some("https://example.com/ä".into()),
            ..Meta::default()
        };
        Facts::new(Asked { number: 0, slice_size: 1 << 20, stamp: 1_800_000_000_000 }, 200, (&meta, total))
    }

    #[test]
    fn edges_in_a_row_call_a_version_by_one_name() {
        let asked = Asked { number: 0, slice_size: 1 << 20, stamp: 1 };
        let of = |etag: &str, total: u64| version(&Meta { etag: Some(etag.into()), ..Meta::default() }, total, asked);
        let told = |Version(bytes): Version| format!("\"{:032x}\"", u128::from_be_bytes(bytes));
        let first = of("\"v1\"", 5);
        assert_eq!(of(&told(first), 5), first);
        // For another length it is the word of a stranger, as is anything that only looks like it.
        assert_ne!(of(&told(first), 6), first);
        let stranger = "\"d41d8cd98f00b204e9800998ecf8427e\"";
        assert_ne!(told(of(stranger, 5)), stranger);
        assert_ne!(of(&told(first).to_ascii_uppercase(), 5), first);
        assert_ne!(of(&told(first).replace('"', ""), 5), first);
    }

    #[test]
    fn facts_are_read_as_they_were_written() {
        let bare = Facts::new(Asked { number: 7, slice_size: 9, stamp: 1 }, 404, (&Meta::default(), 0));
        for facts in [sample(5), bare] {
            let mut bytes = Vec::new();
            encode("site\n/päth", &facts, &mut bytes);
            assert_eq!(decode(&bytes), Some(("site\n/päth", facts)));
            for end in 0..bytes.len() {
                assert_eq!(decode(&bytes[..end]), None);
            }
            bytes.push(0);
            assert_eq!(decode(&bytes), None);
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_the_reader(bytes: Vec<u8>) {
            let _ = decode(&bytes);
        }
    }

    #[test]
    fn versions_differ_by_length_and_name() {
        let asked = Asked { number: 0, slice_size: 10, stamp: 1 };
        let meta = |etag: Option<&str>, modified: Option<u64>| Meta {
            etag: etag.map(Into::into),
            last_modified: modified.map(time),
            ..Meta::default()
        };
        let (a, b, m, none) =
            (meta(Some("a"), Some(1)), meta(Some("b"), Some(1)), meta(None, Some(1)), meta(None, None));
        let all = [(&a, 5), (&a, 50), (&b, 5), (&m, 5), (&none, 5), (&none, 50)];
        let versions = all.map(|(meta, total)| version(meta, total, asked));
        for (place, version) in versions.iter().enumerate() {
            assert!(!versions[..place].contains(version), "{place}");
        }
        let later = Asked { number: 1, stamp: 2, ..asked };
        assert_eq!(version(&none, 50, later), version(&none, 50, asked));
        assert_ne!(version(&none, 5, later), version(&none, 5, asked));
    }

    #[test]
    fn freshness_ends() {
        let config = CacheConfig { valid_ok: Duration::from_millis(100), ..CacheConfig::default() };
        let facts = Facts { fresh_for: None, checked: 1000, ..sample(1) };
        let table = [(1000, true), (1099, true), (1100, false), (900, true), (u64::MAX, false)];
        for (now, fresh) in table {
            assert_eq!(facts.is_fresh(now, &config), fresh, "{now}");
        }
        let ahead = Facts { checked: 2_000_000_000_000, ..facts };
        assert!(!ahead.is_fresh(1000, &config));
    }
}
