//! `noren storage rm`

use super::incomplete::{self, Uploads};
use super::list::shown;
use super::target::Chosen;
use super::usage::spinner;
use super::{Failure, failed, human, objects, output};
use anyhow::anyhow;
use clap::Args;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use media::s3::{Bucket, Scope};
use media::values::Period;

/// Removed side by side.
const AT_ONCE: usize = 16;

#[derive(Debug, Args)]
pub(super) struct Rm {
    /// Names of objects; with --recursive or --incomplete the beginnings of names, a folder with its slash
    #[arg(required_unless_present = "incomplete")]
    names: Vec<String>,
    /// Everything whose name begins so
    #[arg(long, short)]
    recursive: bool,
    /// Parts of uploads that were begun and never ended, such as by a program that was killed; no object is removed
    #[arg(long, conflicts_with = "recursive")]
    incomplete: bool,
    /// Only uploads that were begun longer ago than this: what is on its way is left alone
    #[arg(long, default_value = "1 d", value_name = "TIME", requires = "incomplete")]
    older_than: Period,
    /// Tell what would be removed, remove nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask before removing several
    #[arg(long, short)]
    yes: bool,
}

impl Rm {
    pub(super) async fn run(self, chosen: &Chosen) -> Result<(), Failure> {
        let bucket = &chosen.bucket;
        if self.incomplete {
            return self.uploads(bucket).await;
        }
        if !self.recursive {
            for name in &self.names {
                self.one(bucket, name).await?;
            }
            return Ok(());
        }
        for start in &self.names {
            self.all(bucket, start).await?;
        }
        Ok(())
    }

    async fn uploads(&self, bucket: &Bucket) -> Result<(), Failure> {
        let place = format!("{}{}", bucket.url(), bucket.prefix());
        let question = format!("Give up all uploads to {place} that were begun more than {} ago?", self.older_than);
        self.confirmed(&question)?;
        let everything = [String::new()];
        let starts = if self.names.is_empty() { &everything[..] } else { &self.names };
        let what = if self.dry_run { Uploads::Shown } else { Uploads::GivenUp };
        incomplete::remove(bucket, (starts, self.older_than.0), what).await
    }

    fn confirmed(&self, question: &str) -> Result<(), Failure> {
        if self.dry_run || self.yes || output::confirmed(question) {
            return Ok(());
        }
        Err(Failure::Usage("not confirmed: say --yes to remove several objects, --dry-run to look first".into()))
    }

    async fn one(&self, bucket: &Bucket, name: &str) -> Result<(), Failure> {
        if bucket.head(name).await.map_err(failed)?.is_none() {
            return Err(failed(anyhow!("there is no object {name:?}; for all in a folder: --recursive")));
        }
        if self.dry_run {
            output::line(format_args!("would remove {}", shown(name)));
            return Ok(());
        }
        bucket.delete(name).await.map_err(failed)?;
        output::line(format_args!("removed {}", shown(name)));
        Ok(())
    }

    async fn all(&self, bucket: &Bucket, start: &str) -> Result<(), Failure> {
        let what = if start.is_empty() { "everything".to_owned() } else { format!("everything below {start:?}") };
        let question = format!("Remove {what} from {}{}?", bucket.url(), bucket.prefix());
        self.confirmed(&question)?;
        let scope = Scope { prefix: start.to_owned(), limit: 1000, ..Scope::default() };
        let (bar, mut count, mut bytes, mut next) = (spinner(), 0u64, 0u64, None);
        loop {
            let page = bucket.list(&scope, next.as_ref()).await.map_err(failed)?;
            count += page.objects.len() as u64;
            bytes = page.objects.iter().fold(bytes, |sum, found| sum.saturating_add(found.len));
            if self.dry_run {
                page.objects.iter().for_each(|found| output::line(format_args!("would remove {}", shown(&found.key))));
            } else {
                let removals = page.objects.iter().map(|found| bucket.delete(&found.key));
                stream::iter(removals).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await.map_err(failed)?;
            }
            bar.set_message(format!("{}, {}", objects(count), human(bytes)));
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        bar.finish_and_clear();
        let done = if self.dry_run { "would be removed" } else { "removed" };
        output::line(format_args!("{}, {} {done}", objects(count), human(bytes)));
        Ok(())
    }
}
