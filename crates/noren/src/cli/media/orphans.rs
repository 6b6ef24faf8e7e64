//! `noren media remove-orphans`

use crate::cli::storage::human;
use crate::cli::{Failure, output};
use crate::copies::{self, Files, Standing, Sum};
use crate::server::Parts;
use clap::Args;
use media::Entry;
use media::keys::PUBLISHED;
use std::time::Duration;

const DAY: u64 = 24 * 3600;
/// Removed by one call: their names are kept until somebody has said yes.
const MOST: usize = 1_000_000;

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
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    days: u64,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// List them, remove none
    #[arg(long)]
    dry_run: bool,
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
        let Tally { orphans, sum, foreign } = self.look(parts).await?;
        let all = format!("{} files that no row names, {}", sum.files, human(sum.bytes));
        if foreign > 0 {
            output::note(format_args!("{foreign} files are called otherwise than Noren's: they are left alone"));
        }
        if self.dry_run || orphans.is_empty() {
            output::line(format_args!("{all}; nothing was removed"));
            return Ok(());
        }
        if !self.yes && !output::confirmed(&format!("Remove these {all}, for ever?")) {
            return Err(Failure::Usage("nothing was removed: answer y, or say --yes".into()));
        }
        let bar = output::progress(orphans.len());
        let mut removed = Sum::default();
        for entry in &orphans {
            if copies::remove(parts, entry).await {
                removed.count(entry);
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        output::line(format_args!("{} files, {} removed", removed.files, human(removed.bytes)));
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
        for folder in PUBLISHED.into_iter().filter(|folder| folder.starts_with(wanted) || wanted.starts_with(folder)) {
            let mut files = Files::below(parts, if wanted.len() > folder.len() { wanted } else { folder });
            loop {
                let page = files.next().await?;
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
