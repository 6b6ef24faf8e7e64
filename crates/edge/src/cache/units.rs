//! Sizes and times as people write them: "20 GB", "90 d".

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};
use std::time::Duration;

/// Largest first, so that printing takes the first that divides.
const SIZES: &[(&str, u64)] = &[
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1000),
    ("B", 1),
];
const PERIODS: &[(&str, u64)] =
    &[("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1), ("w", 604_800_000)];

fn parse(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    let (_, factor) = units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit.trim()))?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

fn print(value: u64, units: &[(&str, u64)], smallest: &str) -> String {
    let fits = |(_, factor): &&(&str, u64)| value >= *factor && value.is_multiple_of(*factor);
    let (unit, factor) = units.iter().find(fits).copied().unwrap_or((smallest, 1));
    format!("{} {unit}", value / factor)
}

/// For `#[serde(with = "size")]` on a number of bytes.
pub(super) mod size {
    use super::{Deserialize, Deserializer, Error, SIZES, Serializer};

    pub(crate) fn serialize<S: Serializer>(value: &u64, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&super::print(*value, SIZES, "B"))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<u64, D::Error> {
        let text = String::deserialize(d)?;
        let wrong = || D::Error::custom(format!("expected a size such as \"16 MiB\" or \"20 GB\", not {text:?}"));
        super::parse(&text, SIZES).ok_or_else(wrong)
    }
}

/// For `#[serde(with = "period")]` on a [`Duration`].
pub(super) mod period {
    use super::{Deserialize, Deserializer, Duration, Error, PERIODS, Serializer};

    pub(crate) fn serialize<S: Serializer>(value: &Duration, s: S) -> Result<S::Ok, S::Error> {
        let millis = u64::try_from(value.as_millis()).unwrap_or(u64::MAX);
        s.collect_str(&super::print(millis, PERIODS, "ms"))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(d)?;
        let wrong = || D::Error::custom(format!("expected a time such as \"10 min\" or \"90 d\", not {text:?}"));
        super::parse(&text, PERIODS).map(Duration::from_millis).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_reads_the_same() {
        for (text, bytes) in [("20 GB", 20_000_000_000), ("1 MiB", 1 << 20), ("0 B", 0), ("1001 B", 1001)] {
            assert_eq!((parse(text, SIZES), print(bytes, SIZES, "B")), (Some(bytes), text.to_owned()));
        }
        for (text, millis) in [("90 d", 7_776_000_000), ("30 s", 30_000), ("0 ms", 0), ("36 h", 129_600_000)] {
            assert_eq!((parse(text, PERIODS), print(millis, PERIODS, "ms")), (Some(millis), text.to_owned()));
        }
        for text in ["", "20", "GB", "-1 GB", "1.5 GB", "20 XB", "99999999999 GiB"] {
            assert_eq!(parse(text, SIZES), None, "{text}");
        }
    }
}
