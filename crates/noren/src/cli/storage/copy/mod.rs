//! `noren storage cp`

mod between;
mod compare;
mod down;
mod tally;
mod there;
mod up;

use super::place::{BUCKET, FOLDER, OTHER};
use super::target::Chosen;
use super::{Failure, failed};
use crate::cli::output;
use between::{Between, Named};
use clap::Args;
use media::s3::Bucket;
use std::path::{Path, PathBuf};
use tally::Tally;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Semaphore;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren storage cp --recursive data/media bucket:        from the disk into the bucket; again for what is new
  noren storage cp --recursive bucket: data/media        and back
  noren storage cp picture.png bucket:site_uploads/
  noren storage cp --recursive other: bucket:            from the bucket of [[media.origin]] into that of [media.storage]
  noren storage cp --recursive --other old.toml other: bucket:    from any bucket, described as in [media.storage]

What is there already and the same is left out, so it can be stopped and started again. What is there and differs is \
left as it is, and said at the end: exit code 1. Everything that is copied is compared with a checksum.

What has the same length and ETag is the same. Where a listing tells no ETag, or one of both is none of the whole object, \
it is enough that the copy is not older than what it was made of; --checksum reads and compares then.")]
pub(super) struct Cp {
    /// A file or folder, or objects as bucket:NAME or other:NAME
    from: String,
    /// A file or folder, or objects as bucket:NAME or other:NAME
    to: String,
    /// Which bucket other: is: a file that describes it like [media.storage] [default: the bucket of [[media.origin]]]
    #[arg(long, value_name = "FILE")]
    other: Option<PathBuf>,
    /// Everything in a folder, or whose name begins so
    #[arg(long, short)]
    recursive: bool,
    /// Put it in the place of what is there and differs
    #[arg(long)]
    overwrite: bool,
    /// Take for the same what has the same length: for buckets whose ETags are no checksums
    #[arg(long)]
    size_only: bool,
    /// Compare checksums, or every byte, also where length and time say that it is the same
    #[arg(long, conflicts_with = "size_only")]
    checksum: bool,
    /// Tell what would be copied, copy nothing
    #[arg(long)]
    dry_run: bool,
    /// How many files are on their way at once
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u8).range(1..=64))]
    parallel: u8,
}

/// The exit code of a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// Where something is.
enum Side {
    Here(PathBuf),
    There(String),
    Other(String),
}

impl Side {
    fn of(text: &str) -> Side {
        match (text.strip_prefix(BUCKET), text.strip_prefix(OTHER)) {
            (Some(key), _) => Side::There(key.to_owned()),
            (None, Some(key)) => Side::Other(key.to_owned()),
            (None, None) => Side::Here(text.strip_prefix(FOLDER).unwrap_or(text).into()),
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

/// What counts as the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Equality {
    /// Length and ETag; where there is none to compare, length and time.
    Usual,
    Lengths,
    Checksums,
}

/// One object, or all below a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    One,
    All,
}

struct Copying<'a> {
    bucket: &'a Bucket,
    overwrite: bool,
    equality: Equality,
    dry_run: bool,
    parallel: usize,
    /// For what goes from bucket to bucket, in MiB.
    memory: Semaphore,
    tally: Tally,
}

impl Cp {
    pub(super) async fn run(self, chosen: &Chosen) -> Result<(), Failure> {
        let Cp { recursive, overwrite, size_only, checksum, dry_run, .. } = self;
        let (bucket, parallel) = (&chosen.bucket, usize::from(self.parallel));
        let equality = match (size_only, checksum) {
            (true, _) => Equality::Lengths,
            (_, true) => Equality::Checksums,
            _ => Equality::Usual,
        };
        let memory = Semaphore::new(between::MEMORY as usize);
        let copying = Copying { bucket, overwrite, equality, dry_run, parallel, memory, tally: Tally::default() };
        let sides = (Side::of(&self.from), Side::of(&self.to));
        let other = match matches!(sides.0, Side::Other(_)) || matches!(sides.1, Side::Other(_)) {
            true => Some(chosen.other(self.other.as_deref())?),
            false => None,
        };
        let (this, other) =
            (Named { bucket, mark: BUCKET }, other.as_ref().map(|bucket| Named { bucket, mark: OTHER }));
        let mut stop = Stop::listen()?;
        let ended = stop
            .unless_told(copying.work(sides, (this, other), if recursive { Extent::All } else { Extent::One }))
            .await;
        let Some(copied) = ended.transpose()? else {
            // What is half way there goes, unless it is asked for a second time.
            stop.unless_told(async { tokio::join!(bucket.given_up(), given_up(other)) }).await;
            let _ = copying.tally.tell(dry_run);
            output::note("stopped: the same command goes on with the rest");
            std::process::exit(INTERRUPTED);
        };
        if copied.is_err() && copying.tally.is_empty() {
            return copied.map_err(failed);
        }
        let told = copying.tally.tell(dry_run);
        copied.and(told).map_err(failed)
    }
}

impl Copying<'_> {
    async fn work(
        &self,
        sides: (Side, Side),
        (this, other): (Named<'_>, Option<Named<'_>>),
        extent: Extent,
    ) -> Result<anyhow::Result<()>, Failure> {
        Ok(match (sides.0, sides.1, other) {
            (Side::There(from), Side::There(to), _) => {
                self.over_by(Between { from: this, to: this }, (&from, &to), extent).await?
            }
            (Side::Other(from), Side::There(to), Some(other)) => {
                self.over_by(Between { from: other, to: this }, (&from, &to), extent).await?
            }
            (Side::There(from), Side::Other(to), Some(other)) => {
                self.over_by(Between { from: this, to: other }, (&from, &to), extent).await?
            }
            (Side::Here(from), Side::There(to), _) => match extent {
                Extent::All => self.all_up(&from, &to).await,
                Extent::One => self.one_up(&from, &named(&to, &from)?).await,
            },
            (Side::There(from), Side::Here(to), _) => match extent {
                Extent::All => self.all_down(&from, &to).await,
                Extent::One => self.one_down(&from, &inside(&to, &from)).await,
            },
            _ => return Err(Failure::Usage(format!("one of both has to be in the bucket: write {BUCKET}NAME"))),
        })
    }

    async fn over_by(
        &self,
        between: Between<'_>,
        (from, to): (&str, &str),
        extent: Extent,
    ) -> Result<anyhow::Result<()>, Failure> {
        if extent == Extent::One {
            return Ok(self.one_over(between, from, to).await);
        }
        if between.is_inside() && (to.starts_with(from) || from.starts_with(to)) {
            return Err(Failure::Usage("one of both lies in the other: the copies would be copied too".into()));
        }
        Ok(self.all_over(between, from, to).await)
    }
}

/// SIGINT (Ctrl-C) and SIGTERM.
struct Stop {
    int: Signal,
    term: Signal,
}

impl Stop {
    fn listen() -> std::io::Result<Stop> {
        Ok(Stop { int: signal(SignalKind::interrupt())?, term: signal(SignalKind::terminate())? })
    }

    /// What comes of it, unless somebody says first that it shall stop: then it is dropped.
    async fn unless_told<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            _ = self.int.recv() => None,
            _ = self.term.recv() => None,
        }
    }
}

async fn given_up(other: Option<Named<'_>>) {
    if let Some(other) = other {
        other.bucket.given_up().await;
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
