//! What every command does first: read the configuration, start the log, open the data.

use super::{Failure, Place, output};
use crate::config::{self, Config, Loaded, LogFormat, Override, Sources};
use crate::server::Parts;
use domain::Db;
use std::future::Future;
use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;

/// The configuration as file, environment and flags give it.
pub(super) fn configuration(place: &Place, flags: Vec<Override>) -> Result<Loaded, Failure> {
    let readable = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    let environment = std::env::vars_os().filter_map(readable).collect();
    let sources = Sources { file: place.config.clone(), data: place.data.clone(), environment, flags };
    Ok(config::load(&sources)?)
}

/// Logs to standard error. `level` for commands, which should be quiet; the configured one for the server.
pub(super) fn log(config: &Config, level: Option<&str>) {
    log_as(level.unwrap_or(config.log.level.as_str()), config.log.format);
}

/// The same without a configuration of a whole server.
pub(super) fn log_as(level: &str, format: LogFormat) {
    let filter = EnvFilter::new(level);
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let _ = match format {
        LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}

/// What a command expects to find where it is told to work.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Expects {
    /// A site: a mistyped folder is no new one.
    Site,
    /// A site, or the place for one, which is made.
    Place,
}

/// Opens the data of a site and runs a command on it. Another process may have it open too.
pub(super) fn with_data<T, F>(place: &Place, command: impl FnOnce(Parts) -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    with(Expects::Site, place, command)
}

/// The same, also where no site has to be there.
pub(super) fn with<T, F>(expects: Expects, place: &Place, command: impl FnOnce(Parts) -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let mut config = configuration(place, Vec::new())?.config;
    log(&config, Some("warn"));
    config.database.connections = 1;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        look(&config, place, expects).await?;
        command(Parts::open(config).await?).await
    })
}

/// Makes nothing.
async fn look(config: &Config, place: &Place, expects: Expects) -> Result<(), Failure> {
    let data = std::path::absolute(&config.server.data)?;
    let folder_is_missing = place.data.is_some() && !data.is_dir();
    let is_there = Db::is_there(&config.database, &config.database_file()).await? && !folder_is_missing;
    if is_there {
        return Ok(());
    }
    let (data, embedded) = (data.display(), config.database.url == "sqlite");
    let what = match (folder_is_missing, embedded) {
        (true, _) => format!("there is no folder {data}"),
        (false, true) => format!("there is no site in {data}"),
        (false, false) => "there is no site in the database of database.url".to_owned(),
    };
    match expects {
        Expects::Site => Err(Failure::Usage(format!(
            "{what}: say where it is with --data or --config, or run this where its data folder is; noren serve \
             makes a new site"
        ))),
        Expects::Place => {
            output::note(format_args!("{what}: making a new one"));
            Ok(())
        }
    }
}
