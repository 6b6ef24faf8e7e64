//! `noren edge`

mod check;
mod find;
mod init;
mod load;
pub(super) mod orders;
mod serve;
mod status;

use super::{Failure, Place};
use clap::{Args, Subcommand};

/// Serve media from folders, buckets and other web servers
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren edge init --software mastodon --host media.example.com --bucket media --provider wasabi --region eu-central-1 > edge.toml
  noren edge init --from /home/mastodon/live/.env.production > edge.toml
  noren edge check
  noren edge                               the same as noren edge serve
  noren edge status --watch
  noren edge purge https://media.example.com/accounts/avatars/000/000/001/original/a.png

The configuration is what --config says, else edge.toml in the current folder, else /etc/noren/edge.toml.")]
pub(super) struct Edge {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until SIGTERM; SIGHUP reads the configuration again, SIGUSR2 starts the program anew without a gap
    Serve,
    /// Read the configuration and say what is wrong with it, without starting
    Check,
    Init(init::Init),
    Status(status::StatusArgs),
    Purge(orders::Purge),
    /// Let a running edge read its configuration again
    Reload,
}

impl Edge {
    pub(super) fn run(self, place: &Place) -> Result<(), Failure> {
        match self.command {
            None | Some(Command::Serve) => serve::run(place),
            Some(Command::Check) => check::run(place),
            Some(Command::Init(command)) => command.run(),
            Some(Command::Status(command)) => command.run(place),
            Some(Command::Purge(command)) => command.run(place),
            Some(Command::Reload) => orders::reload(place),
        }
    }
}
