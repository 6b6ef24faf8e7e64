//! What every command does first: read the configuration, start the log, open the data.

use super::{Failure, Place};
use crate::config::{self, Config, Loaded, LogFormat, Override, Sources};
use crate::server::Parts;
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

/// Opens the data and runs a command on it. Another process may have it open too.
pub(super) fn with_data<T, F>(place: &Place, command: impl FnOnce(Parts) -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let mut config = configuration(place, Vec::new())?.config;
    log(&config, Some("warn"));
    config.database.connections = 1;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async { command(Parts::open(config).await?).await })
}
