//! A set of names in 32 bytes, whatever their order.

use aws_lc_rs::digest::{SHA256, digest};
use std::fmt;

/// The SHA-256 of each name, all taken together by exclusive or.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Digest([u8; 32]);

impl Digest {
    /// No name may come twice: it would be as if it were not there.
    pub(super) fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut all = Self::default();
        names.into_iter().for_each(|name| all.add(name));
        all
    }

    pub(super) fn add(&mut self, name: &str) {
        for (byte, more) in self.0.iter_mut().zip(digest(&SHA256, name.as_bytes()).as_ref()) {
            *byte ^= more;
        }
    }

    /// 64 hexadecimal digits.
    pub(super) fn read(text: &str) -> Option<Self> {
        if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let mut read = Self::default();
        for (at, byte) in read.0.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        Some(read)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_others_compute_it() {
        let (one, two) = ("https://testing.example.org/users/1", "https://testing.example.org/users/2");
        let both = "c33f48cd341ef046a206b8a72ec97af65079f9a3a9b90eef79c5920dce45c61f";
        assert_eq!(Digest::of([one, two]).to_string(), both);
        assert_eq!(Digest::of([two, one]).to_string(), both);
        assert_eq!(Digest::default().to_string(), "0".repeat(64));
        assert_eq!(Digest::read(both), Some(Digest::of([one, two])));
        assert_eq!(Digest::read(&both.to_uppercase()), Digest::read(both));
        for broken in ["", "00", &"g".repeat(64), &"é".repeat(32), &"+1".repeat(32), &both.repeat(2)] {
            assert_eq!(Digest::read(broken), None, "{broken}");
        }
    }
}
