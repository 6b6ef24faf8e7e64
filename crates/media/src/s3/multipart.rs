//! Long files in parts: several at once, each repeated by itself, nothing left behind when it fails.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html>

use super::body::Payload;
use super::call::{Call, text};
use super::retry::Repeat;
use super::{Bucket, Error, Headers, Result, Source, xml};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use rusty_s3::Method;
use std::fmt::Write as _;
use std::ops::Range;

const PART: u64 = 8 * 1024 * 1024;
/// More parts S3 does not take.
const PARTS: u64 = 10_000;
/// Sent side by side.
const AT_ONCE: usize = 4;

impl Bucket {
    pub(super) async fn put_in_parts(&self, key: &str, source: &Source, headers: &Headers) -> Result<()> {
        let full = self.full(key)?;
        let id = self.begin(&full, headers).await?;
        let mut left = Abandoned { bucket: self, key: &full, id: &id, armed: true };
        let done = self.parts_and_end((key, &full), &id, source).await;
        left.armed = false;
        if done.is_err() {
            // What was sent costs money until it is given up.
            if let Err(error) = self.abort(&full, &id).await {
                tracing::warn!(%error, key, "parts of an upload that failed stay in the bucket");
            }
        }
        done
    }

    async fn begin(&self, full: &str, headers: &Headers) -> Result<String> {
        let call = Call::new(Method::Post, Some(full.to_owned())).query("uploads", "");
        self.send_and_read(&self.described(call, headers), |answer| self.upload_id(answer)).await
    }

    fn upload_id(&self, answer: &[u8]) -> Result<String> {
        let mut id = String::new();
        xml::read(answer, |path, text| {
            if let ["InitiateMultipartUploadResult", "UploadId"] = path {
                id = text.to_owned();
            }
        })
        .map_err(|why| self.broken(why))?;
        match id.is_empty() {
            true => Err(self.broken("it begins an upload without an id")),
            false => Ok(id),
        }
    }

    async fn parts_and_end(&self, (key, full): (&str, &str), id: &str, source: &Source) -> Result<()> {
        let parts = stream::iter(parts(source.len()).enumerate())
            .map(|(place, range)| self.send_part((full, id), place + 1, source.part(range)))
            .buffered(AT_ONCE);
        let etags: Vec<String> = parts.try_collect().await?;
        self.end((key, full), id, (&etags, source.len())).await
    }

    async fn send_part(&self, (full, id): (&str, &str), number: usize, payload: Payload) -> Result<String> {
        let call = Call::new(Method::Put, Some(full.to_owned()))
            .query("partNumber", number.to_string())
            .query("uploadId", id)
            .payload(payload);
        let response = self.send(&call).await?;
        let etag = text(response.headers(), "etag").filter(|etag| !etag.is_empty() && etag.len() <= 256);
        etag.ok_or_else(|| self.broken("it takes a part without an ETag"))
    }

    /// Asked again after a lost answer, the server may say that there is no such upload any more: then the object tells
    /// whether it was completed.
    async fn end(&self, (key, full): (&str, &str), id: &str, (etags, total): (&[String], u64)) -> Result<()> {
        let mut body = String::from("<CompleteMultipartUpload>");
        for (place, etag) in etags.iter().enumerate() {
            let (number, etag) = (place + 1, xml::escaped(etag));
            let _ = write!(body, "<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
        }
        body.push_str("</CompleteMultipartUpload>");
        let call = Call::new(Method::Post, Some(full.to_owned()))
            .query("uploadId", id)
            .header("content-type", "application/xml")
            .payload(Payload::Bytes(body.into()))
            .repeat(Repeat::Always);
        match self.send_and_read(&call, |answer| self.confirmed(answer)).await {
            Err(Error::Refused { status: 404, code, .. }) if code == "NoSuchUpload" => {
                let ending = format!("-{}", etags.len());
                let made = self.head(key).await?.filter(|meta| meta.total == total);
                let etag = made.and_then(|meta| meta.etag).unwrap_or_default();
                match etag.trim_matches('"').ends_with(&ending) {
                    true => Ok(()),
                    false => Err(self.broken("it has lost the upload")),
                }
            }
            done => done,
        }
    }

    /// Answers that take long begin with 200 before it is known how they end. What was done is told with its ETag.
    pub(super) fn confirmed(&self, answer: &[u8]) -> Result<()> {
        if let Some(complaint) = xml::complaint(answer) {
            return Err(Error::Failed { host: self.0.host.clone(), status: 200, code: complaint.code });
        }
        let mut has_etag = false;
        xml::read(answer, |path, text| has_etag |= matches!(path, [_, "ETag"]) && !text.is_empty())
            .map_err(|why| self.broken(why))?;
        match has_etag {
            true => Ok(()),
            false => Err(self.broken("it does not confirm what was done")),
        }
    }

    async fn abort(&self, full: &str, id: &str) -> Result<()> {
        let call = Call::new(Method::Delete, Some(full.to_owned())).query("uploadId", id);
        match self.send(&call).await {
            Ok(_) | Err(Error::NoObject) => Ok(()),
            Err(Error::Refused { status: 404, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Equal parts, but for the last.
fn parts(total: u64) -> impl Iterator<Item = Range<u64>> {
    let length = total.div_ceil(PARTS).max(PART);
    (0..total.div_ceil(length)).map(move |place| place * length..((place + 1) * length).min(total))
}

/// Gives an upload up when the future that sends it is dropped in the middle.
struct Abandoned<'a> {
    bucket: &'a Bucket,
    key: &'a str,
    id: &'a str,
    armed: bool,
}

impl Drop for Abandoned<'_> {
    fn drop(&mut self) {
        let (true, Ok(runtime)) = (self.armed, tokio::runtime::Handle::try_current()) else { return };
        let (bucket, key, id) = (self.bucket.clone(), self.key.to_owned(), self.id.to_owned());
        runtime.spawn(async move {
            if let Err(error) = bucket.abort(&key, &id).await {
                tracing::warn!(%error, key, "parts of an upload that was given up stay in the bucket");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_cover_everything_once(total in 1u64..(5 << 40)) {
            let (mut at, mut count) = (0, 0u64);
            for part in parts(total) {
                prop_assert_eq!(part.start, at);
                prop_assert!(part.end == total || part.end - part.start >= PART);
                at = part.end;
                count += 1;
            }
            prop_assert_eq!(at, total);
            prop_assert!(count <= PARTS);
        }
    }
}
