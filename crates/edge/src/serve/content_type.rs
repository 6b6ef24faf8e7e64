//! What stored files are announced as. Only media are announced as what they are: there is no way for HTML, XML, JSON
//! or a script to be announced as such.

use crate::config::SvgPolicy;

/// How a file is announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Announced {
    /// To be shown, as this type.
    Shown(&'static str),
    /// To be saved: nothing that a browser could run, or take for a document of this server.
    Saved,
}

/// A picture that can hold scripts.
const SVG: &str = "image/svg+xml";

/// By the extension alone.
pub(crate) fn of(extension: &str) -> Announced {
    media::content_type(extension).map_or(Announced::Saved, Announced::Shown)
}

/// What an origin says a file is, if that is a medium, or a vector picture where those are shown.
pub(crate) fn stated(content_type: &str, svg: SvgPolicy) -> Option<Announced> {
    let bare = content_type.split(';').next().unwrap_or_default().trim();
    if bare.eq_ignore_ascii_case(SVG) {
        return Some(match svg {
            SvgPolicy::Sandboxed => Announced::Shown(SVG),
            SvgPolicy::Attachment => Announced::Saved,
        });
    }
    media::known_type(bare).map(Announced::Shown)
}

/// By the extension where that is known, vector pictures too.
pub(crate) fn of_name(extension: &str, svg: SvgPolicy) -> Option<Announced> {
    if extension.eq_ignore_ascii_case("svg") {
        return stated(SVG, svg);
    }
    match of(extension) {
        Announced::Saved => None,
        shown => Some(shown),
    }
}

/// By the first bytes (64 are enough). Text of any kind is not recognised: it could be markup.
pub(crate) fn sniffed(start: &[u8]) -> Announced {
    media::sniffed(start).map_or(Announced::Saved, Announced::Shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACTIVE: &[&str] = &[
        "text/html",
        "application/xhtml+xml",
        "text/xml",
        "application/xml",
        "application/json",
        "application/activity+json",
        "application/javascript",
        "text/javascript",
        "text/css",
        "text/plain",
        "application/pdf",
        "application/rss+xml",
        "multipart/mixed",
        "image/svg",
        "image/jpeg, text/html",
        "image/jpeg\u{0}",
        "",
    ];

    #[test]
    fn only_media_are_shown() {
        assert_eq!(of("JPG"), Announced::Shown("image/jpeg"));
        for extension in ["", "html", "htm", "xhtml", "xml", "svg", "svgz", "json", "js", "css", "pdf", "txt", "php"] {
            assert_eq!(of(extension), Announced::Saved, "{extension}");
        }
        for content_type in ACTIVE {
            for svg in [SvgPolicy::Attachment, SvgPolicy::Sandboxed] {
                assert_eq!(stated(content_type, svg), None, "{content_type}");
            }
        }
        let stated = |text| stated(text, SvgPolicy::Attachment);
        assert_eq!(stated("Image/JPEG; charset=binary"), Some(Announced::Shown("image/jpeg")));
        assert_eq!(stated("image/svg+xml;charset=utf-8"), Some(Announced::Saved));
        assert_eq!(super::stated(SVG, SvgPolicy::Sandboxed), Some(Announced::Shown(SVG)));
    }

    #[test]
    fn first_bytes_tell() {
        let table: [(&[u8], &str); 13] = [
            (b"\xFF\xD8\xFF\xE0", "image/jpeg"),
            (b"\x89PNG\r\n\x1A\n", "image/png"),
            (b"GIF89a", "image/gif"),
            (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
            (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
            (b"\0\0\0\x18ftypmp42\0\0\0\0", "video/mp4"),
            (b"\0\0\0\x18ftypisom\0\0\0\0", "video/mp4"),
            (b"\0\0\0\x18ftypM4A \0\0\0\0", "audio/mp4"),
            (b"\0\0\0\x14ftypqt  \0\0\0\0", "video/quicktime"),
            (b"\x1A\x45\xDF\xA3", "video/webm"),
            (b"OggS\0\x02\0\0\0\0\0\0\0\0\x01\x13OpusHead", "audio/ogg"),
            (b"fLaC\0", "audio/flac"),
            (b"ID3\x04", "audio/mpeg"),
        ];
        for (start, expected) in table {
            assert_eq!(sniffed(start), Announced::Shown(expected), "{start:?}");
        }
        for active in [
            "<!DOCTYPE html>",
            "<html>",
            "<svg xmlns=",
            "<?xml version=",
            "{\"@context\":",
            "#!/bin/sh",
            "%PDF-1.7",
            "",
        ] {
            assert_eq!(sniffed(active.as_bytes()), Announced::Saved, "{active}");
        }
        for bytes in [&b"\xFF\xFE<\0h\0"[..], b"\xEF\xBB\xBF<html>", b"PK\x03\x04", b"\x7FELF", b"\0\0\0\x18ftypevil"] {
            assert_eq!(sniffed(bytes), Announced::Saved, "{bytes:?}");
        }
    }
}
