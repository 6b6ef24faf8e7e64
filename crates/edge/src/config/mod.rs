//! The configuration of the edge: `edge.toml`, or the section `edge` of noren.toml. Read once, passed as a value.

mod check;
mod load;
mod origin;
mod site;
mod units;

pub use crate::server::values::{ByteSize, Listen, Network, Period};
pub use check::MAX_ORIGINS;
pub use load::BadConfig;
pub use origin::{BucketOrigin, FolderOrigin, HttpOrigin, OriginConfig};
pub use site::{SiteConfig, SvgPolicy};
pub use units::{Folder, Host, WebUrl};

use crate::cache::CacheConfig;
use crate::server::config::{AcmeConfig, ConnectionsConfig, ListenConfig, TlsConfig};
use documented::{Documented, DocumentedFields};
use serde::{Deserialize, Serialize};
use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Everything that `noren edge` reads from its file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EdgeConfig {
    pub server: ServerConfig,
    pub listen: Vec<ListenConfig>,
    pub tls: TlsConfig,
    pub acme: AcmeConfig,
    pub connections: ConnectionsConfig,
    pub cache: CacheConfig,
    pub access_log: AccessLogConfig,
    pub metrics: MetricsConfig,
    #[serde(rename = "site")]
    pub sites: Vec<SiteConfig>,
}

/// The part of it that a server has that listens by itself: the section `edge` of noren.toml.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SitesConfig {
    pub cache: CacheConfig,
    pub access_log: AccessLogConfig,
    pub metrics: MetricsConfig,
    #[serde(rename = "site", skip_serializing_if = "Vec::is_empty")]
    pub sites: Vec<SiteConfig>,
}

impl From<SitesConfig> for EdgeConfig {
    fn from(SitesConfig { cache, access_log, metrics, sites }: SitesConfig) -> Self {
        Self { cache, access_log, metrics, sites, ..Self::default() }
    }
}

/// The process itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// The folder for certificates that acme gets, and for the cache if it has no other place.
    pub data: PathBuf,
    /// Proxies in front of the edge: only theirs is the X-Forwarded-For that is believed.
    pub trusted_proxies: Vec<Network>,
    /// Connections open at once; more wait until one closes.
    pub connections: usize,
    /// How long a client may take to send the head of a request, or keep a connection open without a request.
    pub header_timeout: Period,
    /// How long answers may take to finish when the edge is told to stop.
    pub shutdown_timeout: Period,
    /// Threads for requests; 0 takes one for each processor core.
    pub threads: usize,
    /// What is told on standard error: "error", "warn", "info", "debug" or "trace".
    pub log: String,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            data: "edge".into(),
            trusted_proxies: loopback(),
            connections: 4096,
            header_timeout: Period(Duration::from_secs(30)),
            shutdown_timeout: Period(Duration::from_secs(25)),
            threads: 0,
            log: "info".into(),
        }
    }
}

fn loopback() -> Vec<Network> {
    ["127.0.0.0/8", "::1"].iter().filter_map(|network| network.parse().ok()).collect()
}

/// Where an edge accepts connections that is not told where.
pub fn usual_address() -> Listen {
    Listen(SocketAddr::from((Ipv6Addr::UNSPECIFIED, 3000)))
}

/// One line for each request.
#[derive(Clone, Debug, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(from = "WrittenLog")]
pub struct AccessLogConfig {
    /// "combined" (as web servers write it, with how the cache answered and how long it took), "json" or "off". Without
    /// it: "combined" where there is a file, else "off".
    pub format: AccessLogFormat,
    /// Where to write; opened again on SIGHUP. Without it: standard output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}

/// As it is written: who names a file wants a log.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenLog {
    format: Option<AccessLogFormat>,
    file: Option<PathBuf>,
}

impl From<WrittenLog> for AccessLogConfig {
    fn from(WrittenLog { format, file }: WrittenLog) -> Self {
        let usual = if file.is_some() { AccessLogFormat::Combined } else { AccessLogFormat::Off };
        Self { format: format.unwrap_or(usual), file }
    }
}

impl Default for AccessLogConfig {
    fn default() -> Self {
        Self { format: AccessLogFormat::Off, file: None }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccessLogFormat {
    Off,
    Combined,
    Json,
}

/// Figures for Prometheus.
#[derive(Clone, Debug, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsConfig {
    /// An address of its own for them, such as "127.0.0.1:9180"; they are at /metrics there, for everybody who can
    /// reach it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    /// A path beside the sites, such as "/metrics", for those in metrics.allow alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<Folder>,
    /// Addresses and networks that may read them at metrics.path.
    pub allow: Vec<Network>,
}

impl Default for MetricsConfig {
    fn default() -> Self {
        Self { listen: None, path: None, allow: loopback() }
    }
}

#[cfg(test)]
mod tests;
