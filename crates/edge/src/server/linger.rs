//! The end of a connection whose client may still be sending: a body that was answered before it had come, requests behind
//! the last one, and with HTTP/2 what clients say while they read.
//!
//! Closing at once would make the kernel answer the bytes under way with a reset, which takes the answer away from the
//! client before it has read it: "too large" would look like a broken server. So what still comes is thrown away, for a
//! while.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// However much comes, and however slowly.
const LONGEST: Duration = Duration::from_secs(30);
/// Without a byte, where more is to be expected.
const QUIET: Duration = Duration::from_secs(5);
/// Without a byte from who has been told of the end, and has sent no more than was answered.
const BRIEF: Duration = Duration::from_secs(1);
/// Read at a time.
const PIECE: usize = 16 * 1024;

#[derive(Debug)]
pub(super) struct Linger {
    end: Pin<Box<Sleep>>,
    quiet: Pin<Box<Sleep>>,
    piece: Box<[u8]>,
}

/// What may still come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    More,
    /// The client's own end, most likely.
    End,
}

/// Closes our side of `stream`, then waits for the client's, as far as `awaited` says. To be called again until it is
/// ready.
pub(super) fn poll_end<S: AsyncRead + AsyncWrite + Unpin>(
    linger: &mut Option<Linger>,
    (stream, awaited): (&mut S, Option<Awaited>),
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    if linger.is_none() {
        ready!(Pin::new(&mut *stream).poll_shutdown(cx))?;
        let Some(awaited) = awaited else { return Poll::Ready(Ok(())) };
        *linger = Some(Linger::new(awaited));
    }
    linger.as_mut().map_or(Poll::Ready(()), |linger| linger.poll(cx, stream)).map(Ok)
}

impl Linger {
    fn new(awaited: Awaited) -> Self {
        let quiet = match awaited {
            Awaited::More => QUIET,
            Awaited::End => BRIEF,
        };
        Self { end: Box::pin(sleep(LONGEST)), quiet: Box::pin(sleep(quiet)), piece: vec![0; PIECE].into() }
    }

    /// Ready when the client has closed its side or gone, or was waited for long enough.
    fn poll<S: AsyncRead + Unpin>(&mut self, cx: &mut Context<'_>, stream: &mut S) -> Poll<()> {
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

    async fn lingered(mut stream: DuplexStream, awaited: Option<Awaited>) -> Duration {
        let (began, mut linger) = (Instant::now(), None);
        poll_fn(|cx| poll_end(&mut linger, (&mut stream, awaited), cx)).await.unwrap();
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn clients_are_waited_for_until_they_end_or_long_enough() {
        let (here, mut there) = duplex(1024);
        let sends = tokio::spawn(async move { there.write_all(&[0; 100_000]).await });
        assert_eq!(lingered(here, Some(Awaited::More)).await, Duration::ZERO, "it has closed");
        sends.await.unwrap().unwrap();

        for (awaited, time) in [(Some(Awaited::More), QUIET), (Some(Awaited::End), BRIEF), (None, Duration::ZERO)] {
            let (here, _there) = duplex(1024);
            assert_eq!(lingered(here, awaited).await.as_secs(), time.as_secs(), "it says nothing");
        }

        let (here, mut there) = duplex(1024);
        tokio::spawn(async move {
            while there.write_all(b"x").await.is_ok() {
                sleep(Duration::from_secs(1)).await;
            }
        });
        assert_eq!(lingered(here, Some(Awaited::End)).await.as_secs(), LONGEST.as_secs(), "it never ends");
    }
}
