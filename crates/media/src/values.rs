//! Values of configurations that are more than text: sizes, times, secrets.
//! Each reads what people write and says what it expects when it cannot.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Serde by way of the text form, for types whose `FromStr` says what it expects.
#[macro_export]
macro_rules! as_text {
    ($($name:ty),*) => { $(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(d)?;
                text.parse().map_err(|why: String| serde::de::Error::custom(format!("{why}, not {text:?}")))
            }
        }
    )* };
}
as_text!(ByteSize, Period);

/// Splits `20 MB` into the number and the unit.
fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    Some((digits.parse().ok()?, unit.trim()))
}

/// A number of bytes, written like `16 MiB` or `20 MB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteSize(pub u64);

/// Largest first, so that printing takes the first that divides.
const SIZES: [(&str, u64); 7] = [
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1000),
    ("B", 1),
];

impl FromStr for ByteSize {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = || "expected a size such as \"16 MiB\" or \"20 MB\"".to_owned();
        let (number, unit) = number_and_unit(text).ok_or_else(wanted)?;
        let (_, factor) = SIZES.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).ok_or_else(wanted)?;
        number.checked_mul(*factor).map(Self).ok_or_else(wanted)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(_, factor): &&(&str, u64)| self.0 >= *factor && self.0.is_multiple_of(*factor);
        let (unit, factor) = SIZES.iter().find(fits).copied().unwrap_or(("B", 1));
        write!(f, "{} {unit}", self.0 / factor)
    }
}

/// A stretch of time, written like `90 d` or `25 s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period(pub Duration);

const PERIODS: [(&str, u64); 6] =
    [("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1)];

impl FromStr for Period {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = || "expected a time such as \"25 s\", \"10 min\", \"12 h\" or \"90 d\"".to_owned();
        let (number, unit) = number_and_unit(text).ok_or_else(wanted)?;
        let unit = if unit == "m" { "min" } else { unit };
        let (_, factor) = PERIODS.iter().find(|(name, _)| *name == unit).ok_or_else(wanted)?;
        number.checked_mul(*factor).map(|ms| Self(Duration::from_millis(ms))).ok_or_else(wanted)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        let fits =
            |(_, factor): &&(&str, u64)| millis >= u128::from(*factor) && millis.is_multiple_of(u128::from(*factor));
        let (unit, factor) = PERIODS.iter().find(fits).copied().unwrap_or(("s", 1000));
        write!(f, "{} {unit}", millis / u128::from(factor))
    }
}

/// Text that opens something. It is not shown where values are printed to look for mistakes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes what was read from the configuration, a file or the environment.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, printed) in [
            ("16 MiB", "16 MiB"),
            ("20MB", "20 MB"),
            ("1024 B", "1 KiB"),
            ("0 B", "0 B"),
            ("1gb", "1 GB"),
            ("1001 B", "1001 B"),
        ] {
            assert_eq!(text.parse::<ByteSize>().unwrap().to_string(), printed);
        }
        assert_eq!("16 MiB".parse(), Ok(ByteSize(16_777_216)));
        for text in ["", "MB", "20", "-1 MB", "1.5 MB", "20 XB", "99999999999999999999 B", "99999999999 GiB"] {
            assert!(text.parse::<ByteSize>().is_err(), "{text}");
        }
    }

    #[test]
    fn periods() {
        for (text, printed) in [
            ("90 d", "90 d"),
            ("14d", "2 w"),
            ("90s", "90 s"),
            ("10 m", "10 min"),
            ("120 s", "2 min"),
            ("1500 ms", "1500 ms"),
            ("0 s", "0 s"),
        ] {
            assert_eq!(text.parse::<Period>().unwrap().to_string(), printed);
        }
        for text in ["", "d", "90", "-1 d", "3 years"] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        assert_eq!(format!("{:?}", Secret::new("hidden")), "(secret)");
    }
}
