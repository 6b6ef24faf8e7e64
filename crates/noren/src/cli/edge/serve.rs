//! `noren edge serve`

use super::load::load;
use crate::cli::{Failure, Place, output, start};
use crate::config::LogFormat;
use anyhow::Context as _;
use edge::config::EdgeConfig;
use edge::control::{self, Answer, Obey, Order};
use edge::server::config::ListenConfig;
use edge::server::handover::{self, Inherited};
use edge::server::{Limits, Server, Setup, allow_many_files};
use edge::{Edge, Reach};
use std::sync::Arc;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

pub(super) fn run(place: &Place) -> Result<(), Failure> {
    let (file, config) = load(place)?;
    start::log_as(&config.server.log, LogFormat::Text);
    tracing::info!("configuration from {}", file.display());
    // Before there are threads.
    let inherited = Inherited::take().context("the sockets that were handed in cannot be taken")?;
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if config.server.threads > 0 {
        builder.worker_threads(config.server.threads.min(512));
    }
    let runtime = builder.thread_name("noren").enable_all().build()?;
    let served = runtime.block_on(serve(place.clone(), config, inherited));
    // What hangs on a blocking thread must not keep the process.
    runtime.shutdown_background();
    served
}

/// What runs, for signals and orders.
#[derive(Clone)]
struct Running {
    place: Place,
    edge: Edge,
    server: Server,
}

async fn serve(place: Place, config: EdgeConfig, mut inherited: Inherited) -> Result<(), Failure> {
    // Before anybody is told that we are ready: whoever sends one at once would end us else.
    let signals = Signals::take().map_err(anyhow::Error::from)?;
    allow_many_files();
    std::fs::create_dir_all(&config.cache.path)
        .with_context(|| format!("cannot make the folder of the cache {}", config.cache.path.display()))?;
    let edge = Edge::open(&config).map_err(|error| Failure::Failed(anyhow::anyhow!("{error}")))?;
    let stop = CancellationToken::new();
    let sockets = std::mem::take(&mut inherited.sockets);
    let server = Server::start(setup(&config, &edge), sockets, stop.clone()).map_err(anyhow::Error::from)?;
    let figures = config.metrics.listen.map(|address| edge.show_figures(address, &stop));
    let figures = figures.transpose().map_err(anyhow::Error::from)?;
    let running = Running { place, edge, server: server.clone() };
    let socket = control::socket(&config.cache.path);
    let orders = control::listen(&socket, obey(running.clone()));
    tokio::spawn(orders.with_context(|| format!("cannot take orders at {}", socket.display()))?);
    inherited.relieve().context("the program that is replaced cannot be told")?;
    handover::tell_systemd();
    let addresses: Vec<String> = server.addresses().iter().map(ToString::to_string).collect();
    let sites = match config.sites.len() {
        1 => "1 site".to_owned(),
        count => format!("{count} sites"),
    };
    output::line(format_args!("Noren's edge is ready: {sites} at {}", addresses.join(", ")));
    signals.obey(&running, &stop).await;
    let all = async {
        server.finished().await;
        if let Some(figures) = figures {
            let _ = figures.await;
        }
    };
    let grace = config.server.shutdown_timeout.0;
    if tokio::time::timeout(grace, all).await.is_err() {
        tracing::warn!("stopped; what was not finished within {grace:?} was cut off");
    }
    Ok(())
}

fn setup(config: &EdgeConfig, edge: &Edge) -> Setup {
    let limits = Limits {
        all: config.server.connections,
        header_timeout: config.server.header_timeout.0,
        connections: config.connections.clone(),
        trusted: config.server.trusted_proxies.clone(),
    };
    let listen = match config.listen.is_empty() {
        true => vec![ListenConfig::http(edge::config::usual_address())],
        false => config.listen.clone(),
    };
    Setup {
        listen,
        tls: config.tls.clone(),
        acme: config.acme.clone(),
        limits,
        router: edge.router(),
        mark: None,
        data: config.server.data.clone(),
    }
}

struct Signals {
    term: Signal,
    int: Signal,
    hup: Signal,
    usr2: Signal,
}

impl Signals {
    fn take() -> std::io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
            hup: signal(SignalKind::hangup())?,
            usr2: signal(SignalKind::user_defined2())?,
        })
    }

    /// Until it is time to stop. A second SIGTERM or Ctrl-C ends the process at once.
    async fn obey(self, running: &Running, stop: &CancellationToken) {
        let Self { mut term, mut int, mut hup, mut usr2 } = self;
        loop {
            tokio::select! {
                _ = term.recv() => break,
                _ = int.recv() => break,
                _ = hup.recv() => {
                    running.edge.reopen_log();
                    if let Err(why) = running.reload() {
                        tracing::error!("the configuration stays as it was: {why}");
                    }
                }
                _ = usr2.recv() => {
                    let succeeded = match running.server.sockets() {
                        Ok(sockets) => handover::succeed(sockets).await,
                        Err(error) => Err(error),
                    };
                    match succeeded {
                        Ok(()) => break,
                        Err(error) => tracing::error!(%error, "the new program did not start: this one goes on"),
                    }
                }
            }
        }
        tracing::info!("stopping: finishing what has begun");
        stop.cancel();
        tokio::spawn(async move {
            tokio::select! {
                _ = term.recv() => {}
                _ = int.recv() => {}
            }
            std::process::exit(130);
        });
    }
}

impl Running {
    fn reload(&self) -> Result<(), String> {
        let (file, config) = load(&self.place).map_err(|failure| match failure {
            Failure::Usage(text) => text,
            Failure::Failed(error) => format!("{error:#}"),
        })?;
        // Both are checked before either is changed.
        Edge::check(&config).map_err(|error| format!("{}: {error}", file.display()))?;
        self.server.reload(setup(&config, &self.edge)).map_err(|error| error.to_string())?;
        self.edge.reload(&config).map_err(|error| error.to_string())?;
        tracing::info!("configuration from {} is in force", file.display());
        Ok(())
    }
}

fn obey(running: Running) -> Obey {
    Arc::new(move |order| {
        let running = running.clone();
        Box::pin(async move {
            let done = match order {
                Order::Status => return Answer::Status(Box::new(running.edge.status())),
                Order::Reload => tokio::task::block_in_place(|| running.reload()),
                Order::Purge { url } => running.edge.purge(&url, Reach::One).await,
                Order::PurgePrefix { prefix } => running.edge.purge(&prefix, Reach::Below).await,
            };
            done.map_or_else(Answer::Refused, |()| Answer::Done)
        })
    })
}
