//! The sections of a configuration that are read here: `[[listen]]`, `[tls]`, `[acme]`, `[connections]`.

use super::values::{ByteSize, HostName, Listen, Network, Period, Secret};
use documented::{Documented, DocumentedFields};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use url::Url;

/// Addresses to accept connections at, and what is spoken there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(deny_unknown_fields)]
pub struct ListenConfig {
    /// Address and port, or a list of them. "[::]:443" takes IPv6 and IPv4, "0.0.0.0:443" IPv4 alone.
    pub address: Addresses,
    /// "http"; "https", with the certificates of tls and acme; or "redirect", which sends everybody on to
    /// https and answers a certificate authority.
    #[serde(default)]
    pub serve: Serve,
    /// Whether "[::]" leaves IPv4 out.
    #[serde(default)]
    pub ipv6_only: bool,
    /// Proxies that begin each connection with a header of the PROXY protocol, version 1 or 2.
    /// Connections of others are taken as they are.
    #[serde(default)]
    pub proxy_protocol: Vec<Network>,
}

impl ListenConfig {
    /// Plain HTTP at one address.
    pub fn http(address: Listen) -> Self {
        let address = Addresses(vec![address]);
        Self { address, serve: Serve::Http, ipv6_only: false, proxy_protocol: Vec::new() }
    }
}

/// One address or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses(pub Vec<Listen>);

impl Serialize for Addresses {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => one.serialize(s),
            several => several.serialize(s),
        }
    }
}

impl<'de> Deserialize<'de> for Addresses {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        /// Reads a text or a list of texts; an untagged enum would lose what is wrong with them.
        struct Reader;
        impl<'de> serde::de::Visitor<'de> for Reader {
            type Value = Addresses;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an address such as \"[::]:443\", or a list of them")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Addresses, E> {
                let address = text.parse().map_err(|why: String| E::custom(format!("{why}, not {text:?}")))?;
                Ok(Addresses(vec![address]))
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Addresses, A::Error> {
                let mut addresses = Vec::new();
                while let Some(address) = list.next_element()? {
                    addresses.push(address);
                }
                match addresses.is_empty() {
                    true => Err(serde::de::Error::custom("expected at least one address")),
                    false => Ok(Addresses(addresses)),
                }
            }
        }
        d.deserialize_any(Reader)
    }
}

/// What is spoken at an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Serve {
    #[default]
    Http,
    Https,
    Redirect,
}

/// Certificates from files, and how https is spoken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct TlsConfig {
    /// Files in PEM: [{ chain = "fullchain.pem", key = "privkey.pem" }]. The names are read from the certificates;
    /// the first one is for clients that name no host. Files that change are read again.
    pub certificates: Vec<CertificateFiles>,
    /// Oldest version that is spoken: "1.2" or "1.3".
    pub min_version: TlsVersion,
    /// How long browsers shall remember to use https alone (Strict-Transport-Security); "0 s" tells them nothing.
    pub hsts: Period,
    /// How long a client may take to agree on encryption.
    pub handshake_timeout: Period,
}

impl Default for TlsConfig {
    fn default() -> Self {
        Self {
            certificates: Vec::new(),
            min_version: TlsVersion::default(),
            hsts: Period(Duration::ZERO),
            handshake_timeout: Period(Duration::from_secs(10)),
        }
    }
}

/// One certificate with those that lead to its root, and its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateFiles {
    pub chain: PathBuf,
    pub key: PathBuf,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TlsVersion {
    #[default]
    #[serde(rename = "1.2")]
    V1_2,
    #[serde(rename = "1.3")]
    V1_3,
}

/// Certificates by themselves, from an authority that speaks ACME. By using it you accept the authority's terms.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct AcmeConfig {
    /// Names to get certificates for, one certificate each; none turns it off. They must lead to this machine.
    pub names: Vec<HostName>,
    /// An e-mail address that the authority may write to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// "letsencrypt", "letsencrypt-staging" (for trying: nobody trusts its certificates), or the URL of a directory.
    pub directory: Directory,
    /// A file in PEM with the root that the directory's own certificate comes from, where the system does not know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<PathBuf>,
    /// How to prove that names lead here: "http-01" through port 80, "tls-alpn-01" through port 443. Without it: the
    /// first when something listens for http, and the other one when that fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenge: Option<ChallengeKind>,
    /// What the authority gave you to tie the account to, where it demands that: the key's id,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// and the key itself, in base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_key: Option<Secret>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChallengeKind {
    #[serde(rename = "http-01")]
    Http01,
    #[serde(rename = "tls-alpn-01")]
    TlsAlpn01,
}

/// Where an authority tells what it offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory(Url);

const KNOWN: [(&str, &str); 2] = [
    ("letsencrypt", "https://acme-v02.api.letsencrypt.org/directory"),
    ("letsencrypt-staging", "https://acme-staging-v02.api.letsencrypt.org/directory"),
];

impl Directory {
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl Default for Directory {
    fn default() -> Self {
        let (_, url) = KNOWN[0];
        // What is written above can be read.
        Self(Url::parse(url).unwrap_or_else(|_| unreachable!("{url}")))
    }
}

impl FromStr for Directory {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = "expected \"letsencrypt\", \"letsencrypt-staging\" or an https address";
        let known = KNOWN.iter().find(|(name, _)| *name == text).map(|(_, url)| *url);
        let url = Url::parse(known.unwrap_or(text)).map_err(|_| wanted)?;
        match url.scheme() {
            "https" => Ok(Self(url)),
            _ => Err(wanted.into()),
        }
    }
}

impl fmt::Display for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = KNOWN.iter().find(|(_, url)| *url == self.0.as_str()).map(|(name, _)| *name);
        f.write_str(known.unwrap_or(self.0.as_str()))
    }
}

media::as_text!(Directory);

/// What one client may use up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct ConnectionsConfig {
    /// Connections open at once from one address (IPv6: from one /64); more are closed at once. Trusted proxies may
    /// have any number.
    pub per_address: usize,
    /// How long a client may take nothing of what it is sent.
    pub write_timeout: Period,
    /// Bytes in each second that a client must take while more is waiting for it, on average over write_timeout; "0 B"
    /// sets no limit.
    pub min_rate: ByteSize,
    /// Requests on one connection; then it is closed in peace.
    pub requests: u64,
    /// Most bytes of a request's head.
    pub head_size: ByteSize,
    /// Most fields in a request's head.
    pub head_fields: usize,
    /// HTTP/2: requests under way at once on one connection.
    pub streams: u32,
}

impl Default for ConnectionsConfig {
    fn default() -> Self {
        Self {
            per_address: 256,
            write_timeout: Period(Duration::from_secs(60)),
            min_rate: ByteSize(1024),
            requests: 10_000,
            head_size: ByteSize(64 * 1024),
            head_fields: 100,
            streams: 100,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_or_several() {
        let read = |text: &str| serde_json::from_str::<ListenConfig>(text);
        let one = read(r#"{"address":":443","serve":"https","proxy_protocol":["10.0.0.0/8"]}"#).unwrap();
        assert_eq!((one.address.0.len(), one.serve), (1, Serve::Https));
        assert_eq!(serde_json::to_value(&one).unwrap()["address"], "[::]:443");
        let two = read(r#"{"address":["[::1]:80","127.0.0.1:80"]}"#).unwrap();
        assert_eq!((two.address.0.len(), two.serve, two.ipv6_only), (2, Serve::Http, false));
        assert_eq!(read(&serde_json::to_string(&two).unwrap()).unwrap(), two);
        for (text, why) in [
            (r#"{"address":[]}"#, "at least one"),
            (r#"{"address":"nowhere"}"#, "expected an address"),
            (r#"{"address":["nowhere"]}"#, "expected an address"),
            (r#"{"address":443}"#, "or a list of them"),
            (r#"{"serve":"http"}"#, "missing field"),
            (r#"{"address":":1","serve":"ftp"}"#, "unknown variant"),
            (r#"{"address":":1","port":1}"#, "unknown field"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn directories_have_short_names() {
        let read = |text: &str| text.parse::<Directory>().map(|directory| directory.to_string());
        assert_eq!(read("letsencrypt").unwrap(), Directory::default().to_string());
        assert_eq!(read("https://acme-v02.api.letsencrypt.org/directory").unwrap(), "letsencrypt");
        assert_eq!(read("https://localhost:14000/dir").unwrap(), "https://localhost:14000/dir");
        for text in ["", "http://localhost/dir", "letsencrypt2"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let config = AcmeConfig { external_key: Some(Secret::new("hush")), ..AcmeConfig::default() };
        assert!(!format!("{config:?}").contains("hush"));
    }
}
