//! Uploads that were begun and never ended: listed, given up, and told of by a check. A program that was killed leaves
//! them; no listing of objects shows them, and they cost what objects cost.

use super::list::{shown, time};
use super::steps::Found;
use super::{Failure, failed, failed_without, human, output};
use anyhow::anyhow;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use media::s3::{After, Bucket, Error, Upload};
use serde_json::json;
use std::time::{Duration, SystemTime};

/// Asked for, or given up, side by side.
const AT_ONCE: usize = 16;
/// Which ones a check tells of: what is on its way is none of them.
const OLD: Duration = Duration::from_secs(24 * 3600);
/// A check looks at no more pages, of a thousand each.
const PAGES: usize = 5;

/// What is to become of them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Uploads {
    Shown,
    GivenUp,
}

async fn page(bucket: &Bucket, start: &str, after: Option<&After>) -> Result<media::s3::Uploads, Failure> {
    bucket.uploads(start, after).await.map_err(|error| match error {
        Error::Unsupported { .. } => Failure::Failed(anyhow!(
            "{error}: it does not tell of incomplete uploads\n       what to do: look whether the provider removes them \
             by itself, or by a rule of the bucket (lifecycle)"
        )),
        error => failed_without("s3:ListBucketMultipartUploads")(error),
    })
}

/// How much of an upload is there, as far as that is told.
async fn size(bucket: &Bucket, upload: &Upload) -> Result<Option<u64>, Failure> {
    match bucket.uploaded(upload).await {
        Ok(size) => Ok(size),
        // The list is worth something without.
        Err(Error::Unsupported { .. } | Error::Denied { .. } | Error::Broken { .. }) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// Prints at most so many; answers whether there are more.
pub(super) async fn list(bucket: &Bucket, (start, limit): (&str, usize), as_json: bool) -> Result<bool, Failure> {
    let (mut left, mut next) = (limit, None);
    loop {
        let found = page(bucket, start, next.as_ref()).await?;
        let there_are_more = found.uploads.len() > left;
        let uploads = &found.uploads[..found.uploads.len().min(left)];
        left -= uploads.len();
        let mut sizes = stream::iter(uploads.iter().map(|upload| size(bucket, upload))).buffered(AT_ONCE);
        for upload in uploads {
            let size = sizes.try_next().await?.flatten();
            let (Upload { key, id, .. }, begun) = (upload, time(upload.begun)?);
            match as_json {
                true => output::line(json!({ "key": key, "upload": id, "size": size, "begun": begun })),
                false => {
                    let size = size.map_or_else(|| "?".to_owned(), human);
                    output::line(format_args!("{size:>10}  {begun}  {}", shown(key)));
                }
            }
        }
        if there_are_more {
            return Ok(true);
        }
        next = found.next;
        if next.is_none() {
            return Ok(false);
        }
    }
}

/// Gives up, or tells, what was begun longer ago than this and is to have a name that begins with one of these.
pub(super) async fn remove(
    bucket: &Bucket,
    (starts, age): (&[String], Duration),
    what: Uploads,
) -> Result<(), Failure> {
    let (mut count, mut younger) = (0u64, 0u64);
    for start in starts {
        let mut next = None;
        loop {
            let found = page(bucket, start, next.as_ref()).await?;
            let (old, young): (Vec<Upload>, Vec<Upload>) =
                found.uploads.into_iter().partition(|upload| is_older(upload, age));
            younger += young.len() as u64;
            count += old.len() as u64;
            for upload in &old {
                let verb = if what == Uploads::Shown { "would give up" } else { "giving up" };
                output::line(format_args!("{verb} {}, begun {}", shown(&upload.key), time(upload.begun)?));
            }
            if what == Uploads::GivenUp {
                let ends = old.iter().map(|upload| bucket.give_up(upload));
                let ends = stream::iter(ends).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await;
                ends.map_err(failed_without("s3:AbortMultipartUpload"))?;
            }
            next = found.next;
            if next.is_none() {
                break;
            }
        }
    }
    let done = if what == Uploads::Shown { "would be given up" } else { "given up" };
    let uploads = if count == 1 { "upload" } else { "uploads" };
    let younger = if younger > 0 { format!("; {younger} younger left alone") } else { String::new() };
    output::line(format_args!("{count} incomplete {uploads} {done}{younger}"));
    Ok(())
}

/// Clocks differ: what was begun in the future is young.
fn is_older(upload: &Upload, age: Duration) -> bool {
    SystemTime::now().duration_since(upload.begun).is_ok_and(|old| old >= age)
}

/// Whether a check has something to tell.
pub(super) async fn left(bucket: &Bucket) -> Found {
    let (mut count, mut next) = (0, None);
    for _ in 0..PAGES {
        let found = match bucket.uploads("", next.as_ref()).await {
            Ok(found) => found,
            Err(Error::Unsupported { .. }) => return Found::Left("this provider does not tell of them".into()),
            Err(Error::Denied { .. }) => {
                return Found::Left("the key may not look for them (s3:ListBucketMultipartUploads)".into());
            }
            Err(error) => return Found::from_error(&error),
        };
        count += found.uploads.iter().filter(|upload| is_older(upload, OLD)).count();
        next = found.next;
        if next.is_none() {
            break;
        }
    }
    let more = if next.is_some() { "at least " } else { "" };
    match count {
        0 => Found::Fine("none".into()),
        count => Found::Note(format!(
            "{more}{count}, a day old or more, which no listing shows and which cost what objects cost: \
             `noren storage rm --incomplete` gives them up"
        )),
    }
}
