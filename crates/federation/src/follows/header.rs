//! `Collection-Synchronization`.

use super::digest::Digest;
use crate::signatures::parameters;
use axum::http::HeaderMap;

pub(crate) const NAME: &str = "collection-synchronization";
/// Bytes of an address in it, and of all of it.
const ADDRESS: usize = 2048;
const LONGEST: usize = 8 * 1024;

/// What a server says about followers of an account of its own that are at the server it speaks to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    /// The name of the list of all its followers.
    pub(super) collection: String,
    pub(super) digest: Digest,
    /// Where the part of it is that this is about.
    pub(super) url: String,
}

impl Claim {
    pub(super) fn to_text(&self) -> String {
        let Self { collection, digest, url } = self;
        format!("collectionId=\"{collection}\", digest=\"{digest}\", url=\"{url}\"")
    }

    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(NAME).iter();
        match (values.next(), values.next()) {
            (Some(one), None) => Self::read(one.to_str().ok()?),
            _ => None,
        }
    }

    fn read(text: &str) -> Option<Self> {
        let found = if text.len() <= LONGEST { parameters(text)? } else { return None };
        let of = |wanted: &str| {
            let mut values = found.iter().filter(|(name, _)| *name == wanted).map(|(_, value)| *value);
            let one = values.next().filter(|value| value.len() <= ADDRESS)?;
            values.next().is_none().then_some(one)
        };
        let digest = Digest::read(of("digest")?)?;
        Some(Self { collection: of("collectionId")?.to_owned(), digest, url: of("url")?.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back_and_broken() {
        let claim = Claim {
            collection: "https://a.example/users/1/followers".into(),
            digest: Digest::of(["https://b.example/users/1"]),
            url: "https://a.example/users/1/followers_synchronization".into(),
        };
        let text = claim.to_text();
        assert_eq!(Claim::read(&text), Some(claim.clone()));
        let parts: Vec<&str> = text.split(", ").collect();
        assert_eq!(Claim::read(&format!("{},{} ,{}", parts[2], parts[0], parts[1])), Some(claim));
        for broken in [
            "",
            "collectionId",
            parts[0],
            &format!("{}, {}", parts[0], parts[1]),
            &format!("{text}, {}", parts[2]),
            &text.replace("digest=\"", "digest=\"0"),
            &format!("{text}, more=\"{}\"", "x".repeat(9000)),
        ] {
            assert_eq!(Claim::read(broken), None, "{broken}");
        }
    }
}
