//! `noren media remove-orphans`

use super::{cache, files};
use crate::cli::edge::orders::give_to;
use crate::cli::storage::human;
use crate::cli::{Failure, output};
use crate::copies::{self, Files, Standing, Sum};
use crate::server::Parts;
use clap::Args;
use edge::control::Order;
use media::Entry;
use media::keys::PUBLISHED;
use std::path::PathBuf;
use std::time::Duration;

const DAY: u64 = 24 * 3600;
/// Removed by one call: their names are kept until somebody has said yes.
const MOST: usize = 1_000_000;
/// Looked at together.
const TOGETHER: usize = 500;

/// Remove files that no row names, from the disk or the bucket; it lists them first
///
/// Every stored file is looked at, which takes a while, and requests where files are in a bucket. Only files that are
/// called as Noren calls its own can be orphans, and none that is younger than a day; uploads that wait are no orphans.
#[derive(Debug, Args)]
pub(super) struct RemoveOrphans {
    /// Look only at files whose names begin so, such as accounts/avatars/
    #[arg(long, value_name = "PREFIX")]
    prefix: Option<String>,
    /// Only files that are older than so many days
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=36_500))]
    days: u64,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// List them, remove none
    #[arg(long)]
    dry_run: bool,
}

/// The folders that may have files whose names begin so.
fn folders(wanted: &str) -> impl Iterator<Item = &'static str> {
    PUBLISHED.into_iter().filter(move |folder| folder.starts_with(wanted) || wanted.starts_with(folder))
}

/// The cache of a server that runs, if one does.
struct Cache {
    folder: PathBuf,
    is_there: bool,
}

impl Cache {
    fn of(parts: &Parts) -> Self {
        let folder = cache(parts);
        let is_there = give_to(&folder, &Order::Status).is_ok();
        Self { folder, is_there }
    }

    /// What it does not forget it shows until it is full.
    fn forget(&mut self, url: String) {
        self.is_there = self.is_there && give_to(&self.folder, &Order::Purge { url }).is_ok();
    }
}

/// What was found.
#[derive(Default)]
struct Tally {
    orphans: Vec<Entry>,
    sum: Sum,
    /// Called otherwise than any file of ours.
    foreign: u64,
}

impl RemoveOrphans {
    pub(super) async fn run(self, parts: &Parts) -> Result<(), Failure> {
        let wanted = self.prefix.as_deref().unwrap_or_default();
        if folders(wanted).next().is_none() {
            let known = PUBLISHED.join(", ");
            return Err(Failure::Usage(format!("--prefix: no file of a site begins with {wanted}, but with {known}")));
        }
        let Tally { orphans, sum, foreign } = self.look(parts).await?;
        let all = format!("{} that no row names, {}", files(sum.files), human(sum.bytes));
        if foreign > 0 {
            output::note(format_args!("{} called otherwise than Noren calls its own: left alone", files(foreign)));
        }
        if self.dry_run || orphans.is_empty() {
            output::line(format_args!("{all}; nothing was removed"));
            return Ok(());
        }
        if !self.yes && !output::confirmed(&format!("Remove these {all}, for ever?")) {
            return Err(Failure::Usage("nothing was removed: answer y at a terminal, or say --yes".into()));
        }
        let bar = output::progress(orphans.len());
        let (mut removed, mut cache) = (Sum::default(), Cache::of(parts));
        for some in orphans.chunks(TOGETHER) {
            // Somebody may have taken his time to say yes.
            for file in copies::judged(&parts.db.read().await?, some.to_vec()).await? {
                if file.standing == Standing::Orphan && copies::remove(parts, &file.entry).await {
                    removed.count(&file.entry);
                    cache.forget(parts.site.media(file.entry.key.as_str()));
                }
            }
            bar.inc(some.len() as u64);
        }
        bar.finish_and_clear();
        output::line(format_args!("{}, {} removed", files(removed.files), human(removed.bytes)));
        let stay = sum.files - removed.files;
        if stay > 0 {
            output::note(format_args!("{} left: not to be removed, or named by a row by now", files(stay)));
        }
        if orphans.len() == MOST {
            output::note("There may be more: run it again.");
        }
        Ok(())
    }

    /// All of them, each told as it is found.
    async fn look(&self, parts: &Parts) -> Result<Tally, Failure> {
        let mut tally = Tally::default();
        let bar = output::counter();
        let wanted = self.prefix.as_deref().unwrap_or_default();
        // A prefix may lie within a folder, or name several.
        for folder in folders(wanted) {
            let mut stored = Files::below(parts, if wanted.len() > folder.len() { wanted } else { folder });
            loop {
                let page = stored.next().await?;
                if page.is_empty() || tally.orphans.len() == MOST {
                    break;
                }
                bar.inc(page.len() as u64);
                for file in page {
                    tally.foreign += u64::from(file.standing == Standing::Foreign);
                    let is_one = file.standing == Standing::Orphan
                        && file.is_older(Duration::from_secs(self.days.max(1).saturating_mul(DAY)));
                    if is_one && tally.orphans.len() < MOST {
                        bar.suspend(|| output::line(format_args!("{}  {}", file.entry.key, human(file.entry.len))));
                        tally.sum.count(&file.entry);
                        tally.orphans.push(file.entry);
                    }
                }
            }
        }
        bar.finish_and_clear();
        Ok(tally)
    }
}
