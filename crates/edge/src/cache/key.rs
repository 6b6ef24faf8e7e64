//! What an object is called, and what a slice of it is called on the disk.

use aws_lc_rs::digest;
use std::fmt;
use std::sync::Arc;

/// Longest name of an object, site and path together, in bytes.
const LONGEST: usize = 4096;
/// Between site and path. Neither a host name nor a canonical path has control characters.
const BETWEEN: char = '\n';

/// The name of an object: a site and a canonical path in it. Cheap to clone.
///
/// Two keys are the same exactly if their texts are; whoever makes them decides what is canonical.
#[derive(Clone)]
pub struct ObjectKey(Arc<Named>);

struct Named {
    text: Box<str>,
    /// Length of the site.
    site: usize,
    hash: KeyHash,
}

impl ObjectKey {
    /// `None` for names that are too long or have control characters.
    pub fn new(site: &str, path: &str) -> Option<ObjectKey> {
        let text = joined(site, path)?;
        let hash = KeyHash::of(&text);
        Some(ObjectKey(Arc::new(Named { text: text.into(), site: site.len(), hash })))
    }

    /// The site it belongs to.
    pub fn site(&self) -> &str {
        &self.0.text[..self.0.site]
    }

    /// Its path within the site.
    pub fn path(&self) -> &str {
        &self.0.text[self.0.site + BETWEEN.len_utf8()..]
    }

    /// Site and path, as kept in the files.
    pub(super) fn text(&self) -> &str {
        &self.0.text
    }

    pub(super) fn hash(&self) -> KeyHash {
        self.0.hash
    }

    pub(super) fn slice(&self, number: u32) -> SliceId {
        SliceId { object: self.0.hash, number }
    }
}

/// The text that stands for a site and the beginning of a path; `None` as for keys.
pub(super) fn joined(site: &str, path: &str) -> Option<String> {
    let is_plain = |text: &str| !text.contains(|c: char| c.is_control());
    let fits = site.len() + path.len() < LONGEST;
    (fits && is_plain(site) && is_plain(path)).then(|| format!("{site}{BETWEEN}{path}"))
}

impl PartialEq for ObjectKey {
    fn eq(&self, other: &ObjectKey) -> bool {
        self.0.hash == other.0.hash && self.0.text == other.0.text
    }
}

impl Eq for ObjectKey {}

impl fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.site(), self.path())
    }
}

/// The first half of the SHA-256 of a key's text. It only finds the file: the text in the file decides.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct KeyHash([u8; 16]);

impl KeyHash {
    pub(super) fn of(text: &str) -> KeyHash {
        KeyHash(shortened(text.as_bytes()))
    }
}

/// SHA-256, cut to 128 bits.
pub(super) fn shortened(bytes: &[u8]) -> [u8; 16] {
    let digest = digest::digest(&digest::SHA256, bytes);
    let mut short = [0; 16];
    short.copy_from_slice(&digest.as_ref()[..16]);
    short
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One slice of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct SliceId {
    pub(super) object: KeyHash,
    pub(super) number: u32,
}

impl SliceId {
    /// Two digits that spread the files over folders.
    pub(super) fn folder(&self) -> String {
        format!("{:02x}", self.object.0[0])
    }

    /// One of so many places, evenly.
    pub(super) fn place(&self, among: usize) -> usize {
        (usize::from(self.object.0[1]) + self.number as usize) % among
    }

    /// The name of its file. Those of one object begin alike, see [`SliceId::parse`].
    pub(super) fn file_name(&self) -> String {
        format!("{}.{:x}", self.object, self.number)
    }

    /// The slice whose file has this name, if it is exactly the name we would give.
    pub(super) fn parse(name: &str) -> Option<SliceId> {
        let (hash, number) = name.split_once('.')?;
        let hash = u128::from_str_radix(hash, 16).ok()?;
        let number = u32::from_str_radix(number, 16).ok()?;
        let id = SliceId { object: KeyHash(hash.to_be_bytes()), number };
        (id.file_name() == name).then_some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_their_texts() {
        let key = ObjectKey::new("s3.example.com", "/a/b.png").unwrap();
        assert_eq!((key.site(), key.path()), ("s3.example.com", "/a/b.png"));
        assert_eq!(key, ObjectKey::new("s3.example.com", "/a/b.png").unwrap());
        assert_ne!(key, ObjectKey::new("s3.example.com/a", "/b.png").unwrap());
        assert_ne!(key, ObjectKey::new("s3.example.com", "/a/B.png").unwrap());
        for (site, path) in [("a\nb", "/c"), ("a", "/\n"), ("a", "/\0"), ("a", &*"/x".repeat(2048))] {
            assert!(ObjectKey::new(site, path).is_none(), "{site:?} {path:?}");
        }
    }

    #[test]
    fn file_names_lead_back() {
        for number in [0, 1, 10, 255, u32::MAX] {
            let id = ObjectKey::new("a", "/b").unwrap().slice(number);
            assert_eq!(SliceId::parse(&id.file_name()), Some(id));
            assert!(id.file_name().starts_with(&id.folder()));
        }
        let name = ObjectKey::new("a", "/b").unwrap().slice(10).file_name();
        let wrong =
            [name.to_uppercase(), format!("{name}.1"), format!("0{name}"), name.replace('.', ".0"), String::new()];
        for name in wrong.iter().map(String::as_str).chain(["a.1", "+1.1", "tmp", "."]) {
            assert_eq!(SliceId::parse(name), None, "{name}");
        }
    }
}
