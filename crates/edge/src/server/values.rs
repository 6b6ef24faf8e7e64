//! Values of configurations that are more than text: sizes, times, addresses, networks, names of hosts.
//! Each reads what people write and says what it expects when it cannot.

pub use media::values::{ByteSize, Period, Secret};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

media::as_text!(Listen, Network, HostName);

/// Where to accept connections: `[::]:3000` (IPv6 and IPv4), `127.0.0.1:3000`, `:3000` (same as `[::]:3000`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen(pub SocketAddr);

impl Listen {
    /// All addresses of this machine, IPv6 and IPv4.
    pub fn any(port: u16) -> Self {
        Self(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)))
    }
}

impl FromStr for Listen {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = "expected an address such as \"[::]:3000\", \"127.0.0.1:3000\" or \":3000\"";
        if let Some(port) = text.strip_prefix(':') {
            let port = port.parse().map_err(|_| wanted)?;
            return Ok(Self::any(port));
        }
        Ok(Self(text.parse().map_err(|_| wanted)?))
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A network, such as `10.0.0.0/8` or `::1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    /// Whether `ip` is in it. An IPv4 address written as IPv6 counts as IPv4.
    pub fn contains(&self, ip: IpAddr) -> bool {
        let (bits, length) = Self::bits(ip.to_canonical());
        let (own, own_length) = Self::bits(self.address);
        // A shift by the whole width is not defined: no prefix at all means everything.
        length == own_length && (self.prefix == 0 || (bits ^ own) >> (length - self.prefix) == 0)
    }

    fn bits(ip: IpAddr) -> (u128, u32) {
        match ip {
            IpAddr::V4(ip) => (u128::from(u32::from(ip)), 32),
            IpAddr::V6(ip) => (u128::from(ip), 128),
        }
    }
}

impl FromStr for Network {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = "expected an address or network such as \"127.0.0.1\" or \"10.0.0.0/8\"";
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let address: IpAddr = address.parse().map_err(|_| wanted)?;
        let (_, length) = Self::bits(address);
        let prefix = prefix.map_or(Ok(length), str::parse).map_err(|_| wanted)?;
        if prefix > length {
            return Err(wanted.into());
        }
        Ok(Self { address, prefix })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// The name of a host, such as `example.com`: lower case, international names in their ASCII form.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostName(String);

impl HostName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HostName {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = "expected the name of a host such as \"example.com\"";
        match url::Host::parse(text).map_err(|_| wanted)? {
            url::Host::Domain(name) if is_plain(&name) => Ok(Self(name)),
            _ => Err(wanted.into()),
        }
    }
}

/// Labels of letters, digits and hyphens: no wildcards, nothing that could leave a folder.
fn is_plain(name: &str) -> bool {
    let label = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    name.len() <= 253 && name.split('.').all(label)
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn round<T: FromStr<Err = String> + fmt::Display>(text: &str, printed: &str) {
        assert_eq!(text.parse::<T>().map(|value| value.to_string()), Ok(printed.to_owned()), "{text}");
    }

    #[track_caller]
    fn refused<T: FromStr<Err = String>>(texts: &[&str]) {
        for text in texts {
            assert!(text.parse::<T>().is_err(), "{text}");
        }
    }

    #[test]
    fn addresses() {
        round::<Listen>(":3000", "[::]:3000");
        round::<Listen>("127.0.0.1:80", "127.0.0.1:80");
        refused::<Listen>(&["", ":", "3000", "localhost:3000", "1.2.3.4", "[::]:70000"]);
    }

    #[test]
    fn networks() {
        let within = |network: &str, ip: &str| network.parse::<Network>().unwrap().contains(ip.parse().unwrap());
        assert!(within("10.0.0.0/8", "10.255.0.1"));
        assert!(within("10.0.0.0/8", "::ffff:10.1.2.3"));
        assert!(!within("10.0.0.0/8", "11.0.0.1"));
        assert!(within("127.0.0.1", "127.0.0.1"));
        assert!(!within("127.0.0.1", "127.0.0.2"));
        assert!(within("fd00::/8", "fdab::1"));
        assert!(!within("fd00::/8", "10.0.0.1"));
        assert!(within("0.0.0.0/0", "9.9.9.9"));
        assert!(!within("0.0.0.0/0", "::1"));
        assert!(within("::/0", "2001:db8::1"));
        refused::<Network>(&["", "10.0.0.0/33", "10/8", "::/129", "example.com"]);
    }

    #[test]
    fn hosts() {
        round::<HostName>("Media.Example.COM", "media.example.com");
        round::<HostName>("例え.jp", "xn--r8jz45g.jp");
        refused::<HostName>(&[
            "",
            "*.example.com",
            "1.2.3.4",
            "[::1]",
            "a b",
            "a/b",
            "..",
            "a..b",
            "a:80",
            "_a.example",
        ]);
    }
}
