//! Copying inside the bucket: the bytes do not travel.

use super::call::Call;
use super::{Bucket, Result};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rusty_s3::Method;

const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

impl Bucket {
    /// Stores a copy of `from` as `to`, with what is told about it. Objects of more than 5 GB are refused by most.
    pub async fn copy(&self, from: &str, to: &str) -> Result<()> {
        let source = format!("/{}/{}", self.name(), utf8_percent_encode(&self.full(from)?, PLAIN));
        let mut call = Call::new(Method::Put, Some(self.full(to)?)).header("x-amz-copy-source", source);
        if let Some(class) = &self.0.config.storage_class {
            call = call.header("x-amz-storage-class", class);
        }
        self.send_and_read(&call, |answer| self.confirmed(answer)).await
    }
}
