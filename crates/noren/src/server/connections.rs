//! Connections: a bounded number, each with a time limit for the head of a request, and all of them ended in peace
//! when the server stops.

use super::layers::Peer;
use crate::config::{Network, ServerConfig};
use api::streaming::Hangup;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Uri;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

/// Most bytes of a request's head.
const HEAD_BYTES: usize = 64 * 1024;
/// Pause after the system could give no connection, such as when there are no file descriptors left.
const PAUSE: Duration = Duration::from_millis(100);
/// A proxy keeps connections open to use them again, and cannot be made to by strangers.
const PROXY_PATIENCE: u32 = 10;

/// Accepts connections until `stop` is cancelled, then ends them: requests that are being answered are finished.
/// Returns when all are closed; the caller decides how long to wait.
pub async fn accept(listener: TcpListener, router: Router, config: &ServerConfig, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(config.connections.clamp(1, Semaphore::MAX_PERMITS)));
    let open = TaskTracker::new();
    let builders = Builders::new(config);
    loop {
        let place = tokio::select! {
            place = places.clone().acquire_owned() => place,
            () = stop.cancelled() => break,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let (builder, router, stop) = (builders.of(peer), router.clone(), stop.clone());
                open.spawn(async move {
                    serve(builder, (stream, peer), router, stop).await;
                    drop(place);
                });
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept connections");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    open.close();
    open.wait().await;
}

/// The client went away before we took the connection.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

struct Builders {
    stranger: http1::Builder,
    proxy: http1::Builder,
    proxies: Vec<Network>,
}

impl Builders {
    fn new(config: &ServerConfig) -> Self {
        let patience = config.header_timeout.0;
        let builder = |patience: Duration| {
            let mut builder = http1::Builder::new();
            builder.timer(TokioTimer::new()).header_read_timeout(patience).max_buf_size(HEAD_BYTES);
            builder
        };
        Self {
            stranger: builder(patience),
            proxy: builder(patience * PROXY_PATIENCE),
            proxies: config.trusted_proxies.clone(),
        }
    }

    fn of(&self, peer: SocketAddr) -> http1::Builder {
        match self.proxies.iter().any(|proxy| proxy.contains(peer.ip())) {
            true => self.proxy.clone(),
            false => self.stranger.clone(),
        }
    }
}

/// Clients write `/api/v2/instance/` too, and Mastodon lets them.
fn trim_slash(uri: &mut Uri) {
    let path = uri.path().trim_end_matches('/');
    if path.is_empty() || path.len() == uri.path().len() {
        return;
    }
    let whole = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = whole.parse().ok();
    if let Ok(trimmed) = Uri::from_parts(parts) {
        *uri = trimmed;
    }
}

async fn serve(
    builder: http1::Builder,
    (stream, peer): (TcpStream, SocketAddr),
    router: Router,
    stop: CancellationToken,
) {
    // Answers are written whole; waiting for more to send with them only delays.
    let _ = stream.set_nodelay(true);
    let hangup = CancellationToken::new();
    let for_requests = Hangup(hangup.clone());
    let service = router.map_request(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        trim_slash(request.uri_mut());
        request.extensions_mut().insert(Peer(peer.ip().to_canonical()));
        request.extensions_mut().insert(for_requests.clone());
        request
    });
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)).with_upgrades();
    let mut connection = pin!(connection);
    let finished = async {
        tokio::select! {
            ended = connection.as_mut() => ended,
            () = stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    };
    let ended = tokio::select! {
        ended = finished => ended,
        () = hangup.cancelled() => Ok(()),
    };
    if let Err(error) = ended {
        tracing::trace!(%error, "a connection ended early");
    }
}
