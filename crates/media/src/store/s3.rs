//! The store that is a bucket. Temporary files stay in a folder of this machine.

use super::{Blob, Body, Entry, Listing, spool};
use crate::s3::{self, Bucket, Found, Headers, Object, Scope, Source};
use crate::{Content, Key, Result, UPLOADS, content_type};
use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

/// What is stored under a key never changes.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// Objects in a bucket. Cheap to clone.
#[derive(Debug, Clone)]
pub struct S3Store {
    bucket: Bucket,
    spool: Arc<PathBuf>,
}

impl S3Store {
    pub(super) fn new(bucket: Bucket, folder: &Path) -> Result<S3Store> {
        if bucket.is_anonymous() {
            let why = "missing: files cannot be stored without a key".to_owned();
            return Err(s3::Error::Config { field: "access_key", why }.into());
        }
        spool::prepare(folder)?;
        Ok(S3Store { bucket, spool: Arc::new(folder.to_owned()) })
    }

    /// One that nothing is put into.
    pub(super) fn old(bucket: Bucket) -> S3Store {
        S3Store { bucket, spool: Arc::default() }
    }

    /// The bucket itself.
    pub fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    pub(super) fn spool(&self) -> &Path {
        &self.spool
    }

    pub(super) async fn put(&self, key: &Key, content: Content) -> Result<()> {
        // A temporary file is removed at the end, however it ends.
        let (source, _file) = match content {
            Content::Bytes(bytes) => (Source::Bytes(bytes), None),
            Content::File(path) => (Source::open(&path).await?, Some(path)),
        };
        Ok(self.bucket.put(key.as_str(), &source, &headers(key)).await?)
    }

    pub(super) async fn open(&self, key: &Key, inline: u64) -> Result<Option<Blob>> {
        match inline {
            0 => self.look(key).await,
            _ => self.fetch(key, inline).await,
        }
    }

    /// Without its content, which is fetched when it is known which part is wanted.
    async fn look(&self, key: &Key) -> Result<Option<Blob>> {
        let Some(meta) = self.bucket.head(key.as_str()).await? else { return Ok(None) };
        let remote =
            Remote { bucket: self.bucket.clone(), key: key.clone(), len: meta.total, etag: meta.etag, whole: None };
        let modified = meta.last_modified.unwrap_or(UNIX_EPOCH);
        Ok(Some(Blob { len: meta.total, modified, body: Body::Remote(remote) }))
    }

    async fn fetch(&self, key: &Key, inline: u64) -> Result<Option<Blob>> {
        let Some(Object { meta, body }) = self.bucket.get(key.as_str(), None).await? else { return Ok(None) };
        let (len, modified) = (meta.total, meta.last_modified.unwrap_or(UNIX_EPOCH));
        let body = match len <= inline {
            true => Body::Bytes(collected(body, len).await?),
            false => Body::Remote(Remote {
                bucket: self.bucket.clone(),
                key: key.clone(),
                len,
                etag: meta.etag,
                whole: Some(body),
            }),
        };
        Ok(Some(Blob { len, modified, body }))
    }

    pub(super) async fn exists(&self, key: &Key) -> Result<bool> {
        Ok(self.bucket.head(key.as_str()).await?.is_some())
    }

    pub(super) async fn delete(&self, key: &Key) -> Result<()> {
        Ok(self.bucket.delete(key.as_str()).await?)
    }

    pub(super) async fn list(&self, listing: Listing) -> Result<Vec<Entry>> {
        let Listing { prefix, after, limit } = listing;
        let after = after.map(|key| key.to_string());
        let scope = Scope { prefix, after, folders: false, limit: limit.clamp(1, 1000) };
        let (mut found, mut next) = (Vec::new(), None);
        while found.len() < limit {
            let page = self.bucket.list(&scope, next.as_ref()).await?;
            found.extend(page.objects.into_iter().filter_map(entry));
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        found.truncate(limit);
        Ok(found)
    }
}

/// Keys that are not ours have no name here.
fn entry(Found { key, len, modified, .. }: Found) -> Option<Entry> {
    Some(Entry { key: Key::parse(&key).ok()?, len, modified })
}

/// What is told about an object to those who fetch it from the bucket itself.
fn headers(key: &Key) -> Headers {
    // Uploads still have their metadata: nobody is to keep them.
    let cache_control = if key.as_str().starts_with(UPLOADS) { "private, no-store" } else { IMMUTABLE };
    let content_type = content_type(key.extension()).unwrap_or("application/octet-stream");
    Headers { content_type: Some(content_type.into()), cache_control: Some(cache_control.into()) }
}

async fn collected(mut body: BoxStream<'static, s3::Result<Bytes>>, len: u64) -> Result<Bytes> {
    let mut whole = BytesMut::with_capacity(usize::try_from(len).unwrap_or(0));
    while let Some(chunk) = body.try_next().await? {
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.freeze())
}

/// The content of an object that lies elsewhere.
pub struct Remote {
    bucket: Bucket,
    key: Key,
    len: u64,
    etag: Option<String>,
    /// The answer that brought the object's length, if it brings its bytes too.
    whole: Option<BoxStream<'static, s3::Result<Bytes>>>,
}

impl Remote {
    /// These bytes, as they arrive; an error where they cannot be had whole.
    pub fn part(self, part: Range<u64>) -> BoxStream<'static, io::Result<Bytes>> {
        match self.whole {
            _ if part.is_empty() => stream::empty().boxed(),
            Some(whole) if part == (0..self.len) => whole.map_err(io::Error::other).boxed(),
            _ => {
                let Remote { bucket, key, len, etag, .. } = self;
                let opened = async move {
                    let object = bucket.get(key.as_str(), Some(part)).await?.ok_or(s3::Error::NoObject)?;
                    match (&object.meta.etag, &etag) {
                        (Some(now), Some(before)) if now != before => Err(s3::Error::Changed),
                        _ if object.meta.total != len => Err(s3::Error::Changed),
                        _ => Ok(object.body),
                    }
                };
                stream::once(opened).try_flatten().map_err(io::Error::other).boxed()
            }
        }
    }

    /// All of it.
    pub fn whole(self) -> BoxStream<'static, io::Result<Bytes>> {
        let len = self.len;
        self.part(0..len)
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Remote").field("key", &self.key).field("len", &self.len).finish_non_exhaustive()
    }
}
