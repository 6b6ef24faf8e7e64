//! Where an application may be answered. What was registered is compared letter by letter.

use crate::{Error, Result};
use url::Url;

/// "Show the code to the person, who copies it": for programs without an address.
pub const OUT_OF_BAND: &str = "urn:ietf:wg:oauth:2.0:oob";

/// Addresses of one application.
const MOST: usize = 20;
/// Characters of one of them.
const CHARACTERS: usize = 2000;
/// Schemes that a browser would run, open or read from its own machine.
const FORBIDDEN: &[&str] =
    &["javascript", "data", "vbscript", "blob", "file", "filesystem", "about", "view-source", "mailto", "tel", "sms"];

const FIELD: &str = "Redirect URI";

/// Checks the addresses of a new application; what is refused is [`Error::Invalid`].
pub(super) fn check(uris: &[String]) -> Result<()> {
    if uris.is_empty() {
        return Err(Error::invalid(FIELD, "can't be blank"));
    }
    if uris.len() > MOST {
        return Err(Error::invalid(FIELD, format!("has too many entries (maximum is {MOST})")));
    }
    uris.iter().try_for_each(|uri| check_one(uri))
}

fn check_one(uri: &str) -> Result<()> {
    if uri == OUT_OF_BAND {
        return Ok(());
    }
    if uri.chars().count() > CHARACTERS {
        return Err(Error::invalid(FIELD, format!("is too long (maximum is {CHARACTERS} characters)")));
    }
    // A browser drops some control characters: what is checked here must be what is followed there.
    let odd = uri.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\');
    let url = Url::parse(uri).ok().filter(|_| !odd);
    let url = url.ok_or_else(|| Error::invalid(FIELD, "must be an absolute URI."))?;
    if FORBIDDEN.contains(&url.scheme()) {
        return Err(Error::invalid(FIELD, "is forbidden by the server."));
    }
    if url.fragment().is_some() {
        return Err(Error::invalid(FIELD, "cannot contain a fragment."));
    }
    let empty = url.cannot_be_a_base() && url.path().is_empty();
    let unnamed = matches!(url.scheme(), "http" | "https") && url.host().is_none();
    match empty || unnamed {
        true => Err(Error::invalid(FIELD, "must be an absolute URI.")),
        false => Ok(()),
    }
}

/// The address that sends somebody back to the application with `answers`. None for the out-of-band address.
pub(super) fn with(uri: &str, answers: &[(&str, &str)]) -> Option<String> {
    if uri == OUT_OF_BAND {
        return None;
    }
    let mut url = Url::parse(uri).ok()?;
    let mut query = url.query_pairs_mut();
    for (name, value) in answers.iter().filter(|(_, value)| !value.is_empty()) {
        query.append_pair(name, value);
    }
    drop(query);
    Some(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_addresses_that_are_safe_to_follow() {
        for good in [
            OUT_OF_BAND,
            "https://client.example/cb?a=b",
            "http://127.0.0.1:4711/callback",
            "icecubesapp://",
            "com.example.app:/callback",
            "com.example.app:callback",
        ] {
            assert!(check_one(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/callback",
            "client.example/cb",
            "//client.example",
            "https://",
            "javascript:alert(1)",
            "JavaScript://x/%0aalert(1)",
            "java\tscript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "https://client.example/#x",
            "https://client.example/ x",
            "https:\\\\client.example",
        ] {
            assert!(check_one(bad).is_err(), "{bad}");
        }
        assert!(check(&[]).is_err());
        assert!(check(&vec!["https://a.example".to_string(); 21]).is_err());
    }

    #[test]
    fn answers_join_what_is_there() {
        let cases = [
            ("https://a.example/cb?x=1", "https://a.example/cb?x=1&code=c&state=a+b%26c"),
            ("app://cb", "app://cb?code=c&state=a+b%26c"),
            ("com.example:cb", "com.example:cb?code=c&state=a+b%26c"),
        ];
        for (uri, wanted) in cases {
            assert_eq!(with(uri, &[("code", "c"), ("state", "a b&c"), ("none", "")]).unwrap(), wanted);
        }
        assert_eq!(with(OUT_OF_BAND, &[("code", "c")]), None);
    }
}
