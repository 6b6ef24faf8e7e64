//! `noren preview-cards`

use super::{Failure, Place, output, start};
use clap::{Args, Subcommand};
use domain::Time;
use domain::cards::{self, Removal};
use std::time::Duration;

/// Previews of pages that posts link to
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren preview-cards remove --dry-run
  noren preview-cards remove --days 30")]
pub(super) struct PreviewCards {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Remove previews; a page is asked again when the next post links to it
    Remove {
        /// Only those that are older than so many days
        #[arg(long, default_value_t = 180, value_name = "N")]
        days: u64,
        /// Count, change nothing
        #[arg(long)]
        dry_run: bool,
    },
}

impl PreviewCards {
    pub(super) fn run(self, place: &Place) -> Result<(), Failure> {
        let Command::Remove { days, dry_run } = self.command;
        start::with_data(place, async |parts| {
            let before = Time::now().minus(Duration::from_secs(days.saturating_mul(24 * 3600)));
            let removal = if dry_run { Removal::Count } else { Removal::Remove };
            let count = cards::remove(&parts.db, before, removal).await?;
            let done = if dry_run { "would be removed; nothing was changed" } else { "removed" };
            output::line(format_args!("{count} {} {done}", if count == 1 { "preview" } else { "previews" }));
            Ok(())
        })
    }
}
