//! NAT64: how machines with IPv6 alone reach those with IPv4 alone. The name server makes addresses of IPv6 in which
//! those of IPv4 stand behind a prefix, which need not be the well-known one.

use super::Resolve;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// The name that has IPv4 addresses and no others: whoever gives it IPv6 addresses shows how it makes them
/// (<https://www.rfc-editor.org/rfc/rfc7050>).
const NAME: &str = "ipv4only.arpa";
const ADDRESSES: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 0, 0, 170), Ipv4Addr::new(192, 0, 0, 171)];
const PATIENCE: Duration = Duration::from_secs(3);
/// How long an answer is believed: networks change seldom.
const KEPT: Duration = Duration::from_secs(3600);

/// For each length in bytes of a prefix, where the four bytes stand
/// (<https://www.rfc-editor.org/rfc/rfc6052#section-2.2>); byte 8 is always left out.
const PLACES: [(usize, [usize; 4]); 6] = [
    (12, [12, 13, 14, 15]),
    (8, [9, 10, 11, 12]),
    (7, [7, 9, 10, 11]),
    (6, [6, 7, 9, 10]),
    (5, [5, 6, 7, 9]),
    (4, [4, 5, 6, 7]),
];

/// What stands before the addresses of IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    bytes: [u8; 16],
    /// In bytes.
    length: usize,
    places: [usize; 4],
}

impl Prefix {
    /// The prefix behind which `address`, an answer for the name above, holds one of its addresses.
    fn shown_by(address: Ipv6Addr) -> Option<Self> {
        let bytes = address.octets();
        PLACES.iter().find_map(|(length, places)| {
            let prefix = Self { bytes, length: *length, places: *places };
            ADDRESSES.contains(&prefix.inner(address)).then_some(prefix)
        })
    }

    fn inner(&self, address: Ipv6Addr) -> Ipv4Addr {
        let bytes = address.octets();
        Ipv4Addr::from(self.places.map(|at| bytes.get(at).copied().unwrap_or_default()))
    }

    /// The address of IPv4 in `address`, if it is one of these.
    pub fn inside(&self, address: IpAddr) -> Option<Ipv4Addr> {
        let IpAddr::V6(address) = address else { return None };
        (address.octets().get(..self.length) == self.bytes.get(..self.length)).then(|| self.inner(address))
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.bytes;
        bytes.iter_mut().skip(self.length).for_each(|byte| *byte = 0);
        write!(f, "{}/{}", Ipv6Addr::from(bytes), self.length * 8)
    }
}

/// The prefix of this network, asked for when it is first needed.
#[derive(Default)]
pub(super) struct Nat64(Mutex<Option<(Instant, Option<Prefix>)>>);

impl Nat64 {
    pub(super) async fn prefix(&self, resolver: &dyn Resolve) -> Option<Prefix> {
        let kept = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, prefix)) = kept
            && at.elapsed() < KEPT
        {
            return prefix;
        }
        let found = timeout(PATIENCE, resolver.resolve(NAME)).await;
        let found = found.ok().and_then(Result::ok).unwrap_or_default();
        let prefix = found.into_iter().find_map(|address| match address {
            IpAddr::V6(address) => Prefix::shown_by(address),
            IpAddr::V4(_) => None,
        });
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), prefix));
        prefix
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_of_every_length() {
        // The examples of RFC 6052 with the address of RFC 7050.
        for (shown, prefix, other, inner) in [
            ("64:ff9b::c000:aa", "64:ff9b::/96", "64:ff9b::808:808", "8.8.8.8"),
            ("2001:db8:122:344::192.0.0.171", "2001:db8:122:344::/96", "2001:db8:122:344::10.0.0.1", "10.0.0.1"),
            ("2001:db8:122:344:c0:0:aa00::", "2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100::", "192.0.2.33"),
            ("2001:db8:122:3c0:0:aa::", "2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::", "192.0.2.33"),
            ("2001:db8:122:c000:0:aa00::", "2001:db8:122::/48", "2001:db8:122:c000:2:2100::", "192.0.2.33"),
            ("2001:db8:1c0:0:aa::", "2001:db8:100::/40", "2001:db8:1c0:2:21::", "192.0.2.33"),
            ("2001:db8:c000:aa::", "2001:db8::/32", "2001:db8:c000:221::", "192.0.2.33"),
            ("fd00:64::c000:ab", "fd00:64::/96", "fd00:64::7f00:1", "127.0.0.1"),
        ] {
            let found = Prefix::shown_by(shown.parse().unwrap()).unwrap_or_else(|| panic!("{shown}"));
            assert_eq!(found.to_string(), prefix, "{shown}");
            assert_eq!(found.inside(other.parse().unwrap()), Some(inner.parse().unwrap()), "{other}");
            assert_eq!(found.inside("2600::1".parse().unwrap()), None);
            assert_eq!(found.inside("8.8.8.8".parse().unwrap()), None);
        }
        for other in ["2600::1", "::1", "64:ff9b::808:808", "2001:db8::192.0.0.172"] {
            assert_eq!(Prefix::shown_by(other.parse().unwrap()), None, "{other}");
        }
    }
}
