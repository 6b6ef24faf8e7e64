//! Where things are kept: Mastodon's own layout, so that its buckets can be served as they lie.
//! <https://github.com/mastodon/mastodon/blob/main/config/initializers/paperclip.rb>

use crate::Key;
use crate::key::valid_segment;
use aws_lc_rs::rand;

/// The folders that links lead to. What lies beside them (uploads with their metadata, archives, imports) is nobody
/// else's business.
pub const PUBLISHED: [&str; 6] =
    ["accounts/", "cache/", "custom_emojis/", "media_attachments/", "preview_cards/", "site_uploads/"];

/// Which version of a picture: the folder above the file name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// As it is shown in full.
    Original,
    /// The preview of an attachment.
    Small,
    /// The version that does not move (avatars, headers, emoji).
    Static,
}

impl Style {
    /// The folder's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Style::Original => "original",
            Style::Small => "small",
            Style::Static => "static",
        }
    }
}

/// Whose file it is: remote things lie under `cache/` and may be deleted at any time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Of this server.
    Local,
    /// A copy of something of another server.
    Remote,
}

/// The attachment folder of a class of things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `media_attachments/files`
    Attachment,
    /// `media_attachments/thumbnails`
    Thumbnail,
    /// `accounts/avatars`
    Avatar,
    /// `accounts/headers`
    Header,
    /// `custom_emojis/images`
    Emoji,
}

impl Kind {
    fn folder(self) -> &'static str {
        match self {
            Kind::Attachment => "media_attachments/files",
            Kind::Thumbnail => "media_attachments/thumbnails",
            Kind::Avatar => "accounts/avatars",
            Kind::Header => "accounts/headers",
            Kind::Emoji => "custom_emojis/images",
        }
    }
}

/// The key of one version of one thing: `[cache/]folder/109/698/…/style/name`.
/// `name` comes from [`file_name`] or from an imported row; `None` when it is not a valid part of a key.
pub fn key((origin, kind): (Origin, Kind), id: i64, style: Style, name: &str) -> Option<Key> {
    let prefix = match origin {
        Origin::Local => "",
        Origin::Remote => "cache/",
    };
    let (folder, partition, style) = (kind.folder(), id_partition(id), style.as_str());
    valid_segment(name).then(|| Key::built(format!("{prefix}{folder}/{partition}/{style}/{name}")))
}

/// A name nobody can guess: 16 hexadecimal digits and the extension (letters and digits only).
pub fn file_name(extension: &str) -> String {
    let mut name = random_hex::<8>();
    name.push('.');
    name.extend(extension.chars().filter(char::is_ascii_alphanumeric).take(8));
    name
}

/// `2N` random hexadecimal digits.
pub(crate) fn random_hex<const N: usize>() -> String {
    use std::fmt::Write;
    let mut bytes = [0u8; N];
    // The system's generator does not fail once it is up; if it did, the time still keeps names apart.
    if rand::fill(&mut bytes).is_err() {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        for (byte, value) in bytes.iter_mut().zip(now.as_nanos().to_le_bytes()) {
            *byte = value;
        }
    }
    bytes.iter().fold(String::with_capacity(2 * N), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Digits in groups of three: 9 of them below a thousand million, else 12, 15, 18 or 21.
/// Paperclip's `:id_partition` gives the same for serial numbers and for 18-digit snowflakes.
fn id_partition(id: i64) -> String {
    let digits = id.unsigned_abs().to_string();
    let width = digits.len().div_ceil(3).max(3) * 3;
    let padded = format!("{digits:0>width$}");
    let mut out = String::with_capacity(width / 3 * 4);
    for (place, digit) in padded.chars().enumerate() {
        if place > 0 && place % 3 == 0 {
            out.push('/');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_is_mastodons() {
        let key = |what, id, style, name| key(what, id, style, name).unwrap().to_string();
        assert_eq!(
            key((Origin::Local, Kind::Attachment), 109_698_123_456_789_012, Style::Small, "ab.jpg"),
            "media_attachments/files/109/698/123/456/789/012/small/ab.jpg"
        );
        assert_eq!(
            key((Origin::Remote, Kind::Avatar), 7, Style::Static, "x.png"),
            "cache/accounts/avatars/000/000/007/static/x.png"
        );
        assert_eq!(
            key((Origin::Local, Kind::Emoji), 12_345_678_901, Style::Original, "x.png"),
            "custom_emojis/images/012/345/678/901/original/x.png"
        );
    }

    #[test]
    fn strange_names_give_no_key() {
        for name in ["", "..", ".x", "a/b", "a b", "é"] {
            assert_eq!(key((Origin::Local, Kind::Header), 1, Style::Original, name), None);
        }
    }

    #[test]
    fn largest_id_and_names() {
        assert_eq!(id_partition(i64::MAX), "009/223/372/036/854/775/807");
        assert_eq!(id_partition(999_999_999), "999/999/999");
        assert_eq!(id_partition(1_000_000_000), "001/000/000/000");
        let name = file_name("../jpg");
        assert_eq!((name.len(), &name[16..]), (20, ".jpg"));
        assert_ne!(name, file_name("jpg"));
    }
}
