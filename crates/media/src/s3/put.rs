//! Writing: short contents in one request, long ones in parts; removing.

use super::body::Payload;
use super::call::{Call, text};
use super::multipart::Parts;
use super::{Bucket, Error, Result, checksum};
use bytes::Bytes;
use rusty_s3::Method;
use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// Longer files go in parts.
pub(super) const SINGLE: u64 = 16 * 1024 * 1024;

/// What is to be stored.
#[derive(Debug, Clone)]
pub enum Source {
    /// Bytes in memory.
    Bytes(Bytes),
    /// A file, and its length; it is read as it is sent.
    File(Arc<File>, u64),
}

/// What is told about an object with every answer.
#[derive(Debug, Clone, Default)]
pub struct Headers {
    /// `Content-Type`
    pub content_type: Option<String>,
    /// `Cache-Control`
    pub cache_control: Option<String>,
}

/// Whether the server is told what it has to receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    None,
    Md5,
}

/// What was stored.
#[derive(Debug, Clone)]
pub struct Stored {
    pub(super) etag: Option<String>,
    pub(super) expected: Option<String>,
}

impl Stored {
    /// Whether the server says that it has stored exactly what it was sent. Some have ETags that tell nothing of it.
    pub fn is_proven(&self) -> bool {
        let told = self.etag.as_ref().map(|etag| etag.trim_matches('"').to_ascii_lowercase());
        told.is_some() && told == self.expected
    }
}

impl Source {
    /// Opens a file.
    pub async fn open(path: &Path) -> Result<Source> {
        let file = tokio::fs::File::open(path).await?;
        let len = file.metadata().await?.len();
        Ok(Source::File(Arc::new(file.into_std().await), len))
    }

    pub(super) fn len(&self) -> u64 {
        match self {
            Source::Bytes(bytes) => bytes.len() as u64,
            Source::File(_, len) => *len,
        }
    }

    pub(super) fn part(&self, range: Range<u64>) -> Payload {
        match self {
            Source::Bytes(bytes) => {
                let end = |at: u64| usize::try_from(at).map_or(bytes.len(), |at| at.min(bytes.len()));
                Payload::Bytes(bytes.slice(end(range.start)..end(range.end)))
            }
            Source::File(file, _) => Payload::Part(file.clone(), range),
        }
    }
}

impl Bucket {
    /// Stores an object in place of what was there. Until this answers Ok readers see the old object or none.
    pub async fn put(&self, key: &str, source: &Source, headers: &Headers) -> Result<()> {
        self.put_with(key, (source, headers), Check::None).await.map(drop)
    }

    /// The same with checksums: what arrives otherwise is refused.
    pub async fn put_checked(&self, key: &str, source: &Source, headers: &Headers) -> Result<Stored> {
        self.put_with(key, (source, headers), Check::Md5).await
    }

    async fn put_with(&self, key: &str, (source, headers): (&Source, &Headers), check: Check) -> Result<Stored> {
        match source.len() {
            0..=SINGLE => self.put_at_once(key, (source, headers), check).await,
            _ => self.put_in_parts(key, headers, &Parts::Of(source, check)).await,
        }
    }

    async fn put_at_once(&self, key: &str, (source, headers): (&Source, &Headers), check: Check) -> Result<Stored> {
        let whole = || source.part(0..source.len());
        let md5 = match check {
            Check::Md5 => Some(checksum::of(whole()).await?),
            Check::None => None,
        };
        let call = checksum::told(Call::new(Method::Put, Some(self.full(key)?)).payload(whole()), md5);
        let response = self.send(&self.described(call, headers)).await?;
        Ok(Stored { etag: text(response.headers(), "etag"), expected: md5.map(|md5| checksum::of_whole(&md5)) })
    }

    /// With what is told about new objects.
    pub(super) fn described(&self, mut call: Call, headers: &Headers) -> Call {
        if let Some(content_type) = &headers.content_type {
            call = call.header("content-type", content_type);
        }
        if let Some(cache_control) = &headers.cache_control {
            call = call.header("cache-control", cache_control);
        }
        match &self.0.config.storage_class {
            Some(class) => call.header("x-amz-storage-class", class),
            None => call,
        }
    }

    /// Removes an object; it is no error when there was none.
    pub async fn delete(&self, key: &str) -> Result<()> {
        match self.send(&Call::new(Method::Delete, Some(self.full(key)?))).await {
            Ok(_) | Err(Error::NoObject) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
