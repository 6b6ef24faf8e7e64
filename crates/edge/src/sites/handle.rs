//! One request: whose it is, where its file is, what is answered.

use super::site::Site;
use super::watch::Watched;
use super::{Current, Edge, word};
use crate::cache::{Failure, How, Object};
use crate::config::Host;
use crate::local::inline;
use crate::log::Line;
use crate::metrics;
use crate::origin::{Asked, Opened, hops};
use crate::path::{Name, Unnamed};
use crate::serve::{self, Content, METHODS, Source, Validators};
use crate::server::{self, Peer};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version, header};
use axum::response::Response;
use futures_util::TryStreamExt as _;
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

const X_CACHE: HeaderName = HeaderName::from_static("x-cache");
/// So many bytes tell what a file is.
const SNIFFED: u64 = 64;

/// The address of whoever asks, as far as the proxies in front can be believed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client(pub(crate) IpAddr);

/// An answer, and how it came about.
struct Answered {
    response: Response,
    how: Option<How>,
}

impl From<Response> for Answered {
    fn from(response: Response) -> Self {
        Self { response, how: None }
    }
}

/// Any request: the host and the path say which site it is for.
pub(super) async fn handle(State(edge): State<Edge>, request: Request) -> Response {
    let started = Instant::now();
    let current = edge.current();
    let request = told(request, &current);
    let (site, answered) = edge.answered(&current, &request).await;
    edge.finished(&request, site, (answered, started))
}

/// A request that is for this site, whatever its host.
pub(super) async fn handle_for(State((edge, site)): State<(Edge, Arc<Site>)>, request: Request) -> Response {
    let started = Instant::now();
    let request = told(request, &edge.current());
    let answered = match (edge.end_of_circle(&request), Name::of_path(request.uri.path())) {
        (Some(end), _) => end.into(),
        (None, Ok(name)) => edge.answered_by(&site, &name, &request).await,
        (None, Err(unnamed)) => refusal(unnamed).into(),
    };
    edge.finished(&request, Some(site), (answered, started))
}

/// The head, with the address of whoever asks.
fn told(request: Request, current: &Current) -> Parts {
    let (mut request, _) = request.into_parts();
    if let Some(peer) = request.extensions.get::<Peer>().copied() {
        let client = server::client(peer, &request.headers, &current.trusted);
        request.extensions.insert(Client(client));
    }
    request
}

/// The host that a request names, or the answer to one that names none or several.
pub(super) fn host(version: Version, uri: &Uri, headers: &HeaderMap) -> Result<Host, StatusCode> {
    let mut named = headers.get_all(header::HOST).iter();
    let of_header = |host: &HeaderValue| host.to_str().ok().and_then(Host::of_request);
    let host = match (uri.authority(), named.next(), named.next()) {
        (_, _, Some(_)) | (None, None, _) => None,
        (None, Some(host), None) => of_header(host),
        (Some(authority), other, None) => {
            let host = Host::of_request(authority.as_str());
            // HTTP/1 says which one counts; with HTTP/2 somebody before us may have looked at the other.
            let differs = |other: &HeaderValue| version == Version::HTTP_2 && of_header(other) != host;
            if other.is_some_and(differs) { None } else { host }
        }
    };
    host.ok_or(StatusCode::BAD_REQUEST)
}

impl Edge {
    /// What every answer says, and what is counted and written down of it.
    fn finished(&self, request: &Parts, site: Option<Arc<Site>>, (answered, started): (Answered, Instant)) -> Response {
        let how = answered.how.map(word);
        let mut response = serve::guarded(answered.response);
        if let Some(how) = how {
            response.headers_mut().insert(X_CACHE, HeaderValue::from_static(how));
        }
        let status = response.status();
        let label = site.as_ref().map_or("", |site| site.label());
        let line = self.0.log.is_on().then(|| Line::new(request, (status, how), label));
        let figures = site.map_or_else(|| self.0.figures.nowhere(), |site| site.figures.clone());
        figures.count(status, answered.how);
        let log = self.0.log.clone();
        response.map(|body| {
            let ended = move |bytes: u64| {
                figures.ended(bytes);
                if let Some(line) = line {
                    log.write(line.ended(bytes, started.elapsed()));
                }
            };
            Body::new(Watched::new(body, ended))
        })
    }

    async fn answered(&self, current: &Current, request: &Parts) -> (Option<Arc<Site>>, Answered) {
        let host = match host(request.version, &request.uri, &request.headers) {
            Ok(host) => host,
            Err(status) => return (None, serve::error(status).into()),
        };
        if let Some(end) = self.end_of_circle(request) {
            return (None, end.into());
        }
        if request.method == Method::OPTIONS && request.uri.path() == "*" {
            return (None, serve::preflight().into());
        }
        let name = Name::of_path(request.uri.path());
        if let Some(figures) = self.figures_for(current, request, name.as_ref().ok()) {
            return (None, figures.into());
        }
        let name = match name {
            Ok(name) => name,
            Err(unnamed) => return self.unnamed(current, (&host, request), unnamed),
        };
        let Some(site) = current.table.find(&host, &name).cloned() else {
            return (None, serve::error(StatusCode::NOT_FOUND).into());
        };
        let answered = self.answered_by(&site, &name, request).await;
        (Some(site), answered)
    }

    /// The answer to a request of this edge's own that came back to it.
    fn end_of_circle(&self, request: &Parts) -> Option<Response> {
        hops::has_passed(&request.headers, &self.0.via).then(|| {
            came_back(request, &self.0.via);
            serve::error(StatusCode::LOOP_DETECTED)
        })
    }

    async fn answered_by(&self, site: &Site, name: &Name, request: &Parts) -> Answered {
        match request.method {
            Method::GET | Method::HEAD => self.file(site, name, request).await,
            Method::OPTIONS => serve::preflight().into(),
            _ => serve::with(serve::error(StatusCode::METHOD_NOT_ALLOWED), header::ALLOW, METHODS).into(),
        }
    }

    /// A path that names no file may still be the root of a site that sends everybody elsewhere.
    fn unnamed(
        &self,
        current: &Current,
        (host, request): (&Host, &Parts),
        why: Unnamed,
    ) -> (Option<Arc<Site>>, Answered) {
        let site = current.table.at_root(host, request.uri.path()).cloned();
        let target = site.as_ref().and_then(|site| site.redirect.as_ref());
        let response = match target {
            Some(target) => serve::redirect(StatusCode::MOVED_PERMANENTLY, &target.join("")),
            None => refusal(why),
        };
        (site, response.into())
    }

    /// For those who may read them; for all others there is nothing at that path.
    fn figures_for(&self, current: &Current, request: &Parts, name: Option<&Name>) -> Option<Response> {
        let path = current.metrics.path.as_ref()?;
        let client = request.extensions.get::<Client>()?.0;
        let may = current.metrics.allow.iter().any(|network| network.contains(client));
        (may && request.method == Method::GET && name?.as_str() == path.as_str()).then(|| figures(self))
    }

    async fn file(&self, site: &Site, name: &Name, request: &Parts) -> Answered {
        if let Some(target) = &site.redirect {
            let rest = name.below(&site.path).map(|rest| rest.encoded()).unwrap_or_default();
            return serve::redirect(StatusCode::MOVED_PERMANENTLY, &target.join(&rest)).into();
        }
        let asked = match site.asked(name, request.uri.query()) {
            Ok(asked) => asked,
            Err(unnamed) => return refusal(unnamed).into(),
        };
        match in_folders(site, &asked, request).await {
            Ok(Some(content)) => {
                return Answered { response: serve::answer(request, &content), how: Some(How::Bypass) };
            }
            Ok(None) => {}
            Err(error) => {
                tracing::error!(site = site.label(), name = %asked.name, %error, "a file cannot be read");
                // Another origin may have it.
                if site.is_folders_alone() {
                    return serve::error(StatusCode::INTERNAL_SERVER_ERROR).into();
                }
            }
        }
        self.cached(site, &asked, request).await
    }

    async fn cached(&self, site: &Site, asked: &Asked, request: &Parts) -> Answered {
        let (Some(key), Some(upstream)) = (site.key(&asked.to_key()), site.upstream(&request.headers)) else {
            return serve::error(StatusCode::NOT_FOUND).into();
        };
        match self.0.cache.object(&key, &upstream, hint(request)).await {
            Ok(object) => {
                let how = Some(object.how());
                let (is_unkept, good_for) = (object.is_unkept(), object.good_for());
                let mut response = from_object(site, Arc::new(object), request).await;
                if is_unkept {
                    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
                }
                // Who asks for somebody else may be asked for this file by us.
                if !upstream.chain().is_empty() {
                    response.headers_mut().insert(hops::GOOD_FOR, good_for.as_secs().into());
                }
                Answered { response, how }
            }
            Err(failure) => Answered { response: failed(&failure), how: Some(How::Miss) },
        }
    }
}

/// What will be read of an object, as far as the request tells.
fn hint(request: &Parts) -> Option<Range<u64>> {
    match request.method {
        // The beginning comes with everything that a head says.
        Method::HEAD => Some(0..1),
        _ => request.headers.get(header::RANGE).and_then(|value| value.to_str().ok()).and_then(serve::hint),
    }
}

/// Figures for Prometheus as an answer.
pub(super) fn figures(edge: &Edge) -> Response {
    metrics::answer(edge.metrics())
}

/// Tells the admin of an origin that leads straight here. By way of other edges it is no mistake: they ask back for what
/// they do not have.
fn came_back(request: &Parts, own: &str) {
    let (passed, path) = (hops::passed(&request.headers), request.uri.path());
    let host = host(request.version, &request.uri, &request.headers).ok();
    let host = host.as_ref().map(tracing::field::display);
    match passed.is_empty() || passed == own {
        true => tracing::error!(host, path, "a request of this edge came back to it: an origin leads here"),
        false => tracing::debug!(host, path, "a request of this edge came back to it from another one"),
    }
}

/// Nothing of a name is looked for.
fn refusal(unnamed: Unnamed) -> Response {
    serve::error(match unnamed {
        Unnamed::Malformed => StatusCode::BAD_REQUEST,
        Unnamed::Absent => StatusCode::NOT_FOUND,
    })
}

fn failed(failure: &Failure) -> Response {
    serve::error(match failure {
        Failure::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        Failure::Busy | Failure::Refused(429 | 503) => StatusCode::SERVICE_UNAVAILABLE,
        // So that the edge before us knows it, too.
        Failure::Circle => StatusCode::LOOP_DETECTED,
        _ => StatusCode::BAD_GATEWAY,
    })
}

/// The first folder that has the file. One that fails does not keep the next from being asked.
async fn in_folders(site: &Site, asked: &Asked, request: &Parts) -> std::io::Result<Option<Content>> {
    if site.folders.is_empty() {
        return Ok(None);
    }
    let (folders, name) = (site.folders.clone(), asked.name.clone());
    let (inline, svg, max_age) = (inline(request), site.svg, site.max_age);
    let looking = tokio::task::spawn_blocking(move || {
        let mut failure = None;
        for (folder, figures) in folders {
            match folder
                .open(&name)
                .and_then(|opened| opened.map(|opened| content(&name, opened, (inline, svg))).transpose())
            {
                Ok(None) => {}
                Ok(Some(content)) => {
                    figures.serve(content.length.unwrap_or(0));
                    return Ok(Some(Content { max_age, ..content }));
                }
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(None), Err)
    });
    looking.await.map_err(std::io::Error::other)?
}

fn content(name: &Name, opened: Opened, (inline, svg): (u64, crate::config::SvgPolicy)) -> std::io::Result<Content> {
    let Opened { file, length, modified } = opened;
    let announced = match serve::of_name(name.extension(), svg) {
        Some(announced) => announced,
        None => serve::sniffed(&serve::read(&file, 0..length.min(SNIFFED))?),
    };
    let source = match length <= inline {
        true => Source::Bytes(serve::read(&file, 0..length)?),
        false => Source::File(Arc::new(file)),
    };
    let validators = Validators::of_file(name.as_str(), length, modified);
    Ok(Content { length: Some(length), validators, announced, max_age: std::time::Duration::ZERO, source })
}

async fn from_object(site: &Site, object: Arc<Object>, request: &Parts) -> Response {
    match object.status() {
        200 | 206 => {}
        status @ (301 | 302 | 307 | 308) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FOUND);
            return match object.location() {
                // Whoever follows it would be sent on for ever.
                Some(location) if leads_back(location, request) => serve::error(StatusCode::LOOP_DETECTED),
                Some(location) => serve::redirect(status, location),
                None => serve::error(StatusCode::BAD_GATEWAY),
            };
        }
        404 | 410 => return serve::error(StatusCode::NOT_FOUND),
        _ => return serve::error(StatusCode::BAD_GATEWAY),
    }
    let announced = match object.content_type().and_then(|text| serve::stated(text, site.svg)) {
        Some(announced) => announced,
        None => match start(&object).await {
            Ok(start) => serve::sniffed(&start),
            Err(failure) => return failed(&failure),
        },
    };
    let validators = Validators::known(object.etag(), object.last_modified());
    let length = object.length();
    let max_age = match object.fresh_for() {
        Some(fresh_for) if site.honour => site.max_age.min(fresh_for),
        _ => site.max_age,
    };
    let content = Content { length, validators, announced, max_age, source: Source::Cached(object) };
    // No Age: the file is ours from here on, with a validator and a max-age of our own, which an age would cancel.
    serve::answer(request, &content)
}

/// Whether a redirect leads to the very address that is asked for.
fn leads_back(location: &str, request: &Parts) -> bool {
    let Ok(location) = url::Url::parse(location) else { return false };
    let named = location.host_str().and_then(Host::of_request);
    let is_same = location.path() == request.uri.path() && location.query() == request.uri.query();
    is_same && named.is_some() && host(request.version, &request.uri, &request.headers).ok() == named
}

/// The first bytes.
async fn start(object: &Object) -> Result<Vec<u8>, Failure> {
    let end = object.length().unwrap_or(SNIFFED).min(SNIFFED);
    let mut start = Vec::new();
    let mut pieces = std::pin::pin!(object.beginning(end));
    while let Some(piece) = pieces.try_next().await? {
        start.extend_from_slice(&piece);
    }
    Ok(start)
}
