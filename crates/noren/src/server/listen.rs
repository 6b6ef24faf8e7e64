//! Sockets to accept connections at.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};

use anyhow::Context as _;
use rustix::process::{Resource, Rlimit};
use socket2::{Domain, Protocol, Socket, Type};

/// Connections that the kernel holds until we accept them.
const BACKLOG: i32 = 1024;

/// Binds `address`. `[::]` takes IPv4 connections too; where the machine has no IPv6 it falls back to `0.0.0.0`.
pub fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let failure = || format!("cannot accept connections at {address} (choose another address with --listen)");
    let socket = match bind(address) {
        Err(error) if is_any_ipv6(address) && lacks_ipv6(&error) => {
            tracing::warn!("this machine has no IPv6: listening on IPv4 only");
            bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port())))
        }
        other => other,
    };
    socket.map(TcpListener::from).with_context(failure)
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

fn bind(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if is_any_ipv6(address) {
        socket.set_only_v6(false)?;
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

    #[test]
    fn any_ipv6_address_takes_ipv4_too() {
        let listener = listen("[::]:0".parse().unwrap()).unwrap();
        let port = listener.local_addr().unwrap().port();
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    }

    #[test]
    fn one_family_alone_works() {
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        if let Ok(listener) = listen("[::1]:0".parse().unwrap()) {
            TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        }
    }

    #[test]
    fn a_taken_port_is_named() {
        let taken = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = taken.local_addr().unwrap();
        let text = format!("{:#}", listen(address).unwrap_err());
        assert!(text.contains(&address.to_string()) && text.contains("in use"), "{text}");
    }
}
