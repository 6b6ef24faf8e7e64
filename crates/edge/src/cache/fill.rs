//! A slice on its way here, and everybody who reads it as it arrives.

use super::ObjectKey;
use super::facts::Facts;
use super::key::SliceId;
use super::run::Run;
use super::upstream::Failure;
use bytes::{Bytes, BytesMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::Notify;

/// Pieces shorter than this are put together, lest a dripping origin fill the memory with headers of pieces.
const PIECE: usize = 16 * 1024;

/// What the origin says of a slice, before its bytes.
#[derive(Clone, Debug)]
pub(super) enum Head {
    /// It comes.
    Slice(Arc<Facts>),
    /// The copy we have is still good; here are its facts, with the time of now.
    Unchanged(Arc<Facts>),
    /// There is no such object: 404 or 410.
    Absent(u16),
    /// The object ends before this slice.
    Beyond,
    /// It can only go through: it is longer than a slice and says no length, or is not to be kept.
    Unkept,
    /// Meanwhile it is here: look again.
    Again,
}

/// One slice, shared by the task that fetches it and all its readers. The bytes stay in memory until the last of them
/// has let go.
pub(super) struct Fill {
    /// Whose request it comes with.
    pub(super) run: Arc<Run>,
    pub(super) number: u32,
    head: OnceLock<Result<Head, Failure>>,
    body: Mutex<Body>,
    news: Notify,
    is_kept: AtomicBool,
}

#[derive(Default)]
struct Body {
    pieces: Vec<Piece>,
    length: u64,
    end: Option<Result<(), Failure>>,
}

struct Piece {
    start: u64,
    bytes: Bytes,
}

impl Fill {
    pub(super) fn new(run: &Arc<Run>, number: u32) -> Fill {
        Fill {
            run: run.clone(),
            number,
            head: OnceLock::new(),
            body: Mutex::default(),
            news: Notify::new(),
            is_kept: AtomicBool::new(false),
        }
    }

    pub(super) fn key(&self) -> &ObjectKey {
        &self.run.key
    }

    pub(super) fn id(&self) -> SliceId {
        self.key().slice(self.number)
    }

    fn body(&self) -> MutexGuard<'_, Body> {
        self.body.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what comes, or that nothing does. Only the first word counts.
    pub(super) fn announce(&self, head: Result<Head, Failure>) {
        if self.head.set(head).is_ok() {
            self.news.notify_waiters();
        }
    }

    pub(super) fn push(&self, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        self.body().push(bytes);
        self.news.notify_waiters();
    }

    /// Nothing more comes. Only the first word counts.
    pub(super) fn end(&self, end: Result<(), Failure>) {
        let failure = end.as_ref().err().cloned();
        let mut body = self.body();
        if body.end.is_none() {
            body.end = Some(end);
        }
        drop(body);
        // Whoever is told that nothing comes, and looks again, must not find it on its way still.
        if let Some(failure) = failure {
            self.announce(Err(failure));
        }
        self.news.notify_waiters();
    }

    /// Whether it was said what comes.
    pub(super) fn has_head(&self) -> bool {
        self.head.get().is_some()
    }

    pub(super) fn has_failed(&self) -> bool {
        matches!(self.body().end, Some(Err(_)))
    }

    pub(super) fn length(&self) -> u64 {
        self.body().length
    }

    /// Everything that came, in a buffer with room for more.
    pub(super) fn collect(&self, room: usize) -> Vec<u8> {
        // Pieces are cheap to clone; nobody waits for the copying.
        let pieces: Vec<Bytes> = self.body().pieces.iter().map(|piece| piece.bytes.clone()).collect();
        let length: usize = pieces.iter().map(Bytes::len).sum();
        let mut all = Vec::with_capacity(length + room);
        pieces.iter().for_each(|piece| all.extend_from_slice(piece));
        all
    }

    /// It can be found on the disk now.
    pub(super) fn mark_kept(&self) {
        self.is_kept.store(true, Ordering::Release);
    }

    pub(super) fn is_kept(&self) -> bool {
        self.is_kept.load(Ordering::Acquire)
    }

    /// What the head is as soon as there is one.
    pub(super) async fn head(&self) -> Result<Head, Failure> {
        loop {
            let news = self.news.notified();
            if let Some(head) = self.head.get() {
                return head.clone();
            }
            news.await;
        }
    }

    /// What there is from this place on, at least a byte; nothing at the end. Waits for what has not arrived.
    pub(super) async fn read(&self, place: u64) -> Result<Option<Bytes>, Failure> {
        loop {
            let news = self.news.notified();
            {
                let body = self.body();
                if let Some(bytes) = body.at(place) {
                    return Ok(Some(bytes));
                }
                match &body.end {
                    Some(Ok(())) => return Ok(None),
                    Some(Err(failure)) => return Err(failure.clone()),
                    None => {}
                }
            }
            news.await;
        }
    }
}

impl Body {
    fn push(&mut self, mut bytes: Bytes) {
        let mut start = self.length;
        self.length += bytes.len() as u64;
        // Neighbours of like length are joined, so that each byte is copied a few times at most.
        while let Some(last) =
            self.pieces.pop_if(|last| last.bytes.len() < PIECE && last.bytes.len() <= 2 * bytes.len())
        {
            let mut joined = BytesMut::with_capacity(last.bytes.len() + bytes.len());
            joined.extend_from_slice(&last.bytes);
            joined.extend_from_slice(&bytes);
            (start, bytes) = (last.start, joined.freeze());
        }
        self.pieces.push(Piece { start, bytes });
    }

    fn at(&self, place: u64) -> Option<Bytes> {
        if place >= self.length {
            return None;
        }
        let after = self.pieces.partition_point(|piece| piece.start <= place);
        let piece = self.pieces.get(after.checked_sub(1)?)?;
        Some(piece.bytes.slice(usize::try_from(place - piece.start).ok()?..))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fill() -> Fill {
        Fill::new(&Run::new(&ObjectKey::new("site", "/path").unwrap(), &crate::cache::Chain::default(), &(0..1)), 0)
    }

    #[test]
    fn a_dripping_origin_leaves_few_pieces() {
        let fill = fill();
        for byte in 0..200_000_u32 {
            fill.push(Bytes::copy_from_slice(&[byte as u8]));
        }
        assert!(fill.body().pieces.len() < 60, "{}", fill.body().pieces.len());
        let expected: Vec<u8> = (0..200_000_u32).map(|byte| byte as u8).collect();
        assert_eq!(fill.collect(0), expected);
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_was_pushed(lengths in prop::collection::vec(0..40_000_usize, 0..20), from in 0..100_000_u64) {
            let fill = fill();
            let mut all = Vec::new();
            for length in lengths {
                let bytes: Vec<u8> = (0..length).map(|place| ((all.len() + place) % 253) as u8).collect();
                all.extend_from_slice(&bytes);
                fill.push(bytes.into());
            }
            fill.end(Ok(()));
            let mut read = Vec::new();
            let mut place = from.min(all.len() as u64);
            let start = usize::try_from(place).unwrap();
            while let Some(bytes) = futures_util::FutureExt::now_or_never(fill.read(place)).unwrap().unwrap() {
                place += bytes.len() as u64;
                read.extend_from_slice(&bytes);
            }
            prop_assert!(read == all[start..]);
        }
    }

    #[tokio::test]
    async fn a_failure_reaches_whoever_waits_and_takes_back_nothing() {
        let fill = Arc::new(fill());
        let (head, body) = (fill.clone(), fill.clone());
        let head = tokio::spawn(async move { head.head().await });
        let body = tokio::spawn(async move { (body.read(0).await, body.read(3).await) });
        tokio::task::yield_now().await;
        fill.push(Bytes::from_static(b"abc"));
        fill.end(Err(Failure::TimedOut));
        fill.end(Ok(()));
        assert_eq!(head.await.unwrap().unwrap_err(), Failure::TimedOut);
        assert_eq!(body.await.unwrap(), (Ok(Some(Bytes::from_static(b"abc"))), Err(Failure::TimedOut)));
    }
}
