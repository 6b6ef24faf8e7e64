//! What of a request goes into what is signed.

use super::{Incoming, Ours, Outgoing, Refusal};
use axum::http::header::{self, HeaderName};
use url::{Position, Url};

/// The path and query of an address, as the first line of a request has them.
pub(super) fn target(url: &Url) -> &str {
    match &url[Position::BeforePath..Position::AfterQuery] {
        "" => "/",
        target => target,
    }
}

/// Without the query.
pub(super) fn path(target: &str) -> &str {
    target.split_once('?').map_or(target, |(path, _)| path)
}

/// The value of `Host`: with the port only if it is not the usual one.
pub(crate) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        None => host.to_owned(),
        Some(port) => format!("{host}:{port}"),
    }
}

/// The parts of a request that a signature may name.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    /// In capitals.
    pub(super) method: &'a str,
    /// Path and query.
    pub(super) target: &'a str,
    pub(super) host: String,
}

impl<'a> Parts<'a> {
    pub(super) fn outgoing(request: &Outgoing<'a>) -> Self {
        Self { method: request.method.as_str(), target: target(request.url), host: authority(request.url) }
    }

    /// Refuses what is not for one of our hosts.
    pub(super) fn incoming(request: &Incoming<'a>, ours: &Ours<'_>) -> Result<Self, Refusal> {
        let mut named = request.headers.get_all(header::HOST).iter();
        let host = match (named.next(), named.next()) {
            (Some(one), None) => one.to_str().map_err(|_| Refusal::Host)?,
            // HTTP/2 says it elsewhere.
            (None, _) => request.uri.authority().map(|a| a.as_str()).ok_or(Refusal::Host)?,
            (Some(_), Some(_)) => return Err(Refusal::Host),
        };
        let host = host.trim();
        if !ours.hosts.iter().any(|known| known.eq_ignore_ascii_case(host)) {
            return Err(Refusal::Host);
        }
        let target = request.uri.path_and_query().map_or("/", |target| target.as_str());
        Ok(Self { method: request.method.as_str(), target, host: host.to_owned() })
    }
}

/// All values of an ordinary header, as both drafts join them; None when it is absent or not text.
pub(super) fn field(request: &Incoming<'_>, name: &str) -> Option<String> {
    let name = HeaderName::try_from(name).ok()?;
    let mut out: Option<String> = None;
    for value in request.headers.get_all(&name) {
        let text = value.to_str().ok()?.trim();
        match &mut out {
            None => out = Some(text.to_owned()),
            Some(joined) => {
                joined.push_str(", ");
                joined.push_str(text);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_they_stand_in_requests() {
        for (url, expected_target, host) in [
            ("https://a.example", "/", "a.example"),
            ("https://a.example:443/x?y=%20#z", "/x?y=%20", "a.example"),
            ("http://[::1]:8080/?q", "/?q", "[::1]:8080"),
            ("https://BÜCHER.example/ü", "/%C3%BC", "xn--bcher-kva.example"),
        ] {
            let url = Url::parse(url).unwrap();
            assert_eq!((target(&url), authority(&url).as_str()), (expected_target, host));
        }
        assert_eq!(path("/a?b?c"), "/a");
    }
}
