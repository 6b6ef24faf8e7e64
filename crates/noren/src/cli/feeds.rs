//! `noren feeds`

use super::{Failure, Place, output, start};
use crate::server::Parts;
use anyhow::anyhow;
use clap::{Args, Subcommand};
use domain::ids::AccountId;
use domain::{accounts, timelines};

/// Rebuild home timelines
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren feeds build mia
  noren feeds build --all")]
pub(super) struct Feeds {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write home timelines anew from who follows whom
    #[command(group = clap::ArgGroup::new("whose").required(true))]
    #[command(override_usage = "noren feeds build [OPTIONS] <NAME|--all>")]
    Build {
        /// Whose
        #[arg(group = "whose")]
        name: Option<String>,
        /// Everybody's
        #[arg(long, group = "whose")]
        all: bool,
    },
}

impl Feeds {
    pub(super) fn run(self, place: &Place) -> Result<(), Failure> {
        let Command::Build { name, .. } = self.command;
        start::with_data(place, async |parts| {
            let whose = whose(&parts, name.as_deref()).await?;
            let bar = output::progress(whose.len());
            let mut entries = 0;
            for account in &whose {
                entries += timelines::rebuild(&parts.db, *account).await?;
                bar.inc(1);
            }
            bar.finish_and_clear();
            let timelines = if whose.len() == 1 { "home timeline" } else { "home timelines" };
            output::line(format_args!("{} {timelines}, {entries} entries", whose.len()));
            Ok(())
        })
    }
}

async fn whose(parts: &Parts, name: Option<&str>) -> Result<Vec<AccountId>, Failure> {
    let conn = parts.db.read().await?;
    let Some(name) = name else {
        return Ok(timelines::owners(&conn).await?);
    };
    let found = accounts::store::by_handle(&conn, name.trim_start_matches('@'), None).await?;
    let account = found.ok_or_else(|| anyhow!("there is no local account {name}"))?;
    Ok(vec![account.id])
}
