//! Who the client is, as far as the proxies in front can be believed.

use super::values::Network;
use axum::http::HeaderMap;
use std::net::IpAddr;

/// Who is at the other end of the connection: the client, or a proxy that speaks HTTP. What a proxy said by the PROXY
/// protocol is believed already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// The last address in X-Forwarded-For that is not one of our proxies. Everything to the left of it could be made up
/// by the client, and everything is when the peer is no proxy.
pub fn client(peer: Peer, headers: &HeaderMap, proxies: &[Network]) -> IpAddr {
    let trusted = |ip: IpAddr| proxies.iter().any(|network| network.contains(ip));
    let mut client = peer.0;
    let lines: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
    for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        if !trusted(client) {
            break;
        }
        match address(hop.trim()) {
            Some(ip) => client = ip.to_canonical(),
            None => break,
        }
    }
    client
}

/// An address as proxies write it: bare, in brackets, perhaps with a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(text, |(ip, _)| ip);
    bare.parse().ok().or_else(|| text.parse::<std::net::SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_tell_who_the_client_is() {
        let proxies: Vec<Network> = ["127.0.0.0/8", "10.0.0.0/8"].iter().map(|n| n.parse().unwrap()).collect();
        let cases: &[(&str, &[&str], &str)] = &[
            ("9.9.9.9", &[], "9.9.9.9"),
            ("9.9.9.9", &["1.1.1.1"], "9.9.9.9"),
            ("127.0.0.1", &[], "127.0.0.1"),
            ("127.0.0.1", &["1.1.1.1"], "1.1.1.1"),
            ("127.0.0.1", &["6.6.6.6, 1.1.1.1"], "1.1.1.1"),
            ("127.0.0.1", &["6.6.6.6, 1.1.1.1, 10.0.0.3"], "1.1.1.1"),
            ("127.0.0.1", &["6.6.6.6", "1.1.1.1", "10.0.0.3"], "1.1.1.1"),
            ("127.0.0.1", &["nonsense"], "127.0.0.1"),
            ("127.0.0.1", &["1.1.1.1, nonsense, 10.0.0.3"], "10.0.0.3"),
            ("127.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("127.0.0.1", &["1.1.1.1:4711"], "1.1.1.1"),
            ("127.0.0.1", &["::ffff:1.1.1.1"], "1.1.1.1"),
        ];
        for (peer, forwarded, wanted) in cases {
            let mut headers = HeaderMap::new();
            for line in *forwarded {
                headers.append("x-forwarded-for", line.parse().unwrap());
            }
            let client = client(Peer(peer.parse().unwrap()), &headers, &proxies);
            assert_eq!(client.to_string(), *wanted, "{forwarded:?}");
        }
    }
}
