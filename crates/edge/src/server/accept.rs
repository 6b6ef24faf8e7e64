//! From a socket that listens to connections that are served.

use super::config::{ListenConfig, Serve};
use super::connection::{self, Line};
use super::guard::{Guarded, Patience};
use super::places::Place;
use super::proxy_protocol::{self, Said};
use super::tls::Agreed;
use super::values::{Listen, Network};
use super::{Inner, Live, Peer};
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Pause after the system could give no connection, such as when there are no file descriptors left.
const PAUSE: Duration = Duration::from_millis(100);

/// Bytes that wait in the kernel for a client, beside those that are on their way to it.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 128 * 1024;

/// An address where connections come in.
#[derive(Clone, Debug)]
pub(super) struct Door {
    /// As it was configured.
    address: Listen,
    ipv6_only: bool,
    pub(super) listener: Arc<TcpListener>,
    serve: Serve,
    proxies: Arc<[Network]>,
    pub(super) closed: CancellationToken,
}

impl Door {
    pub(super) fn new(
        address: Listen,
        config: &ListenConfig,
        (socket, stop): (std::net::TcpListener, &CancellationToken),
    ) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let listener = Arc::new(TcpListener::from_std(socket)?);
        let (serve, proxies, closed) = (config.serve, config.proxy_protocol.clone().into(), stop.child_token());
        Ok(Self { address, ipv6_only: config.ipv6_only, listener, serve, proxies, closed })
    }

    /// Whether it is the one for this address.
    pub(super) fn is(&self, address: Listen, config: &ListenConfig) -> bool {
        (self.address, self.ipv6_only) == (address, config.ipv6_only)
    }

    /// The same socket for another configuration.
    pub(super) fn again(old: &Self, config: &ListenConfig, stop: &CancellationToken) -> Self {
        let (serve, proxies, closed) = (config.serve, config.proxy_protocol.clone().into(), stop.child_token());
        Self { serve, proxies, closed, ..old.clone() }
    }
}

/// Accepts connections until the door is closed. One that has no place yet waits here, and those behind it wait in the
/// kernel.
pub(super) async fn accept(inner: Arc<Inner>, door: Door) {
    loop {
        let accepted = tokio::select! {
            accepted = door.listener.accept() => accepted,
            () = door.closed.cancelled() => return,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_of_one_connection(&error) => continue,
            Err(error) => {
                tracing::error!(%error, "cannot accept connections");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let place = tokio::select! {
            // Who was taken from the kernel is served, if only there is a place: the client believes to be received.
            biased;
            place = inner.places.take() => place,
            () = inner.stop.cancelled() => return,
        };
        let Some(place) = place else { return };
        let arrival = Arrival { inner: inner.clone(), serve: door.serve, proxies: door.proxies.clone() };
        inner.open.spawn(arrival.greet(stream, peer.ip().to_canonical(), place));
    }
}

/// Without a bound the kernel takes several MB for each client that is slow, and whether it takes any of them is seen
/// too late.
fn let_little_wait(stream: &TcpStream) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(stream).set_tcp_notsent_lowat(UNSENT)?;
    Ok(())
}

/// The client went away before we took the connection.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// A connection that has just come.
struct Arrival {
    inner: Arc<Inner>,
    serve: Serve,
    proxies: Arc<[Network]>,
}

impl Arrival {
    async fn greet(self, stream: TcpStream, peer: IpAddr, place: Place) {
        if let Err(error) = self.serve(stream, peer, place).await {
            tracing::trace!(%peer, %error, "a connection ended early");
        }
    }

    async fn serve(self, mut stream: TcpStream, mut peer: IpAddr, mut place: Place) -> io::Result<()> {
        let live = self.inner.live.read().unwrap_or_else(PoisonError::into_inner).clone();
        // Answers are written whole; waiting for more to send with them only delays.
        stream.set_nodelay(true)?;
        let_little_wait(&stream)?;
        if self.proxies.iter().any(|proxy| proxy.contains(peer)) {
            let said = timeout(live.handshake_timeout, proxy_protocol::read(&mut stream)).await??;
            if let Said::From(client) = said {
                peer = client.ip().to_canonical();
            }
        }
        let bound = (live.limits.connections.per_address, live.limits.trusted.as_slice());
        if !self.inner.places.count(&mut place, peer, bound) {
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, "too many connections from this address"));
        }
        let limits = &live.limits.connections;
        let patience = Patience { timeout: limits.write_timeout.0, min_rate: limits.min_rate.0 };
        let stream = Guarded::new(stream, place, patience);
        if self.serve != Serve::Https {
            let line = self.line(&live, Peer(peer));
            drop(live);
            return connection::http1(stream, line).await;
        }
        let agreed = timeout(live.handshake_timeout, live.tls.agree(stream)).await??;
        let line = self.line(&live, Peer(peer));
        // A reload can let go of what this connection does not need any more.
        drop(live);
        match agreed {
            Agreed::Http1(stream) => connection::http1(stream, line).await,
            Agreed::Http2(stream) => connection::http2(stream, line).await,
            Agreed::Challenge => Ok(()),
        }
    }

    fn line(self, live: &Live, peer: Peer) -> Line {
        let trusted = live.limits.trusted.iter().any(|proxy| proxy.contains(peer.0));
        Line::new(self.inner, (&live.limits, trusted), (peer, self.serve))
    }
}
