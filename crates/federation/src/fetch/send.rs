//! One request, one answer, in one of the places that there are.

use super::pool::{Pool, Sender};
use super::target::Target;
use super::{Error, Inner, meter, watch};
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout, timeout_at};
use url::{Position, Url};

/// For a place among the requests. Longer queues are the caller's business.
const QUEUE: Duration = Duration::from_secs(10);
/// For a kept connection to be ready again.
const READY: Duration = Duration::from_millis(100);

/// What is sent, apart from the headers that signing gives.
pub(super) struct Outgoing<'a> {
    pub(super) method: Method,
    pub(super) url: &'a Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// A connection and the right to use it. Given back when the answer has been read to its end.
pub(super) struct Lease {
    sender: Sender,
    target: Target,
    pool: Arc<Pool>,
    _place: Place,
}

/// One of the requests that may run at once, at this host and at all.
pub(super) struct Place {
    _host: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

impl Lease {
    pub(super) fn give_back(self) {
        if !self.sender.is_closed() {
            self.pool.put(self.target, self.sender);
        }
    }
}

/// How long may be waited: for the next sign of life, and for all of it.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    pub(super) idle: Duration,
    pub(super) until: Instant,
}

impl Patience {
    pub(super) fn next(self) -> Instant {
        self.until.min(Instant::now() + self.idle)
    }
}

impl Inner {
    /// First one at the host, so that those who wait for a slow host hold nothing that others need.
    async fn place(&self, target: &Target) -> Result<Place, Error> {
        let slots = self.hosts.slots(&target.host());
        let host = timeout(QUEUE, slots.acquire_owned()).await;
        let all = timeout(QUEUE, self.requests.clone().acquire_owned());
        let host = host.map_err(|_| Error::Busy)?.map_err(|_| Error::Busy)?;
        let all = all.await.map_err(|_| Error::Busy)?.map_err(|_| Error::Busy)?;
        Ok(Place { _host: host, _all: all })
    }

    pub(super) async fn send(
        &self,
        target: &Target,
        out: &Outgoing<'_>,
        patience: Patience,
    ) -> Result<(Response<Incoming>, Lease), Error> {
        meter::tick()?;
        watch::asks();
        watch::unless_enough(self.exchange(target, out, patience)).await
    }

    async fn exchange(
        &self,
        target: &Target,
        out: &Outgoing<'_>,
        patience: Patience,
    ) -> Result<(Response<Incoming>, Lease), Error> {
        let place = self.place(target).await?;
        let lease = |sender| Lease { sender, target: target.clone(), pool: self.pool.clone(), _place: place };
        if let Some(mut sender) = self.pool.take(target)
            && matches!(timeout(READY, sender.ready()).await, Ok(Ok(())))
        {
            let answer = timeout_at(patience.next(), sender.send_request(self.request(out)?)).await;
            match answer.map_err(|_| Error::TimedOut)? {
                Ok(answer) => return Ok((answer, lease(sender))),
                // The other side has hung up meanwhile: that is no answer. Everything sent here may arrive twice.
                Err(error) if error.is_closed() || error.is_canceled() || error.is_incomplete_message() => {}
                Err(error) => return Err(broken(&error)),
            }
        }
        let mut sender = self.reached(target, patience).await?;
        let answer = timeout_at(patience.next(), sender.send_request(self.request(out)?)).await;
        match answer.map_err(|_| Error::TimedOut)? {
            Ok(answer) => Ok((answer, lease(sender))),
            Err(error) => Err(broken(&error)),
        }
    }

    /// A new connection; whether it came about is remembered.
    async fn reached(&self, target: &Target, patience: Patience) -> Result<Sender, Error> {
        let outcome = timeout_at(patience.until, self.connect(target)).await.unwrap_or(Err(Error::TimedOut));
        match &outcome {
            Ok(_) => self.hosts.connected(&target.host(), true),
            Err(error) if error.is_of_the_connection() => self.hosts.connected(&target.host(), false),
            Err(_) => {}
        }
        outcome
    }

    fn request(&self, out: &Outgoing<'_>) -> Result<Request<Full<Bytes>>, Error> {
        let uri = match &out.url[Position::BeforePath..Position::AfterQuery] {
            "" => "/",
            target => target,
        };
        let agent = HeaderValue::from_str(&self.options.user_agent);
        let mut request = Request::new(Full::new(out.body.clone()));
        *request.method_mut() = out.method.clone();
        *request.uri_mut() = uri.parse().map_err(|_| Error::Forbidden("the address is not one of HTTP"))?;
        *request.headers_mut() = out.headers.clone();
        request.headers_mut().insert(header::USER_AGENT, agent.map_err(|_| Error::Forbidden("no User-Agent"))?);
        if !request.headers().contains_key(header::HOST) {
            let host = HeaderValue::from_str(&crate::signatures::authority(out.url));
            request.headers_mut().insert(header::HOST, host.map_err(|_| Error::Forbidden("the host is not a name"))?);
        }
        Ok(request)
    }
}

pub(super) fn broken(error: &hyper::Error) -> Error {
    let mut why = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        why = format!("{why}: {inner}");
        source = inner.source();
    }
    Error::Broken(why)
}
