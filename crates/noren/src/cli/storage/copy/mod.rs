//! `noren storage cp`

mod compare;
mod down;
mod inside;
mod tally;
mod there;
mod up;

use super::place::{BUCKET, FOLDER};
use super::target::Chosen;
use super::{Failure, failed};
use clap::Args;
use media::s3::Bucket;
use std::path::{Path, PathBuf};
use tally::Tally;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren storage cp --recursive data/media bucket:        from the disk into the bucket; again for what is new
  noren storage cp --recursive bucket: data/media        and back
  noren storage cp picture.png bucket:site_uploads/

What is there already and the same is left out, so it can be stopped and started again. What is there and differs is
left as it is, and said at the end: exit code 1. Everything that is copied is compared with a checksum.")]
pub(super) struct Cp {
    /// A file or folder, or objects as bucket:NAME
    from: String,
    /// A file or folder, or objects as bucket:NAME
    to: String,
    /// Everything in a folder, or whose name begins so
    #[arg(long, short)]
    recursive: bool,
    /// Put it in the place of what is there and differs
    #[arg(long)]
    overwrite: bool,
    /// Take for the same what has the same length: for buckets whose ETags are no checksums
    #[arg(long)]
    size_only: bool,
    /// Tell what would be copied, copy nothing
    #[arg(long)]
    dry_run: bool,
    /// How many files are on their way at once
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u8).range(1..=64))]
    parallel: u8,
}

/// Where something is.
enum Side {
    Here(PathBuf),
    There(String),
}

impl Side {
    fn of(text: &str) -> Side {
        match (text.strip_prefix(BUCKET), text.strip_prefix(FOLDER)) {
            (Some(key), _) => Side::There(key.to_owned()),
            (None, folder) => Side::Here(folder.unwrap_or(text).into()),
        }
    }
}

/// What came of one file.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Copied(u64),
    Same(u64),
    /// It is there with other content, and stays.
    Differs(u64),
    /// It went away before it was copied.
    Vanished,
}

struct Copying<'a> {
    bucket: &'a Bucket,
    overwrite: bool,
    size_only: bool,
    dry_run: bool,
    parallel: usize,
    tally: Tally,
}

impl Cp {
    pub(super) async fn run(self, chosen: &Chosen) -> Result<(), Failure> {
        let Cp { recursive, overwrite, size_only, dry_run, .. } = self;
        let (bucket, parallel) = (&chosen.bucket, usize::from(self.parallel));
        let copying = Copying { bucket, overwrite, size_only, dry_run, parallel, tally: Tally::default() };
        let copied = match (Side::of(&self.from), Side::of(&self.to), recursive) {
            (Side::Here(_), Side::Here(_), _) => {
                return Err(Failure::Usage(format!("one of both has to be in the bucket: write {BUCKET}NAME")));
            }
            (Side::There(from), Side::There(to), true) if to.starts_with(&from) || from.starts_with(&to) => {
                return Err(Failure::Usage("one of both lies in the other: the copies would be copied too".into()));
            }
            (Side::There(from), Side::There(to), false) => copying.one_inside(&from, &to).await,
            (Side::There(from), Side::There(to), true) => copying.all_inside(&from, &to).await,
            (Side::Here(from), Side::There(to), false) => copying.one_up(&from, &named(&to, &from)?).await,
            (Side::There(from), Side::Here(to), false) => copying.one_down(&from, &inside(&to, &from)).await,
            (Side::Here(from), Side::There(to), true) => copying.all_up(&from, &to).await,
            (Side::There(from), Side::Here(to), true) => copying.all_down(&from, &to).await,
        };
        if copied.is_err() && copying.tally.is_empty() {
            return copied.map_err(failed);
        }
        let told = copying.tally.tell(dry_run);
        copied.and(told).map_err(failed)
    }
}

/// A folder in the bucket takes the file's own name.
fn named(to: &str, from: &Path) -> Result<String, Failure> {
    if !to.is_empty() && !to.ends_with('/') {
        return Ok(to.to_owned());
    }
    let name = from.file_name().and_then(|name| name.to_str());
    name.map(|name| format!("{to}{name}")).ok_or_else(|| Failure::Usage("the file's name is not UTF-8".into()))
}

/// A folder here takes the object's own name.
fn inside(to: &Path, from: &str) -> PathBuf {
    let name = from.rsplit('/').next().unwrap_or(from);
    if to.is_dir() { to.join(name) } else { to.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_take_the_names_of_what_is_copied() {
        assert_eq!(named("a/", Path::new("/x/y.png")).ok().as_deref(), Some("a/y.png"));
        assert_eq!(named("a", Path::new("/x/y.png")).ok().as_deref(), Some("a"));
    }
}
