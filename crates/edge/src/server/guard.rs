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
    pace: Pace,
}

/// Since the rate was looked at last.
#[derive(Debug, Default)]
struct Pace {
    /// How long more was waiting than the socket took.
    waited: Duration,
    /// Bytes that it took meanwhile.
    taken: u64,
}

impl Pace {
    /// After another wait: whether enough was taken, in the stretch of time that ends with it.
    fn is_enough(&mut self, waited: Duration, patience: Patience) -> bool {
        self.waited += waited;
        if self.waited < patience.timeout {
            return true;
        }
        let wanted = u128::from(patience.min_rate) * self.waited.as_millis() / 1000;
        let stretch = std::mem::take(self);
        u128::from(stretch.taken) >= wanted
    }
}

impl Guarded {
    pub(super) fn new(stream: TcpStream, place: Place, patience: Patience) -> Self {
        Self { stream, _place: place, patience, waiting: None, timer: None, pace: Pace::default() }
    }

    fn stream(&mut self) -> Pin<&mut TcpStream> {
        Pin::new(&mut self.stream)
    }

    /// Looks at what came of a write.
    fn watch(&mut self, cx: &mut Context<'_>, wrote: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match wrote {
            Poll::Ready(Ok(count)) => {
                self.pace.taken += count as u64;
                match self.waiting.take() {
                    Some(since) if !self.pace.is_enough(since.elapsed(), self.patience) => Poll::Ready(Err(too_slow())),
                    _ => Poll::Ready(Ok(count)),
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

#[cfg(test)]
mod tests {
    use super::super::config::ConnectionsConfig;
    use super::*;

    /// As it is without any setting: so many bytes are taken after each wait, for ten minutes.
    fn is_borne(bytes: u64, wait: Duration) -> bool {
        let usual = ConnectionsConfig::default();
        let patience = Patience { timeout: usual.write_timeout.0, min_rate: usual.min_rate.0 };
        let mut pace = Pace::default();
        let waits = 600_000 / wait.as_millis();
        (0..waits).all(|_| {
            pace.taken += bytes;
            wait < patience.timeout && pace.is_enough(wait, patience)
        })
    }

    #[test]
    fn bad_lines_are_borne_and_dripping_is_not() {
        let seconds = Duration::from_secs;
        // 2 KB a second, evenly or after pauses of up to 50 seconds.
        assert!(is_borne(2048, seconds(1)) && is_borne(40_960, seconds(20)) && is_borne(102_400, seconds(50)));
        // A byte now and then, and a packet.
        assert!(!is_borne(1, seconds(1)) && !is_borne(1, seconds(59)) && !is_borne(1460, seconds(10)));
    }

    #[test]
    fn without_a_rate_only_silence_ends_it() {
        let patience = Patience { timeout: Duration::from_secs(60), min_rate: 0 };
        let mut pace = Pace { waited: Duration::ZERO, taken: 1 };
        assert!(pace.is_enough(Duration::from_secs(600), patience));
    }
}
