//! `noren media`

mod lookup;
mod orphans;
mod refresh;
mod remove;
mod usage;

use super::{Failure, Place, start};
use crate::server::Parts;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// What copies of each kind lie below.
const ATTACHMENTS: &str = "cache/media_attachments/";
const AVATARS: &str = "cache/accounts/avatars/";
const HEADERS: &str = "cache/accounts/headers/";

/// Stored files: how many, copies of other servers' files, files that nobody names
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren media usage
  noren media remove --days 14 --keep-interacted --dry-run
  noren media remove --cache              attachments that only the cache has, too
  noren media remove --prune-profiles     avatars and headers of people whom nobody here follows
  noren media remove-orphans --dry-run
  noren media lookup https://example.com/media/cache/accounts/avatars/…
  noren media refresh --account mia@example.com
  noren media refresh --domain example.com --days 3 --force")]
pub(super) struct Media {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Usage(usage::Usage),
    Remove(remove::Remove),
    RemoveOrphans(orphans::RemoveOrphans),
    Lookup(lookup::Lookup),
    Refresh(refresh::Refresh),
}

impl Media {
    pub(super) fn run(self, place: &Place) -> Result<(), Failure> {
        start::with_data(place, async |parts| match self.command {
            Command::Usage(usage) => usage.run(&parts).await,
            Command::Remove(remove) => remove.run(&parts).await,
            Command::RemoveOrphans(orphans) => orphans.run(&parts).await,
            Command::Lookup(lookup) => lookup.run(&parts).await,
            Command::Refresh(refresh) => refresh.run(&parts).await,
        })
    }
}

/// `1 file`, `2 files`
fn files(count: u64) -> String {
    format!("{count} {}", if count == 1 { "file" } else { "files" })
}

/// `1 copy`, `2 copies`
fn copies(count: u64) -> String {
    format!("{count} {}", if count == 1 { "copy" } else { "copies" })
}

/// Where the server that runs on this data has its cache.
fn cache(parts: &Parts) -> PathBuf {
    parts.config.edge().cache.path
}
