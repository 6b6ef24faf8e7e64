//! Copying from one bucket to another, whoever runs them: the bytes go through memory, a part at a time.

use super::multipart::Parts;
use super::put::SINGLE;
use super::{Bucket, Error, Headers, Meta, Object, Result, Source, Stored};
use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt as _;
use std::ops::Range;

/// How much memory one copy takes at most, as long as its object has less than 80 GB.
pub const COPY_MEMORY: u64 = 4 * 8 * 1024 * 1024;

impl Bucket {
    /// Stores what another bucket has as `from` under the name `to`, with its Content-Type and Cache-Control, and
    /// answers what is known about it. The server refuses what arrives with another checksum. `None` when there is no
    /// such object.
    pub async fn copy_from(&self, (other, from): (&Bucket, &str), to: &str) -> Result<Option<(Meta, Stored)>> {
        let Some(Object { meta, body }) = other.get(from, None).await? else { return Ok(None) };
        let headers = Headers { content_type: meta.content_type.clone(), cache_control: meta.cache_control.clone() };
        if meta.total <= SINGLE {
            let bytes = whole(body, meta.total).await?;
            let stored = self.put_checked(to, &Source::Bytes(bytes), &headers).await?;
            return Ok(Some((meta, stored)));
        }
        drop(body);
        let parts = Parts::Fetched { from: other, key: from, len: meta.total, etag: meta.etag.clone() };
        let stored = self.put_in_parts(to, &headers, &parts).await?;
        Ok(Some((meta, stored)))
    }

    /// A part of an object that is to be the one that is known.
    pub(super) async fn fetch(
        &self,
        (key, len, etag): (&str, u64, Option<&String>),
        range: Range<u64>,
    ) -> Result<Bytes> {
        let found = self.get(key, Some(range)).await?.ok_or(Error::Changed)?;
        if found.meta.total != len || found.meta.etag.as_ref() != etag {
            return Err(Error::Changed);
        }
        whole(found.body, found.meta.len).await
    }
}

async fn whole(mut body: futures_util::stream::BoxStream<'static, Result<Bytes>>, len: u64) -> Result<Bytes> {
    let mut all = BytesMut::with_capacity(usize::try_from(len).unwrap_or_default());
    while let Some(chunk) = body.try_next().await? {
        all.extend_from_slice(&chunk);
    }
    Ok(all.freeze())
}
