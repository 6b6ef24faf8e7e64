//! One connection that speaks HTTP, from its first request to its end.

use super::config::{ConnectionsConfig, Serve};
use super::frames::Counted;
use super::heads::Watched;
use super::requests::{Requests, Talk};
use super::streams::Streams;
use super::{Inner, Limits, Peer};
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep};

/// A proxy keeps connections open to use them again, and cannot be made to by strangers.
const PROXY_PATIENCE: u32 = 10;
/// hyper reads so many fields without asking the allocator.
const USUAL_FIELDS: usize = 100;
/// HTTP/2: what one request, and all of a connection, may send before we have taken it.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// HTTP/2: bytes of one answer that wait to be sent, beside the part that was handed over last.
const SEND_BUFFER: usize = 64 * 1024;
/// HTTP/2: a client that does not answer to a ping is gone.
const PING: Duration = Duration::from_secs(45);
/// How long an end in peace waits for a request that nobody has announced.
const LAST_CHANCE: Duration = Duration::from_secs(2);
/// Buffers of HTTP/1.
const BUFFER: usize = 64 * 1024;

/// What a connection is served with.
pub(super) struct Line {
    inner: Arc<Inner>,
    limits: ConnectionsConfig,
    patience: Duration,
    peer: Peer,
    serve: Serve,
}

impl Line {
    pub(super) fn new(inner: Arc<Inner>, (limits, trusted): (&Limits, bool), (peer, serve): (Peer, Serve)) -> Self {
        let patience = limits.header_timeout * if trusted { PROXY_PATIENCE } else { 1 };
        Self { inner, limits: limits.connections.clone(), patience, peer, serve }
    }

    fn requests(&self, streams: Option<Streams>) -> Requests {
        Requests {
            live: self.inner.live.clone(),
            challenges: self.inner.challenges.clone(),
            peer: self.peer,
            serve: self.serve,
            talk: Arc::default(),
            streams,
        }
    }

    fn head_size(&self) -> usize {
        usize::try_from(self.limits.head_size.0).unwrap_or(usize::MAX).clamp(1024, 1 << 20)
    }
}

pub(super) async fn http1<S>(stream: S, line: Line) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let requests = line.requests(None);
    let talk = requests.talk.clone();
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(line.patience);
    builder.max_buf_size(BUFFER.max(line.head_size())).max_header_size(line.head_size());
    if line.limits.head_fields != USUAL_FIELDS {
        builder.max_headers(line.limits.head_fields.clamp(1, 10_000));
    }
    let stream = TokioIo::new(Watched::new(stream, talk.clone()));
    let connection = builder.serve_connection(stream, requests).with_upgrades();
    drive(connection, (&talk, None), &line.inner).await
}

pub(super) async fn http2<S>(stream: S, line: Line) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let streams = Streams::new(line.limits.write_timeout.0);
    let requests = line.requests(Some(streams.clone()));
    let talk = requests.talk.clone();
    let mut builder = http2::Builder::new(streams.clone());
    builder.timer(TokioTimer::new()).keep_alive_interval(PING);
    builder.max_concurrent_streams(line.limits.streams.max(1));
    builder.max_header_list_size(u32::try_from(line.head_size()).unwrap_or(u32::MAX));
    builder.initial_stream_window_size(STREAM_WINDOW).initial_connection_window_size(CONNECTION_WINDOW);
    builder.max_send_buf_size(SEND_BUFFER);
    let connection = builder.serve_connection(TokioIo::new(Counted::new(stream, talk.clone())), requests);
    let timer = Box::pin(sleep(line.patience));
    let idle = Idle { timer, patience: line.patience, seen: 0, streams, sent: 0, went_on: false };
    drive(connection, (&talk, Some(idle)), &line.inner).await
}

/// What both versions have.
trait Connection: Future<Output = hyper::Result<()>> {
    /// Finishes the requests that have begun, takes no more, and ends.
    fn finish(self: Pin<&mut Self>);
}

impl<S> Connection for http1::UpgradeableConnection<TokioIo<Watched<S>>, Requests>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<S> Connection for http2::Connection<TokioIo<Counted<S>>, Requests, Streams>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// HTTP/2 without a request under way. (HTTP/1 waits for the next head, which has its time limit.)
struct Idle {
    timer: Pin<Box<Sleep>>,
    patience: Duration,
    /// Requests when the timer was set.
    seen: u64,
    streams: Streams,
    /// Bytes of answers when it was looked at last in the end,
    sent: u64,
    /// and whether there was something to wait for.
    went_on: bool,
}

impl Idle {
    /// Ready each time that nothing was asked for so long.
    fn poll(&mut self, cx: &mut Context<'_>, talk: &Talk) -> Poll<()> {
        while self.timer.as_mut().poll(cx).is_ready() {
            self.timer.as_mut().reset(Instant::now() + self.patience);
            let requests = talk.requests.load(Ordering::Relaxed);
            let quiet = requests == self.seen && self.streams.under_way() == 0;
            self.seen = requests;
            if quiet {
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }

    fn begin_end(&mut self, talk: &Talk) {
        (self.sent, self.went_on) = (talk.sent.load(Ordering::Relaxed), self.streams.under_way() > 0);
    }

    /// In the end: whether something is under way, or was when it was looked at last. The last piece of an answer is out of
    /// sight when it is handed over, and whoever takes it slowly has to get it.
    fn goes_on(&mut self, talk: &Talk) -> bool {
        let sent = talk.sent.load(Ordering::Relaxed);
        let is_moving = std::mem::replace(&mut self.sent, sent) != sent;
        let goes_on = is_moving || self.streams.under_way() > 0 || talk.lingers.load(Ordering::Relaxed);
        std::mem::replace(&mut self.went_on, goes_on) || goes_on
    }
}

/// After the word to finish: clients who have not asked for anything may have a request on its way, and some never do.
struct Ending(Pin<Box<Sleep>>);

impl Ending {
    /// Ready when nothing is under way and nothing came.
    fn poll(&mut self, cx: &mut Context<'_>, mut busy: impl FnMut() -> bool) -> Poll<()> {
        while self.0.as_mut().poll(cx).is_ready() {
            if !busy() {
                return Poll::Ready(());
            }
            self.0.as_mut().reset(Instant::now() + LAST_CHANCE);
        }
        Poll::Pending
    }
}

async fn drive<C: Connection>(connection: C, (talk, mut idle): (&Talk, Option<Idle>), inner: &Inner) -> io::Result<()> {
    let mut connection = pin!(connection);
    let mut stopped = pin!(inner.stop.cancelled());
    let (mut hangup, mut ending, mut told) = (None, None, false);
    let ended = poll_fn(|cx| {
        loop {
            let last = talk.last.load(Ordering::Relaxed);
            if ending.is_none() && (last || stopped.as_mut().poll(cx).is_ready()) {
                talk.last.store(true, Ordering::Relaxed);
                ending = Some(Ending(Box::pin(sleep(LAST_CHANCE))));
                if let Some(idle) = &mut idle {
                    idle.begin_end(talk);
                }
            }
            // HTTP/1 hangs up at once when it is told to finish between two requests, and the first one may be on its
            // way; where somebody else goes on with our addresses, so may any other: its answer says that it is the last.
            let asked = talk.requests.load(Ordering::Relaxed) > 0 && !inner.handed_on.load(Ordering::Relaxed);
            if ending.is_some() && (idle.is_some() || asked) && !told {
                told = true;
                connection.as_mut().finish();
            }
            if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                return Poll::Ready(ended);
            }
            if let Some(token) = talk.hold.token() {
                let hangup = hangup.get_or_insert_with(|| Box::pin(token.clone().cancelled_owned()));
                if hangup.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Ok(()));
                }
            }
            if let Some(ending) = &mut ending {
                let requests = talk.requests.load(Ordering::Relaxed);
                if !told && requests > 0 && !inner.handed_on.load(Ordering::Relaxed) {
                    continue;
                }
                let busy = || idle.as_mut().map_or(told || !talk.is_idle(), |idle| idle.goes_on(talk));
                if ending.poll(cx, busy).is_pending() {
                    return Poll::Pending;
                }
                if idle.is_some() || requests == 0 {
                    return Poll::Ready(Ok(()));
                }
                // HTTP/1 may have to send the end of an answer still, and closes by itself then.
                told = true;
                connection.as_mut().finish();
                continue;
            }
            if let Some(idle) = &mut idle
                && idle.poll(cx, talk).is_ready()
            {
                talk.last.store(true, Ordering::Relaxed);
            }
            if !talk.last.load(Ordering::Relaxed) {
                return Poll::Pending;
            }
        }
    });
    ended.await.map_err(io::Error::other)
}
