//! `bench-fill`: fills a site for the benchmark through the operations that the server itself uses, and prints what
//! whoever measures needs to know, as JSON.

mod facts;
mod people;
mod pictures;
mod posts;
mod previews;
mod words;

use anyhow::{Context as _, ensure};
use clap::Parser;
use domain::Db;
use domain::db::{DatabaseConfig, Durability};
use domain::site::{Limits, Site};
use facts::Facts;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Pictures that all attachments share.
const PRINTS: usize = 16;

/// The page of the home timeline that is measured.
pub(crate) struct Place {
    pub(crate) entries: usize,
    newer: usize,
}

pub(crate) const WINDOW: Place = Place { entries: 20, newer: 1100 };

impl Place {
    /// Entries above it on a site of `statuses`.
    pub(crate) fn newer(&self, statuses: usize) -> usize {
        self.newer.min(statuses / 2)
    }
}

/// What is filled.
pub(crate) struct World {
    pub(crate) db: Db,
    pub(crate) site: Site,
    /// Folder of stored files.
    pub(crate) media: PathBuf,
}

/// Fill a site for the benchmark and print what there is to measure, as JSON
#[derive(Debug, Parser)]
#[command(after_help = "\
Example:
  bench-fill --data target/bench/site --samples target/bench/samples --statuses 5000

scripts/bench does all of it.")]
struct Arguments {
    /// Data folder; must hold no database yet
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Folder for the sample pictures; on the same file system as the data
    #[arg(long, value_name = "DIR")]
    samples: PathBuf,
    /// An empty PostgreSQL database instead of SQLite in the data folder
    #[arg(long, value_name = "URL", default_value = "sqlite")]
    database: String,
    #[arg(long, value_name = "NUMBER", default_value_t = 50_000)]
    statuses: usize,
    /// Authors, all of them followed by one reader
    #[arg(long, value_name = "NUMBER", default_value_t = 5)]
    authors: usize,
    /// Name of the site
    #[arg(long, value_name = "NAME", default_value = "social.example")]
    domain: String,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime");
    let filled = runtime.and_then(|runtime| runtime.block_on(fill(&arguments)));
    match filled.and_then(|facts| Ok(serde_json::to_string_pretty(&facts)?)) {
        Ok(text) => {
            let _ = writeln!(std::io::stdout(), "{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn fill(arguments: &Arguments) -> anyhow::Result<Facts> {
    ensure!(arguments.statuses >= 100 && arguments.authors >= 2, "at least 100 statuses by 2 authors");
    let world = world(arguments).await?;
    let mut sizes = vec![pictures::PHOTOGRAPH; PRINTS];
    sizes.push(pictures::STORED);
    let mut album = pictures::album(&arguments.samples, &sizes)?;
    let stored = album.pop().context("a picture")?;
    let (reader, authors) = people::create(&world, arguments.authors, &album).await?;
    let author = authors.first().context("an author")?;
    let (_, key) = posts::show(&world, author, &stored).await?;
    posts::Writer::new(&world, (&reader, &authors), &album).write(arguments.statuses).await?;
    previews::write(&world).await?;
    // What the hourly round of the server does.
    for person in authors.iter().chain([&reader]) {
        domain::timelines::trim(&world.db, person.account).await?;
    }
    let file = (format!("/media/{key}"), stored.bytes);
    Facts::collect(&world, (&reader, author), (arguments.statuses, album.len()), file).await
}

async fn world(arguments: &Arguments) -> anyhow::Result<World> {
    let made = || format!("cannot make {}", arguments.data.display());
    std::fs::create_dir_all(&arguments.data).with_context(made)?;
    let file = arguments.data.join("noren.sqlite3");
    ensure!(!file.exists(), "{} is there already", file.display());
    let url = arguments.database.clone();
    // Nobody waits for an answer here: what a power cut takes can be filled again.
    let config = DatabaseConfig { url, durability: Durability::Normal, connections: 2 };
    let db = Db::open(&config, &file).await?;
    let base_url = format!("https://{}", arguments.domain);
    let media_url = format!("{base_url}/media");
    let site = Site {
        domain: arguments.domain.clone(),
        alternate_domains: Vec::new(),
        base_url,
        media_url,
        limits: Limits::default(),
    };
    domain::settings::remember_site_domain(&db, &site.domain).await?;
    Ok(World { db, site, media: arguments.data.join("media") })
}
