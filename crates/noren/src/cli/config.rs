//! `noren config`

use super::{Failure, Place, output, start};
use crate::config;
use clap::{Args, Subcommand};

/// Show or check the configuration
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren config print > data/noren.toml    a file with every setting and its meaning, to begin with
  NOREN_LOG__LEVEL=debug noren config print
  noren config check --config /etc/noren.toml")]
pub(super) struct Config {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the configuration in force as a commented file; it may hold passwords and keys
    Print,
    /// Read the configuration and say what is wrong with it
    Check,
}

impl Config {
    pub(super) fn run(self, place: &Place) -> Result<(), Failure> {
        let loaded = start::configuration(place, Vec::new())?;
        match self.command {
            Command::Print => {
                let text = config::print(&loaded.config).map_err(anyhow::Error::from)?;
                output::line(text.trim_end());
            }
            Command::Check => match &loaded.file {
                Some(file) => output::line(format_args!("{} is fine", file.display())),
                None => output::line("no configuration file: the defaults are used"),
            },
        }
        Ok(())
    }
}
