//! From the bucket to this machine.

use super::compare::{Direction, There};
use super::{Copying, Equality, Outcome};
use crate::cli::output;
use crate::cli::storage::list::shown;
use crate::cli::storage::place::BUCKET;
use anyhow::{Context as _, anyhow, bail};
use futures_util::TryStreamExt as _;
use futures_util::stream::{self, StreamExt as _};
use media::s3::{self, Object, Scope};
use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use tokio::io::AsyncWriteExt as _;

impl Copying<'_> {
    pub(super) async fn one_down(&self, from: &str, to: &Path) -> anyhow::Result<()> {
        let meta = self.bucket.head(from).await?;
        let meta = meta.ok_or_else(|| anyhow!("there is no object {from:?}; for all in a folder: --recursive"))?;
        self.tally.bar.set_length(meta.total);
        let there = There::from(meta);
        let outcome = self.down(from, to, &there).await;
        self.tally.count(from, outcome)
    }

    pub(super) async fn all_down(&self, from: &str, to: &Path) -> anyhow::Result<()> {
        let scope = Scope { prefix: from.to_owned(), limit: 1000, ..Scope::default() };
        let mut next = None;
        loop {
            let page = self.bucket.list(&scope, next.as_ref()).await?;
            self.tally.bar.inc_length(page.objects.iter().map(|found| found.len).sum());
            let copies = page.objects.iter().map(|found| async {
                let there = There::from(found.clone());
                let outcome = self.below(from, to, (&found.key, &there)).await;
                self.tally.count(&shown(&found.key), outcome)
            });
            stream::iter(copies).buffer_unordered(self.parallel).try_collect::<()>().await?;
            next = page.next;
            if next.is_none() {
                return Ok(());
            }
        }
    }

    async fn below(&self, from: &str, to: &Path, (key, there): (&str, &There)) -> anyhow::Result<Outcome> {
        let name = key.strip_prefix(from).unwrap_or(key).trim_start_matches('/');
        // The marker of a folder that some programs make.
        if name.is_empty() || (name.ends_with('/') && there.len == 0) {
            return Ok(Outcome::Same(0));
        }
        let target = to.join(safe(name)?);
        if let (false, Some(folder)) = (self.dry_run, target.parent()) {
            tokio::fs::create_dir_all(folder).await?;
        }
        self.down(key, &target, there).await
    }

    /// Appears by rename, so that nobody takes a part for the whole.
    async fn down(&self, from: &str, to: &Path, there: &There) -> anyhow::Result<Outcome> {
        if let Ok(meta) = tokio::fs::metadata(to).await {
            if !meta.is_file() {
                bail!("{} is no file", to.display());
            }
            if self.are_same(to, (from, there), Direction::Down).await? {
                return Ok(Outcome::Same(there.len));
            }
            if !self.overwrite {
                return Ok(Outcome::Differs(there.len));
            }
        }
        if self.dry_run {
            output::line(format_args!("would copy {BUCKET}{} to {}", shown(from), to.display()));
            return Ok(Outcome::Copied(there.len));
        }
        let Some(Object { meta, mut body }) = self.bucket.get(from, None).await? else { return Ok(Outcome::Vanished) };
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
        let file = file.into_std().await;
        if let Some(time) = meta.last_modified {
            file.set_modified(time)?;
        }
        if let (Some(etag), false) = (&meta.etag, self.equality == Equality::Lengths)
            && s3::is_etag_of(File::open(&path)?, meta.total, etag).await? == Some(false)
        {
            bail!("it did not arrive as its ETag says (--size-only, if the bucket's ETags are no checksums)");
        }
        path.persist(to).with_context(|| to.display().to_string())?;
        Ok(Outcome::Copied(meta.total))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_the_folder() {
        for name in ["../a", "a/../../b", "/etc/passwd", "a//b", "", ".", "a\\b", "a/"] {
            assert!(safe(name).is_err(), "{name:?}");
        }
        assert!(safe("a/..b/.c").is_ok());
    }
}
