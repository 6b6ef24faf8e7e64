//! `noren media`

mod lookup;
mod orphans;
mod refresh;
mod remove;

use super::storage::{files, human};
use super::{Failure, Place, output, start};
use crate::copies::{Files, Sum};
use crate::server::Parts;
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::PathBuf;

/// What copies are of, by the folders that they lie in.
const FOLDERS: [(&str, &str); 5] = [
    ("attachments", ATTACHMENTS),
    ("avatars", AVATARS),
    ("headers", HEADERS),
    ("emoji", "cache/custom_emojis/"),
    ("previews of pages", "cache/preview_cards/"),
];
const ATTACHMENTS: &str = "cache/media_attachments/";
const AVATARS: &str = "cache/accounts/avatars/";
const HEADERS: &str = "cache/accounts/headers/";

/// Copies of other servers' pictures and videos, and files that nobody names
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
    /// Add up what is kept of other servers: in the cache, and as copies of a mirror
    Usage {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    Remove(remove::Remove),
    RemoveOrphans(orphans::RemoveOrphans),
    Lookup(lookup::Lookup),
    Refresh(refresh::Refresh),
}

impl Media {
    pub(super) fn run(self, place: &Place) -> Result<(), Failure> {
        start::with_data(place, async |parts| match self.command {
            Command::Usage { json } => Ok(usage(&parts, json).await?),
            Command::Remove(remove) => remove.run(&parts).await,
            Command::RemoveOrphans(orphans) => orphans.run(&parts).await,
            Command::Lookup(lookup) => lookup.run(&parts).await,
            Command::Refresh(refresh) => refresh.run(&parts).await,
        })
    }
}

/// Where the server that runs on this data has its cache.
fn cache(parts: &Parts) -> PathBuf {
    parts.config.edge().cache.path
}

async fn usage(parts: &Parts, as_json: bool) -> anyhow::Result<()> {
    let folder = cache(parts);
    let cached = if folder.is_dir() { files::sum(&folder)? } else { files::Sum::default() };
    let mut rows = vec![("cache", cached.files, cached.bytes)];
    for (name, prefix) in FOLDERS {
        let all = below(parts, prefix).await?;
        rows.push((name, all.files, all.bytes));
    }
    if as_json {
        let row = |(name, files, bytes): &(&str, u64, u64)| json!({ "what": name, "files": files, "bytes": bytes });
        return output::json(&rows.iter().map(row).collect::<Vec<_>>());
    }
    let row = |(name, files, bytes): &(&str, u64, u64)| [human(*bytes), files.to_string(), (*name).to_owned()];
    output::table(["SIZE", "FILES", "WHAT"], &rows.iter().map(row).collect::<Vec<_>>());
    Ok(())
}

async fn below(parts: &Parts, prefix: &str) -> anyhow::Result<Sum> {
    let (mut files, mut sum) = (Files::below(parts, prefix), Sum::default());
    loop {
        let page = files.entries().await?;
        if page.is_empty() {
            return Ok(sum);
        }
        page.iter().for_each(|entry| sum.count(entry));
    }
}
