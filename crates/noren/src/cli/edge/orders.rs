//! Orders to an edge that runs: `noren edge purge`, `noren edge reload`.

use super::load::{load, usual};
use crate::cli::{Failure, Place, output, start};
use crate::config::Loaded;
use anyhow::anyhow;
use clap::Args;
use edge::control::{self, Answer, Order};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Forget cached files; they are fetched again when somebody asks for them
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren edge purge https://media.example.com/accounts/avatars/000/000/001/original/a.png
  noren edge purge --prefix https://media.example.com/accounts/
  noren edge purge --prefix https://media.example.com/")]
pub(super) struct Purge {
    /// Addresses of files
    #[arg(value_name = "URL", required_unless_present = "prefix")]
    urls: Vec<String>,
    /// Forget every file whose address begins so
    #[arg(long, value_name = "URL")]
    prefix: Vec<String>,
}

impl Purge {
    pub(super) fn run(self, place: &Place) -> Result<(), Failure> {
        let one = self.urls.into_iter().map(|url| Order::Purge { url });
        let many = self.prefix.into_iter().map(|prefix| Order::PurgePrefix { prefix });
        for order in one.chain(many) {
            give(place, &order)?;
        }
        output::line("forgotten");
        Ok(())
    }
}

pub(super) fn reload(place: &Place) -> Result<(), Failure> {
    give(place, &Order::Reload)?;
    output::line("the configuration is in force");
    Ok(())
}

/// Gives an order; a refusal is an error.
pub(super) fn give(place: &Place, order: &Order) -> Result<Answer, Failure> {
    give_to(&cache(place)?, order)
}

/// The same where it is known where the cache is.
pub(in crate::cli) fn give_to(cache: &Path, order: &Order) -> Result<Answer, Failure> {
    let socket = control::socket(cache);
    match control::ask(&socket, order) {
        Ok(Answer::Refused(why)) => Err(Failure::Failed(anyhow!("{why}"))),
        Ok(answer) => Ok(answer),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
            let cache = cache.display();
            Err(Failure::Failed(anyhow!("no edge is running with the cache in {cache}: is the server stopped?")))
        }
        Err(error) => Err(Failure::Failed(anyhow!("cannot speak to the edge at {}: {error}", socket.display()))),
    }
}

/// Where the cache is: of an edge of its own, else of the one that is a part of noren serve.
fn cache(place: &Place) -> Result<PathBuf, Failure> {
    let alone = match load(place) {
        Ok((_, config)) => return Ok(config.cache.path),
        // An edge of its own is meant, and what is wrong with it should be said.
        Err(failure) if place.config.is_none() && usual().is_some() => return Err(failure),
        Err(failure) => failure,
    };
    match start::configuration(place, Vec::new()) {
        // Without a file a server that runs on this data shows that it is meant.
        Ok(Loaded { config, file }) if file.is_some() || control::socket(&config.edge().cache.path).exists() => {
            Ok(config.edge().cache.path)
        }
        _ => Err(alone),
    }
}
