//! `noren account alias`, `noren account move`

use super::person;
use crate::cli::{Failure, output};
use crate::server::Parts;
use anyhow::anyhow;
use clap::{Args, Subcommand};
use domain::accounts::Account;
use domain::moves;
use federation::resolve;
use serde_json::json;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren account alias add mia @mia@old.example    so that @mia@old.example can move here
  noren account alias list mia
  noren account alias remove mia @mia@old.example")]
pub(super) struct Alias {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say that another account is this person's too: it can then move here
    Add {
        /// Name or e-mail address
        name: String,
        /// The other account: its handle or its address
        other: String,
    },
    /// List what other accounts are this person's
    List {
        /// Name or e-mail address
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Say it no longer
    Remove {
        /// Name or e-mail address
        name: String,
        /// The other account: its handle or its address
        other: String,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren account move mia @mia@new.example --dry-run    what would happen
  noren account move mia @mia@new.example              followers are asked to come along
  noren account move mia --cancel                      use the account here again

The new account has to name this one among its aliases first. Posts stay where they are.")]
pub(super) struct Move {
    /// Name or e-mail address
    name: String,
    /// The new account: its handle or its address
    #[arg(required_unless_present = "cancel", conflicts_with = "cancel")]
    target: Option<String>,
    /// Use the account here again; followers who went do not come back
    #[arg(long)]
    cancel: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Say what would happen, change nothing
    #[arg(long)]
    dry_run: bool,
}

impl Alias {
    pub(super) async fn run(self, parts: &Parts) -> Result<(), Failure> {
        match self.command {
            Command::Add { name, other } => add(parts, &name, &other).await,
            Command::List { name, json } => list(parts, &name, json).await,
            Command::Remove { name, other } => remove(parts, &name, &other).await,
        }
    }
}

async fn found(parts: &Parts, named: &str) -> Result<Account, Failure> {
    match resolve::moves::other(&parts.federation, named).await {
        Err(domain::Error::NotFound) => Err(anyhow!("there is no account {named}").into()),
        result => Ok(result?),
    }
}

async fn add(parts: &Parts, name: &str, other: &str) -> Result<(), Failure> {
    let (_, profile) = person(parts, name).await?;
    let other = found(parts, other).await?;
    moves::add_alias(&parts.db, profile.id, &other).await?;
    output::line(format_args!("@{} is also @{} and can be moved to from there", profile.username, other.acct()));
    Ok(())
}

async fn list(parts: &Parts, name: &str, as_json: bool) -> Result<(), Failure> {
    let (_, profile) = person(parts, name).await?;
    let aliases = moves::aliases(&parts.db.read().await?, profile.id).await?;
    if as_json {
        let rows: Vec<_> = aliases.iter().map(|a| json!({ "acct": a.acct, "uri": a.uri })).collect();
        return Ok(output::json(&rows)?);
    }
    if aliases.is_empty() {
        output::line("no aliases");
        return Ok(());
    }
    let rows: Vec<_> = aliases.into_iter().map(|a| [format!("@{}", a.acct), a.uri]).collect();
    output::table(["ACCOUNT", "ADDRESS"], &rows);
    Ok(())
}

async fn remove(parts: &Parts, name: &str, other: &str) -> Result<(), Failure> {
    let (_, profile) = person(parts, name).await?;
    match moves::remove_alias(&parts.db, profile.id, other).await {
        Err(domain::Error::NotFound) => return Err(anyhow!("@{} has no alias {other}", profile.username).into()),
        result => result?,
    }
    output::line(format_args!("@{} is not {other} any more", profile.username));
    Ok(())
}

impl Move {
    pub(super) async fn run(self, parts: &Parts) -> Result<(), Failure> {
        let (_, profile) = person(parts, &self.name).await?;
        let Some(target) = &self.target else { return come_back(parts, &profile, self.dry_run).await };
        let to = match resolve::moves::rehearse(&parts.federation, &profile, target).await {
            Err(domain::Error::NotFound) => return Err(anyhow!("there is no account {target}").into()),
            result => result?,
        };
        let (from, to) = (format!("@{}", profile.username), format!("@{}", to.acct()));
        let followers = profile.followers_count;
        if self.dry_run {
            output::line(format_args!("{from} would move to {to} with {followers} followers; nothing was changed"));
            return Ok(());
        }
        let question = format!("Move {from} to {to}? {followers} followers are asked to come along, posts stay.");
        if !self.yes && !output::confirmed(&question) {
            return Err(Failure::Usage("nothing was changed: answer y at a terminal, or say --yes".into()));
        }
        resolve::moves::leave(&parts.federation, &profile, target).await?;
        output::line(format_args!("{from} has moved to {to}"));
        Ok(())
    }
}

async fn come_back(parts: &Parts, profile: &Account, rehearsed: bool) -> Result<(), Failure> {
    let name = &profile.username;
    if profile.moved_to_id.is_none() {
        return Err(anyhow!("@{name} has not moved").into());
    }
    if rehearsed {
        output::line(format_args!("@{name} would be used here again; nothing was changed"));
        return Ok(());
    }
    moves::come_back(&parts.db, profile.id).await?;
    output::line(format_args!("@{name} is used here again"));
    Ok(())
}
