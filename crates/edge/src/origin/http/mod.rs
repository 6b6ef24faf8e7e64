//! Another web server as an origin. It is told nothing of who asks: no cookies, no authorization, no address, and of the
//! query only what the site allows.

use super::freshness::Word;
use super::hops::CDN_LOOP;
use super::redirect::{Next, Redirects};
use super::{Body, Found, Manners, Order, empty, freshness};
use crate::cache::{Failure, Meta, Reply, TO_THE_END, Want};
use crate::config::HttpOrigin;
use futures_util::StreamExt as _;
use media::connections::{Connections, Names};
use media::trust;
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, RequestBuilder, Response, Url};
use rustls::ClientConfig;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Redirects that are followed one after the other.
const HOPS: usize = 3;
/// Connections that wait for the next request.
const KEPT: usize = 32;
/// An unused connection is not kept longer than this.
const POOL_IDLE: Duration = Duration::from_secs(30);
const USER_AGENT: &str = concat!("Noren/", env!("CARGO_PKG_VERSION"));

pub(super) struct Http {
    connections: Connections,
    /// Never used before, for what was lost on one that was.
    fresh: Connections,
    config: HttpOrigin,
    places: Arc<Semaphore>,
    headers: HeaderMap,
    redirects: Redirects,
    via: Arc<str>,
    honour: bool,
    usual: Duration,
    circles: AtomicBool,
    patience: Duration,
}

impl Http {
    /// An answer is waited for no longer than `most`, redirects included.
    pub(super) fn open(config: &HttpOrigin, manners: (&Manners, Duration)) -> Result<Http, String> {
        Http::with((Names::default(), POOL_IDLE), config, manners)
    }

    fn with(
        (names, idle): (Names, Duration),
        config: &HttpOrigin,
        (manners, most): (&Manners, Duration),
    ) -> Result<Http, String> {
        let tls = trust::tls(&config.authorities).map_err(|why| format!("authorities: {why}"))?;
        let host = config.url.url().domain().filter(|_| config.connect.is_none());
        let open = |kept: usize| {
            let (own, tls) = (config.clone(), tls.clone());
            let make = move || plain(&own, &tls).pool_idle_timeout(idle).pool_max_idle_per_host(kept);
            Connections::open(names.clone(), host, make).map_err(|error| error.without_url().to_string())
        };
        let (connections, fresh) = (open(KEPT)?, open(0)?);
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let via = HeaderValue::try_from(format!("1.1 {}", manners.via)).map_err(|error| error.to_string())?;
        headers.insert(header::VIA, via);
        let places = Arc::new(Semaphore::new(config.requests));
        let patience = config.answer_timeout.0.min(most);
        let (redirects, via) = (Redirects::new(config, manners), manners.via.clone());
        let (config, honour, usual) = (config.clone(), manners.honour, manners.usual);
        let circles = AtomicBool::new(false);
        Ok(Http { connections, fresh, config, places, headers, redirects, via, honour, usual, circles, patience })
    }

    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    pub(super) async fn ask(&self, order: &Order<'_>) -> Result<Found, Failure> {
        // Those who have the places may wait for an edge that waits for this one.
        let is_in_circle = !order.hops.is_empty() && self.circles.load(Ordering::Relaxed);
        let wait = if is_in_circle { Duration::ZERO } else { self.patience / 2 };
        let place = timeout(wait, self.places.clone().acquire_owned()).await;
        let place = place.map_err(|_| Failure::Busy)?.map_err(|_| Failure::Busy)?;
        timeout(self.patience, self.ask_with(place, order)).await.map_err(|_| Failure::TimedOut)?
    }

    async fn ask_with(&self, place: OwnedSemaphorePermit, order: &Order<'_>) -> Result<Found, Failure> {
        let asked = order.asked;
        let first = format!("{}{}", self.config.url.join(&asked.name.encoded()), asked.query);
        let mut url = Url::parse(&first).map_err(|error| Failure::Broken(error.to_string().into()))?;
        let own = self.config.host.as_ref().map(|host| host.as_str());
        let mut host = own;
        for _ in 0..=HOPS {
            let response = self.send((&url, host), order).await?;
            match self.redirects.next(&url, (response.status(), response.headers())) {
                Next::Take => return self.take(response, order.want, place),
                Next::Hand(location) => {
                    let (status, word) = (response.status().as_u16(), self.word(response.headers()));
                    let location = Some(location.to_string());
                    let meta = Meta { location, fresh_for: word.fresh_for, unkept: word.unkept, ..Meta::default() };
                    return Ok(Found::Reply(empty(status, meta)));
                }
                Next::Stay(location) => (url, host) = (location, own),
                Next::Follow(location) => (url, host) = (location, None),
                Next::Refuse(why) => return Err(Failure::Broken(why.into())),
            }
        }
        Err(Failure::Broken(format!("more than {HOPS} redirects").into()))
    }

    fn word(&self, headers: &HeaderMap) -> Word {
        let word = if self.honour { freshness::of(headers) } else { Word::default() };
        match freshness::of_an_edge(headers) {
            Some(most) => Word { fresh_for: Some(word.fresh_for.unwrap_or(self.usual).min(most)), ..word },
            None => word,
        }
    }

    /// Origins close connections that were unused for long, and may do so just when one is taken again: what is lost on one
    /// is asked for once more.
    async fn send(&self, place: (&Url, Option<&str>), order: &Order<'_>) -> Result<Response, Failure> {
        let answer = match self.request(&self.connections, place, order).send().await {
            Err(error) if is_lost(&error) => self.request(&self.fresh, place, order).send().await,
            answer => answer,
        };
        // A connection that breaks before the answer is no better than none.
        answer.map_err(|error| match failure(error) {
            Failure::Broken(why) => Failure::Unreachable(why),
            other => other,
        })
    }

    fn request(
        &self,
        connections: &Connections,
        (url, host): (&Url, Option<&str>),
        order: &Order<'_>,
    ) -> RequestBuilder {
        let Order { want, hops, .. } = *order;
        let passed = if hops.is_empty() { self.via.to_string() } else { format!("{hops}, {}", self.via) };
        let mut request = connections.client().get(url.clone()).headers(self.headers.clone()).header(CDN_LOOP, passed);
        if let Some(host) = host {
            request = request.header(header::HOST, host);
        }
        if want.slice != (0..TO_THE_END) {
            let last = if want.slice.end == TO_THE_END { String::new() } else { (want.slice.end - 1).to_string() };
            request = request.header(header::RANGE, format!("bytes={}-{last}", want.slice.start));
        }
        if let Some(known) = &want.validators {
            if let Some(etag) = &known.etag {
                request = request.header(header::IF_NONE_MATCH, etag);
            }
            if let Some(time) = known.last_modified.and_then(freshness::printed) {
                request = request.header(header::IF_MODIFIED_SINCE, time);
            }
        }
        request
    }

    fn take(&self, response: Response, want: &Want, place: OwnedSemaphorePermit) -> Result<Found, Failure> {
        let headers = response.headers();
        let (word, text) = (self.word(headers), |name: &HeaderName| freshness::text(headers, name));
        let mut meta = Meta {
            content_type: text(&header::CONTENT_TYPE).map(str::to_owned),
            etag: text(&header::ETAG).map(str::to_owned),
            last_modified: text(&header::LAST_MODIFIED).and_then(freshness::date),
            fresh_for: word.fresh_for,
            unkept: word.unkept,
            ..Meta::default()
        };
        let status = response.status().as_u16();
        match status {
            200 | 206 => {}
            304 if want.validators.is_some() => return Ok(Found::Reply(empty(304, meta))),
            404 | 410 => return Ok(Found::Absent),
            // Buckets say so of what is not there, but also when something is wrong with all that is.
            403 if !want.has_copy => return Ok(Found::Absent),
            416 => {
                meta.total =
                    text(&header::CONTENT_RANGE).and_then(|range| range.strip_prefix("bytes */")?.parse().ok());
                return Ok(Found::Reply(empty(416, meta)));
            }
            508 => {
                self.circles.store(true, Ordering::Relaxed);
                return Err(Failure::Circle);
            }
            other => return Err(Failure::Refused(other)),
        }
        if text(&header::CONTENT_ENCODING).is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
            return Err(Failure::Broken("compressed, although it was asked not to".into()));
        }
        if status == 206 {
            let range = text(&header::CONTENT_RANGE).and_then(content_range);
            let (start, total) = range.ok_or_else(|| Failure::Broken("a part without its place".into()))?;
            (meta.start, meta.total) = (start, total);
        } else {
            meta.total = text(&header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
        }
        Ok(Found::Reply(Reply { status, meta, body: body(response, place) }))
    }
}

fn plain(config: &HttpOrigin, tls: &ClientConfig) -> ClientBuilder {
    let builder = Client::builder()
        .user_agent(USER_AGENT)
        .redirect(Policy::none())
        .referer(false)
        .no_proxy()
        .http1_only()
        .connect_timeout(config.connect_timeout.0)
        .read_timeout(config.idle_timeout.0)
        .tls_backend_preconfigured(tls.clone());
    match (config.connect, config.url.url().host_str()) {
        (Some(address), Some(host)) => builder.resolve(host, address),
        _ => builder,
    }
}

/// The place is given back with the last byte.
fn body(response: Response, place: OwnedSemaphorePermit) -> Body {
    let pieces = response.bytes_stream().map(move |piece| {
        let _held = &place;
        piece.map_err(failure)
    });
    pieces.boxed()
}

/// (where it starts, length of the whole if it is known)
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    let total = if total == "*" { None } else { Some(total.parse().ok()?) };
    let fits = first <= last && total.is_none_or(|total| last < total);
    fits.then_some((first, total))
}

/// Whether the connection ended before a word of the answer: the request may never have been read.
fn is_lost(error: &reqwest::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let ends = [BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof];
    let mut causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    !error.is_connect()
        && !error.is_timeout()
        && causes.any(|cause| {
            let of_hyper = cause.downcast_ref::<hyper::Error>();
            let of_socket = cause.downcast_ref::<std::io::Error>();
            of_hyper.is_some_and(|error| error.is_incomplete_message() || error.is_canceled() || error.is_closed())
                || of_socket.is_some_and(|error| ends.contains(&error.kind()))
        })
}

/// In words without the address, which may say more than it should.
fn failure(error: reqwest::Error) -> Failure {
    if error.is_timeout() {
        return Failure::TimedOut;
    }
    if let Some(why) = trust::distrust(&error) {
        return Failure::Unreachable(why.into());
    }
    let (connects, error) = (error.is_connect(), error.without_url());
    let mut why = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !why.contains(&inner_text) {
            why = format!("{why}: {inner_text}");
        }
        source = inner.source();
    }
    match connects {
        true => Failure::Unreachable(why.into()),
        false => Failure::Broken(why.into()),
    }
}

#[cfg(test)]
mod tests;
