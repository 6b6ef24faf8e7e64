//! `noren domains`

mod allow;
mod block;
mod list;
mod pass;
mod purge;

use super::{Failure, Place, output, start};
use crate::server::Parts;
use clap::{Args, Subcommand, ValueEnum};
use domain::domain_blocks::{self, name};
use std::path::PathBuf;

/// Block whole servers, allow them, forget them
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren domains block bad.example                        nothing is taken, sent or shown
  noren domains block loud.example --severity silence    heard only by who follows them
  noren domains block adult.example --severity noop --reject-media
  noren domains unblock bad.example                      follows that ended stay ended
  noren domains list --json
  noren domains import blocklist.csv --dry-run
  noren domains export > blocklist.csv
  noren domains allow good.example                       where federation.limited is set
  noren domains purge bad.example --dry-run")]
pub(super) struct Domains {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Block a server and all below its name; a block that there is gives way
    Block(block::Block),
    /// Take a block back
    Unblock {
        /// As it was blocked
        domain: String,
        /// Say what would change, change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// List what is blocked, or allowed
    List(list::List),
    /// Block what a file says, in the form that Mastodon exports
    Import(pass::Import),
    /// Write what is blocked, in the form that Mastodon imports
    Export,
    /// Allow a server and all below its name, where federation is limited to those
    Allow {
        /// Its name
        domain: String,
    },
    /// Allow a server no longer
    Disallow {
        /// As it was allowed
        domain: String,
    },
    /// Remove everything that is known of a server and all below its name
    Purge(purge::Purge),
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Severity {
    /// Nothing but what is said of media and reports
    Noop,
    /// Known to who follows them or looks for them
    Silence,
    /// Nothing is taken, sent or shown; follows end
    Suspend,
}

impl From<Severity> for domain_blocks::Severity {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Noop => Self::Noop,
            Severity::Silence => Self::Silence,
            Severity::Suspend => Self::Suspend,
        }
    }
}

impl Domains {
    pub(super) fn run(self, place: &Place) -> Result<(), Failure> {
        start::with_data(place, async |parts| match self.command {
            Command::Block(wanted) => block::block(&parts, wanted).await,
            Command::Unblock { domain, dry_run } => block::unblock(&parts, &domain, dry_run).await,
            Command::List(wanted) => list::list(&parts, &wanted).await,
            Command::Import(wanted) => pass::import(&parts, &wanted).await,
            Command::Export => pass::export(&parts).await,
            Command::Allow { domain } => allow::allow(&parts, &domain).await,
            Command::Disallow { domain } => allow::disallow(&parts, &domain).await,
            Command::Purge(wanted) => purge::purge(&parts, &wanted).await,
        })
    }
}

/// The one spelling of the name; one that would take this site in is refused.
fn named(parts: &Parts, domain: &str) -> Result<String, Failure> {
    let wrong = || Failure::Usage(format!("{domain} is not the name of a server"));
    let name = name::normal(domain).ok_or_else(wrong)?;
    let ours = [parts.site.domain.as_str(), parts.site.base_url.as_str(), parts.site.media_url.as_str()];
    let others = parts.site.alternate_domains.iter().map(String::as_str);
    if ours.into_iter().chain(others).any(|own| name::is_within(own, &name)) {
        return Err(Failure::Usage(format!("{name} is this site")));
    }
    Ok(name)
}

/// `1 account`, `2 accounts`
fn some(count: impl TryInto<u64>, one: &str) -> String {
    match count.try_into().unwrap_or_default() {
        1 => format!("1 {one}"),
        n => format!("{n} {one}s"),
    }
}

/// A file, or standard input for `-`; not more than anybody's list has.
fn text(file: &PathBuf) -> anyhow::Result<String> {
    use std::io::Read as _;
    const MOST: u64 = 16 << 20;
    let mut out = String::new();
    let read = match file.to_str() {
        Some("-") => std::io::stdin().take(MOST).read_to_string(&mut out),
        _ => std::fs::File::open(file).and_then(|file| file.take(MOST).read_to_string(&mut out)),
    };
    read.map_err(|error| anyhow::anyhow!("cannot read {}: {error}", file.display()))?;
    Ok(out)
}
