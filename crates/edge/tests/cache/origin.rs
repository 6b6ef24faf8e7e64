//! An origin inside the test, and a cache in a temporary folder before it.

use bytes::Bytes;
use edge::cache::{Cache, CacheConfig, Failure, Meta, Object, ObjectKey, Reply, TO_THE_END, Upstream, Want};
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use std::future::Future;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub const SLICE: u64 = 256 * 1024;

type Answer = dyn Fn(Call) -> BoxFuture<'static, Result<Reply, Failure>> + Send + Sync;

/// A request: its number from 0 on, the path, and what is wanted.
#[derive(Clone, Debug)]
pub struct Call {
    pub number: usize,
    pub path: String,
    pub want: Want,
}

/// Answers as a closure says, and remembers what it was asked.
pub struct Origin {
    answer: Box<Answer>,
    calls: Mutex<Vec<Call>>,
}

impl Origin {
    pub fn new<F>(answer: impl Fn(Call) -> F + Send + Sync + 'static) -> Arc<Origin>
    where
        F: Future<Output = Result<Reply, Failure>> + Send + 'static,
    {
        Arc::new(Origin { answer: Box::new(move |call| answer(call).boxed()), calls: Mutex::default() })
    }

    /// One that does everything right, with these bytes under every name.
    pub fn of(body: Bytes) -> Arc<Origin> {
        Origin::new(move |call| {
            let reply = right(&body, &call.want, "\"v1\"");
            async move { Ok(reply) }
        })
    }

    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.calls.lock().unwrap().len()
    }
}

impl Upstream for Origin {
    fn fetch(&self, key: &ObjectKey, want: Want) -> BoxFuture<'static, Result<Reply, Failure>> {
        let mut calls = self.calls.lock().unwrap();
        let call = Call { number: calls.len(), path: key.path().to_owned(), want };
        calls.push(call.clone());
        (self.answer)(call)
    }
}

/// What a good origin answers.
pub fn right(body: &Bytes, want: &Want, etag: &str) -> Reply {
    let total = body.len() as u64;
    let known = want.validators.as_ref().and_then(|validators| validators.etag.as_deref());
    let meta = meta(total, etag);
    if known == Some(etag) {
        return Reply { status: 304, meta, body: stream::empty().boxed() };
    }
    if want.slice == (0..TO_THE_END) {
        return Reply { status: 200, meta, body: chunks(body.clone()) };
    }
    if want.slice.start >= total {
        return Reply { status: 416, meta, body: stream::empty().boxed() };
    }
    let part = cut(body, &want.slice);
    Reply { status: 206, meta: Meta { start: want.slice.start, ..meta }, body: chunks(part) }
}

/// What an origin answers that knows no ranges.
pub fn whole(body: &Bytes, etag: &str) -> Reply {
    Reply { status: 200, meta: meta(body.len() as u64, etag), body: chunks(body.clone()) }
}

pub fn status(status: u16) -> Reply {
    Reply { status, meta: Meta::default(), body: stream::empty().boxed() }
}

pub fn meta(total: u64, etag: &str) -> Meta {
    let content_type = Some("image/png".into());
    Meta { content_type, total: Some(total), etag: Some(etag.into()), ..Meta::default() }
}

pub fn cut(body: &Bytes, part: &Range<u64>) -> Bytes {
    let total = body.len() as u64;
    body.slice(usize::try_from(part.start.min(total)).unwrap()..usize::try_from(part.end.min(total)).unwrap())
}

/// As from a network.
pub fn chunks(body: Bytes) -> BoxStream<'static, Result<Bytes, Failure>> {
    let pieces: Vec<Bytes> =
        (0..body.len()).step_by(10_000).map(|at| body.slice(at..body.len().min(at + 10_000))).collect();
    stream::iter(pieces.into_iter().map(Ok)).boxed()
}

/// Bytes that are different at every place and for every seed.
pub fn content(seed: u64, length: u64) -> Bytes {
    let word = |place: u64| (place + seed * 7919 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap() + 8);
    (0..length.div_ceil(8)).for_each(|place| bytes.extend_from_slice(&word(place)));
    bytes.truncate(usize::try_from(length).unwrap());
    bytes.into()
}

pub fn key(path: &str) -> ObjectKey {
    ObjectKey::new("site", path).unwrap()
}

pub fn config(folder: &Path) -> CacheConfig {
    CacheConfig {
        path: folder.to_owned(),
        max_size: 1 << 30,
        min_free: 0,
        slice_size: SLICE,
        memory: 1 << 20,
        stall: Duration::from_secs(5),
        ..CacheConfig::default()
    }
}

/// Without memory, so that the disk is read every time.
pub fn on_disk(folder: &Path) -> CacheConfig {
    CacheConfig { memory: 0, ..config(folder) }
}

/// An object of a cache and its origin.
pub struct Place {
    pub cache: Cache,
    pub origin: Arc<Origin>,
}

impl Place {
    pub fn new(config: CacheConfig, origin: &Arc<Origin>) -> Place {
        Place { cache: Cache::open(config).unwrap(), origin: origin.clone() }
    }

    pub async fn object(&self, path: &str) -> Result<Object, Failure> {
        let upstream: Arc<dyn Upstream> = self.origin.clone();
        self.cache.object(&key(path), &upstream, None).await
    }

    pub async fn at(&self, path: &str, hint: Range<u64>) -> Result<Object, Failure> {
        let upstream: Arc<dyn Upstream> = self.origin.clone();
        self.cache.object(&key(path), &upstream, Some(hint)).await
    }

    pub async fn pass(&self, path: &str, hint: Option<Range<u64>>) -> Result<Object, Failure> {
        let upstream: Arc<dyn Upstream> = self.origin.clone();
        self.cache.pass(&key(path), &upstream, hint).await
    }

    /// All bytes of an object.
    pub async fn get(&self, path: &str) -> Result<Bytes, Failure> {
        read(&self.object(path).await?, 0..TO_THE_END).await
    }

    /// Waits until nothing is on its way.
    pub async fn settled(&self) {
        until(|| self.cache.stats().fills_now == 0).await;
    }
}

pub async fn read(object: &Object, part: Range<u64>) -> Result<Bytes, Failure> {
    let pieces: Vec<Bytes> = object.part(part).try_collect().await?;
    Ok(pieces.concat().into())
}

pub async fn until(is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("it does not come about");
}

/// The files of slices below a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type().unwrap().is_dir() {
                true if entry.file_name() == "unfinished" => {}
                true => folders.push(entry.path()),
                false if entry.file_name() == "purges" => {}
                false => found.push(entry.path()),
            }
        }
    }
    found.sort();
    found
}
