//! The end of a connection whose client is still sending: what was answered before the body had come.
//!
//! Closing at once would make the kernel answer the bytes under way with a reset, which takes the answer away from the
//! client before it has read it: "too large" would look like a broken server. So what still comes is thrown away, for a
//! while.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// However much comes, and however slowly.
const LONGEST: Duration = Duration::from_secs(30);
/// Without a byte.
const QUIET: Duration = Duration::from_secs(5);
/// Read at a time.
const PIECE: usize = 16 * 1024;

#[derive(Debug)]
pub(super) struct Linger {
    end: Pin<Box<Sleep>>,
    quiet: Pin<Box<Sleep>>,
    piece: Box<[u8]>,
}

impl Default for Linger {
    fn default() -> Self {
        Self { end: Box::pin(sleep(LONGEST)), quiet: Box::pin(sleep(QUIET)), piece: vec![0; PIECE].into() }
    }
}

impl Linger {
    /// Ready when the client has closed its side or gone, or was waited for long enough.
    pub(super) fn poll<S: AsyncRead + Unpin>(&mut self, cx: &mut Context<'_>, stream: &mut S) -> Poll<()> {
        while self.end.as_mut().poll(cx).is_pending() && self.quiet.as_mut().poll(cx).is_pending() {
            let mut buffer = ReadBuf::new(&mut self.piece);
            match ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => self.quiet.as_mut().reset(Instant::now() + QUIET),
                Ok(()) | Err(_) => break,
            }
        }
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use tokio::io::{AsyncWriteExt as _, DuplexStream, duplex};

    async fn lingered(mut stream: DuplexStream) -> Duration {
        let (began, mut linger) = (Instant::now(), Linger::default());
        poll_fn(|cx| linger.poll(cx, &mut stream)).await;
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn clients_are_waited_for_until_they_end_or_long_enough() {
        let (here, mut there) = duplex(1024);
        let sends = tokio::spawn(async move { there.write_all(&[0; 100_000]).await });
        assert_eq!(lingered(here).await, Duration::ZERO, "it has closed");
        sends.await.unwrap().unwrap();

        let (here, _there) = duplex(1024);
        assert_eq!(lingered(here).await.as_secs(), QUIET.as_secs(), "it says nothing");

        let (here, mut there) = duplex(1024);
        tokio::spawn(async move {
            while there.write_all(b"x").await.is_ok() {
                sleep(Duration::from_secs(1)).await;
            }
        });
        assert_eq!(lingered(here).await.as_secs(), LONGEST.as_secs(), "it never ends");
    }
}
