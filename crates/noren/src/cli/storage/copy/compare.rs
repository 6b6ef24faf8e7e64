//! Whether a file and an object, or two objects, are the same.

use super::{Copying, Equality};
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use media::s3::{self, Bucket, Found, Meta, Object};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Times of objects are told in seconds.
const APART: Duration = Duration::from_secs(1);

/// Compared at once.
const PIECE: usize = 256 * 1024;

/// What is known of an object.
#[derive(Clone, Debug)]
pub(super) struct There {
    pub len: u64,
    /// Not every server tells it in a listing.
    pub etag: Option<String>,
    pub modified: Option<SystemTime>,
}

impl From<Meta> for There {
    fn from(meta: Meta) -> There {
        There { len: meta.total, etag: meta.etag, modified: meta.last_modified }
    }
}

impl From<Found> for There {
    fn from(found: Found) -> There {
        There { len: found.len, etag: found.etag, modified: Some(found.modified) }
    }
}

/// From where to where: a copy has the time of what it was made of, or is younger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Up,
    Down,
}

impl Copying<'_> {
    /// By length, and by the checksum that an ETag usually is; by every byte where it is none. Where a listing tells no
    /// ETag the times are enough, unless checksums were asked for.
    pub(super) async fn are_same(
        &self,
        path: &Path,
        (key, there): (&str, &There),
        direction: Direction,
    ) -> anyhow::Result<bool> {
        let file = File::open(path)?;
        let meta = file.metadata()?;
        let len = meta.len();
        if len != there.len || self.equality == Equality::Lengths {
            return Ok(len == there.len);
        }
        let etag = match &there.etag {
            Some(etag) => Some(etag.clone()),
            None if self.equality == Equality::Usual && is_as_old(meta.modified()?, there.modified, direction) => {
                return Ok(true);
            }
            None => self.bucket.head(key).await?.and_then(|meta| meta.etag),
        };
        if let Some(etag) = etag
            && let Some(same) = s3::is_etag_of(file, len, &etag).await?
        {
            return Ok(same);
        }
        self.have_same_bytes(path, key).await
    }

    /// The same for two objects. Their ETags tell as long as both were stored at once, or in the same parts; else it is
    /// enough that the copy is not older, unless checksums were asked for.
    pub(super) async fn are_same_objects(
        &self,
        (from, one): (&Bucket, (&str, &There)),
        (to, other): (&Bucket, (&str, &There)),
    ) -> anyhow::Result<bool> {
        let ((from_key, first), (to_key, second)) = (one, other);
        if first.len != second.len || self.equality == Equality::Lengths {
            return Ok(first.len == second.len);
        }
        if first.etag.is_some() && first.etag == second.etag {
            return Ok(true);
        }
        let is_younger = first.modified.zip(second.modified).is_some_and(|(first, second)| second >= first);
        if self.equality == Equality::Usual && is_younger {
            // What was stored later with other bytes tells so itself, if both are checksums of everything.
            let are_sums = [&first.etag, &second.etag].into_iter().all(|etag| is_sum(etag.as_deref()));
            return Ok(!are_sums);
        }
        let (one, other) = (from.get(from_key, None).await?, to.get(to_key, None).await?);
        let (Some(one), Some(other)) = (one, other) else { return Ok(false) };
        Ok(have_same_bytes(one, other).await?)
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

/// A copy here was given the time of its object; a copy there is younger than its file.
fn is_as_old(file: SystemTime, object: Option<SystemTime>, direction: Direction) -> bool {
    object.is_some_and(|object| match direction {
        Direction::Up => object >= file,
        Direction::Down => {
            let apart = object.duration_since(file).or_else(|_| file.duration_since(object));
            apart.is_ok_and(|apart| apart < APART)
        }
    })
}

/// Whether it looks like the checksum of something that was stored at once.
fn is_sum(etag: Option<&str>) -> bool {
    let etag = etag.unwrap_or_default().trim_matches('"');
    etag.len() == 32 && etag.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Reads both, side by side.
pub(super) async fn have_same_bytes(mut one: Object, mut other: Object) -> s3::Result<bool> {
    if one.meta.total != other.meta.total {
        return Ok(false);
    }
    let (mut first, mut second) = (Bytes::new(), Bytes::new());
    loop {
        for (rest, object) in [(&mut first, &mut one), (&mut second, &mut other)] {
            while rest.is_empty() {
                match object.body.try_next().await? {
                    Some(chunk) => *rest = chunk,
                    None => break,
                }
            }
        }
        let common = first.len().min(second.len());
        if common == 0 {
            return Ok(first.is_empty() && second.is_empty());
        }
        if first.split_to(common) != second.split_to(common) {
            return Ok(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream::{self, StreamExt as _};

    #[test]
    fn times_tell_a_copy() {
        let at = |seconds: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        for (file, object, up, down) in [(5, 5, true, true), (5, 9, true, false), (9, 5, false, false)] {
            assert_eq!(is_as_old(at(file), Some(at(object)), Direction::Up), up, "{file} {object}");
            assert_eq!(is_as_old(at(file), Some(at(object)), Direction::Down), down, "{file} {object}");
        }
        assert!(is_as_old(at(5) + Duration::from_millis(700), Some(at(5)), Direction::Down));
        assert!(!is_as_old(at(5), None, Direction::Up));
    }

    #[tokio::test]
    async fn objects_are_compared_however_they_are_cut() {
        let object = |pieces: &[&'static str]| {
            let total = pieces.iter().map(|piece| piece.len() as u64).sum();
            let pieces: Vec<_> = pieces.iter().map(|piece| Ok(Bytes::from_static(piece.as_bytes()))).collect();
            let meta = Meta {
                start: 0,
                len: total,
                total,
                content_type: None,
                cache_control: None,
                etag: None,
                last_modified: None,
                expires: None,
            };
            Object { meta, body: stream::iter(pieces).boxed() }
        };
        for (one, other, same) in [
            (&["abc", "", "def"][..], &["a", "bcde", "f"][..], true),
            (&["abcdef"], &["abcdeg"], false),
            (&["abc"], &["abcd"], false),
            (&[], &[""], true),
        ] {
            assert_eq!(have_same_bytes(object(one), object(other)).await.unwrap(), same, "{one:?}");
        }
    }
}
