//! The command line, one file for each command. Every command takes --config and --data and works while the server runs.

mod account;
mod config;
mod domains;
mod edge;
mod emoji;
mod federation;
mod feeds;
mod invite;
mod jobs;
mod media;
pub mod output;
mod preview_cards;
mod relay;
mod report;
mod serve;
mod site;
mod start;
mod storage;
mod token;

use crate::config::BadConfig;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// A fediverse server.
#[derive(Debug, Parser)]
#[command(name = "noren", version, max_term_width = 100, arg_required_else_help = true, disable_help_subcommand = true)]
#[command(after_help = "\
Examples:
  noren serve                            start at http://localhost:3000 with an embedded database
  noren serve --domain example.com       behind a reverse proxy for https://example.com
  noren account create mia --email mia@example.com --owner

Settings are read from noren.toml and the environment: see noren config print.")]
pub struct Cli {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: Command,
}

/// Where this site's configuration and data are.
#[derive(Clone, Debug, Args)]
pub struct Place {
    /// Configuration file [default: noren.toml in the data folder or the current one, if there is one]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Which site")]
    pub config: Option<PathBuf>,
    /// Data folder [default: ./data]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Which site")]
    pub data: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Account(account::Account),
    Invite(invite::Invite),
    Token(token::Token),
    Site(site::Site),
    Report(report::Report),
    Jobs(jobs::Jobs),
    Federation(federation::Federation),
    Domains(domains::Domains),
    Relay(relay::Relay),
    Feeds(feeds::Feeds),
    Emoji(emoji::Emoji),
    Media(media::Media),
    PreviewCards(preview_cards::PreviewCards),
    Storage(storage::Storage),
    Config(config::Config),
    Edge(edge::Edge),
    /// Print name and version
    Version,
}

/// Why a command did not do what it was asked to.
#[derive(Debug)]
pub enum Failure {
    /// The command line or the configuration is wrong: exit code 2.
    Usage(String),
    /// Everything else: exit code 1.
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast::<domain::Error>() {
            Ok(error) => error.into(),
            Err(error) => Self::Failed(error),
        }
    }
}

impl From<BadConfig> for Failure {
    fn from(error: BadConfig) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<domain::Error> for Failure {
    /// What the domain says about the configuration is a wrong configuration; for the rest its words are plain enough.
    fn from(error: domain::Error) -> Self {
        match error {
            domain::Error::Invalid { field, why } if field.starts_with("database.") => {
                Self::Usage(format!("{field} {why}"))
            }
            domain::Error::Internal(cause) => Self::Failed(cause),
            other => Self::Failed(anyhow::anyhow!("{other}")),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// The command line; a subcommand without examples of its own shows those of its parent.
fn command() -> clap::Command {
    let mut command = Cli::command();
    command.get_subcommands_mut().for_each(hand_down_examples);
    command
}

fn hand_down_examples(parent: &mut clap::Command) {
    let examples = parent.get_after_help().cloned();
    for sub in parent.get_subcommands_mut() {
        if let (None, Some(examples)) = (sub.get_after_help(), &examples) {
            *sub = std::mem::take(sub).after_help(examples.clone());
        }
        hand_down_examples(sub);
    }
}

/// Reads the command line and does what it says. 0: done; 1: failed; 2: wrong usage or configuration.
pub fn main() -> ExitCode {
    let parsed = command().try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let (code, text) = match run(cli) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Usage(text)) => (2, text),
        Err(Failure::Failed(error)) => (1, format!("{error:#}")),
    };
    output::error(&text);
    ExitCode::from(code)
}

fn run(cli: Cli) -> Result<(), Failure> {
    let place = &cli.place;
    match cli.command {
        Command::Serve(command) => command.run(place),
        Command::Account(command) => command.run(place),
        Command::Invite(command) => command.run(place),
        Command::Token(command) => command.run(place),
        Command::Site(command) => command.run(place),
        Command::Report(command) => command.run(place),
        Command::Jobs(command) => command.run(place),
        Command::Federation(command) => command.run(place),
        Command::Domains(command) => command.run(place),
        Command::Relay(command) => command.run(place),
        Command::Feeds(command) => command.run(place),
        Command::Emoji(command) => command.run(place),
        Command::Media(command) => command.run(place),
        Command::PreviewCards(command) => command.run(place),
        Command::Storage(command) => command.run(place),
        Command::Config(command) => command.run(place),
        Command::Edge(command) => command.run(place),
        Command::Version => {
            output::line(format_args!("noren {}", env!("CARGO_PKG_VERSION")));
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
