//! `noren media remove`

use super::{ATTACHMENTS, AVATARS, HEADERS, cache};
use crate::cli::edge::orders::give_to;
use crate::cli::storage::human;
use crate::cli::{Failure, output};
use crate::config::Mode;
use crate::copies::{self, Files, Found, Standing, Sum, Whose};
use crate::server::Parts;
use clap::Args;
use domain::db::Conn;
use domain::ids::{AccountId, StatusId};
use domain::{follows, statuses};
use edge::control::Order;
use std::collections::HashSet;
use std::time::Duration;

const DAY: u64 = 24 * 3600;

/// Remove copies of attachments, or of pictures of people; what is looked at again is fetched again
///
/// Only copies go: a file that a row names as the only one there is stays, wherever it lies.
#[derive(Debug, Args)]
pub(super) struct Remove {
    /// Only copies that are older than so many days
    #[arg(long, default_value_t = 7, value_name = "N")]
    days: u64,
    /// Avatars and headers in the place of attachments
    #[arg(long)]
    prune_profiles: bool,
    /// Headers in the place of attachments
    #[arg(long, conflicts_with = "prune_profiles")]
    remove_headers: bool,
    /// Pictures of people who follow somebody here or are followed, too
    #[arg(long)]
    include_follows: bool,
    /// Leave what hangs on posts that somebody here favourited, boosted, bookmarked, answered or quoted
    #[arg(long, conflicts_with_all = ["prune_profiles", "remove_headers"])]
    keep_interacted: bool,
    /// Forget what the cache of the running server has of these, too, however old it is and whosever
    #[arg(long, conflicts_with = "keep_interacted")]
    cache: bool,
    /// Look at everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

impl Remove {
    pub(super) async fn run(self, parts: &Parts) -> Result<(), Failure> {
        let folders: &[&str] = match (self.prune_profiles, self.remove_headers) {
            (true, _) => &[AVATARS, HEADERS],
            (_, true) => &[HEADERS],
            _ => &[ATTACHMENTS],
        };
        let is_forgotten = self.cache && !self.dry_run;
        for folder in folders.iter().filter(|_| is_forgotten) {
            give_to(&cache(parts), &Order::PurgePrefix { prefix: parts.site.media(folder) })?;
        }
        let (mut sum, mut kept) = (Sum::default(), 0);
        let bar = output::counter();
        for folder in folders {
            let mut files = Files::below(parts, folder);
            loop {
                let page = files.next().await?;
                if page.is_empty() {
                    break;
                }
                bar.inc(page.len() as u64);
                let old: Vec<Found> = page.into_iter().filter(|file| self.is_wanted(file)).collect();
                let dear = self.dear(&parts.db.read().await?, &old).await?;
                for (file, is_dear) in old.iter().zip(dear) {
                    match is_dear {
                        true => kept += 1,
                        false if self.dry_run || copies::remove(parts, &file.entry).await => sum.count(&file.entry),
                        false => {}
                    }
                }
                bar.set_message(human(sum.bytes));
            }
        }
        bar.finish_and_clear();
        self.report(sum, kept);
        if sum.files == 0 && !self.cache && parts.config.media.remote.mode == Mode::Lazy {
            output::note("Nothing is mirrored here: files of other servers are in the cache alone, see --cache.");
        }
        Ok(())
    }

    fn is_wanted(&self, file: &Found) -> bool {
        file.standing == Standing::Copy && file.is_older(Duration::from_secs(self.days.saturating_mul(DAY)))
    }

    /// Which of these stay for the sake of somebody here.
    async fn dear(&self, conn: &Conn, files: &[Found]) -> Result<Vec<bool>, Failure> {
        let statuses: HashSet<StatusId> = match self.keep_interacted {
            true => statuses::store::kept_dear(conn, files.iter().filter_map(status)).await?.into_iter().collect(),
            false => HashSet::new(),
        };
        let accounts: HashSet<AccountId> = match self.include_follows {
            true => HashSet::new(),
            false => follows::remote::concerned(conn, files.iter().filter_map(account)).await?.into_iter().collect(),
        };
        let is_dear = |file: &Found| {
            status(file).is_some_and(|id| statuses.contains(&id))
                || account(file).is_some_and(|id| accounts.contains(&id))
        };
        Ok(files.iter().map(is_dear).collect())
    }

    fn report(&self, sum: Sum, kept: u64) {
        let done = if self.dry_run { "would be removed; nothing was changed" } else { "removed" };
        output::line(format_args!("{}, {} {done}", super::copies(sum.files), human(sum.bytes)));
        if kept > 0 {
            let why = if self.keep_interacted {
                "of posts that somebody here cares for"
            } else {
                "of people who are followed or follow"
            };
            output::line(format_args!("{} {why} left", super::copies(kept)));
        }
        if self.cache && !self.dry_run {
            output::line("the cache has forgotten them");
        }
    }
}

fn status(file: &Found) -> Option<StatusId> {
    match &file.whose {
        Some(Whose::Attachment(row)) => row.status_id,
        _ => None,
    }
}

fn account(file: &Found) -> Option<AccountId> {
    match &file.whose {
        Some(Whose::Account(row)) => Some(row.id),
        _ => None,
    }
}
