//! The requests under way on one HTTP/2 connection. Each is a task of its own: a client that stops reading one answer
//! loses that one, and only the others go on.

use super::Hold;
use crate::waiting::Waiting;
use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Sleep, sleep};
use tokio_util::sync::WaitForCancellationFutureOwned;

/// So much of an answer is handed over at a time. What is handed over is out of reach: nobody knows whether the client
/// takes it. Of clients that share a slow line among many answers each still gets a part before it is given up.
const PIECE: usize = 32 * 1024;

/// One request and its answer.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pub(super) hold: Hold,
    /// A part of the answer was handed over and the next one was not asked for yet: the client is in no hurry.
    handed: AtomicBool,
    parts: AtomicUsize,
}

/// Runs the streams of one connection. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Streams {
    /// The stream whose task comes next: hyper calls the service and hands over the task at once.
    next: Arc<Mutex<Option<Arc<Stream>>>>,
    under_way: Arc<AtomicUsize>,
    timeout: Duration,
}

impl Streams {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { next: Arc::default(), under_way: Arc::default(), timeout }
    }

    /// The stream of the request that is being taken on.
    pub(super) fn begin(&self) -> Arc<Stream> {
        let stream = Arc::<Stream>::default();
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(stream.clone());
        stream
    }

    pub(super) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }
}

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Streams {
    fn execute(&self, task: F) {
        // What comes without a request before it carries on what was upgraded.
        let Some(stream) = self.next.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            tokio::spawn(task);
            return;
        };
        let under_way = UnderWay::new(&self.under_way);
        let timeout = self.timeout;
        tokio::spawn(Watched { task, stream, _under_way: under_way, timeout, seen: 0, timer: None, hangup: None });
    }
}

/// Counted until it is dropped.
pub(super) struct UnderWay(Arc<AtomicUsize>);

impl UnderWay {
    pub(super) fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

pin_project! {
    /// Ends with its task, when it is hung up, or when the client takes nothing for too long; the stream is reset then.
    struct Watched<F> {
        #[pin]
        task: F,
        stream: Arc<Stream>,
        _under_way: UnderWay,
        timeout: Duration,
        // How many parts had been handed over when the timer was set.
        seen: usize,
        timer: Option<Pin<Box<Sleep>>>,
        hangup: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    }
}

impl<F: Future<Output = ()>> Future for Watched<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        if this.task.poll(cx).is_ready() {
            return Poll::Ready(());
        }
        if let Some(token) = this.stream.hold.token() {
            let hangup = this.hangup.get_or_insert_with(|| Box::pin(token.clone().cancelled_owned()));
            if hangup.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
        }
        if !this.stream.handed.load(Ordering::Relaxed) {
            *this.timer = None;
            return Poll::Pending;
        }
        let parts = this.stream.parts.load(Ordering::Relaxed);
        if this.timer.is_none() || parts != *this.seen {
            *this.seen = parts;
            *this.timer = Some(Box::pin(sleep(*this.timeout)));
        }
        match this.timer {
            Some(timer) => timer.as_mut().poll(cx),
            None => Poll::Pending,
        }
    }
}

/// An answer's body that tells its stream when a part is taken.
pub(super) struct Told {
    body: Body,
    /// None where the socket itself shows whether the client reads.
    stream: Option<Arc<Stream>>,
    /// What has come of the body and was not handed over.
    rest: Bytes,
    /// What came last of the body, until more of it is asked for.
    waiting: Waiting,
    _under_way: UnderWay,
}

impl Told {
    pub(super) fn new(body: Body, stream: Option<Arc<Stream>>, under_way: UnderWay) -> Self {
        Self { body, stream, rest: Bytes::new(), waiting: Waiting::default(), _under_way: under_way }
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut data = match self.rest.is_empty() {
            false => std::mem::take(&mut self.rest),
            true => {
                self.waiting = Waiting::default();
                let data = match ready!(hyper::body::Body::poll_frame(Pin::new(&mut self.body), cx)) {
                    Some(Ok(frame)) => frame.into_data(),
                    end => return Poll::Ready(end),
                };
                match data {
                    Ok(data) => {
                        self.waiting = Waiting::new(data.len());
                        data
                    }
                    Err(frame) => return Poll::Ready(Some(Ok(frame))),
                }
            }
        };
        if data.len() > PIECE {
            self.rest = data.split_off(PIECE);
        }
        Poll::Ready(Some(Ok(Frame::data(data))))
    }
}

impl hyper::body::Body for Told {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        if this.stream.is_none() {
            return Pin::new(&mut this.body).poll_frame(cx);
        }
        let piece = this.poll_piece(cx);
        if let Some(stream) = &this.stream {
            let handed = matches!(piece, Poll::Ready(Some(Ok(_))));
            stream.handed.store(handed, Ordering::Relaxed);
            if handed {
                stream.parts.fetch_add(1, Ordering::Relaxed);
            }
        }
        piece
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (mut hint, rest) = (self.body.size_hint(), self.rest.len() as u64);
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint.set_lower(hint.lower().saturating_add(rest));
        hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::waiting;
    use hyper::body::Body as _;
    use std::future::poll_fn;

    #[tokio::test]
    async fn an_answer_is_handed_over_in_pieces_where_it_is_not_seen_who_reads() {
        let bytes: Bytes = (0..100_000u32).map(|n| (n % 251) as u8).collect();
        for (stream, count) in [(Some(Arc::<Stream>::default()), 4), (None, 1)] {
            let under_way = UnderWay::new(&Arc::default());
            let mut told = Told::new(Body::from(bytes.clone()), stream.clone(), under_way);
            let (mut pieces, mut left) = (Vec::new(), bytes.len());
            while !told.is_end_stream() {
                assert_eq!(told.size_hint().exact(), Some(left as u64));
                let piece = poll_fn(|cx| Pin::new(&mut told).poll_frame(cx)).await.unwrap().unwrap();
                pieces.push(piece.into_data().unwrap());
                left = bytes.len() - pieces.iter().map(Bytes::len).sum::<usize>();
            }
            assert_eq!((pieces.len(), pieces.concat() == bytes), (count, true));
            assert_eq!(stream.map_or(1, |stream| stream.parts.load(Ordering::Relaxed)), count);
            assert!(poll_fn(|cx| Pin::new(&mut told).poll_frame(cx)).await.is_none());
        }
    }

    #[tokio::test]
    async fn files_are_read_in_small_pieces_while_much_waits_for_clients() {
        let much = usize::try_from(waiting::MUCH).unwrap() + 1;
        let new = || Told::new(Body::from(vec![0; much]), Some(Arc::default()), UnderWay::new(&Arc::default()));
        let mut told = new();
        assert_eq!(waiting::piece(1 << 20), 1 << 20);
        assert!(poll_fn(|cx| Pin::new(&mut told).poll_frame(cx)).await.is_some());
        assert_eq!((waiting::piece(1 << 20), waiting::piece(5)), (16 * 1024, 5));
        drop(told);
        assert_eq!(waiting::piece(1 << 20), 1 << 20);
        let mut told = new();
        while poll_fn(|cx| Pin::new(&mut told).poll_frame(cx)).await.is_some() {}
        assert_eq!(waiting::piece(1 << 20), 1 << 20, "all of it was taken");
    }
}
