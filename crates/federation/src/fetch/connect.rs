//! From a place to a connection: resolve, check, connect to what was checked, whichever family answers first.

use super::hosts::Family;
use super::pool::Sender;
use super::target::{Name, Target};
use super::{Error, Inner, Private};
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// For each of: a name, a connection to one address, the handshake.
const PATIENCE: Duration = Duration::from_secs(5);
/// Before the next address is tried beside the first (RFC 8305).
const STAGGER: Duration = Duration::from_millis(250);
/// Addresses of each family that are tried.
const TRIED: usize = 2;
/// Bytes of an answer's head.
const HEAD: usize = 32 * 1024;
const HEADERS: usize = 100;

/// Believes the system's authorities and `more`.
pub(super) fn tls(more: &[Vec<u8>]) -> Result<TlsConnector, String> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        tracing::warn!(%error, "a certificate of the system cannot be read");
    }
    roots.add_parsable_certificates(system.certs);
    for der in more {
        roots.add(CertificateDer::from(der.clone())).map_err(|error| error.to_string())?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = versions.map_err(|error| error.to_string())?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

impl Inner {
    pub(super) async fn connect(&self, target: &Target) -> Result<Sender, Error> {
        let host = target.host();
        let mut addresses = self.resolved(target).await?;
        self.keep_allowed(target, &mut addresses).await;
        if addresses.is_empty() {
            return Err(Error::Forbidden("the address is not public"));
        }
        let ordered = order(addresses, self.hosts.family(&host));
        let stream = race(ordered.into_iter().map(|ip| SocketAddr::new(ip, target.port)).collect()).await?;
        if let Ok(address) = stream.peer_addr() {
            self.hosts.answered(&host, Family::of(address.ip()));
        }
        // Requests are small and complete: nothing is gained by waiting.
        let _ = stream.set_nodelay(true);
        match target.tls {
            false => handshake(stream).await,
            true => handshake(self.secured(target, stream).await?).await,
        }
    }

    /// Leaves out what may not be asked. An address of IPv4 behind the prefix of this network's NAT64 is judged itself:
    /// the prefix may look like anybody's, and what is behind it is no more public for that.
    pub(super) async fn keep_allowed(&self, target: &Target, addresses: &mut Vec<IpAddr>) {
        let asks = self.options.private != Private::Allowed && addresses.iter().any(IpAddr::is_ipv6);
        let nat64 = if asks { self.nat64.prefix(&*self.options.resolver).await } else { None };
        addresses.retain(|address| {
            let inside = nat64.and_then(|prefix| prefix.inside(*address));
            let address = inside.map_or(*address, IpAddr::V4);
            let private = &self.options.private;
            if target.named { private.names(address) } else { private.allows(address) }
        });
    }

    pub(super) async fn secured(&self, target: &Target, stream: TcpStream) -> Result<TlsStream<TcpStream>, Error> {
        let name = match &target.name {
            Name::Domain(domain) => ServerName::try_from(domain.clone()),
            Name::Address(address) => Ok(ServerName::from(*address)),
        };
        let name = name.map_err(|_| Error::Forbidden("the host is not a name"))?;
        let secured = timeout(PATIENCE, self.tls.connect(name, stream)).await;
        let secured = secured.map_err(|_| Error::Tls("it took too long".to_owned()))?;
        secured.map_err(|error| Error::Tls(error.to_string()))
    }

    /// All addresses, whether they may be asked or not. At least one.
    pub(super) async fn resolved(&self, target: &Target) -> Result<Vec<IpAddr>, Error> {
        let domain = match &target.name {
            Name::Address(address) => return Ok(vec![*address]),
            Name::Domain(domain) => domain,
        };
        let resolving = timeout(PATIENCE, self.options.resolver.resolve(domain));
        let resolved = resolving.await.map_err(|_| Error::Unresolved("it took too long".to_owned()))?;
        match resolved {
            Ok(found) if found.is_empty() => Err(Error::Unresolved("it has no address".to_owned())),
            Ok(found) => Ok(found),
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => Err(Error::Busy),
            Err(error) => Err(Error::Unresolved(error.to_string())),
        }
    }
}

/// To one address.
pub(super) async fn connect_to(address: SocketAddr) -> Result<TcpStream, Error> {
    let connecting = timeout(PATIENCE, TcpStream::connect(address)).await;
    let connected = connecting.map_err(|_| Error::Unreachable("it took too long".to_owned()))?;
    connected.map_err(|error| Error::Unreachable(error.to_string()))
}

/// Alternates between the families, beginning with the one that answered last, or with IPv6.
fn order(addresses: Vec<IpAddr>, last: Option<Family>) -> Vec<IpAddr> {
    let first = last.unwrap_or(Family::V6);
    let (mut one, mut other): (Vec<IpAddr>, Vec<IpAddr>) =
        addresses.into_iter().partition(|address| Family::of(*address) == first);
    one.truncate(TRIED);
    other.truncate(TRIED);
    let mut out = Vec::with_capacity(one.len() + other.len());
    let (mut one, mut other) = (one.into_iter(), other.into_iter());
    loop {
        match (one.next(), other.next()) {
            (None, None) => return out,
            pair => out.extend([pair.0, pair.1].into_iter().flatten()),
        }
    }
}

/// The first that answers.
async fn race(addresses: Vec<SocketAddr>) -> Result<TcpStream, Error> {
    let mut waiting = addresses.into_iter();
    let mut running = JoinSet::new();
    let mut failure = Error::TimedOut;
    loop {
        if let Some(address) = waiting.next() {
            running.spawn(connect_to(address));
        } else if running.is_empty() {
            return Err(failure);
        }
        let more = waiting.len() > 0;
        tokio::select! {
            Some(done) = running.join_next() => match done {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => failure = error,
                Err(error) => failure = Error::Unreachable(error.to_string()),
            },
            () = sleep(STAGGER), if more => {}
        }
    }
}

async fn handshake(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Result<Sender, Error> {
    let mut builder = hyper::client::conn::http1::Builder::new();
    builder.max_buf_size(HEAD).max_headers(HEADERS);
    let shaken = builder.handshake(TokioIo::new(stream)).await;
    let (sender, connection) = shaken.map_err(|error| Error::Broken(error.to_string()))?;
    // Ends when the sender is dropped, or the other side hangs up.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(sender)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns() {
        let parse = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<IpAddr>>();
        let all = parse(&["1.0.0.1", "1.0.0.2", "1.0.0.3", "2600::1"]);
        assert_eq!(order(all.clone(), None), parse(&["2600::1", "1.0.0.1", "1.0.0.2"]));
        assert_eq!(order(all.clone(), Some(Family::V4)), parse(&["1.0.0.1", "2600::1", "1.0.0.2"]));
        assert_eq!(order(parse(&["1.0.0.1"]), Some(Family::V6)), parse(&["1.0.0.1"]));
        assert!(order(Vec::new(), None).is_empty());
    }
}
