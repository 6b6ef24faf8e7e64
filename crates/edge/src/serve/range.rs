//! The Range header. <https://www.rfc-editor.org/rfc/rfc9110#section-14>

use std::ops::Range;

/// Most parts of one answer; who asks for more gets everything.
const MAX_PARTS: usize = 16;

/// What part of a representation was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// All of it: no range, one that is not understood, or so many that sending everything is less.
    Whole,
    /// These bytes.
    Part(Range<u64>),
    /// Two or more parts, in the order they were asked for.
    Parts(Vec<Range<u64>>),
    /// Nothing that there is.
    Unsatisfiable,
}

/// Reads a header's value for a representation of `length` bytes.
pub(crate) fn parse(header: &str, length: u64) -> Asked {
    let Some(specs) = specs(header) else { return Asked::Whole };
    let mut parts = Vec::new();
    for spec in specs {
        let Some(part) = spec.of(length) else { return Asked::Whole };
        if !part.is_empty() {
            parts.push(part);
        }
    }
    // Parts that overlap or add up to more than there is would multiply what a small request costs.
    let sum: u64 = parts.iter().map(|part| part.end - part.start).fold(0, u64::saturating_add);
    match parts.len() {
        0 => Asked::Unsatisfiable,
        1 => Asked::Part(parts.remove(0)),
        _ if sum >= length => Asked::Whole,
        _ => Asked::Parts(parts),
    }
}

/// What a header asks for first, before the length is known: for reading ahead no more than that. None for everything.
/// For a suffix it is the beginning, which tells where the end is.
pub(crate) fn hint(header: &str) -> Option<Range<u64>> {
    let specs = specs(header)?;
    match specs.first()? {
        Spec::Between(first, last) => Some(*first..last.saturating_add(1)),
        Spec::From(first) => Some(*first..u64::MAX),
        Spec::Last(_) => Some(0..1),
    }
}

enum Spec {
    Between(u64, u64),
    From(u64),
    Last(u64),
}

impl Spec {
    fn read(text: &str) -> Option<Spec> {
        let (first, last) = text.trim().split_once('-')?;
        match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => Some(Spec::Between(first, last)),
            (Some(first), None) if last.is_empty() => Some(Spec::From(first)),
            (None, Some(suffix)) if first.is_empty() => Some(Spec::Last(suffix)),
            _ => None,
        }
    }

    /// An empty range when there is nothing of it.
    fn of(&self, length: u64) -> Option<Range<u64>> {
        Some(match *self {
            Spec::Between(first, last) => first.min(length)..last.saturating_add(1).min(length),
            Spec::From(first) => first.min(length)..length,
            Spec::Last(suffix) => length.saturating_sub(suffix)..length,
        })
    }
}

/// None for what is not understood as a whole.
fn specs(header: &str) -> Option<Vec<Spec>> {
    let (unit, specs) = header.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let specs: Option<Vec<Spec>> = specs.split(',').take(MAX_PARTS + 1).map(Spec::read).collect();
    specs.filter(|specs| specs.len() <= MAX_PARTS)
}

/// Decimal digits only; more than fit are as good as infinite.
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn table() {
        let table = [
            ("bytes=0-0", 10, Asked::Part(0..1)),
            ("bytes=0-9", 10, Asked::Part(0..10)),
            ("bytes=0-99", 10, Asked::Part(0..10)),
            ("bytes=5-", 10, Asked::Part(5..10)),
            ("bytes=-3", 10, Asked::Part(7..10)),
            ("bytes=-30", 10, Asked::Part(0..10)),
            ("BYTES = 1-2", 10, Asked::Part(1..3)),
            ("bytes=0-99999999999999999999999", 10, Asked::Part(0..10)),
            ("bytes=10-", 10, Asked::Unsatisfiable),
            ("bytes=10-20", 10, Asked::Unsatisfiable),
            ("bytes=99999999999999999999999-", 10, Asked::Unsatisfiable),
            ("bytes=-0", 10, Asked::Unsatisfiable),
            ("bytes=0-", 0, Asked::Unsatisfiable),
            ("bytes=-5", 0, Asked::Unsatisfiable),
            ("bytes=0-1,5-6", 10, Asked::Parts(vec![0..2, 5..7])),
            ("bytes=5-6, 0-1", 10, Asked::Parts(vec![5..7, 0..2])),
            ("bytes=0-1,-2", 10, Asked::Parts(vec![0..2, 8..10])),
            ("bytes=0-1,20-30", 10, Asked::Part(0..2)),
            ("bytes=20-21,30-31", 10, Asked::Unsatisfiable),
            ("bytes=0-5,3-9", 10, Asked::Whole),
            ("bytes=0-,0-,0-", 10, Asked::Whole),
            ("bytes=0-1,x", 10, Asked::Whole),
            ("bytes=0-1,", 10, Asked::Whole),
            ("bytes=5-2", 10, Asked::Whole),
            ("bytes=-", 10, Asked::Whole),
            ("bytes=a-b", 10, Asked::Whole),
            ("bytes=+1-2", 10, Asked::Whole),
            ("bytes=1-2-3", 10, Asked::Whole),
            ("bytes", 10, Asked::Whole),
            ("items=0-1", 10, Asked::Whole),
            ("", 10, Asked::Whole),
        ];
        for (header, length, expected) in table {
            assert_eq!(parse(header, length), expected, "{header}");
        }
        let many = |count: usize| format!("bytes={}", vec!["1-1"; count].join(","));
        assert!(matches!(parse(&many(16), 1000), Asked::Parts(parts) if parts.len() == 16));
        assert_eq!(parse(&many(17), 1000), Asked::Whole);
    }

    #[test]
    fn hints() {
        for (header, expected) in [
            ("bytes=5-9", Some(5..10)),
            ("bytes=5-", Some(5..u64::MAX)),
            ("bytes=7-8,1-2", Some(7..9)),
            ("bytes=-5", Some(0..1)),
            ("bytes=x", None),
            ("", None),
        ] {
            assert_eq!(hint(header), expected, "{header}");
        }
    }

    proptest! {
        #[test]
        fn parts_lie_inside(header in "(bytes=)?[0-9, -]{0,24}", length in 0..100u64) {
            let parts = match parse(&header, length) {
                Asked::Part(part) => vec![part],
                Asked::Parts(parts) => parts,
                Asked::Whole | Asked::Unsatisfiable => Vec::new(),
            };
            for part in parts {
                prop_assert!(part.start < part.end && part.end <= length);
            }
        }
    }
}
