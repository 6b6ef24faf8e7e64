//! From the path of a request to a key, or to nothing.

use media::{Key, UPLOADS};
use percent_encoding::percent_decode_str;

/// Longest path that is looked at, bytes.
const MAX_LENGTH: usize = 2048;

/// The key that a raw (still encoded) path names below the prefix. An encoded slash is not a slash, and
/// everything that is no key gives `None`: it cannot exist. Uploads that wait still have their metadata and
/// are treated as if they did not exist.
pub(crate) fn key(raw: &str) -> Option<Key> {
    if raw.len() > MAX_LENGTH {
        return None;
    }
    let key = if raw.contains('%') { decoded(raw)? } else { Key::parse(raw).ok()? };
    (!key.as_str().starts_with(UPLOADS)).then_some(key)
}

fn decoded(raw: &str) -> Option<Key> {
    let parts: Result<Vec<_>, _> = raw.split('/').map(|part| percent_decode_str(part).decode_utf8()).collect();
    let parts = parts.ok()?;
    if parts.iter().any(|part| part.contains('/')) {
        return None;
    }
    Key::parse(&parts.join("/")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn attacks_name_nothing() {
        let long = "a".repeat(3000);
        let bad = [
            "",
            "/",
            "..",
            "../x",
            "a/../b",
            "a/..",
            "./a",
            "a/./b",
            "a//b",
            "/etc/passwd",
            "a/",
            ".env",
            "a/.git/config",
            "%2e%2e/x",
            "a/%2e%2e/b",
            "..%2fx",
            "a%2fb",
            "a%2Fb",
            "a%5cb",
            "a\\b",
            "a%00.png",
            "a%0a",
            "%ff",
            "%c0%ae%c0%ae/x",
            "a%252fb",
            ".incoming/x",
            "%2eincoming/x",
            "a%",
            "a%2",
            "日本.png",
            "%E6%97%A5.png",
            "a b",
            "a%20b",
            &long,
        ];
        for path in bad {
            assert_eq!(key(path), None, "{path}");
        }
    }

    #[test]
    fn waiting_uploads_are_not_there() {
        for path in ["uploads/1-abc", "%75ploads/1-abc"] {
            assert_eq!(key(path), None, "{path}");
        }
        assert!(key("uploads.png").is_some());
    }

    #[test]
    fn needless_encoding_is_undone() {
        assert_eq!(key("a%2Dc/b%2Epng"), Key::parse("a-c/b.png").ok());
        assert_eq!(key("a/b.png"), Key::parse("a/b.png").ok());
    }

    proptest! {
        #[test]
        fn whatever_comes_out_stays_inside(raw in "[a%2e./f0\\\\-]{0,40}") {
            if let Some(key) = key(&raw) {
                prop_assert!(key.as_str().split('/').all(|part| !part.is_empty() && !part.starts_with('.')));
            }
        }
    }
}
