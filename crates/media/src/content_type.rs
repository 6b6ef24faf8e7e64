//! What stored files are called when they are sent to somebody: one table, of pictures, videos and sounds alone. There is
//! no way for HTML, XML, SVG, JSON or a script to be called what it is.

use crate::Format;

/// (type, extensions that mean it). The first name of a type is its usual one.
const MEDIA: &[(&str, &[&str])] = &[
    ("image/jpeg", &["jpg", "jpeg", "jpe", "jfif"]),
    ("image/png", &["png"]),
    ("image/apng", &["apng"]),
    ("image/gif", &["gif"]),
    ("image/webp", &["webp"]),
    ("image/avif", &["avif"]),
    ("image/heic", &["heic"]),
    ("image/heif", &["heif"]),
    ("image/jxl", &["jxl"]),
    ("image/bmp", &["bmp"]),
    ("image/x-icon", &["ico"]),
    ("image/vnd.microsoft.icon", &[]),
    ("video/mp4", &["mp4", "m4v"]),
    ("video/x-m4v", &[]),
    ("video/webm", &["webm"]),
    ("video/quicktime", &["mov"]),
    ("video/ogg", &["ogv"]),
    ("video/mpeg", &["mpg", "mpeg"]),
    ("video/x-matroska", &["mkv"]),
    ("video/3gpp", &[]),
    ("audio/mpeg", &["mp3"]),
    ("audio/mp3", &[]),
    ("audio/ogg", &["ogg", "oga", "opus"]),
    ("audio/opus", &[]),
    ("audio/wav", &["wav"]),
    ("audio/x-wav", &[]),
    ("audio/wave", &[]),
    ("audio/vnd.wave", &[]),
    ("audio/flac", &["flac"]),
    ("audio/x-flac", &[]),
    ("audio/aac", &["aac"]),
    ("audio/mp4", &["m4a"]),
    ("audio/x-m4a", &[]),
    ("audio/webm", &["weba"]),
    ("audio/3gpp", &["3gp"]),
];

/// The content type of a file with this extension; `None` for everything that is no medium.
pub fn content_type(extension: &str) -> Option<&'static str> {
    let is_it = |(_, names): &&(&str, &[&str])| names.iter().any(|name| name.eq_ignore_ascii_case(extension));
    MEDIA.iter().find(is_it).map(|(kind, _)| *kind)
}

/// The same type as others write it, if it is one of a medium.
pub fn known_type(content_type: &str) -> Option<&'static str> {
    MEDIA.iter().find(|(kind, _)| kind.eq_ignore_ascii_case(content_type)).map(|(kind, _)| *kind)
}

/// What a file is by its first bytes (64 are enough), if it is a medium. Text of any kind is not recognised: it could
/// be markup.
pub fn sniffed(start: &[u8]) -> Option<&'static str> {
    if let Some(format) = Format::of(start) {
        return Some(format.content_type());
    }
    Some(match start {
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => match brand {
            [b'M', b'4', b'A' | b'B', ..] => "audio/mp4",
            [b'q', b't', b' ', b' ', ..] => "video/quicktime",
            [b'3', b'g', ..] => "video/3gpp",
            [b'm' | b'M' | b'i' | b'a' | b'd' | b'f', ..] => "video/mp4",
            _ => return None,
        },
        [0x1A, 0x45, 0xDF, 0xA3, ..] => "video/webm",
        [b'O', b'g', b'g', b'S', rest @ ..] if has(rest, b"theora") => "video/ogg",
        [b'O', b'g', b'g', b'S', ..] => "audio/ogg",
        [b'f', b'L', b'a', b'C', ..] => "audio/flac",
        [b'I', b'D', b'3', ..] => "audio/mpeg",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => "audio/wav",
        [0xFF, second, ..] if second & 0xF6 == 0xF0 => "audio/aac",
        [0xFF, second, third, ..] if second & 0xE6 == 0xE2 && third & 0xF0 != 0xF0 => "audio/mpeg",
        _ => return None,
    })
}

fn has(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_media_have_a_type() {
        assert_eq!(content_type("JPG"), Some("image/jpeg"));
        for extension in ["", "html", "htm", "xhtml", "xml", "svg", "svgz", "json", "js", "css", "pdf", "txt", "php"] {
            assert_eq!(content_type(extension), None, "{extension}");
        }
        assert_eq!(known_type("Image/JPEG"), Some("image/jpeg"));
        for kind in ["", "text/html", "image/svg+xml", "application/json", "image/jpeg "] {
            assert_eq!(known_type(kind), None, "{kind}");
        }
    }
}
