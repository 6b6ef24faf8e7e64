//! From the bytes of a page to its text, whatever it is written in.

use encoding_rs::{EUC_JP, Encoding, ISO_2022_JP, SHIFT_JIS, UTF_8, WINDOWS_1252};
use std::borrow::Cow;

/// Bytes in which a page says what it is written in.
const DECLARATION: usize = 4096;

/// `kind`: the `Content-Type`, in small letters.
pub(super) fn decoded<'a>(kind: &str, bytes: &'a [u8]) -> Cow<'a, str> {
    let told = Encoding::for_bom(bytes).map(|(encoding, _)| encoding);
    let told = told.or_else(|| in_header(kind)).or_else(|| in_page(bytes));
    let (text, _) = told.unwrap_or_else(|| guessed(bytes)).decode_with_bom_removal(bytes);
    text
}

fn in_header(kind: &str) -> Option<&'static Encoding> {
    named(kind.split_once("charset=")?.1)
}

/// `<meta charset=…>`, or the one of the `Content-Type` that pages give themselves.
fn in_page(bytes: &[u8]) -> Option<&'static Encoding> {
    let start = bytes.get(..DECLARATION.min(bytes.len()))?.to_ascii_lowercase();
    let start = String::from_utf8_lossy(&start);
    let encoding = start.match_indices("charset").find_map(|(at, word)| {
        let rest = start.get(at + word.len()..)?.trim_start().strip_prefix('=')?;
        named(rest.trim_start())
    })?;
    // Whoever could read that did not write in two bytes each.
    Some(if encoding.name().starts_with("UTF-16") { UTF_8 } else { encoding })
}

fn named(text: &str) -> Option<&'static Encoding> {
    let text = text.trim_start_matches(['"', '\'']);
    let end = text.find(['"', '\'', ' ', ';', '>', '/', ',']).unwrap_or(text.len());
    Encoding::for_label(text.get(..end)?.as_bytes())
}

/// Nobody says: the first that reads it without a fault.
fn guessed(bytes: &[u8]) -> &'static Encoding {
    if bytes.contains(&0x1b) && reads(ISO_2022_JP, bytes) {
        return ISO_2022_JP;
    }
    // The end may have been cut off in the middle of a character.
    let whole = std::str::from_utf8(bytes).map_or_else(|error| error.error_len().is_none(), |_| true);
    if whole {
        return UTF_8;
    }
    // What reads as EUC-JP nearly always reads as Shift_JIS too, but not the other way round.
    [EUC_JP, SHIFT_JIS].into_iter().find(|encoding| reads(encoding, bytes)).unwrap_or(WINDOWS_1252)
}

fn reads(encoding: &'static Encoding, bytes: &[u8]) -> bool {
    encoding.decode_without_bom_handling_and_without_replacement(bytes).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "<title>日本語のページ、カタカナ。</title>";

    #[test]
    fn japanese_is_read_whether_declared_or_not() {
        for encoding in [SHIFT_JIS, EUC_JP, ISO_2022_JP, UTF_8] {
            let (bytes, ..) = encoding.encode(TEXT);
            assert_eq!(decoded("text/html", &bytes), TEXT, "{} guessed", encoding.name());
            let kind = format!("text/html; charset=\"{}\"", encoding.name().to_ascii_lowercase());
            assert_eq!(decoded(&kind, &bytes), TEXT, "{} in the header", encoding.name());
            for meta in ["<meta charset='NAME'>", "<META http-equiv=Content-Type content='text/html; charset = NAME'>"]
            {
                let page = format!("{}{TEXT}", meta.replace("NAME", encoding.name()));
                let (bytes, ..) = encoding.encode(&page);
                assert_eq!(decoded("text/html", &bytes), page, "{} in the page", encoding.name());
            }
        }
    }

    #[test]
    fn nothing_is_too_strange() {
        assert_eq!(decoded("text/html", b"\xef\xbb\xbfhi"), "hi");
        assert_eq!(decoded("text/html", b"caf\xe9 \xff"), "café ÿ");
        assert_eq!(decoded("text/html; charset=nonsense", b"hi"), "hi");
        assert_eq!(decoded("text/html", b"<meta charset=utf-16>hi"), "<meta charset=utf-16>hi");
        assert_eq!(decoded("text/html", "日本".as_bytes().get(..5).unwrap()), "日\u{fffd}");
        assert_eq!(decoded("", b""), "");
        let noise: Vec<u8> = (0..=255).cycle().take(5000).collect();
        assert!(!decoded("text/html", &noise).is_empty());
    }
}
