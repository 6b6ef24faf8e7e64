//! Sockets to accept connections at: bound here, or handed in by the program that started this one.

use super::config::ListenConfig;
use super::values::Listen;
use rustix::process::{Resource, Rlimit};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};

/// Connections that the kernel holds until we accept them.
const BACKLOG: i32 = 1024;

/// An address at which nobody can be received.
#[derive(Debug, thiserror::Error)]
#[error("cannot accept connections at {address}: {source}")]
pub struct CannotListen {
    pub address: SocketAddr,
    pub source: io::Error,
}

/// Sockets that listen already, such as those that systemd opened.
#[derive(Debug, Default)]
pub struct Sockets {
    /// With the address that they are there for.
    ready: Vec<(SocketAddr, TcpListener)>,
}

impl Sockets {
    /// Those that somebody else has opened.
    pub fn of(ready: Vec<TcpListener>) -> io::Result<Self> {
        let ready: io::Result<_> = ready.into_iter().map(|socket| Ok((socket.local_addr()?, socket))).collect();
        Ok(Self { ready: ready? })
    }

    /// One for each address that is asked for: what is there already, else a new one. So a taken port is found before
    /// anything else is begun.
    pub fn bind(mut self, listen: &[ListenConfig]) -> Result<Self, CannotListen> {
        let mut bound = Self::default();
        for config in listen {
            for address in &config.address.0 {
                bound.ready.push((address.0, self.open(*address, config)?));
            }
        }
        self.close_rest();
        Ok(bound)
    }

    /// Where they listen.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.ready.iter().filter_map(|(_, socket)| socket.local_addr().ok()).collect()
    }

    /// Takes the one for this address, else binds a new one.
    pub(super) fn open(&mut self, address: Listen, config: &ListenConfig) -> Result<TcpListener, CannotListen> {
        match self.ready.iter().position(|(there, _)| *there == address.0) {
            Some(at) => Ok(self.ready.remove(at).1),
            None => listen(address.0, if config.ipv6_only { Families::Ipv6 } else { Families::Both }),
        }
    }

    /// Closes what no address of the configuration asked for.
    pub(super) fn close_rest(&mut self) {
        for (address, _) in self.ready.drain(..) {
            tracing::warn!(%address, "a socket was handed in that no address of the configuration asks for");
        }
    }
}

/// What `[::]` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Families {
    Both,
    Ipv6,
}

/// Binds `address`. Where the machine has no IPv6, `[::]` falls back to `0.0.0.0`.
pub fn listen(address: SocketAddr, families: Families) -> Result<TcpListener, CannotListen> {
    let socket = match bind(address, families) {
        Err(error) if is_any_ipv6(address) && families == Families::Both && lacks_ipv6(&error) => {
            tracing::warn!("this machine has no IPv6: listening on IPv4 only");
            bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port())), families)
        }
        other => other,
    };
    socket.map(TcpListener::from).map_err(|source| CannotListen { address, source })
}

/// As many open files as the system allows: each connection is one, and the usual limit of 1024 is soon reached.
pub fn allow_many_files() {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let wanted = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = rustix::process::setrlimit(Resource::Nofile, wanted) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}

fn is_any_ipv6(address: SocketAddr) -> bool {
    matches!(address.ip(), IpAddr::V6(ip) if ip.is_unspecified())
}

fn lacks_ipv6(error: &io::Error) -> bool {
    // EAFNOSUPPORT has no kind of its own.
    matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported)
        || error.raw_os_error() == Some(97)
}

fn bind(address: SocketAddr, families: Families) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(!(is_any_ipv6(address) && families == Families::Both))?;
    }
    // After a restart the port is free at once.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    fn listen(address: &str, families: Families) -> TcpListener {
        super::listen(address.parse().unwrap(), families).unwrap()
    }

    #[test]
    fn any_ipv6_address_takes_ipv4_too() {
        let listener = listen("[::]:0", Families::Both);
        let port = listener.local_addr().unwrap().port();
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    }

    #[test]
    fn one_family_alone_works() {
        let listener = listen("127.0.0.1:0", Families::Both);
        TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        if let Ok(listener) = super::listen("[::1]:0".parse().unwrap(), Families::Both) {
            TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        }
        if let Ok(listener) = super::listen("[::]:0".parse().unwrap(), Families::Ipv6) {
            let port = listener.local_addr().unwrap().port();
            assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
            TcpStream::connect((std::net::Ipv6Addr::LOCALHOST, port)).unwrap();
        }
    }

    #[test]
    fn a_taken_port_is_named() {
        let taken = listen("127.0.0.1:0", Families::Both);
        let address = taken.local_addr().unwrap();
        let text = super::listen(address, Families::Both).unwrap_err().to_string();
        assert!(text.contains(&address.to_string()) && text.contains("in use"), "{text}");
    }

    #[test]
    fn what_was_handed_in_is_taken_for_its_address() {
        let ready = listen("127.0.0.1:0", Families::Both);
        let address = Listen(ready.local_addr().unwrap());
        let mut sockets = Sockets::of(vec![ready]).unwrap();
        let config = ListenConfig::http(address);
        let taken = sockets.open(address, &config).unwrap();
        assert_eq!(taken.local_addr().unwrap(), address.0);
        assert!(sockets.open(address, &config).is_err(), "it is in use, and not handed in again");
        let any = ListenConfig::http("127.0.0.1:0".parse().unwrap());
        let bound = Sockets::default().bind(&[any.clone(), any.clone()]).unwrap();
        let addresses = bound.addresses();
        assert!(addresses.len() == 2 && addresses[0] != addresses[1]);
        assert_eq!(bound.bind(&[any.clone(), any]).unwrap().addresses(), addresses);
    }
}
