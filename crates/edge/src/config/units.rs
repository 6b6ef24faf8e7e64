//! Values of the configuration that are more than text. Each reads what people write and says what it expects when it
//! cannot.

use std::fmt;
use std::str::FromStr;
use url::Url;

media::as_text!(Host, Folder, WebUrl);

/// A host name or address as requests name it: lower case, ASCII, without a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Host(String);

impl Host {
    /// What the Host header or the authority of a request says; `None` for what is no host.
    pub fn of_request(text: &str) -> Option<Host> {
        let bare = match text.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') && (!host.contains(':') || host.ends_with(']')) => {
                let is_port = port.bytes().all(|byte| byte.is_ascii_digit()) && port.len() <= 5;
                is_port.then_some(host)?
            }
            _ => text,
        };
        let bare = bare.strip_suffix('.').unwrap_or(bare);
        let is_name = bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        let is_v6 = || {
            let inner = bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
            inner.is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok())
        };
        ((1..=253).contains(&bare.len()) && (is_name || is_v6())).then(|| Host(bare.to_ascii_lowercase()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Host {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = "expected a host name without a port, such as \"media.example.com\"";
        let port = text.rsplit_once(':').is_some_and(|(host, _)| !host.contains(':') || host.ends_with(']'));
        let url = Url::parse(&format!("http://{text}/")).map_err(|_| wanted)?;
        let bare = !port && !text.contains(['/', '@', '?', '#', '\\']) && url.path() == "/";
        let host = url.host_str().filter(|_| bare).ok_or(wanted)?;
        Host::of_request(host).ok_or_else(|| wanted.to_owned())
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A part of a path, kept without slashes at its ends: "/system" and "system/" are the same, "/" is everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Folder(String);

impl Folder {
    /// Without slashes at its ends.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Folder {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let bare = text.trim_matches('/');
        let is_part = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && !part.contains(['%', '?', '#', '\\'])
                && !part.contains(char::is_control)
        };
        match bare.is_empty() || bare.split('/').all(is_part) {
            true => Ok(Self(bare.to_owned())),
            false => Err("expected a path such as \"/\" or \"/system\"".into()),
        }
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", self.0)
    }
}

/// An address on the web, perhaps with a path: no name, password, query or fragment, no slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebUrl(Url);

impl WebUrl {
    /// With what is below it, given as an encoded path without a slash in front.
    pub fn join(&self, encoded: &str) -> String {
        format!("{}/{encoded}", self.0.as_str().trim_end_matches('/'))
    }

    pub fn url(&self) -> &Url {
        &self.0
    }
}

impl FromStr for WebUrl {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = "expected an address such as \"https://example.com/media\"";
        let url = Url::parse(text).map_err(|_| wanted)?;
        let plain = matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none();
        let anonymous = url.username().is_empty() && url.password().is_none();
        if plain && anonymous && url.has_host() { Ok(Self(url)) } else { Err(wanted.into()) }
    }
}

impl fmt::Display for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_requests() {
        for (text, expected) in [
            ("Media.Example.COM", Some("media.example.com")),
            ("media.example.com:8443", Some("media.example.com")),
            ("media.example.com.", Some("media.example.com")),
            ("127.0.0.1:80", Some("127.0.0.1")),
            ("[::1]:80", Some("[::1]")),
            ("[::1]", Some("[::1]")),
            ("localhost", Some("localhost")),
            ("", None),
            (".", None),
            (":80", None),
            ("a b", None),
            ("a/b", None),
            ("a@b", None),
            ("a:b", None),
            ("a:123456", None),
            ("::1", None),
            ("a,b", None),
            ("例え.jp", None),
        ] {
            assert_eq!(Host::of_request(text).as_ref().map(Host::as_str), expected, "{text}");
        }
    }

    #[test]
    fn values_of_the_file() {
        assert_eq!("例え.JP".parse::<Host>().unwrap().as_str(), "xn--r8jz45g.jp");
        for text in ["", "a:80", "https://a", "a/b", "a b"] {
            assert!(text.parse::<Host>().is_err(), "{text}");
        }
        for (text, expected) in [("/", ""), ("", ""), ("/system/", "system"), ("a/b", "a/b")] {
            assert_eq!(text.parse::<Folder>().unwrap().as_str(), expected);
        }
        for text in ["/../x", "/a//b", "/a/.b", "/a%20b", "/a?b"] {
            assert!(text.parse::<Folder>().is_err(), "{text}");
        }
        let url: WebUrl = "https://Example.com/media/".parse().unwrap();
        assert_eq!(
            (url.to_string(), url.join("a/b")),
            ("https://example.com/media".into(), "https://example.com/media/a/b".into())
        );
        assert_eq!("http://a".parse::<WebUrl>().unwrap().join("b"), "http://a/b");
        for text in ["", "example.com", "ftp://a", "https://a:b@c", "https://a?b", "https://a#b"] {
            assert!(text.parse::<WebUrl>().is_err(), "{text}");
        }
    }
}
