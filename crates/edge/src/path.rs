//! From the path of a request to a name, or to nothing.
//!
//! A name means one object: whatever was encoded needlessly is decoded once, and what could be read in two ways, leave
//! a folder or hide in one is refused. Letters keep their case; nothing is normalised beyond that, because buckets
//! compare bytes.

use media::{Key, UPLOADS};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::fmt;

/// Longest path that is looked at, bytes.
const MAX_PATH: usize = 4096;
/// Longest name, bytes: that of a key in a bucket.
const MAX_NAME: usize = 1024;
/// Longest part between two slashes, bytes: that of a file.
const MAX_PART: usize = 255;
/// Longest query that reaches an origin, bytes.
const MAX_QUERY: usize = 512;

/// All but what RFC 3986 calls unreserved, and the slash.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');
/// The same for the names and values of a query.
const ENCODED_QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Names an object: decoded, parts separated by slashes, no slash at either end. No part is empty or begins with a dot.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Name(String);

/// Why a path names nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unnamed {
    /// Not a path that a client in its right mind would send: 400.
    Malformed,
    /// Nothing of this name can exist: 404.
    Absent,
}

impl Name {
    /// From a path as it was sent, with its slash in front.
    pub(crate) fn of_path(raw: &str) -> Result<Name, Unnamed> {
        if raw.len() > MAX_PATH {
            return Err(Unnamed::Malformed);
        }
        let raw = raw.strip_prefix('/').ok_or(Unnamed::Malformed)?;
        let mut name = String::with_capacity(raw.len());
        for part in raw.split('/') {
            if !name.is_empty() {
                name.push('/');
            }
            decode(part, &mut name)?;
        }
        if name.len() > MAX_NAME { Err(Unnamed::Malformed) } else { Ok(Name(name)) }
    }

    /// Decoded, for people and file systems.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// As a path without a slash in front. Different names have different encodings, and none holds a question mark.
    pub(crate) fn encoded(&self) -> String {
        encoded(&self.0)
    }

    /// The rest below a folder, given without slashes at its ends; everything is below the empty one.
    pub(crate) fn below(&self, folder: &str) -> Option<Name> {
        if folder.is_empty() {
            return Some(self.clone());
        }
        let rest = self.0.strip_prefix(folder)?.strip_prefix('/')?;
        Some(Name(rest.to_owned()))
    }

    /// The name below a folder, given without slashes at its ends; `None` when it becomes too long.
    pub(crate) fn above(self, folder: &str) -> Option<Name> {
        let name = if folder.is_empty() { self } else { Name(format!("{folder}/{self}")) };
        (name.0.len() <= MAX_NAME).then_some(name)
    }

    /// What follows the last dot of the last part.
    pub(crate) fn extension(&self) -> &str {
        let last = self.0.rsplit('/').next().unwrap_or_default();
        last.rsplit_once('.').map_or("", |(_, extension)| extension)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// As in [`Name::encoded`], for what is only the beginning of a name.
pub(crate) fn encoded(name: &str) -> String {
    utf8_percent_encode(name, ENCODED).to_string()
}

fn decode(part: &str, name: &mut String) -> Result<(), Unnamed> {
    let before = name.len();
    if part.contains('%') {
        if !is_well_encoded(part.as_bytes()) {
            return Err(Unnamed::Malformed);
        }
        name.push_str(&percent_decode_str(part).decode_utf8().map_err(|_| Unnamed::Malformed)?);
    } else {
        name.push_str(part);
    }
    let decoded = name.get(before..).unwrap_or_default();
    // What still looks encoded was encoded twice, and whoever decodes it again would see something else.
    if has_escape(decoded.as_bytes()) || decoded.contains(['/', '\\']) || decoded.chars().any(char::is_control) {
        return Err(Unnamed::Malformed);
    }
    if decoded.len() > MAX_PART || decoded.is_empty() || decoded.starts_with('.') {
        return Err(Unnamed::Absent);
    }
    Ok(())
}

fn is_escape(bytes: &[u8]) -> bool {
    matches!(bytes, [b'%', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
}

/// Every percent sign has its two digits.
fn is_well_encoded(bytes: &[u8]) -> bool {
    (0..bytes.len()).all(|at| bytes[at] != b'%' || is_escape(&bytes[at..]))
}

fn has_escape(bytes: &[u8]) -> bool {
    (0..bytes.len()).any(|at| is_escape(&bytes[at..]))
}

/// What an origin may see of a query: the allowed parameters, each at most once, in the order of `allowed`, encoded in
/// one way. Empty when there are none.
pub(crate) fn query(raw: Option<&str>, allowed: &[String]) -> Result<String, Unnamed> {
    let Some(raw) = raw.filter(|raw| !raw.is_empty() && !allowed.is_empty()) else { return Ok(String::new()) };
    if raw.len() > MAX_PATH {
        return Err(Unnamed::Malformed);
    }
    let mut kept = String::new();
    for name in allowed {
        let pair = raw.split('&').map(|pair| pair.split_once('=').map_or((pair, None), |(n, v)| (n, Some(v))));
        let Some((_, value)) = pair.into_iter().find(|(found, _)| percent_decode_str(found).eq(name.bytes())) else {
            continue;
        };
        kept.push(if kept.is_empty() { '?' } else { '&' });
        kept.extend(utf8_percent_encode(name, ENCODED_QUERY));
        if let Some(value) = value {
            let value = percent_decode_str(value).decode_utf8().map_err(|_| Unnamed::Malformed)?;
            kept.push('=');
            kept.extend(utf8_percent_encode(&value, ENCODED_QUERY));
        }
    }
    if kept.len() > MAX_QUERY { Err(Unnamed::Malformed) } else { Ok(kept) }
}

/// The key of a store that a raw (still encoded) path names. Uploads that wait still have their metadata and are
/// treated as if they did not exist.
pub(crate) fn key(raw: &str) -> Option<Key> {
    let name = Name::of_path(raw).ok()?;
    let key = Key::parse(name.as_str()).ok()?;
    (!key.as_str().starts_with(UPLOADS)).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(raw: &str) -> Result<String, Unnamed> {
        Name::of_path(raw).map(|name| name.as_str().to_owned())
    }

    #[test]
    fn attacks_name_nothing() {
        let (long, wide) = ("/aaaa".repeat(300), format!("/{}", "a".repeat(256)));
        let absent = [
            "/",
            "/..",
            "/../x",
            "/a/../b",
            "/a/..",
            "/./a",
            "/a/./b",
            "/a//b",
            "//etc/passwd",
            "/a/",
            "/.env",
            "/a/.git/config",
            "/%2e%2e/x",
            "/a/%2E./b",
            "/.%2e/x",
            "/%2eincoming/x",
            "/...",
            "//",
            &wide,
        ];
        for path in absent {
            assert_eq!(name(path), Err(Unnamed::Absent), "{path}");
        }
        let malformed = [
            "",
            "a",
            "*",
            "/..%2fx",
            "/a%2fb",
            "/a%2Fb",
            "/a%5cb",
            "/a\\b",
            "/..\\x",
            "/a%00.png",
            "/a%0a",
            "/a%0d%0aX-Y:%20z",
            "/%ff",
            "/%c0%ae%c0%ae/x",
            "/a%252fb",
            "/%252e%252e/x",
            "/a%25%32%66",
            "/a%",
            "/a%2",
            "/a%zz",
            "/a%7f",
            "/%c2%85",
            &long,
        ];
        for path in malformed {
            assert_eq!(name(path), Err(Unnamed::Malformed), "{path}");
        }
    }

    #[test]
    fn names_of_mastodon_misskey_and_pleroma() {
        for (raw, expected) in [
            ("/media_attachments/files/109/698/a/original/b1946ac92492d234.png", None),
            ("/4f0c6f3e-8a5b-4a0a-8c33-2f7c0a7a9d11", None),
            ("/files/webpublic-4f0c6f3e-8a5b-4a0a-8c33-2f7c0a7a9d11.jpg", None),
            ("/files/thumbnail-4f0c6f3e-8a5b-4a0a-8c33-2f7c0a7a9d11.webp", None),
            ("/5b7ad0c1f5b7d0c1f5b7d0c1", None),
            ("/2c/f2/2cf24dba5fb0a30e26e83b2ac5b9e29e.jpeg", None),
            ("/uuid/%E6%97%A5%E6%9C%AC%E8%AA%9E%20%28%E5%86%99%E7%9C%9F%29.png", Some("uuid/日本語 (写真).png")),
            ("/uuid/日本語.png", Some("uuid/日本語.png")),
            ("/uuid/100%25.png", Some("uuid/100%.png")),
            ("/uuid/a+b&c=d,e;f'g!.png", Some("uuid/a+b&c=d,e;f'g!.png")),
            ("/uuid/what%3F%23.png", Some("uuid/what?#.png")),
            ("/A/b", Some("A/b")),
        ] {
            let expected = expected.unwrap_or(&raw[1..]);
            assert_eq!(name(raw).as_deref(), Ok(expected), "{raw}");
            let again = Name::of_path(&format!("/{}", Name::of_path(raw).unwrap().encoded()));
            assert_eq!(again.map(|name| name.0).as_deref(), Ok(expected), "{raw}");
        }
    }

    #[test]
    fn one_object_has_one_name() {
        assert_eq!(name("/a%2Dc/b%2Epng"), name("/a-c/b.png"));
        assert_ne!(name("/A.png"), name("/a.png"));
        assert_ne!(name("/a%3Fb"), name("/a"));
        // The two ways of writing é are two keys in a bucket.
        assert_ne!(name("/%C3%A9"), name("/e%CC%81"));
    }

    #[test]
    fn folders_end_at_slashes() {
        let name = Name::of_path("/system/a/b.png").unwrap();
        assert_eq!(name.below("system").unwrap().as_str(), "a/b.png");
        assert_eq!(name.below("system/a").unwrap().as_str(), "b.png");
        assert_eq!(name.below("").unwrap(), name);
        for other in ["sys", "systems", "system/a/b.png", "System", "system/"] {
            assert_eq!(name.below(other), None, "{other}");
        }
    }

    #[test]
    fn only_allowed_parameters_pass_in_one_order() {
        let allowed = ["web".to_owned(), "original".to_owned()];
        for (raw, expected) in [
            (None, ""),
            (Some(""), ""),
            (Some("1612345678"), ""),
            (Some("web"), "?web"),
            (Some("web&web=2"), "?web"),
            (Some("utm=1&original=a%2fb&web="), "?web=&original=a%2Fb"),
            (Some("%77eb"), "?web"),
            (Some("original=x%26y%3Dz"), "?original=x%26y%3Dz"),
            (Some("WEB"), ""),
        ] {
            assert_eq!(query(raw, &allowed).as_deref(), Ok(expected), "{raw:?}");
        }
        assert_eq!(query(Some("web=1"), &[]).as_deref(), Ok(""));
        assert_eq!(query(Some("web=%ff"), &allowed), Err(Unnamed::Malformed));
        assert_eq!(query(Some(&format!("web={}", "a".repeat(600))), &allowed), Err(Unnamed::Malformed));
    }

    #[test]
    fn waiting_uploads_are_not_there() {
        for path in ["/uploads/1-abc", "/%75ploads/1-abc"] {
            assert_eq!(key(path), None, "{path}");
        }
        assert!(key("/uploads.png").is_some());
    }

    #[test]
    fn keys_of_stores_are_plain() {
        assert_eq!(key("/a%2Dc/b%2Epng"), Key::parse("a-c/b.png").ok());
        for path in ["/日本.png", "/%E6%97%A5.png", "/a b", "/a%20b", "/a/../b", "/", ""] {
            assert_eq!(key(path), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_out_stays_inside(raw in "/[a%2e./f0\\\\5c\u{e9}-]{0,40}") {
            if let Ok(name) = Name::of_path(&raw) {
                prop_assert!(name.as_str().split('/').all(|part| !part.is_empty() && !part.starts_with('.')));
                prop_assert!(!name.as_str().contains(['\\', '\0']));
                let again = Name::of_path(&format!("/{}", name.encoded()));
                prop_assert!(again == Ok(name.clone()) || name.as_str().contains('%'), "{:?}", again);
            }
        }
    }
}
