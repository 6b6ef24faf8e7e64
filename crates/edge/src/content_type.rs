//! What stored files are announced as. Only media are announced as what they are.

/// How a file is announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Announced {
    /// To be shown, as this type.
    Shown(&'static str),
    /// To be saved: nothing that a browser could run, or take for a document of this server.
    Saved,
}

/// By the extension; there is no way for HTML, XML, SVG, JSON or a script to be announced as such.
pub(crate) fn of(extension: &str) -> Announced {
    Announced::Shown(match extension.to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "apng" => "image/apng",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "heic" => "image/heic",
        "heif" => "image/heif",
        "mp4" | "m4v" => "video/mp4",
        "webm" => "video/webm",
        "mov" => "video/quicktime",
        "ogv" => "video/ogg",
        "mp3" => "audio/mpeg",
        "ogg" | "oga" | "opus" => "audio/ogg",
        "wav" => "audio/wav",
        "flac" => "audio/flac",
        "aac" => "audio/aac",
        "m4a" => "audio/mp4",
        "weba" => "audio/webm",
        "3gp" => "audio/3gpp",
        _ => return Announced::Saved,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_media_are_shown() {
        assert_eq!(of("JPG"), Announced::Shown("image/jpeg"));
        for extension in ["", "html", "htm", "xhtml", "xml", "svg", "svgz", "json", "js", "css", "pdf", "txt", "php"] {
            assert_eq!(of(extension), Announced::Saved, "{extension}");
        }
    }
}
