//! Values of the configuration that are more than text: names and addresses of the site, what is logged.
//! Each reads what people write and says what it expects when it cannot.

pub use edge::server::values::{ByteSize, Listen, Network, Period};
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

media::as_text!(SiteDomain, Origin, BaseUrl, LogLevel);

/// The name after the @ of handles: lower case, international names in their ASCII form, with a port if need be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteDomain {
    name: String,
    local: bool,
}

impl SiteDomain {
    pub fn as_str(&self) -> &str {
        &self.name
    }
    /// `localhost:3000`
    pub fn localhost(port: u16) -> Self {
        Self { name: format!("localhost:{port}"), local: true }
    }
    /// A name of this machine alone: development over plain http.
    pub fn is_local(&self) -> bool {
        self.local
    }
}

impl FromStr for SiteDomain {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = "expected a domain name such as \"example.com\"";
        let url = url::Url::parse(&format!("http://{text}/")).map_err(|_| wanted)?;
        let bare = !text.contains(['/', '@', '?', '#', '\\']) && url.path() == "/";
        let host = url.host().filter(|_| bare).ok_or(wanted)?;
        let local = match &host {
            url::Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
            url::Host::Ipv4(ip) => *ip == Ipv4Addr::LOCALHOST,
            url::Host::Ipv6(ip) => *ip == Ipv6Addr::LOCALHOST,
        };
        let port = url.port().filter(|port| local || *port != 443);
        let name = port.map_or_else(|| host.to_string(), |port| format!("{host}:{port}"));
        if !local && !name.contains('.') && !matches!(host, url::Host::Ipv6(_)) {
            return Err(wanted.into());
        }
        Ok(Self { name, local })
    }
}

impl fmt::Display for SiteDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Scheme, host and port: `https://example.com`. No trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

/// As [`Origin`], and perhaps a path: `https://cdn.example.com/media`. No trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(String);

/// An address on the web without name, password, query and fragment.
fn web_address(text: &str) -> Option<url::Url> {
    let url = url::Url::parse(text).ok()?;
    let plain = matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none();
    let anonymous = url.username().is_empty() && url.password().is_none();
    (plain && anonymous && url.has_host()).then_some(url)
}

impl FromStr for Origin {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let url = web_address(text).filter(|url| url.path() == "/");
        let url = url.ok_or("expected an address without a path, such as \"https://example.com\"")?;
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }
}

impl FromStr for BaseUrl {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let url = web_address(text).ok_or("expected an address such as \"https://example.com/media\"")?;
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is logged: a level, or a list of levels by part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLevel(String);

impl LogLevel {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LogLevel {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<tracing_subscriber::EnvFilter>() {
            Ok(_) if !text.trim().is_empty() => Ok(Self(text.to_owned())),
            _ => Err("expected a level such as \"info\" or a list such as \"info,api=debug\"".into()),
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Default for LogLevel {
    fn default() -> Self {
        Self("info".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn round<T: FromStr<Err = String> + fmt::Display>(text: &str, printed: &str) {
        assert_eq!(text.parse::<T>().map(|value| value.to_string()), Ok(printed.to_owned()), "{text}");
    }

    #[track_caller]
    fn refused<T: FromStr<Err = String>>(texts: &[&str]) {
        for text in texts {
            assert!(text.parse::<T>().is_err(), "{text}");
        }
    }

    #[test]
    fn domains() {
        for (text, printed) in [
            ("Example.COM", "example.com"),
            ("例え.jp", "xn--r8jz45g.jp"),
            ("localhost:3000", "localhost:3000"),
            ("example.com:443", "example.com"),
            ("example.com:8443", "example.com:8443"),
        ] {
            round::<SiteDomain>(text, printed);
        }
        assert!("localhost".parse::<SiteDomain>().unwrap().is_local());
        assert!("127.0.0.1:3000".parse::<SiteDomain>().unwrap().is_local());
        assert!(!"example.com".parse::<SiteDomain>().unwrap().is_local());
        refused::<SiteDomain>(&[
            "",
            "example",
            "https://example.com",
            "a@example.com",
            "example.com/",
            "exa mple.com",
            "a.b:99999",
        ]);
    }

    #[test]
    fn origins() {
        round::<Origin>("https://Example.com/", "https://example.com");
        round::<BaseUrl>("https://cdn.example.com/bucket/", "https://cdn.example.com/bucket");
        refused::<Origin>(&["https://example.com/social"]);
        refused::<Origin>(&[
            "",
            "example.com",
            "ftp://example.com",
            "https://a:b@example.com",
            "https://example.com?x",
        ]);
    }
}
