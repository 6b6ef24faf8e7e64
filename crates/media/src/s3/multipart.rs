//! Long files in parts: several at once, each repeated by itself, nothing left behind when it fails.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html>

use super::body::Payload;
use super::call::{Call, text};
use super::put::Check;
use super::retry::Repeat;
use super::{Bucket, Error, Headers, Result, Source, Stored, checksum, xml};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use rusty_s3::Method;
use std::fmt::Write as _;
use std::ops::Range;

const PART: u64 = 8 * 1024 * 1024;
/// More parts S3 does not take.
const PARTS: u64 = 10_000;
/// Sent side by side.
const AT_ONCE: usize = 4;

/// What the parts of an upload are made of.
pub(super) enum Parts<'a> {
    /// Pieces of this, with or without a checksum of each.
    Of(&'a Source, Check),
    /// Pieces of an object in the bucket, if it is still this one: as the bucket knows it, its length and its ETag, and
    /// how long pieces are at least.
    Copied { from: String, len: u64, etag: Option<String>, least: u64 },
    /// Pieces of an object in another bucket, if it is still this one.
    Fetched { from: &'a Bucket, key: &'a str, len: u64, etag: Option<String> },
}

impl Parts<'_> {
    fn total(&self) -> u64 {
        match self {
            Parts::Of(source, _) => source.len(),
            Parts::Copied { len, .. } | Parts::Fetched { len, .. } => *len,
        }
    }

    fn least(&self) -> u64 {
        match self {
            Parts::Of(..) | Parts::Fetched { .. } => PART,
            Parts::Copied { least, .. } => *least,
        }
    }
}

/// A part that the bucket has.
struct Sent {
    etag: String,
    md5: Option<[u8; 16]>,
}

impl Bucket {
    pub(super) async fn put_in_parts(&self, key: &str, headers: &Headers, parts: &Parts<'_>) -> Result<Stored> {
        let full = self.full(key)?;
        let id = self.begin(&full, headers).await?;
        let mut left = Abandoned { bucket: self, key: &full, id: &id, armed: true };
        let done = self.parts_and_end((key, &full), &id, parts).await;
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

    async fn parts_and_end(&self, (key, full): (&str, &str), id: &str, parts: &Parts<'_>) -> Result<Stored> {
        let pieces = stream::iter(pieces(parts.total(), parts.least()).enumerate())
            .map(|(place, range)| self.send_part((full, id), place + 1, (parts, range)))
            .buffered(AT_ONCE);
        let sent: Vec<Sent> = pieces.try_collect().await?;
        let etags: Vec<&str> = sent.iter().map(|part| part.etag.as_str()).collect();
        let etag = self.end((key, full), id, (&etags, parts.total())).await?;
        let sums: Option<Vec<[u8; 16]>> = sent.iter().map(|part| part.md5).collect();
        Ok(Stored { etag, expected: sums.map(|sums| checksum::of_parts(&sums)) })
    }

    async fn send_part(
        &self,
        (full, id): (&str, &str),
        number: usize,
        (parts, range): (&Parts<'_>, Range<u64>),
    ) -> Result<Sent> {
        let call =
            Call::new(Method::Put, Some(full.to_owned())).query("partNumber", number.to_string()).query("uploadId", id);
        match parts {
            Parts::Of(source, check) => {
                let md5 = match check {
                    Check::Md5 => Some(checksum::of(source.part(range.clone())).await?),
                    Check::None => None,
                };
                self.sent(checksum::told(call.payload(source.part(range)), md5), md5).await
            }
            Parts::Fetched { from, key, len, etag } => {
                let bytes = from.fetch((key, *len, etag.as_ref()), range).await?;
                let md5 = Some(checksum::of(Payload::Bytes(bytes.clone())).await?);
                self.sent(checksum::told(call.payload(Payload::Bytes(bytes)), md5), md5).await
            }
            Parts::Copied { from, etag, .. } => {
                let part = format!("bytes={}-{}", range.start, range.end - 1);
                let mut call = call.header("x-amz-copy-source", from).header("x-amz-copy-source-range", part);
                if let Some(etag) = etag {
                    call = call.header("x-amz-copy-source-if-match", etag);
                }
                let etag = self.send_and_read(&call, |answer| self.confirmed(answer)).await?;
                Ok(Sent { etag, md5: None })
            }
        }
    }

    async fn sent(&self, call: Call, md5: Option<[u8; 16]>) -> Result<Sent> {
        let response = self.send(&call).await?;
        let etag = text(response.headers(), "etag").filter(|etag| !etag.is_empty() && etag.len() <= 256);
        let etag = etag.ok_or_else(|| self.broken("it takes a part without an ETag"))?;
        Ok(Sent { etag, md5 })
    }

    /// Asked again after a lost answer, the server may say that there is no such upload any more: then the object tells
    /// whether it was completed.
    async fn end(&self, (key, full): (&str, &str), id: &str, (etags, total): (&[&str], u64)) -> Result<Option<String>> {
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
                    true => Ok(Some(etag)),
                    false => Err(self.broken("it has lost the upload")),
                }
            }
            done => done.map(Some),
        }
    }

    /// Answers that take long begin with 200 before it is known how they end. What was done is told with its ETag.
    pub(super) fn confirmed(&self, answer: &[u8]) -> Result<String> {
        if let Some(complaint) = xml::complaint(answer) {
            return Err(Error::Failed { host: self.0.host.clone(), status: 200, code: complaint.code });
        }
        let mut etag = String::new();
        xml::read(answer, |path, text| {
            if let [_, "ETag"] = path {
                etag = text.trim().to_owned();
            }
        })
        .map_err(|why| self.broken(why))?;
        match etag.is_empty() || etag.len() > 256 {
            false => Ok(etag),
            true => Err(self.broken("it does not confirm what was done")),
        }
    }

    pub(super) async fn abort(&self, full: &str, id: &str) -> Result<()> {
        let call = Call::new(Method::Delete, Some(full.to_owned())).query("uploadId", id);
        match self.send(&call).await {
            Ok(_) | Err(Error::NoObject) => Ok(()),
            Err(Error::Refused { status: 404, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Equal pieces of at least so many bytes, but for the last.
fn pieces(total: u64, least: u64) -> impl Iterator<Item = Range<u64>> {
    let length = piece(total, least);
    (0..total.div_ceil(length)).map(move |place| place * length..((place + 1) * length).min(total))
}

fn piece(total: u64, least: u64) -> u64 {
    total.div_ceil(PARTS).max(least)
}

/// How long the parts of a file of this length are here.
pub(super) fn part_length(total: u64) -> u64 {
    piece(total, PART)
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
        let giving_up = async move {
            if let Err(error) = bucket.abort(&key, &id).await {
                tracing::warn!(%error, key, "parts of an upload that was given up stay in the bucket");
            }
        };
        self.bucket.0.ends.spawn_on(giving_up, &runtime);
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
            for part in pieces(total, PART) {
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
