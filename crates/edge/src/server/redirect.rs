//! From http to https, for the hosts that are ours and nobody else's.

use super::requests::empty;
use super::tls::Certificates;
use super::values::HostName;
use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, Response, StatusCode, header};
use std::collections::HashSet;
use std::sync::Arc;

/// Sends requests on to https.
#[derive(Debug)]
pub(super) struct Redirect {
    /// Names that a certificate is on its way for.
    pub(super) names: HashSet<HostName>,
    pub(super) certificates: Arc<Certificates>,
    /// Where https is spoken.
    pub(super) port: u16,
}

impl Redirect {
    /// The same host and path with https. A host that is not ours, and the lack of one, is no place to send people to.
    pub(super) fn answer<B>(&self, request: &Request<B>) -> Response<Body> {
        let Some(host) = host(request) else { return empty(StatusCode::BAD_REQUEST) };
        let host = host.to_ascii_lowercase();
        let ours = self.certificates.has(&host) || host.parse().is_ok_and(|name| self.names.contains(&name));
        if !ours {
            return empty(StatusCode::MISDIRECTED_REQUEST);
        }
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let path = if path.starts_with('/') { path } else { "/" };
        let place = match self.port {
            443 => format!("https://{host}{path}"),
            port => format!("https://{host}:{port}{path}"),
        };
        let Ok(place) = HeaderValue::try_from(place) else { return empty(StatusCode::BAD_REQUEST) };
        let safe = request.method() == Method::GET || request.method() == Method::HEAD;
        let status = if safe { StatusCode::MOVED_PERMANENTLY } else { StatusCode::PERMANENT_REDIRECT };
        let mut answer = empty(status);
        answer.headers_mut().insert(header::LOCATION, place);
        answer
    }
}

/// The host that a request is for, without its port: what the address names, else the header. None when there are two
/// of them, or none, or it cannot be read.
pub fn host<B>(request: &Request<B>) -> Option<&str> {
    let text = match request.uri().host() {
        Some(host) => host,
        None => {
            let mut all = request.headers().get_all(header::HOST).iter();
            let (Some(one), None) = (all.next(), all.next()) else { return None };
            one.to_str().ok()?
        }
    };
    let end = match text.strip_prefix('[') {
        Some(rest) => rest.find(']')? + 2,
        None => text.find(':').unwrap_or(text.len()),
    };
    let (host, port) = text.split_at(end);
    let port = port.strip_prefix(':').unwrap_or(port);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte);
    let good = !host.is_empty() && host.bytes().all(plain) && port.bytes().all(|byte| byte.is_ascii_digit());
    good.then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, uri: &str, hosts: &[&str]) -> Request<()> {
        let mut request = Request::builder().method(method).uri(uri);
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        request.body(()).unwrap()
    }

    #[test]
    fn only_hosts_that_are_ours_are_sent_on() {
        let names = ["a.example".parse().unwrap()].into();
        let redirect = Redirect { names, certificates: Arc::default(), port: 443 };
        let answer = |method: &str, uri: &str, hosts: &[&str]| {
            let answer = redirect.answer(&request(method, uri, hosts));
            let place = answer.headers().get(header::LOCATION).map(|place| place.to_str().unwrap().to_owned());
            (answer.status().as_u16(), place.unwrap_or_default())
        };
        assert_eq!(answer("GET", "/x/y?z=1", &["a.example"]), (301, "https://a.example/x/y?z=1".into()));
        assert_eq!(answer("HEAD", "/", &["A.Example:80"]), (301, "https://a.example/".into()));
        assert_eq!(answer("POST", "/", &["a.example"]), (308, "https://a.example/".into()));
        assert_eq!(answer("GET", "//evil.example/", &["a.example"]), (301, "https://a.example//evil.example/".into()));
        assert_eq!(answer("OPTIONS", "*", &["a.example"]), (308, "https://a.example/".into()));
        for hosts in [&["b.example"][..], &["a.example.evil.example"], &["1.2.3.4"], &["[::1]:80"], &["a.example."]] {
            assert_eq!(answer("GET", "/", hosts).0, 421, "{hosts:?}");
        }
        for hosts in [&[][..], &["a.example", "a.example"], &["a.example@b"], &["a.example/"], &["a.example:x"], &[""]]
        {
            assert_eq!(answer("GET", "/", hosts).0, 400, "{hosts:?}");
        }
        assert_eq!(answer("GET", "http://evil.example/", &["a.example"]).0, 421, "the address goes before the header");
    }

    #[test]
    fn another_port_is_named() {
        let names = ["a.example".parse().unwrap()].into();
        let redirect = Redirect { names, certificates: Arc::default(), port: 8443 };
        let answer = redirect.answer(&request("GET", "/x", &["a.example:8080"]));
        assert_eq!(answer.headers()[header::LOCATION], "https://a.example:8443/x");
    }
}
