//! `noren storage cp`

use super::list::shown;
use super::target::Chosen;
use super::usage::spinner;
use super::{Failure, failed, human, objects, output};
use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use futures_util::TryStreamExt as _;
use futures_util::stream::{self, StreamExt as _};
use media::s3::{Bucket, Headers, Object, Scope, Source};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::AsyncWriteExt as _;

/// Before the names of objects.
const MARK: &str = "bucket:";
/// Copied side by side.
const AT_ONCE: usize = 8;
/// Deeper folders are not followed.
const MAX_DEPTH: usize = 32;

#[derive(Debug, Args)]
pub(super) struct Cp {
    /// A file, or an object as bucket:NAME
    from: String,
    /// A file, or an object as bucket:NAME
    to: String,
    /// Everything in a folder
    #[arg(long, short)]
    recursive: bool,
    /// Leave out what is there already with the same length
    #[arg(long)]
    missing: bool,
    /// Tell what would be copied, copy nothing
    #[arg(long)]
    dry_run: bool,
}

/// Where something is.
enum Side {
    Here(PathBuf),
    There(String),
}

impl Side {
    fn of(text: &str) -> Side {
        text.strip_prefix(MARK).map_or_else(|| Side::Here(text.into()), |key| Side::There(key.to_owned()))
    }
}

/// What has been copied so far.
#[derive(Default)]
struct Done {
    objects: AtomicU64,
    bytes: AtomicU64,
}

struct Copying<'a> {
    bucket: &'a Bucket,
    missing: bool,
    dry_run: bool,
    done: Done,
    bar: indicatif::ProgressBar,
}

impl Cp {
    pub(super) async fn run(self, chosen: &Chosen) -> Result<(), Failure> {
        let (missing, dry_run) = (self.missing, self.dry_run);
        let copying = Copying { bucket: &chosen.bucket, missing, dry_run, done: Done::default(), bar: spinner() };
        let copied = match (Side::of(&self.from), Side::of(&self.to), self.recursive) {
            (Side::Here(_), Side::Here(_), _) => {
                return Err(Failure::Usage(format!("one of both has to be in the bucket: write {MARK}NAME")));
            }
            (Side::There(_), Side::There(_), true) => {
                return Err(Failure::Usage("inside the bucket only single objects are copied".into()));
            }
            (Side::There(from), Side::There(to), false) => copying.inside(&from, &to).await,
            (Side::Here(from), Side::There(to), false) => copying.up(&from, &named(&to, &from)?).await,
            (Side::There(from), Side::Here(to), false) => copying.down(&from, &inside(&to, &from)).await,
            (Side::Here(from), Side::There(to), true) => copying.folder_up(&from, &to).await,
            (Side::There(from), Side::Here(to), true) => copying.folder_down(&from, &to).await,
        };
        copying.bar.finish_and_clear();
        let count = copying.done.objects.load(Ordering::Relaxed);
        let bytes = copying.done.bytes.load(Ordering::Relaxed);
        let word = if dry_run { "would be copied" } else { "copied" };
        output::line(format_args!("{}, {} {word}", objects(count), human(bytes)));
        copied.map_err(failed)
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

impl Copying<'_> {
    async fn inside(&self, from: &str, to: &str) -> anyhow::Result<()> {
        let meta = self.bucket.head(from).await?.ok_or_else(|| anyhow!("there is no object {from:?}"))?;
        if self.wanted((from, to), meta.total).await? {
            self.bucket.copy(from, to).await?;
            self.count(meta.total);
        }
        Ok(())
    }

    async fn up(&self, from: &Path, to: &str) -> anyhow::Result<()> {
        let place = || from.display().to_string();
        let length = tokio::fs::metadata(from).await.with_context(place)?.len();
        if !self.wanted((&place(), to), length).await? {
            return Ok(());
        }
        let extension = from.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let content_type = media::content_type(extension).unwrap_or("application/octet-stream");
        let cache_control = "public, max-age=31536000, immutable";
        let headers = Headers { content_type: Some(content_type.into()), cache_control: Some(cache_control.into()) };
        self.bucket.put(to, &Source::open(from).await?, &headers).await.with_context(place)?;
        self.count(length);
        Ok(())
    }

    /// Whether to copy, as far as the bucket's side tells.
    async fn wanted(&self, (from, to): (&str, &str), length: u64) -> anyhow::Result<bool> {
        if self.missing && self.bucket.head(to).await?.is_some_and(|meta| meta.total == length) {
            return Ok(false);
        }
        if self.dry_run {
            output::line(format_args!("would copy {} to {MARK}{}", shown(from), shown(to)));
            self.count(length);
        }
        Ok(!self.dry_run)
    }

    /// Appears by rename, so that nobody takes a part for the whole.
    async fn down(&self, from: &str, to: &Path) -> anyhow::Result<()> {
        let length = |object: &Object| object.meta.total;
        if self.dry_run || self.missing {
            let meta = self.bucket.head(from).await?.ok_or_else(|| anyhow!("there is no object {from:?}"))?;
            let here = tokio::fs::metadata(to).await.ok().map(|meta| meta.len());
            if self.missing && here == Some(meta.total) {
                return Ok(());
            }
            if self.dry_run {
                output::line(format_args!("would copy {MARK}{} to {}", shown(from), to.display()));
                self.count(meta.total);
                return Ok(());
            }
        }
        let object = self.bucket.get(from, None).await?.ok_or_else(|| anyhow!("there is no object {from:?}"))?;
        let (total, mut body) = (length(&object), object.body);
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // A web server shall read it, as it reads what cp makes; the umask still takes away what it takes.
        let (file, path) = tempfile::Builder::new()
            .permissions(Permissions::from_mode(0o644))
            .tempfile_in(folder)
            .context("cannot write here")?
            .into_parts();
        let mut file = tokio::fs::File::from_std(file);
        while let Some(chunk) = body.try_next().await? {
            file.write_all(&chunk).await?;
        }
        file.sync_all().await?;
        path.persist(to).with_context(|| to.display().to_string())?;
        self.count(total);
        Ok(())
    }

    async fn folder_up(&self, from: &Path, to: &str) -> anyhow::Result<()> {
        let mut files = Vec::new();
        let root = from.to_owned();
        let found = tokio::task::spawn_blocking(move || walk(&root, "", 0, &mut files).map(|()| files)).await??;
        let to = if to.is_empty() || to.ends_with('/') { to.to_owned() } else { format!("{to}/") };
        let copies = found.into_iter().map(|name| {
            let (path, key) = (from.join(&name), format!("{to}{name}"));
            async move { self.up(&path, &key).await }
        });
        stream::iter(copies).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await.map(drop)
    }

    async fn folder_down(&self, from: &str, to: &Path) -> anyhow::Result<()> {
        let scope = Scope { prefix: from.to_owned(), limit: 1000, ..Scope::default() };
        let mut next = None;
        loop {
            let page = self.bucket.list(&scope, next.as_ref()).await?;
            let copies = page.objects.iter().map(|found| async {
                let name = found.key.strip_prefix(from).unwrap_or(&found.key).trim_start_matches('/');
                let target = to.join(safe(name)?);
                if let (false, Some(folder)) = (self.dry_run, target.parent()) {
                    tokio::fs::create_dir_all(folder).await?;
                }
                self.down(&found.key, &target).await
            });
            stream::iter(copies).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
            next = page.next;
            if next.is_none() {
                return Ok(());
            }
        }
    }

    fn count(&self, bytes: u64) {
        let count = self.done.objects.fetch_add(1, Ordering::Relaxed) + 1;
        let bytes = self.done.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.bar.set_message(format!("{}, {}", objects(count), human(bytes)));
    }
}

/// Keys come from outside: none may lead out of the folder.
fn safe(name: &str) -> anyhow::Result<&Path> {
    let part = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', '\0']);
    if !name.split('/').all(part) {
        bail!("the object {name:?} has a name that cannot be a file's here");
    }
    Ok(Path::new(name))
}

/// Names of files below a folder, without those that begin with a dot.
fn walk(folder: &Path, above: &str, depth: usize, found: &mut Vec<String>) -> anyhow::Result<()> {
    if depth > MAX_DEPTH {
        bail!("{} has too many folders inside each other", folder.display());
    }
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_str().ok_or_else(|| anyhow!("{}: a name is not UTF-8", folder.display()))?;
        if name.starts_with('.') {
            continue;
        }
        // Links are left alone: they may lead anywhere.
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(&entry.path(), &format!("{above}{name}/"), depth + 1, found)?;
        } else if kind.is_file() {
            found.push(format!("{above}{name}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_the_folder() {
        for name in ["../a", "a/../../b", "/etc/passwd", "a//b", "", ".", "a\\b", "a/"] {
            assert!(safe(name).is_err(), "{name:?}");
        }
        assert!(safe("a/..b/.c").is_ok());
        assert_eq!(named("a/", Path::new("/x/y.png")).ok().as_deref(), Some("a/y.png"));
        assert_eq!(named("a", Path::new("/x/y.png")).ok().as_deref(), Some("a"));
    }
}
