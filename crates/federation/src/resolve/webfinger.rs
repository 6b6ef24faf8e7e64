//! Asking another server who somebody there is: <https://www.rfc-editor.org/rfc/rfc7033>.

use super::failed;
use crate::Federation;
use crate::documents::host;
use domain::{Error, Result};
use serde_json::Value;
use url::Url;

const ACCEPT: &str = "application/jrd+json, application/json";
const HOST_META_ACCEPT: &str = "application/xrd+xml, application/xml, text/xml";
/// Bytes of a host-meta that is looked at.
const HOST_META: usize = 64 * 1024;

/// What a server says about a handle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finger {
    pub(super) handle: Handle,
    /// The actor's name among servers.
    pub(super) href: String,
}

/// What stands on both sides of the `@`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Handle {
    pub(super) username: String,
    pub(super) domain: String,
}

impl Handle {
    /// Letter case does not matter.
    pub(super) fn is(&self, other: &Self) -> bool {
        let plain = |it: &Self| (it.username.to_lowercase(), it.domain.to_lowercase());
        plain(self) == plain(other)
    }
}

/// Asks the server of `handle` for who that is.
pub(super) async fn finger(federation: &Federation, Handle { username, domain }: &Handle) -> Result<Finger> {
    let domain = plain(domain).ok_or(Error::NotFound)?;
    let resource = format!("acct:{username}@{domain}");
    let base = if federation.site.base_url.starts_with("http://") && is_local(&domain) { "http" } else { "https" };
    let root = Url::parse(&format!("{base}://{domain}/")).map_err(|_| Error::NotFound)?;
    let url = asking(root.join("/.well-known/webfinger").map_err(|_| Error::NotFound)?, &resource);
    let value = match federation.fetcher.json(&url, ACCEPT).await {
        Ok(value) => value,
        Err(error) if error.is_absent() => {
            let url = elsewhere(federation, &root, &resource).await.ok_or_else(|| failed(&url, error))?;
            federation.fetcher.json(&url, ACCEPT).await.map_err(|e| failed(&url, e))?
        }
        Err(error) => return Err(failed(&url, error)),
    };
    read(&value).ok_or_else(|| Error::forbidden(format!("{domain} says nothing useful about {resource}")))
}

/// A host name with its port, if that is not the usual one, in lower case and ASCII; None for what is more or less.
pub(super) fn plain(domain: &str) -> Option<String> {
    let url = Url::parse(&format!("https://{domain}/")).ok()?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if bare && !domain.contains(['/', '@', '\\']) { host(url.as_str()) } else { None }
}

/// What may stand before the `@`.
fn is_name(name: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c.is_control() || "@/:?#<>\"'\\".contains(c);
    !name.is_empty() && name.len() <= 255 && !name.contains(odd)
}

/// Only names of this machine are asked without TLS, and only by a site that has none itself.
fn is_local(domain: &str) -> bool {
    let host = domain.rsplit_once(':').map_or(domain, |(host, _)| host);
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
}

fn asking(mut url: Url, resource: &str) -> Url {
    url.query_pairs_mut().append_pair("resource", resource);
    url
}

/// Where host-meta says that WebFinger is.
async fn elsewhere(federation: &Federation, root: &Url, resource: &str) -> Option<Url> {
    let url = root.join("/.well-known/host-meta").ok()?;
    let (_, text) = federation.fetcher.text(&url, HOST_META_ACCEPT, HOST_META).await.ok()?;
    let link = text.split("<Link").find(|link| link.contains("lrdd"))?;
    let template = link.split("template=").nth(1)?;
    let quote = template.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let template = template[1..].split(quote).next()?.replace("&amp;", "&");
    let escaped: String = url::form_urlencoded::byte_serialize(resource.as_bytes()).collect();
    Url::parse(&template.replace("{uri}", &escaped)).ok()
}

fn read(value: &Value) -> Option<Finger> {
    let subject = value["subject"].as_str()?;
    let subject = subject.strip_prefix("acct:").unwrap_or(subject);
    let (username, domain) = subject.trim_start_matches('@').rsplit_once('@')?;
    let links = value["links"].as_array()?;
    let is_document = |kind: &str| {
        kind == "application/activity+json"
            || (kind.starts_with("application/ld+json") && kind.contains("https://www.w3.org/ns/activitystreams"))
    };
    let fits = |link: &&Value| link["rel"] == "self" && link["type"].as_str().is_some_and(is_document);
    let href = links.iter().take(100).find(fits)?["href"].as_str()?;
    // A site's own actor is called as the site is, on this machine with a port.
    let named = is_name(username) || username.eq_ignore_ascii_case(domain);
    let (username, domain) = (named.then(|| username.to_owned())?, plain(domain)?);
    Some(Finger { handle: Handle { username, domain }, href: href.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn answers_are_read_and_nonsense_is_not() {
        let link = json!({ "rel": "self", "type": "application/activity+json", "href": "https://b.example/u/1" });
        let page = json!({ "rel": "self", "type": "text/html", "href": "https://b.example/@bob" });
        let read_one = |subject: &str, links: Value| read(&json!({ "subject": subject, "links": links }));
        let found = read_one("acct:Bob@B.example", json!([page, link])).unwrap();
        assert_eq!((found.handle.username.as_str(), found.handle.domain.as_str()), ("Bob", "b.example"));
        assert_eq!(found.href, "https://b.example/u/1");
        assert_eq!(read_one("acct:bob@b.example", json!([page])), None);
        assert_eq!(read_one("bob", json!([link])), None);
        for odd in
            ["acct:b ob@b.example", "acct:@b.example", "acct:bob@b.example/x", "acct:bob@", "acct:bob@b.example?x#y"]
        {
            assert_eq!(read_one(odd, json!([link])), None, "{odd}");
        }
        assert_eq!(read(&json!({ "subject": 7 })), None);
        assert_eq!(read(&json!([])), None);
    }

    #[test]
    fn only_this_machine_is_asked_without_tls() {
        for (name, local) in
            [("localhost:3000", true), ("127.0.0.1:80", true), ("example.com", false), ("localhost.example.com", false)]
        {
            assert_eq!(is_local(name), local, "{name}");
        }
    }
}
