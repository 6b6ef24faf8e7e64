//! Whether an address may be asked at all, by the look of it.

use super::{Error, Private, Scope};
use std::net::IpAddr;
use url::{Host, Url};

/// Bytes of an address.
const LONGEST: usize = 4096;

/// Where to connect.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Target {
    pub(super) tls: bool,
    pub(super) name: Name,
    pub(super) port: u16,
    /// Only for addresses that are allowed one by one: no public one is asked this way.
    pub(super) named: bool,
}

/// A name to resolve, or an address: every notation of one (`0x7f.1`, `2130706433`, `[::ffff:7f00:1]`) has been read as
/// such by then.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Name {
    Domain(String),
    Address(IpAddr),
}

impl Target {
    /// What hosts are remembered by: with the port, if it is not the usual one.
    pub(super) fn host(&self) -> String {
        let name = match &self.name {
            Name::Domain(domain) => domain.clone(),
            Name::Address(IpAddr::V4(address)) => address.to_string(),
            Name::Address(IpAddr::V6(address)) => format!("[{address}]"),
        };
        let usual = if self.tls { 443 } else { 80 };
        if self.port == usual { name } else { format!("{name}:{}", self.port) }
    }
}

/// Where `url` leads, if anybody may be led there.
pub(super) fn target(url: &Url, private: &Private, scope: Scope) -> Result<Target, Error> {
    let forbidden = |why| Err(Error::Forbidden(why));
    let federation = matches!(scope, Scope::Federation | Scope::Farewell);
    if url.as_str().len() > LONGEST {
        return forbidden("the address is too long");
    }
    let tls = match url.scheme() {
        "https" => true,
        "http" if !federation || *private != Private::Refused => false,
        _ => return forbidden("the address is not of https"),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return forbidden("the address holds a name or a password");
    }
    let name = match url.host() {
        Some(Host::Domain(domain)) => Name::Domain(domain.trim_end_matches('.').to_ascii_lowercase()),
        Some(Host::Ipv4(address)) => Name::Address(address.into()),
        Some(Host::Ipv6(address)) => Name::Address(address.into()),
        None => return forbidden("the address has no host"),
    };
    if federation && is_everybody(&name, url.path()) {
        return forbidden("this is everybody, whom nobody can ask");
    }
    let port = url.port().unwrap_or(if tls { 443 } else { 80 });
    let strict = *private == Private::Refused;
    let unusual = port != if tls { 443 } else { 80 };
    if strict && unusual {
        return forbidden("the address has an unusual port");
    }
    let plain = !tls && scope != Scope::Web;
    let named = matches!(private, Private::These(_)) && (unusual || plain);
    match &name {
        Name::Domain(domain) if strict && !domain.contains('.') => return forbidden("the host is not of the internet"),
        Name::Address(address) if named && !private.names(*address) => return forbidden("the address is not allowed"),
        Name::Address(address) if !private.allows(*address) => return forbidden("the address is not public"),
        Name::Domain(_) | Name::Address(_) => {}
    }
    Ok(Target { tls, name, port, named })
}

/// Whether this is where the name of everybody ([`crate::documents::PUBLIC`]) leads: whoever writes it where something is to be
/// fetched would have every server ask that one.
fn is_everybody(name: &Name, path: &str) -> bool {
    matches!(name, Name::Domain(domain) if domain == "www.w3.org")
        && path.trim_end_matches('/') == "/ns/activitystreams"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str, private: &Private, scope: Scope) -> Option<String> {
        target(&Url::parse(url).ok()?, private, scope).ok().map(|target| target.host())
    }

    #[test]
    fn what_may_be_asked() {
        for (url, host) in [
            ("https://a.example/x", "a.example"),
            ("https://A.Example./x", "a.example"),
            ("https://a.example:443/", "a.example"),
            ("https://1.1.1.1/", "1.1.1.1"),
            ("https://[2606:4700::1]/", "[2606:4700::1]"),
        ] {
            assert_eq!(of(url, &Private::Refused, Scope::Federation).as_deref(), Some(host), "{url}");
        }
        assert_eq!(of("http://a.example/", &Private::Refused, Scope::Web).as_deref(), Some("a.example"));
        assert_eq!(
            of("http://127.0.0.1:8080/", &Private::Allowed, Scope::Federation).as_deref(),
            Some("127.0.0.1:8080")
        );
    }

    #[test]
    fn nobody_asks_everybody() {
        for url in [
            crate::documents::PUBLIC,
            "https://www.w3.org/ns/activitystreams",
            "https://WWW.W3.org./ns/activitystreams/?x#Public",
            "http://www.w3.org/ns/activitystreams#Public",
        ] {
            for private in [Private::Refused, Private::Allowed] {
                assert_eq!(of(url, &private, Scope::Federation), None, "{url}");
            }
        }
        // It is a page, too.
        let page = of(crate::documents::PUBLIC, &Private::Refused, Scope::Web);
        assert_eq!(page.as_deref(), Some("www.w3.org"));
        let other = of("https://www.w3.org/ns/activitystreams-history", &Private::Refused, Scope::Federation);
        assert_eq!(other.as_deref(), Some("www.w3.org"));
    }

    #[test]
    fn what_else_may_be_asked_of_addresses_that_are_allowed() {
        let these = Private::These(["10.0.0.1".parse().unwrap()].into());
        for url in ["http://10.0.0.1:8080/", "https://10.0.0.1/", "https://1.1.1.1/", "https://intranet:8443/"] {
            assert!(of(url, &these, Scope::Federation).is_some(), "{url}");
        }
        for url in ["https://10.0.0.2/", "https://1.1.1.1:8443/", "http://1.1.1.1/"] {
            assert_eq!(of(url, &these, Scope::Federation), None, "{url}");
        }
        for (url, named) in [("https://a.example/", false), ("https://a.example:1/", true), ("http://a.example/", true)]
        {
            let target = target(&Url::parse(url).unwrap(), &these, Scope::Federation).unwrap();
            assert_eq!(target.named, named, "{url}");
        }
    }

    #[test]
    fn what_may_not_be_asked_in_any_notation() {
        for url in [
            "http://a.example/",
            "ftp://a.example/",
            "file:///etc/passwd",
            "gopher://a.example/",
            "data:text/plain,x",
            "https://user@a.example/",
            "https://user:secret@a.example/",
            "https://a.example:8443/",
            "https://a.example:80/",
            "https://localhost/",
            "https://localhost./",
            "https://intranet/",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://0x7f.1/",
            "https://0x7f000001/",
            "https://0177.0.0.1/",
            "https://2130706433/",
            "https://127.0.0.1./",
            "https://①②⑦.⓪.⓪.①/",
            "https://127。0。0。1/",
            "https://%31%32%37.0.0.1/",
            "https://0/",
            "https://0.0.0.0/",
            "https://169.254.169.254/",
            "https://0xa9fea9fe/",
            "https://10.0.0.1/",
            "https://[::1]/",
            "https://[::]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[0:0:0:0:0:ffff:0a00:0001]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[2002:7f00:1::]/",
            "https://[fe80::1]/",
            "https://[fd00::1]/",
            "https://[::127.0.0.1]/",
            &format!("https://a.example/{}", "x".repeat(5000)),
        ] {
            assert_eq!(of(url, &Private::Refused, Scope::Federation), None, "{url}");
        }
    }
}
