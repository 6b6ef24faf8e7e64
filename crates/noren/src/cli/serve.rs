//! `noren serve`

use super::{Failure, Place, output, start};
use crate::config::{Config, Override};
use crate::server::{self, Lock, Parts};
use crate::worker::Rounds;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Start the server
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren serve
  noren serve --data /var/lib/noren --domain example.com --listen 127.0.0.1:3000
  NOREN_DATABASE__URL=postgres://noren@localhost/noren noren serve

Without any setting: an embedded database in ./data, development at http://localhost:3000.
SIGTERM or Ctrl-C stops it after what has begun is finished; a second one stops it at once.")]
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
        let listen = self.listen.map(|text| Override::flag("server.listen", "--listen", text));
        let domain = self.domain.map(|text| Override::flag("site.domain", "--domain", text));
        let loaded = start::configuration(place, listen.into_iter().chain(domain).collect())?;
        start::log(&loaded.config, None);
        if let Some(file) = &loaded.file {
            tracing::info!("configuration from {}", file.display());
        }
        let runtime = runtime(&loaded.config)?;
        let served = runtime.block_on(serve(loaded.config));
        // What hangs on a blocking thread must not keep the process.
        runtime.shutdown_background();
        served
    }
}

fn runtime(config: &Config) -> std::io::Result<tokio::runtime::Runtime> {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let threads = if config.server.threads == 0 { cores } else { config.server.threads };
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(threads.clamp(1, 512)).max_blocking_threads((cores * 4).clamp(8, 128));
    builder.thread_name("noren").enable_all().build()
}

async fn serve(config: Config) -> Result<(), Failure> {
    let stop = on_signals()?;
    server::allow_many_files();
    server::prepare(&config)?;
    let embedded = config.database.url == "sqlite";
    let _lock = embedded.then(|| Lock::take(&config.server.data)).transpose()?;
    let listener = server::listen(config.server.listen.0)?;
    let parts = Parts::open(config).await?.to_serve().await?;
    output::line(format_args!("Noren is ready: {}", server::front_door(&parts).await?));
    server::run(parts, listener, Rounds::Hourly, stop).await?;
    Ok(())
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
