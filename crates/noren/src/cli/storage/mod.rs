//! `noren storage`

mod check;
mod copy;
pub(super) mod files;
mod incomplete;
mod list;
mod place;
mod remove;
mod setup;
mod steps;
mod target;
mod usage;

use super::{Failure, Place, output};
use clap::{Args, Subcommand};
use target::Target;

/// Set up, check and look into the bucket or folder that keeps files: this site's, or any other
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren storage create
  noren storage policy public-read
  noren storage policy public-read --software mastodon --endpoint https://s3.example.net --bucket media
  noren storage cors --origin https://example.com
  noren storage check
  noren storage check --url https://files.example.com
  noren storage usage --depth 2
  noren storage cp --recursive data/media bucket:
  noren storage rm --recursive cache/ --dry-run
  noren storage rm --incomplete --older-than 7d --dry-run
  noren storage ls --provider wasabi --region eu-central-1 --bucket my-files
  noren storage usage --provider wasabi --region eu-central-1 --bucket media --software mastodon
  noren storage usage folder:/home/mastodon/live/public/system --software mastodon

Without --provider, --endpoint or --bucket it is the bucket of [media.storage] in the configuration.
Keys of other buckets come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or --secret-key-file.")]
pub(super) struct Storage {
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the bucket
    Create,
    /// Show or set who may read without a key; nobody may ever list or write
    Policy(setup::Policy),
    /// Show or set which sites' pages may read
    Cors(setup::Cors),
    /// Prove that everything works that should, and nothing else; exit code 1 when not
    Check(check::Check),
    /// Add up what lies in the bucket, or in a folder
    Usage(usage::Usage),
    /// List objects, or files
    Ls(list::Ls),
    /// Copy files into the bucket, out of it, or inside of it
    Cp(copy::Cp),
    /// Remove objects
    Rm(remove::Rm),
}

impl Storage {
    pub(super) fn run(self, place: &Place) -> Result<(), Failure> {
        let chosen = || self.target.chosen(place);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(async {
            match self.command {
                Command::Create => setup::create(&chosen()?).await,
                Command::Policy(policy) => policy.run(&chosen()?).await,
                Command::Cors(cors) => cors.run(&chosen()?).await,
                Command::Check(check) => check.run(&chosen()?).await,
                Command::Usage(usage) => usage.run(&self.target, place).await,
                Command::Ls(ls) => ls.run(&self.target, place).await,
                Command::Cp(cp) => cp.run(&chosen()?).await,
                Command::Rm(rm) => rm.run(&chosen()?).await,
            }
        })
    }
}

/// `1.2 MB`
pub(super) fn human(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1000.0;
    let mut units = UNITS.iter();
    let mut unit = units.next().unwrap_or(&"kB");
    while value >= 999.95 {
        let Some(larger) = units.next() else { break };
        (value, unit) = (value / 1000.0, larger);
    }
    format!("{value:.1} {unit}")
}

/// `1 object`, `2 objects`
fn objects(count: u64) -> String {
    format!("{count} {}", if count == 1 { "object" } else { "objects" })
}

/// With what to do about it, where that is known.
fn failed(error: impl Into<anyhow::Error>) -> Failure {
    let error = error.into();
    let advice = error.downcast_ref::<media::s3::Error>().and_then(steps::advice);
    Failure::Failed(match advice {
        Some(advice) => anyhow::anyhow!("{error:#}\n       what to do: {advice}"),
        None => error,
    })
}

/// As [`failed`], for what takes more than Noren itself needs.
fn failed_without(permission: &'static str) -> impl Fn(media::s3::Error) -> Failure {
    move |error| match &error {
        media::s3::Error::Denied { code, anonymous: false, .. } if code == "AccessDenied" => {
            Failure::Failed(anyhow::anyhow!(
                "{error}\n       what to do: take a key that may do this ({permission}); Noren itself need not"
            ))
        }
        _ => failed(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_for_people() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (999_949, "999.9 kB"),
            (999_950, "1.0 MB"),
            (20_000_000_000, "20.0 GB"),
            (u64::MAX, "18446.7 PB"),
        ] {
            assert_eq!(human(bytes), text);
        }
    }
}
