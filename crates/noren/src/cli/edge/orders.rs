//! Orders to an edge that runs: `noren edge purge`, `noren edge reload`.

use super::find::{Running, configured};
use crate::cli::{Failure, Place, output};
use anyhow::anyhow;
use clap::Args;
use edge::control::{self, Answer, Order};
use std::io::ErrorKind;
use std::path::Path;

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
    #[command(flatten)]
    running: Running,
}

impl Purge {
    pub(super) fn run(self, place: &Place) -> Result<(), Failure> {
        let cache = self.running.cache(place)?;
        let one = self.urls.into_iter().map(|url| Order::Purge { url });
        let many = self.prefix.into_iter().map(|prefix| Order::PurgePrefix { prefix });
        for order in one.chain(many) {
            give_to(&cache, &order)?;
        }
        output::line("forgotten");
        Ok(())
    }
}

pub(super) fn reload(place: &Place) -> Result<(), Failure> {
    give_to(&configured(place)?, &Order::Reload)?;
    output::line("the configuration is in force");
    Ok(())
}

/// Gives an order to the edge with this cache; a refusal is an error.
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
