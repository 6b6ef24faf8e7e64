//! Copying inside the bucket: the bytes do not travel.

use super::call::Call;
use super::multipart::Parts;
use super::{Bucket, Error, Headers, Meta, Result};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rusty_s3::Method;

const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// How objects are copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyRule {
    /// Longer ones are copied part by part: most servers copy no more than 5 GB at once.
    pub at_once: u64,
    /// Parts are at least this long.
    pub part: u64,
}

impl Default for CopyRule {
    fn default() -> CopyRule {
        CopyRule { at_once: 5_000_000_000, part: 512 * 1024 * 1024 }
    }
}

impl Bucket {
    /// Stores a copy of `from` as `to`, with its Content-Type and Cache-Control, and answers what is known about it.
    pub async fn copy(&self, from: &str, to: &str) -> Result<Meta> {
        self.copy_by(from, to, CopyRule::default()).await
    }

    /// The same by another rule. Of what is copied in parts, other metadata than those two stays behind.
    pub async fn copy_by(&self, from: &str, to: &str, rule: CopyRule) -> Result<Meta> {
        let meta = self.head(from).await?.ok_or(Error::NoObject)?;
        let source = format!("/{}/{}", self.name(), utf8_percent_encode(&self.full(from)?, PLAIN));
        if meta.total <= rule.at_once {
            let mut call = Call::new(Method::Put, Some(self.full(to)?)).header("x-amz-copy-source", source);
            if let Some(class) = &self.0.config.storage_class {
                call = call.header("x-amz-storage-class", class);
            }
            self.send_and_read(&call, |answer| self.confirmed(answer)).await?;
            return Ok(meta);
        }
        let (content_type, cache_control) = (meta.content_type.clone(), meta.cache_control.clone());
        let headers = Headers { content_type, cache_control };
        let parts = Parts::Copied { from: source, len: meta.total, etag: meta.etag.clone(), least: rule.part };
        self.put_in_parts(to, &headers, &parts).await?;
        match self.head(to).await? {
            Some(copy) if copy.total == meta.total => Ok(meta),
            _ => Err(self.broken("the copy has another length")),
        }
    }
}
