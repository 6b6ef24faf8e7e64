//! Writing: short contents in one request, long ones in parts; removing.

use super::body::Payload;
use super::call::Call;
use super::{Bucket, Error, Result};
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
        match source.len() {
            0..=SINGLE => self.put_at_once(key, source, headers).await,
            _ => self.put_in_parts(key, source, headers).await,
        }
    }

    async fn put_at_once(&self, key: &str, source: &Source, headers: &Headers) -> Result<()> {
        let call = Call::new(Method::Put, Some(self.full(key)?)).payload(source.part(0..source.len()));
        self.send(&self.described(call, headers)).await.map(drop)
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
