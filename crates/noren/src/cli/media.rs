//! `noren media`

use super::edge::orders::give_to;
use super::storage::{files, human};
use super::{Failure, Place, output, start};
use crate::server::Parts;
use crate::worker::mirror_media::{Removal, remove_older};
use ::edge::control::Order;
use ::media::keys::{self, CACHE, Kind, Style, What};
use ::media::{Key, Store};
use anyhow::{anyhow, bail};
use clap::{Args, Subcommand};
use domain::ids::StatusId;
use domain::{accounts, statuses};
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;

const DAY: u64 = 24 * 3600;
/// What copies are of, by the folders that they lie in.
const FOLDERS: [(&str, &str); 5] = [
    ("attachments", "cache/media_attachments/"),
    ("avatars", "cache/accounts/avatars/"),
    ("headers", "cache/accounts/headers/"),
    ("emoji", "cache/custom_emojis/"),
    ("previews of pages", "cache/preview_cards/"),
];

/// Pictures, videos and sounds of other servers
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren media usage
  noren media remove --days 14 --dry-run
  noren media remove --cache              forget everything that was fetched for somebody to look at
  noren media refresh mia@example.com
  noren media refresh --status 113504398512345678")]
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
    /// Remove copies of a mirror; what is looked at again is fetched again
    Remove(Remove),
    /// Forget the pictures of an account or what hangs on a post, so that they are fetched anew
    Refresh(Refresh),
}

#[derive(Debug, Args)]
struct Remove {
    /// Only copies that are older than so many days
    #[arg(long, default_value_t = 7, value_name = "N")]
    days: u64,
    /// Forget what the cache of the running server has, too
    #[arg(long)]
    cache: bool,
    /// Look at everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Args)]
struct Refresh {
    /// Whose avatar and header, as user@domain
    #[arg(required_unless_present = "status", value_name = "HANDLE")]
    handle: Option<String>,
    /// The id of a post
    #[arg(long, conflicts_with = "handle", value_name = "ID")]
    status: Option<StatusId>,
}

impl Media {
    pub(super) fn run(self, place: &Place) -> Result<(), Failure> {
        start::with_data(place, async |parts| match self.command {
            Command::Usage { json } => Ok(usage(&parts, json).await?),
            Command::Remove(remove) => remove.run(&parts).await,
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
        let all = remove_older(parts, (prefix, Duration::ZERO), Removal::Count).await?;
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

impl Remove {
    async fn run(self, parts: &Parts) -> Result<(), Failure> {
        let removal = if self.dry_run { Removal::Count } else { Removal::Remove };
        let kept = Duration::from_secs(self.days.saturating_mul(DAY));
        let is_forgotten = self.cache && !self.dry_run;
        if is_forgotten {
            let prefix = parts.site.media(CACHE);
            give_to(&cache(parts), &Order::PurgePrefix { prefix })?;
        }
        let removed = remove_older(parts, (CACHE, kept), removal).await?;
        let done = if self.dry_run { "would be removed" } else { "removed" };
        output::line(format_args!("{} copies, {} {done}", removed.files, human(removed.bytes)));
        if is_forgotten {
            output::line("the cache is forgotten");
        }
        Ok(())
    }
}

impl Refresh {
    async fn run(self, parts: &Parts) -> Result<(), Failure> {
        let files = match (&self.handle, self.status) {
            (Some(handle), _) => portraits(parts, handle).await?,
            (None, Some(status)) => attachments(parts, status).await?,
            (None, None) => Vec::new(),
        };
        for (what, stored) in &files {
            let key = keys::shown(*what, stored);
            forget_copy(&parts.store, &key).await?;
            give_to(&cache(parts), &Order::Purge { url: parts.site.media(&key) })?;
        }
        output::line(format_args!("{} files are fetched anew when somebody looks", files.len()));
        Ok(())
    }
}

async fn forget_copy(store: &Store, key: &str) -> anyhow::Result<()> {
    match Key::parse(key) {
        Ok(key) => Ok(store.delete(&key).await?),
        Err(_) => bail!("{key} is not a name of a stored file"),
    }
}

async fn portraits(parts: &Parts, handle: &str) -> Result<Vec<(What, String)>, Failure> {
    let account = accounts::lookup(&parts.db.read().await?, &parts.site, handle).await;
    let account = account.map_err(|_| anyhow!("there is no account {handle}"))?;
    let id = account.id.0;
    let each = |kind, stored: Option<String>| {
        let stored = stored.filter(|stored| keys::is_address(stored));
        let styles = [Style::Original, Style::Static];
        stored.into_iter().flat_map(move |stored| styles.map(|style| ((kind, id, style), stored.clone())))
    };
    Ok(each(Kind::Avatar, account.avatar).chain(each(Kind::Header, account.header)).collect())
}

async fn attachments(parts: &Parts, id: StatusId) -> Result<Vec<(What, String)>, Failure> {
    let conn = parts.db.read().await?;
    let status = statuses::store::by_id(&conn, id).await?.ok_or_else(|| anyhow!("there is no post {id}"))?;
    let mut files = Vec::new();
    for row in domain::media::store::by_statuses(&conn, [status.id]).await? {
        let (id, small) = (row.id.0, row.small.clone().or_else(|| row.original.clone()));
        let versions = [(Style::Original, row.original), (Style::Small, small)];
        let addresses = versions.into_iter().filter_map(|(style, stored)| Some((style, stored?)));
        let remote = addresses.filter(|(_, stored)| keys::is_address(stored));
        files.extend(remote.map(|(style, stored)| ((Kind::Attachment, id, style), stored)));
    }
    Ok(files)
}
