//! `noren account rotate-keys`

use super::{Failure, output, person};
use crate::server::Parts;
use clap::Args;
use domain::ids::AccountId;
use domain::keys::{self, Haste};
use std::time::Duration;

const PAGE: i64 = 500;

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("whose").required(true))]
#[command(override_usage = "noren account rotate-keys [OPTIONS] <NAME|--all|--site>")]
#[command(after_help = "\
Examples:
  noren account rotate-keys mia
  noren account rotate-keys --all --pause 300
  noren account rotate-keys --all --dry-run
  noren account rotate-keys --site
  noren account rotate-keys mia --force")]
pub(super) struct RotateKeys {
    /// Name or e-mail address
    #[arg(group = "whose")]
    name: Option<String>,
    /// Everybody here
    #[arg(long, group = "whose")]
    all: bool,
    /// The site itself, whose key signs what nobody in particular asks for
    #[arg(long, group = "whose")]
    site: bool,
    /// Seconds between two accounts, as many servers ask for each at once
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(..=86_400))]
    pause: u64,
    /// Also where the last change is less than three days old: servers that have not heard of it may never believe the
    /// account again
    #[arg(long)]
    force: bool,
    /// Say whose would be changed, change nothing
    #[arg(long)]
    dry_run: bool,
}

impl RotateKeys {
    pub(super) async fn run(self, parts: &Parts) -> Result<(), Failure> {
        let (mut accounts, one) = match &self.name {
            Some(name) => {
                let (_, profile) = person(parts, name).await?;
                (vec![profile.id], Some(format!("the key of @{}", profile.username)))
            }
            None if self.site => (vec![keys::SITE], Some("the key of the site".to_owned())),
            None => (everybody(parts).await?, None),
        };
        if !self.force {
            let new = keys::under_way(&parts.db.read().await?, &accounts).await?;
            accounts.retain(|account| !new.contains(account));
        }
        let whose = match one {
            Some(one) if accounts.is_empty() => {
                return Err(Failure::Failed(anyhow::anyhow!(
                    "{one} was changed in the last three days, and not every server has heard of it; --force changes it \
                     all the same"
                )));
            }
            Some(one) => one,
            None if accounts.len() == 1 => "1 key".to_owned(),
            None => format!("{} keys", accounts.len()),
        };
        if self.dry_run {
            output::line(format_args!("{whose} would be changed; nothing was changed"));
            return Ok(());
        }
        let haste = if self.force { Haste::Forced } else { Haste::Patient };
        keys::rotate_later(&parts.db, &accounts, (Duration::from_secs(self.pause), haste)).await?;
        output::line(format_args!("{whose} will be changed by the server that runs: see noren jobs list"));
        Ok(())
    }
}

async fn everybody(parts: &Parts) -> Result<Vec<AccountId>, Failure> {
    let (mut all, mut after) = (Vec::new(), AccountId(0));
    loop {
        let page = keys::list(&parts.db.read().await?, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(all) };
        after = *last;
        all.extend(page);
    }
}
