//! Whether a file here and an object there are the same.

use super::Copying;
use futures_util::TryStreamExt as _;
use media::s3;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// Compared at once.
const PIECE: usize = 256 * 1024;

/// What is known of an object.
#[derive(Clone, Debug)]
pub(super) struct There {
    pub len: u64,
    /// Not every server tells it in a listing.
    pub etag: Option<String>,
}

impl Copying<'_> {
    /// By length, and by the checksum that an ETag usually is; by every byte where it is none.
    pub(super) async fn are_same(&self, path: &Path, key: &str, there: &There) -> anyhow::Result<bool> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        if len != there.len || self.size_only {
            return Ok(len == there.len);
        }
        let etag = match &there.etag {
            Some(etag) => Some(etag.clone()),
            None => self.bucket.head(key).await?.and_then(|meta| meta.etag),
        };
        if let Some(etag) = etag
            && let Some(same) = s3::is_etag_of(file, len, &etag).await?
        {
            return Ok(same);
        }
        self.have_same_bytes(path, key).await
    }

    /// Reads all of both.
    pub(super) async fn have_same_bytes(&self, path: &Path, key: &str) -> anyhow::Result<bool> {
        let Some(mut object) = self.bucket.get(key, None).await? else { return Ok(false) };
        let mut file = File::open(path)?;
        let mut here = vec![0; PIECE];
        while let Some(chunk) = object.body.try_next().await? {
            for piece in chunk.chunks(PIECE) {
                let here = &mut here[..piece.len()];
                if file.read_exact(here).is_err() || here != piece {
                    return Ok(false);
                }
            }
        }
        Ok(file.read(&mut here[..1])? == 0)
    }
}
