//! Who follows whom, kept the same on both sides: a post for followers says whom its author's server counts among them
//! here; where the two do not agree, both are put right.
//! <https://codeberg.org/fediverse/fep/src/branch/main/fep/8fcf/fep-8fcf.md>

mod digest;
mod header;
mod mend;
mod serve;
mod told;

pub(crate) use header::NAME as HEADER;
pub(crate) use mend::claimed;
pub use mend::mend;
pub(crate) use serve::routes;
pub(crate) use told::{Counted, headers};

/// Followers that are counted: whoever has more tells nobody.
const MOST: i64 = 25_000;
/// Where an account's followers at one server are listed, behind its name.
const PATH: &str = "/followers_synchronization";

/// `https://host/`: what the names of all accounts of a server begin with.
pub(crate) fn place(uri: &str) -> Option<&str> {
    let (slash, _) = uri.match_indices('/').nth(2)?;
    uri.get(..=slash)
}

/// A set of names as it stands in the header.
pub fn digest_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    digest::Digest::of(names).to_string()
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn places() {
        assert_eq!(place("https://a.example/users/1"), Some("https://a.example/"));
        assert_eq!(place("http://a.example:8080/inbox/"), Some("http://a.example:8080/"));
        for none in ["", "https://a.example", "a/b"] {
            assert_eq!(place(none), None, "{none}");
        }
    }
}
