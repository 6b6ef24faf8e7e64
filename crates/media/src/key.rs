//! Names of stored objects.

use std::fmt;
use std::str::FromStr;

/// Longest key in bytes.
const MAX_LENGTH: usize = 512;
/// Longest part between two slashes in bytes (file systems stop at 255).
const MAX_SEGMENT: usize = 200;

/// Name of a stored object: relative, `/`-separated parts of `A-Z a-z 0-9 . _ - ~`, none of them
/// empty or beginning with a dot. Such a name cannot leave the store's root or mean two objects.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(String);

/// The text is not a valid [`Key`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid media key")]
pub struct InvalidKey;

impl Key {
    /// Checks `text`; nothing is normalised.
    pub fn parse(text: &str) -> Result<Key, InvalidKey> {
        let valid = text.len() <= MAX_LENGTH && text.split('/').all(valid_segment);
        valid.then(|| Key(text.to_owned())).ok_or(InvalidKey)
    }

    /// The key as text, without a leading slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What follows the last dot of the last part, as written; empty when there is none.
    pub fn extension(&self) -> &str {
        let name = self.0.rsplit('/').next().unwrap_or_default();
        name.rsplit_once('.').map_or("", |(_, extension)| extension)
    }

    /// For keys made from numbers and checked parts only.
    pub(crate) fn built(text: String) -> Key {
        debug_assert!(Key::parse(&text).is_ok(), "{text}");
        Key(text)
    }
}

pub(crate) fn valid_segment(segment: &str) -> bool {
    (1..=MAX_SEGMENT).contains(&segment.len())
        && !segment.starts_with('.')
        && segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-~".contains(&b))
}

impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl FromStr for Key {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Key, InvalidKey> {
        Key::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_cannot_leave_the_root() {
        for good in ["a", "a/b.png", "cache/media_attachments/files/109/698/x.jpg", "a/b..c", "A~b-c_d"] {
            assert!(Key::parse(good).is_ok(), "{good}");
        }
        let long = "a/".repeat(400) + "a";
        let wide = "a".repeat(201);
        let bad = [
            "", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/../b", ".a", "a/.b", "a\\b", "a\0", "a b",
            "a%2fb", "日本", "a\n", "C:a", &long, &wide,
        ];
        for text in bad {
            assert_eq!(Key::parse(text), Err(InvalidKey), "{text:?}");
        }
    }

    #[test]
    fn extension_is_of_the_last_part() {
        assert_eq!(Key::built("a.b/c".into()).extension(), "");
        assert_eq!(Key::built("a.b/c.tar.gz".into()).extension(), "gz");
    }
}
