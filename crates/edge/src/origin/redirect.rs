//! Where the redirects of a web server lead, and what is done about them: within the origin they are followed, what leads
//! back to the site or to an address that only we can reach is refused, all others are for the client.

use super::{Manners, freshness};
use crate::config::{Host, HttpOrigin};
use crate::path::Name;
use reqwest::StatusCode;
use reqwest::header::{self, HeaderMap};
use std::net::{IpAddr, Ipv4Addr};
use url::Url;

/// What to do with an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It is the file, or says that there is none.
    Take,
    /// To the client.
    Hand(Url),
    /// To the same server under the same name.
    Stay(Url),
    /// To another one that may be asked.
    Follow(Url),
    Refuse(String),
}

pub(super) struct Redirects {
    origin: Url,
    /// As the origin calls itself, if not by its address.
    host: Option<Host>,
    /// Whether it is connected to by its name alone.
    is_named: bool,
    follow: Vec<Host>,
    /// Those of the site.
    hosts: Vec<Host>,
    path: String,
}

impl Redirects {
    pub(super) fn new(config: &HttpOrigin, manners: &Manners) -> Redirects {
        Redirects {
            origin: config.url.url().clone(),
            host: config.host.clone(),
            is_named: config.connect.is_none(),
            follow: config.follow.clone(),
            hosts: manners.hosts.clone(),
            path: manners.path.clone(),
        }
    }

    /// For an answer that came from `url`.
    pub(super) fn next(&self, url: &Url, (status, headers): (StatusCode, &HeaderMap)) -> Next {
        if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Next::Take;
        }
        let refuse = |why: &str| Next::Refuse(why.to_owned());
        let location = freshness::text(headers, &header::LOCATION).and_then(|text| url.join(text).ok());
        let Some(location) = location else { return refuse("a redirect to nowhere") };
        let is_plain = matches!(location.scheme(), "http" | "https") && location.username().is_empty();
        let host = location.host_str().filter(|host| !host.is_empty()).and_then(Host::of_request);
        let Some(host) = host.filter(|_| is_plain && location.password().is_none()) else {
            return refuse("a redirect that nobody should follow");
        };
        if self.is_own(&location) || self.is_upgrade(&location) {
            return Next::Stay(location);
        }
        if self.host.as_ref() == Some(&host) {
            return Next::Stay(self.inside(&location));
        }
        if self.follow.contains(&host) {
            return Next::Follow(location);
        }
        if self.hosts.contains(&host) && self.is_ours(&location) {
            return refuse("a redirect back to this site: look at the host that the origin is asked for");
        }
        match status {
            _ if is_inside(&location) => refuse("a redirect to an address that nobody else can reach"),
            StatusCode::SEE_OTHER => refuse("a redirect to another thing"),
            _ => Next::Hand(location),
        }
    }

    fn is_own(&self, location: &Url) -> bool {
        let place =
            |url: &Url| (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port_or_known_default());
        place(location) == place(&self.origin)
    }

    /// The same name, encrypted.
    fn is_upgrade(&self, location: &Url) -> bool {
        let is_usual = self.origin.scheme() == "http" && self.origin.port().is_none() && self.is_named;
        let is_encrypted = location.scheme() == "https" && location.port().is_none();
        is_usual && is_encrypted && location.host() == self.origin.host()
    }

    /// The same file at the address that is known for the name.
    fn inside(&self, location: &Url) -> Url {
        let mut inside = self.origin.clone();
        inside.set_path(location.path());
        inside.set_query(location.query());
        inside
    }

    /// Whether the site would be asked for it.
    fn is_ours(&self, location: &Url) -> bool {
        Name::of_path(location.path()).is_ok_and(|name| name.below(&self.path).is_some())
    }
}

/// Addresses of this machine and of private networks, and names that only those know.
fn is_inside(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => is_private(ip),
        Some(url::Host::Ipv6(ip)) => match ip.to_canonical() {
            IpAddr::V4(ip) => is_private(ip),
            IpAddr::V6(ip) => {
                ip.is_loopback() || ip.is_unspecified() || ip.is_unique_local() || ip.is_unicast_link_local()
            }
        },
        Some(url::Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            let endings = [".localhost", ".local", ".internal", ".lan", ".home.arpa"];
            !name.contains('.') || endings.iter().any(|ending| name.ends_with(ending))
        }
        None => true,
    }
}

fn is_private(ip: Ipv4Addr) -> bool {
    let [first, second, ..] = ip.octets();
    let is_shared = first == 100 && (64..128).contains(&second);
    ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified() || is_shared
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirects(url: &str, host: Option<&str>) -> Redirects {
        Redirects {
            origin: url.parse().unwrap(),
            host: host.map(|host| host.parse().unwrap()),
            is_named: true,
            follow: vec!["known.test".parse().unwrap()],
            hosts: vec!["media.test".parse().unwrap()],
            path: "system".into(),
        }
    }

    fn next(redirects: &Redirects, location: &str) -> Next {
        let headers = [(header::LOCATION, location.parse().unwrap())].into_iter().collect();
        let from = redirects.origin.join("/system/a.png").unwrap();
        redirects.next(&from, (StatusCode::MOVED_PERMANENTLY, &headers))
    }

    #[test]
    fn where_they_lead() {
        let plain = redirects("http://old.test/system", None);
        let named = redirects("http://10.0.0.5:3000/system", Some("old.test"));
        for (redirects, location, expected) in [
            (&plain, "b.png", "stay http://old.test/system/b.png"),
            (&plain, "//old.test/b.png?c", "stay http://old.test/b.png?c"),
            (&plain, "https://old.test/b.png", "stay https://old.test/b.png"),
            (&plain, "http://old.test:81/b.png", "hand http://old.test:81/b.png"),
            (&plain, "https://known.test/b.png", "follow https://known.test/b.png"),
            (&plain, "https://media.test/system/b.png", "refuse"),
            (&plain, "https://MEDIA.test./system/b.png", "refuse"),
            (&plain, "https://media.test/%73ystem/b.png", "refuse"),
            (&plain, "https://media.test/other/b.png", "hand https://media.test/other/b.png"),
            (&plain, "https://elsewhere.test/b.png", "hand https://elsewhere.test/b.png"),
            (&named, "b.png", "stay http://10.0.0.5:3000/system/b.png"),
            (&named, "https://old.test/b.png?c=d", "stay http://10.0.0.5:3000/b.png?c=d"),
            (&named, "http://10.0.0.5:3001/b.png", "refuse"),
            (&named, "http://10.0.0.6/b.png", "refuse"),
            (&named, "http://169.254.169.254/latest", "refuse"),
            (&named, "http://[::1]/b.png", "refuse"),
            (&named, "http://[::ffff:10.0.0.1]/b.png", "refuse"),
            (&named, "http://[fd00::1]/b.png", "refuse"),
            (&named, "http://0x7f.1/b.png", "refuse"),
            (&named, "http://backend:3000/b.png", "refuse"),
            (&named, "http://web.internal./b.png", "refuse"),
            (&named, "http://[2001:db8::1]/b.png", "hand http://[2001:db8::1]/b.png"),
            (&named, "javascript:alert(1)", "refuse"),
            (&named, "https://a:b@elsewhere.test/", "refuse"),
        ] {
            let shown = match next(redirects, location) {
                Next::Take => "take".to_owned(),
                Next::Hand(url) => format!("hand {url}"),
                Next::Stay(url) => format!("stay {url}"),
                Next::Follow(url) => format!("follow {url}"),
                Next::Refuse(_) => "refuse".to_owned(),
            };
            assert_eq!(shown, expected, "{location}");
        }
    }
}
