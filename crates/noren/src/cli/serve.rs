//! `noren serve`

use super::{Failure, Place, output, start};
use crate::config::{Config, Loaded, Override};
use crate::server::{self, Changing, Lock, Parts};
use crate::worker::Rounds;
use clap::Args;
use edge::server::handover::{self, Inherited, tell_systemd};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How much longer than its time to finish a server that is replaced may keep its data.
const HAND_OVER: Duration = Duration::from_secs(10);

/// Start the server
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren serve
  noren serve --data /var/lib/noren --domain example.com --listen 127.0.0.1:3000
  NOREN_DATABASE__URL=postgres://noren@localhost/noren noren serve

Without any setting: an embedded database in ./data, development at http://localhost:3000.
SIGTERM or Ctrl-C stops it after what has begun is finished; a second one stops it at once.
SIGHUP reads again how connections are taken ([[listen]], [tls], [acme], [connections]), where files are ([media.storage],
[[media.origin]]) and the sites of [edge]; when something is wrong everything stays as it was.
SIGUSR2 starts the program anew, as it lies on the disk now, and hands it the open sockets.")]
pub(super) struct Serve {
    /// Address to accept connections at [default: [::]:3000, IPv6 and IPv4]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Name after the @ of handles [default: localhost with the port, for development]
    #[arg(long, value_name = "NAME")]
    domain: Option<String>,
}

impl Serve {
    pub(super) fn run(self, place: &Place) -> Result<(), Failure> {
        // Before there are other threads: it changes the environment.
        let inherited = Inherited::take()?;
        let loaded = self.configuration(place)?;
        start::log(&loaded.config, None);
        if let Some(file) = &loaded.file {
            tracing::info!("configuration from {}", file.display());
        }
        let runtime = runtime(&loaded.config)?;
        let place = place.clone();
        let again = move || self.configuration(&place).map(|loaded| loaded.config);
        let served = runtime.block_on(serve(loaded.config, inherited, again));
        // What hangs on a blocking thread must not keep the process.
        runtime.shutdown_background();
        served
    }

    fn configuration(&self, place: &Place) -> Result<Loaded, Failure> {
        let listen = self.listen.as_ref().map(|text| Override::flag("server.listen", "--listen", text));
        let domain = self.domain.as_ref().map(|text| Override::flag("site.domain", "--domain", text));
        let mut loaded = start::configuration(place, listen.into_iter().chain(domain).collect())?;
        if self.listen.is_some() {
            // The flag goes before the file, whichever way that says it.
            loaded.config.listen.clear();
        }
        Ok(loaded)
    }
}

/// Address space for each thread: memory is taken only where it is used, and quotes of quotes of posts are deep. Without
/// optimization twenty posts above one that arrives take more than four million bytes; with it, one.
const STACK: usize = if cfg!(debug_assertions) { 16 } else { 4 } * 1024 * 1024;

fn runtime(config: &Config) -> std::io::Result<tokio::runtime::Runtime> {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let threads = if config.server.threads == 0 { cores } else { config.server.threads };
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(threads.clamp(1, 512)).max_blocking_threads((cores * 4).clamp(8, 128));
    builder.thread_stack_size(STACK).thread_name("noren").enable_all().build()
}

async fn serve(
    config: Config,
    mut inherited: Inherited,
    again: impl Fn() -> Result<Config, Failure> + Send + 'static,
) -> Result<(), Failure> {
    let stop = on_signals()?;
    // Before anything takes time: a signal that nobody waits for would end the process.
    let changes = (signal(SignalKind::hangup())?, signal(SignalKind::user_defined2())?);
    server::allow_many_files();
    server::prepare(&config)?;
    let sockets = server::listen(&config, std::mem::take(&mut inherited.sockets))?;
    let _lock = lock(&config, &mut inherited).await?;
    let parts = Parts::open(config).await?.to_serve().await?;
    let running = server::start(&parts, sockets, Rounds::Hourly, &stop)?;
    inherited.relieve()?;
    tell_systemd();
    output::line(format_args!("Noren is ready: {}", server::front_door(&parts).await?));
    tokio::spawn(on_change(running.changing(), changes, again, stop));
    running.finish().await?;
    Ok(())
}

/// An embedded database has one server at a time. One that we replace is told to end before it is opened: meanwhile
/// connections wait in the kernel.
async fn lock(config: &Config, inherited: &mut Inherited) -> Result<Option<Lock>, Failure> {
    let data = &config.server.data;
    match (config.database.url == "sqlite", inherited.replaces()) {
        (false, _) => Ok(None),
        (true, false) => Ok(Some(Lock::take(data)?)),
        (true, true) => {
            inherited.relieve()?;
            Ok(Some(Lock::wait(data, config.server.shutdown_timeout.0 + HAND_OVER).await?))
        }
    }
}

/// Reads the configuration again at SIGHUP, is replaced at SIGUSR2.
async fn on_change(
    running: Changing,
    (mut change, mut replace): (Signal, Signal),
    again: impl Fn() -> Result<Config, Failure>,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            _ = change.recv() => {
                let changed = again().and_then(|config| Ok(running.reload(&config)?));
                match changed {
                    Ok(()) => tracing::info!("the configuration is in force: connections, places of files, edge"),
                    Err(Failure::Usage(why)) => tracing::error!("everything stays as it was: {why}"),
                    Err(Failure::Failed(error)) => tracing::error!("everything stays as it was: {error:#}"),
                }
            }
            _ = replace.recv() => {
                tracing::info!("starting the program anew");
                let replaced = match running.server.sockets() {
                    Ok(sockets) => handover::succeed(sockets).await,
                    Err(error) => Err(error),
                };
                match replaced {
                    Ok(()) => {
                        tracing::info!("replaced: finishing what has begun");
                        stop.cancel();
                        return;
                    }
                    Err(error) => tracing::error!(%error, "the new program did not start; this one goes on"),
                }
            }
        }
    }
}

/// Cancelled by the first SIGTERM or SIGINT; the second ends the process.
fn on_signals() -> std::io::Result<CancellationToken> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = term.recv() => {}
                _ = int.recv() => {}
            }
            if told.is_cancelled() {
                std::process::exit(130);
            }
            tracing::info!("stopping: finishing what has begun");
            told.cancel();
        }
    });
    Ok(stop)
}
