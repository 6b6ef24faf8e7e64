//! A socket whose client must take what it is sent.

use super::places::Place;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

/// How long a client may take nothing, and how much it must take of what waits for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) timeout: Duration,
    /// Bytes a second; 0 for any.
    pub(super) min_rate: u64,
}

/// A connection's socket. It has its place among all connections as long as it is open, also after HTTP has been left
/// for a WebSocket.
#[derive(Debug)]
pub(super) struct Guarded {
    stream: TcpStream,
    _place: Place,
    patience: Patience,
    /// Since when more waits than the socket takes.
    waiting: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
    /// Since the rate was looked at last: time waited, bytes taken.
    waited: Duration,
    taken: u64,
}

impl Guarded {
    pub(super) fn new(stream: TcpStream, place: Place, patience: Patience) -> Self {
        let (waited, taken) = (Duration::ZERO, 0);
        Self { stream, _place: place, patience, waiting: None, timer: None, waited, taken }
    }

    fn stream(&mut self) -> Pin<&mut TcpStream> {
        Pin::new(&mut self.stream)
    }

    /// Looks at what came of a write.
    fn watch(&mut self, cx: &mut Context<'_>, wrote: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match wrote {
            Poll::Ready(Ok(count)) => {
                self.taken += count as u64;
                match self.waiting.take() {
                    Some(since) => Poll::Ready(self.rate(since).map(|()| count)),
                    None => Poll::Ready(Ok(count)),
                }
            }
            Poll::Pending => self.wait(cx),
            failed => failed,
        }
    }

    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let since = *self.waiting.get_or_insert_with(Instant::now);
        let deadline = since + self.patience.timeout;
        // The timer is not set again for each wait, which would cost more than the writes: it is looked at when it
        // has run off.
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        while timer.as_mut().poll(cx).is_ready() {
            if Instant::now() >= deadline {
                return Poll::Ready(Err(too_slow()));
            }
            timer.as_mut().reset(deadline);
        }
        Poll::Pending
    }

    fn rate(&mut self, since: Instant) -> io::Result<()> {
        self.waited += since.elapsed();
        if self.waited < self.patience.timeout {
            return Ok(());
        }
        let wanted = u128::from(self.patience.min_rate) * self.waited.as_millis() / 1000;
        let enough = u128::from(self.taken) >= wanted;
        (self.waited, self.taken) = (Duration::ZERO, 0);
        if enough { Ok(()) } else { Err(too_slow()) }
    }
}

fn too_slow() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the client does not take what it is sent")
}

impl AsyncRead for Guarded {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_read(cx, buffer)
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let wrote = self.stream().poll_write(cx, bytes);
        self.watch(cx, wrote)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = self.stream().poll_write_vectored(cx, parts);
        self.watch(cx, wrote)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(cx)
    }
}
