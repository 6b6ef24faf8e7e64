//! Figures at an address of their own.

use super::Edge;
use crate::server::config::ListenConfig;
use crate::server::values::Listen;
use crate::server::{CannotListen, CannotServe, Server, Setup, Sockets};
use axum::Router;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long somebody else may have the address. Who is replaced closes it as soon as we are ready.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(100);

impl Edge {
    /// Shows figures to Prometheus at an address of its own, as [`show`] does.
    pub fn show_figures(&self, address: SocketAddr, stop: &CancellationToken) -> Result<JoinHandle<()>, CannotServe> {
        show(self.metrics_router(), address, stop)
    }
}

/// Serves `router` at an address of its own, until `stop`; what is returned ends with the last connection. When the
/// address is taken, as it is by the program that we replace, it is tried again for a while: all else is served
/// meanwhile.
pub fn show(router: Router, address: SocketAddr, stop: &CancellationToken) -> Result<JoinHandle<()>, CannotServe> {
    let ending = stop.clone();
    let open = move || {
        let setup = Setup::http(vec![ListenConfig::http(Listen(address))], router.clone());
        Server::start(setup, Sockets::default(), ending.clone())
    };
    let server = match open() {
        Ok(server) => Some(server),
        Err(error) if is_taken(&error) => None,
        Err(error) => return Err(error),
    };
    let stop = stop.clone();
    Ok(tokio::spawn(async move {
        let server = match server {
            Some(server) => Some(server),
            None => stop.run_until_cancelled(again(address, open)).await.flatten(),
        };
        if let Some(server) = server {
            server.finished().await;
        }
    }))
}

async fn again(address: SocketAddr, open: impl Fn() -> Result<Server, CannotServe>) -> Option<Server> {
    tracing::info!(%address, "the address for figures is still taken: trying again");
    let started = Instant::now();
    loop {
        tokio::time::sleep(PAUSE).await;
        match open() {
            Ok(server) => return Some(server),
            Err(error) if is_taken(&error) && started.elapsed() < PATIENCE => {}
            Err(error) => {
                tracing::error!(%error, "no figures are shown there");
                return None;
            }
        }
    }
}

fn is_taken(error: &CannotServe) -> bool {
    matches!(error, CannotServe::Listen(CannotListen { source, .. }) if source.kind() == ErrorKind::AddrInUse)
}
