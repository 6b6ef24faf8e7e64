//! Asking for something: redirects by hand, each hop checked and signed anew.

use super::body::Body;
use super::refusal::refused;
use super::send::{Lease, Outgoing, Patience};
use super::target::{Target, target};
use super::{Bounds, Error, Fetcher};
use crate::signatures::{Form, Signer};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use bytes::Bytes;
use hyper::body::Incoming;
use tokio::time::Instant;
use url::Url;

/// What kind of server is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Another server of the federation: https only, and never ourselves.
    #[default]
    Federation,
    /// The same, for the end of what there was with a server that may be blocked: the only thing that is said to it then.
    Farewell,
    /// Any page or file.
    Web,
    /// Any page or file that is not our own: asking ourselves for what we ask others for would never end.
    Foreign,
}

/// What is to be fetched.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    pub url: &'a Url,
    /// The `Accept` header.
    pub accept: &'static str,
    pub signer: Option<&'a Signer>,
    pub scope: Scope,
    pub bounds: Bounds,
    /// The part that is wanted: from the first of these bytes to before the second.
    pub part: Option<(u64, u64)>,
}

impl<'a> Ask<'a> {
    /// A page or file, unsigned.
    pub fn web(url: &'a Url, accept: &'static str, bounds: Bounds) -> Self {
        Self { url, accept, signer: None, scope: Scope::Web, bounds, part: None }
    }

    /// A page or file of others, unsigned.
    pub fn foreign(url: &'a Url, accept: &'static str, bounds: Bounds) -> Self {
        Self { scope: Scope::Foreign, ..Self::web(url, accept, bounds) }
    }
}

/// A success, its body still to come.
pub struct Reply {
    /// Where it came from in the end.
    pub url: Url,
    /// 206 for the part that was asked for.
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Body,
}

impl Reply {
    pub fn content_type(&self) -> &str {
        self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// What came back from one place.
pub(super) struct Answer {
    pub(super) response: Response<Incoming>,
    pub(super) lease: Lease,
    pub(super) form: Option<Form>,
}

impl Fetcher {
    /// Fetches, following redirects. [`Error::Status`] for every answer that is not a success.
    pub async fn open(&self, ask: &Ask<'_>) -> Result<Reply, Error> {
        let patience = Patience { idle: ask.bounds.idle, until: Instant::now() + ask.bounds.total };
        let mut url = ask.url.clone();
        url.set_fragment(None);
        for _ in 0..=ask.bounds.redirects {
            let answer = self.ask(ask, &url, patience).await?;
            let status = answer.response.status();
            if status.is_success() {
                let (parts, incoming) = answer.response.into_parts();
                let body = Body::new((&parts.headers, incoming), answer.lease, (&ask.bounds, patience))?;
                return Ok(Reply { url, status, headers: parts.headers, body });
            }
            if !is_redirect(status) {
                return Err(refused(&answer.response));
            }
            url = next(&url, answer.response.headers())?;
        }
        Err(Error::Redirects)
    }

    /// Whether `url` may be asked, and where it leads.
    pub(super) async fn checked(&self, url: &Url, scope: Scope) -> Result<Target, Error> {
        let target = self.addressed(url, scope)?;
        self.0.options.gate.admit(&target.host(), scope).await?;
        Ok(target)
    }

    /// Where `url` leads, by the look of it.
    pub(super) fn addressed(&self, url: &Url, scope: Scope) -> Result<Target, Error> {
        let target = target(url, &self.0.options.private, scope)?;
        // By where it leads, not by how it is written: a dot at the end is no other host.
        if scope != Scope::Web && self.is_ours(&target.host()) {
            return Err(Error::Ours);
        }
        Ok(target)
    }

    async fn ask(&self, ask: &Ask<'_>, url: &Url, patience: Patience) -> Result<Answer, Error> {
        let target = self.checked(url, ask.scope).await?;
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(ask.accept));
        let encoding = if ask.bounds.bytes <= Bounds::DOCUMENT.bytes { "gzip" } else { "identity" };
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(encoding));
        if let Some((start, end)) = ask.part {
            let part = HeaderValue::try_from(format!("bytes={start}-{}", end.saturating_sub(1)));
            headers.insert(header::RANGE, part.map_err(|_| Error::Forbidden("no range"))?);
        }
        let out = Outgoing { method: Method::GET, url, headers, body: Bytes::new() };
        match ask.signer {
            None => {
                let (response, lease) = self.0.send(&target, &out, patience).await?;
                Ok(Answer { response, lease, form: None })
            }
            Some(signer) => self.knock((&target, out), (signer, None, &[]), patience).await,
        }
    }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Where a redirect leads. What began secure stays so.
fn next(from: &Url, headers: &HeaderMap) -> Result<Url, Error> {
    let location = headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
    let mut to = location.and_then(|text| from.join(text).ok()).ok_or(Error::Redirects)?;
    to.set_fragment(None);
    if from.scheme() == "https" && to.scheme() != "https" {
        return Err(Error::Forbidden("a redirect away from https"));
    }
    Ok(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_stay_secure() {
        let of = |from: &str, to: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::LOCATION, HeaderValue::from_str(to).unwrap());
            next(&Url::parse(from).unwrap(), &headers).ok().map(String::from)
        };
        assert_eq!(of("https://a.example/x", "/y#z").as_deref(), Some("https://a.example/y"));
        assert_eq!(of("https://a.example/x", "//b.example/y").as_deref(), Some("https://b.example/y"));
        assert_eq!(of("http://a.example/x", "https://a.example/x").as_deref(), Some("https://a.example/x"));
        assert_eq!(of("https://a.example/x", "http://a.example/x"), None);
        assert_eq!(of("https://a.example/x", "file:///etc/passwd"), None);
        assert_eq!(of("https://a.example/x", "https://"), None);
        assert!(next(&Url::parse("https://a.example/").unwrap(), &HeaderMap::new()).is_err());
    }
}
