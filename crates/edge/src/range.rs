//! The Range header. <https://www.rfc-editor.org/rfc/rfc9110#section-14>

use std::ops::Range;

/// What part of a representation was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// All of it: no range, one that is not understood, or several (which a server need not honour).
    Whole,
    /// These bytes.
    Part(Range<u64>),
    /// Nothing that there is.
    Unsatisfiable,
}

/// Reads a header's value for a representation of `length` bytes.
pub(crate) fn parse(header: &str, length: u64) -> Asked {
    let Some((unit, spec)) = header.split_once('=') else { return Asked::Whole };
    let Some((first, last)) = spec.trim().split_once('-') else { return Asked::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") || spec.contains(',') {
        return Asked::Whole;
    }
    let range = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(length),
        (Some(first), None) if last.is_empty() => first..length,
        (None, Some(suffix)) if first.is_empty() => length.saturating_sub(suffix)..length,
        _ => return Asked::Whole,
    };
    match range.is_empty() {
        true => Asked::Unsatisfiable,
        false => Asked::Part(range),
    }
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
            ("bytes=0-1,5-6", 10, Asked::Whole),
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
    }

    proptest! {
        #[test]
        fn parts_lie_inside(header in "(bytes=)?[0-9, -]{0,24}", length in 0..100u64) {
            if let Asked::Part(part) = parse(&header, length) {
                prop_assert!(part.start < part.end && part.end <= length);
            }
        }
    }
}
