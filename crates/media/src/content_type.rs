//! What stored files are called when they are sent to somebody.

/// The content type of a file with this extension; `None` for everything that is not a picture, video or sound.
/// There is no way for HTML, XML, SVG, JSON or a script to be called what it is.
pub fn content_type(extension: &str) -> Option<&'static str> {
    Some(match extension.to_ascii_lowercase().as_str() {
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
        _ => return None,
    })
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
    }
}
