//! Reads multipart/form-data as it arrives: text fields into the tree, files to disk or to nowhere.

use super::error::{ApiError, ApiResult};
use super::params::{MAX_BODY, broken, timed_out};
use super::tree::{MAX_PAIRS, Tree};
use super::upload::{Destination, TempFile};
use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures_util::Stream;
use multer::Field;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// Files in one request.
const MAX_FILES: usize = 8;
/// Bytes that may arrive before they make sense, such as the headers of one part.
const MAX_HEADERS: usize = 64 * 1024;
/// Longest wait for the next piece.
const MAX_IDLE: Duration = Duration::from_secs(30);

/// What becomes of the files in a body.
pub(super) enum Files {
    /// Read past; they count towards [`MAX_BODY`].
    Skip,
    Keep(Destination),
}

#[derive(Debug, Default)]
pub(super) struct Received {
    pub(super) fields: Tree,
    pub(super) files: BTreeMap<String, TempFile>,
}

/// Errors: 400 for a broken body or too many parts, 413 for too much text, 422 for a file over its limit.
pub(super) async fn read(body: Body, boundary: String, files: Files) -> ApiResult<Received> {
    let pace = Arc::new(Pace::default());
    let mut parts = multer::Multipart::new(Paced { inner: body.into_data_stream(), pace: pace.clone() }, boundary);
    let mut reader = Reader { pace, room: MAX_BODY, files, received: Received::default() };
    let mut count = 0;
    while let Some(part) = reader.wait(parts.next_field()).await? {
        count += 1;
        if count > MAX_PAIRS {
            return Err(ApiError::bad_request("Too many parameters"));
        }
        reader.part(part).await?;
    }
    Ok(reader.received)
}

struct Reader {
    pace: Arc<Pace>,
    /// Bytes of text still allowed.
    room: usize,
    files: Files,
    received: Received,
}

impl Reader {
    async fn wait<T>(&self, next: impl Future<Output = multer::Result<T>>) -> ApiResult<T> {
        let result = tokio::time::timeout(MAX_IDLE, next).await.map_err(|_| timed_out())?;
        self.pace.made_sense();
        result.map_err(|e| match &e {
            multer::Error::StreamReadFailed(cause) => broken(cause.as_ref()),
            _ => ApiError::bad_request("Malformed multipart body"),
        })
    }

    async fn part(&mut self, part: Field<'_>) -> ApiResult<()> {
        let name = part.name().unwrap_or_default().to_owned();
        self.spend(name.len())?;
        match part.file_name().map(str::to_owned) {
            None => self.text(&name, part).await,
            Some(file_name) => self.file(name, file_name, part).await,
        }
    }

    async fn text(&mut self, name: &str, mut part: Field<'_>) -> ApiResult<()> {
        let mut bytes = Vec::new();
        while let Some(chunk) = self.wait(part.chunk()).await? {
            self.spend(chunk.len())?;
            bytes.extend_from_slice(&chunk);
        }
        let text = String::from_utf8(bytes).map_err(|_| ApiError::bad_request("Invalid parameters: not UTF-8"))?;
        self.received.fields.add(name, text)
    }

    async fn file(&mut self, name: String, file_name: String, mut part: Field<'_>) -> ApiResult<()> {
        let Files::Keep(destination) = &self.files else {
            while let Some(chunk) = self.wait(part.chunk()).await? {
                self.spend(chunk.len())?;
            }
            return Ok(());
        };
        if self.received.files.len() >= MAX_FILES {
            return Err(ApiError::bad_request("Too many files"));
        }
        let kind = part.content_type().map(|mime| mime.essence_str().to_ascii_lowercase());
        // A browser sends an empty part without a file name for a file field that was left alone.
        let mut first = self.wait(part.chunk()).await?;
        while first.as_ref().is_some_and(Bytes::is_empty) {
            first = self.wait(part.chunk()).await?;
        }
        if first.is_none() && file_name.is_empty() {
            return Ok(());
        }
        let mut file = destination.create().await?;
        let mut next = first;
        while let Some(chunk) = next {
            file.write(&chunk).await?;
            next = self.wait(part.chunk()).await?;
        }
        let file = file.finish(file_name, kind).await?;
        self.received.files.insert(name, file);
        Ok(())
    }

    fn spend(&mut self, bytes: usize) -> ApiResult<()> {
        self.room = self.room.checked_sub(bytes).ok_or_else(ApiError::too_large)?;
        Ok(())
    }
}

/// How the parser and its source keep step.
#[derive(Default)]
struct Pace {
    /// How often the parser asked in vain since it last got or found something.
    asked: AtomicU8,
    /// Bytes delivered since something last made sense.
    unread: AtomicUsize,
}

impl Pace {
    fn made_sense(&self) {
        self.asked.store(0, Ordering::Relaxed);
        self.unread.store(0, Ordering::Relaxed);
    }
}

/// The parser takes whatever is ready before it looks at any of it, which would put a fast upload into memory whole.
/// This gives it one chunk at a time, and only when it could do nothing with what it had: in one go it may ask
/// twice before looking, so the third time counts.
struct Paced {
    inner: BodyDataStream,
    pace: Arc<Pace>,
}

impl Stream for Paced {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.pace.asked.load(Ordering::Relaxed) < 2 {
            self.pace.asked.fetch_add(1, Ordering::Relaxed);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.pace.unread.load(Ordering::Relaxed) > MAX_HEADERS {
            return Poll::Ready(Some(Err(axum::Error::new("no part in sight"))));
        }
        let chunk = ready!(Pin::new(&mut self.inner).poll_next(cx));
        if let Some(Ok(bytes)) = &chunk {
            self.pace.asked.store(0, Ordering::Relaxed);
            self.pace.unread.fetch_add(bytes.len(), Ordering::Relaxed);
        }
        Poll::Ready(chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::StreamExt;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::sync::atomic::AtomicU64;

    /// A body that counts how much of it has been taken.
    fn counted(head: String, chunks: usize, taken: &Arc<AtomicU64>) -> Body {
        let taken = taken.clone();
        let filler = vec![b'x'; 64 * 1024];
        let rest = futures_util::stream::iter(0..chunks).map(move |_| {
            taken.fetch_add(filler.len() as u64, Ordering::Relaxed);
            Ok::<_, std::io::Error>(Bytes::from(filler.clone()))
        });
        Body::from_stream(futures_util::stream::iter([Ok(Bytes::from(head))]).chain(rest))
    }

    #[tokio::test]
    async fn endless_headers_are_cut_short() {
        let taken = Arc::new(AtomicU64::new(0));
        let body = counted("--XX\r\nContent-Disposition: ".into(), 10_000, &taken);
        assert!(read(body, "XX".into(), Files::Skip).await.is_err());
        assert!(taken.load(Ordering::Relaxed) < 400_000);
    }

    #[tokio::test]
    async fn the_source_is_read_no_faster_than_the_parser() {
        let taken = Arc::new(AtomicU64::new(0));
        let small = "--XX\r\nContent-Disposition: form-data; name=\"a[]\"\r\n\r\n1\r\n".repeat(500);
        let head = format!("{small}--XX\r\nContent-Disposition: form-data; name=\"b\"; filename=\"b\"\r\n\r\n");
        let body = counted(head, 10_000, &taken);
        let pace = Arc::new(Pace::default());
        let mut parts = multer::Multipart::new(Paced { inner: body.into_data_stream(), pace: pace.clone() }, "XX");
        for _ in 0..500 {
            let mut part = parts.next_field().await.unwrap().unwrap();
            pace.made_sense();
            assert_eq!(part.chunk().await.unwrap().unwrap(), "1");
            pace.made_sense();
            assert!(part.chunk().await.unwrap().is_none());
        }
        assert_eq!(taken.load(Ordering::Relaxed), 0);
        let mut file = parts.next_field().await.unwrap().unwrap();
        pace.made_sense();
        let mut seen = 0;
        for _ in 0..50 {
            seen += file.chunk().await.unwrap().unwrap().len() as u64;
            pace.made_sense();
            assert!(taken.load(Ordering::Relaxed) <= seen + 2 * 64 * 1024);
        }
    }

    proptest! {
        /// Whatever is cut out of or put into a good body, reading it ends, and without a panic.
        #[test]
        fn mangled_bodies_come_to_an_end(cut in 0..160_usize, more in vec(any::<u8>(), 0..20), size in 1..200_usize) {
            let mut bytes = b"--XX\r\nContent-Disposition: form-data; name=\"a[b]\"\r\n\r\nvalue\r\n\
                --XX\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\n\r\n--X\r\n--XX--".to_vec();
            let cut = cut.min(bytes.len());
            bytes.splice(cut..(cut + 3).min(bytes.len()), more);
            let pieces: Vec<_> = bytes.chunks(size).map(|c| Ok::<_, std::io::Error>(c.to_vec())).collect();
            let body = Body::from_stream(futures_util::stream::iter(pieces));
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            let _ = runtime.block_on(read(body, "XX".into(), Files::Skip));
        }
    }
}
