//! Where things are kept: Mastodon's own layout, so that its buckets can be served as they lie.
//! <https://github.com/mastodon/mastodon/blob/main/config/initializers/paperclip.rb>

use crate::Key;
use crate::key::valid_segment;
use aws_lc_rs::{digest, rand};
use std::borrow::Cow;

/// What copies of files of other servers lie below.
pub const CACHE: &str = "cache/";

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
    /// `preview_cards/images`
    Card,
}

impl Kind {
    fn folder(self) -> &'static str {
        match self {
            Kind::Attachment => "media_attachments/files",
            Kind::Thumbnail => "media_attachments/thumbnails",
            Kind::Avatar => "accounts/avatars",
            Kind::Header => "accounts/headers",
            Kind::Emoji => "custom_emojis/images",
            Kind::Card => "preview_cards/images",
        }
    }

    const ALL: [Kind; 6] = [Kind::Attachment, Kind::Thumbnail, Kind::Avatar, Kind::Header, Kind::Emoji, Kind::Card];
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

/// Which version of which thing.
pub type What = (Kind, i64, Style);

/// Whether what is written down for a file is its address on another server, and no key.
pub fn is_address(stored: &str) -> bool {
    stored.starts_with("https://") || stored.starts_with("http://")
}

/// The key under which a file is shown: the stored one, or for a file of another server its place in the cache, which is
/// the same as long as the address is.
pub fn shown((kind, id, style): What, stored: &str) -> Cow<'_, str> {
    if !is_address(stored) {
        return Cow::Borrowed(stored);
    }
    let key = key((Origin::Remote, kind), id, style, &remote_name(stored));
    Cow::Owned(key.map(|key| key.to_string()).unwrap_or_default())
}

/// What [`shown`] says of, by the key alone; its name is to be compared.
pub fn read(key: &str) -> Option<What> {
    key.strip_prefix(CACHE).and_then(read_own)
}

/// The same for a file of our own: what [`key`] was made of.
pub fn read_own(rest: &str) -> Option<What> {
    let (kind, rest) = Kind::ALL.iter().find_map(|kind| {
        let rest = rest.strip_prefix(kind.folder())?.strip_prefix('/')?;
        Some((*kind, rest))
    })?;
    let mut parts = rest.rsplitn(3, '/');
    let (_, style, partition) = (parts.next()?, parts.next()?, parts.next()?);
    let style = [Style::Original, Style::Small, Style::Static].into_iter().find(|known| known.as_str() == style)?;
    let id = partition.split('/').collect::<String>().parse().ok()?;
    // Whatever else there is was put there by somebody else.
    (id_partition(id) == partition).then_some((kind, id, style))
}

/// Digits of the address's hash, and its extension where that is one of a medium.
fn remote_name(address: &str) -> String {
    let hash = digest::digest(&digest::SHA256, address.as_bytes());
    let mut name = String::with_capacity(22);
    for byte in hash.as_ref().iter().take(8) {
        use std::fmt::Write as _;
        let _ = write!(name, "{byte:02x}");
    }
    let path = address.split(['?', '#']).next().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    let extension = last.rsplit_once('.').map_or("", |(_, extension)| extension);
    if crate::content_type(extension).is_some() {
        name.push('.');
        name.push_str(&extension.to_ascii_lowercase());
    }
    name
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
    fn addresses_have_a_place_in_the_cache() {
        let what = (Kind::Attachment, 109_698_123_456_789_012, Style::Small);
        let key = shown(what, "https://a.example/x/cat.PNG?size=large#top");
        assert_eq!(key, "cache/media_attachments/files/109/698/123/456/789/012/small/ae70e79bb5883b0f.png");
        assert_eq!((read(&key), read_own(&key)), (Some(what), None));
        assert_eq!(read_own("accounts/avatars/000/000/007/original/x.png"), Some((Kind::Avatar, 7, Style::Original)));
        assert_eq!(shown((Kind::Avatar, 7, Style::Original), "accounts/avatars/x.png"), "accounts/avatars/x.png");
        for (address, end) in [
            ("https://a.example/", ""),
            ("https://a.example/avatar", ""),
            ("https://a.example/a.svg", ""),
            ("https://a.example/a.php?x=.png", ""),
            ("https://a.example/a.jpeg", ".jpeg"),
        ] {
            let key = shown((Kind::Avatar, 7, Style::Static), address).into_owned();
            let name = key.strip_prefix("cache/accounts/avatars/000/000/007/static/").unwrap();
            assert_eq!((name.len(), &name[16..]), (16 + end.len(), end), "{address}");
            assert_eq!(read(&key), Some((Kind::Avatar, 7, Style::Static)));
        }
        for text in [
            "accounts/avatars/000/000/007/static/x",
            "cache/accounts/avatars/000/000/007/x",
            "cache/accounts/avatars/000/000/007/large/x",
            "cache/accounts/avatars/00a/000/007/static/x",
            "cache/accounts/avatars/999/999/999/999/999/999/999/999/static/x",
            "cache/accounts/avatars/7/static/x",
            "cache/accounts/avatars/000/000/000/007/static/x",
            "cache/accounts/avatars/000/000/+07/static/x",
            "cache/accounts/other/000/000/007/static/x",
            "cache/",
            "",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
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
