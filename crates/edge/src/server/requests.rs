//! What happens to a request between the connection and the router.

use super::acme::Challenges;
use super::streams::{Stream, Streams, Told, UnderWay};
use super::unread::Unread;
use super::{Hold, Live, Peer, Scheme, Serve};
use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, StatusCode, Version, header};
use hyper::body::Incoming;
use std::convert::Infallible;
use std::future::ready;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use tower::ServiceExt as _;

/// What a connection and its requests know of each other.
#[derive(Debug, Default)]
pub(super) struct Talk {
    pub(super) requests: AtomicU64,
    /// Requests whose answers are not handed over as a whole.
    under_way: Arc<AtomicUsize>,
    /// There shall be no further request on this connection.
    pub(super) last: AtomicBool,
    /// HTTP/1: a head has come that others may read otherwise.
    pub(super) is_bad: AtomicBool,
    /// HTTP/1: a request's body has not come to its end.
    pub(super) is_within_body: AtomicBool,
    /// HTTP/1: the client wants, or has been told, that the connection ends with this answer.
    pub(super) is_parting: AtomicBool,
    /// HTTP/1: whoever ends a request's connection ends all of it.
    pub(super) hold: Hold,
    /// HTTP/2: bytes of answers that the socket has taken.
    pub(super) sent: AtomicU64,
    /// HTTP/2: everything was said, and the client's end is waited for.
    pub(super) lingers: AtomicBool,
}

impl Talk {
    /// The answer as it is sent.
    fn finish(&self, mut answer: Response<Body>, (stream, under_way): Begun) -> Response<Told> {
        // Who is answered before all of a body has come is hung up on, and has to know it: clients with something to say
        // would say it on a connection that is about to end.
        if self.is_within_body.load(Ordering::Relaxed) {
            self.last.store(true, Ordering::Relaxed);
        }
        // HTTP/1 would go on with a request that has come already; HTTP/2 has its own word for it.
        if stream.is_none() && self.last.load(Ordering::Relaxed) {
            answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            self.is_parting.store(true, Ordering::Relaxed);
        }
        answer.map(|body| Told::new(body, stream, under_way))
    }

    pub(super) fn is_idle(&self) -> bool {
        self.under_way.load(Ordering::Relaxed) == 0
    }
}

/// A request that is being answered: its stream with HTTP/2, and that it counts.
type Begun = (Option<Arc<Stream>>, UnderWay);

/// Takes the requests of one connection.
#[derive(Clone)]
pub(super) struct Requests {
    pub(super) live: Arc<RwLock<Arc<Live>>>,
    pub(super) challenges: Challenges,
    pub(super) peer: Peer,
    pub(super) serve: Serve,
    pub(super) talk: Arc<Talk>,
    /// None for HTTP/1.
    pub(super) streams: Option<Streams>,
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Told>, Infallible>> + Send>>;

impl hyper::service::Service<Request<Incoming>> for Requests {
    type Response = Response<Told>;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, request: Request<Incoming>) -> Answer {
        let begun = (self.streams.as_ref().map(Streams::begin), UnderWay::new(&self.talk.under_way));
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner).clone();
        let count = self.talk.requests.fetch_add(1, Ordering::Relaxed) + 1;
        if count >= live.limits.connections.requests {
            self.talk.last.store(true, Ordering::Relaxed);
        }
        if begun.0.is_none() && wants_end(&request) {
            self.talk.is_parting.store(true, Ordering::Relaxed);
        }
        let own = self.own_answer(&request, &live);
        let mut request = match begun.0 {
            Some(_) => request.map(|body| Body::new(Unread::new(body))),
            None => request.map(Body::new),
        };
        if let Some(answer) = own {
            return Box::pin(ready(Ok(self.talk.finish(answer, begun))));
        }
        request.extensions_mut().insert(self.peer);
        let scheme = if self.serve == Serve::Https { Scheme::Https } else { Scheme::Http };
        request.extensions_mut().insert(scheme);
        if let Some(mark) = &live.mark {
            mark(&mut request, begun.0.as_ref().map_or(&self.talk.hold, |stream| &stream.hold));
        }
        let hsts = live.hsts.clone().filter(|_| scheme == Scheme::Https);
        let (answer, talk) = (live.router.clone().oneshot(request), self.talk.clone());
        Box::pin(async move {
            let mut answer = match answer.await {
                Ok(answer) => answer,
                Err(never) => match never {},
            };
            if let Some(hsts) = hsts {
                answer.headers_mut().entry(header::STRICT_TRANSPORT_SECURITY).or_insert(hsts);
            }
            Ok(talk.finish(answer, begun))
        })
    }
}

impl Requests {
    /// What is not asked of the router: requests that nobody should answer, a certificate authority's, and all of them
    /// where everybody is sent on.
    fn own_answer(&self, request: &Request<Incoming>, live: &Live) -> Option<Response<Body>> {
        let headers = request.headers();
        // HTTP/1 counts while it reads.
        if request.version() == Version::HTTP_2 && headers.len() > live.limits.connections.head_fields {
            return Some(empty(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE));
        }
        if self.talk.is_bad.load(Ordering::Relaxed) {
            self.talk.last.store(true, Ordering::Relaxed);
            return Some(empty(StatusCode::BAD_REQUEST));
        }
        if headers.contains_key(header::TRANSFER_ENCODING) {
            // Nothing behind the chunks is believed.
            self.talk.last.store(true, Ordering::Relaxed);
        }
        match self.serve {
            Serve::Https => None,
            Serve::Http => self.challenges.answer(request.uri().path()),
            Serve::Redirect => {
                let answer = self.challenges.answer(request.uri().path());
                Some(answer.unwrap_or_else(|| live.redirect.answer(request)))
            }
        }
    }
}

/// Whether a client of HTTP/1 says that it asks for nothing else. The old ones mean it when they say nothing.
fn wants_end<B>(request: &Request<B>) -> bool {
    let words = request.headers().get_all(header::CONNECTION).iter().filter_map(|words| words.to_str().ok());
    let closes = |word: &str| word.trim().eq_ignore_ascii_case("close");
    request.version() < Version::HTTP_11 || words.flat_map(|words| words.split(',')).any(closes)
}

/// An answer without content.
pub(super) fn empty(status: StatusCode) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    answer
}
