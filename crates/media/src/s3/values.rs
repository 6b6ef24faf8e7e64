//! Values of a bucket's configuration that are more than text.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A key that opens a bucket. Its debug form does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes what was read from the configuration, a file or the environment.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text itself, for signing.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("(secret)")
    }
}

/// How the bucket's name is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Addressing {
    /// `https://endpoint/bucket/key`
    Path,
    /// `https://bucket.endpoint/key`
    VirtualHost,
}

impl FromStr for Addressing {
    type Err = String;

    fn from_str(text: &str) -> Result<Addressing, String> {
        match text {
            "path" => Ok(Addressing::Path),
            "virtual-host" => Ok(Addressing::VirtualHost),
            _ => Err("expected \"path\" or \"virtual-host\"".into()),
        }
    }
}

/// How long to wait for something, written like `30 s`, `500 ms` or `2 min`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait(pub Duration);

impl FromStr for Wait {
    type Err = String;

    fn from_str(text: &str) -> Result<Wait, String> {
        let wanted = || "expected a time such as \"30 s\", \"500 ms\" or \"2 min\"".to_owned();
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let number: u64 = text[..end].parse().map_err(|_| wanted())?;
        let millis = match text[end..].trim() {
            "ms" => 1,
            "s" => 1000,
            "min" | "m" => 60_000,
            _ => return Err(wanted()),
        };
        let millis = number.checked_mul(millis).filter(|millis| (1..=3_600_000).contains(millis));
        millis.map(|millis| Wait(Duration::from_millis(millis))).ok_or_else(|| "expected 1 ms to 60 min".into())
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_millis() {
            millis if millis % 60_000 == 0 => write!(out, "{} min", millis / 60_000),
            millis if millis % 1000 == 0 => write!(out, "{} s", millis / 1000),
            millis => write!(out, "{millis} ms"),
        }
    }
}

impl Serialize for Wait {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Wait {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Wait, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|why: String| de::Error::custom(format!("{why}, not {text:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_read_and_printed() {
        for (text, printed) in [("30 s", "30 s"), ("500ms", "500 ms"), ("90 s", "90 s"), ("120 s", "2 min")] {
            assert_eq!(text.parse::<Wait>().map(|wait| wait.to_string()), Ok(printed.to_owned()));
        }
        for text in ["", "s", "0 s", "-1 s", "61 min", "99999999999999999999 s", "5 h"] {
            assert!(text.parse::<Wait>().is_err(), "{text}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        assert_eq!(format!("{:?}", Secret::new("hidden")), "(secret)");
    }
}
