//! The configuration: `noren.toml`, `NOREN_SECTION__KEY` and flags, read once and passed as a value.
//! A section is a struct in the crate that reads it; its doc comments are the documentation that `noren config print` shows.

mod load;
mod print;
mod remote;
mod values;

pub use edge::config::BadConfig;
pub use load::{Loaded, Override, Sources, load};
pub use print::print;
pub use remote::{Mode, RemoteConfig};
pub use values::{BaseUrl, ByteSize, Listen, LogLevel, Network, Origin, Period, SiteDomain};

use api::http::rate_limit::RateLimits;
use api::streaming::StreamingConfig;
use documented::{Documented, DocumentedFields};
use domain::{db::DatabaseConfig, jobs::Queue, site};
use edge::config::{EdgeConfig, MAX_ORIGINS, OriginConfig, SitesConfig};
use edge::server::config::{AcmeConfig, ConnectionsConfig, ListenConfig, TlsConfig};
use federation::FederationConfig;
use media::s3::{Bucket, S3Config};
use serde::{Deserialize, Serialize};
use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub site: SiteConfig,
    pub server: ServerConfig,
    /// Where connections come in; nothing means plain HTTP at `server.listen`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub listen: Vec<ListenConfig>,
    pub tls: TlsConfig,
    pub acme: AcmeConfig,
    pub connections: ConnectionsConfig,
    pub database: DatabaseConfig,
    pub media: MediaConfig,
    pub edge: SitesConfig,
    pub metrics: MetricsConfig,
    pub federation: FederationConfig,
    pub limits: site::Limits,
    pub rate_limits: RateLimits,
    pub streaming: StreamingConfig,
    pub jobs: JobsConfig,
    pub log: LogConfig,
}

/// Who this site is to others.
#[derive(Clone, Debug, Default, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct SiteConfig {
    /// The name after the @ of handles, such as "example.com". Others remember it: do not change it later.
    /// Without it: the name that the site was served with before, else localhost with the port of server.listen, for
    /// development over plain http.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<SiteDomain>,
    /// Other domains that lead here, such as one the site had before: people are found under these, too, and shown
    /// under the one above.
    pub alternate_domains: Vec<SiteDomain>,
    /// Where people and programs reach the site, without a slash at the end.
    /// Without it: "https://" and the domain; "http://" when the domain is localhost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<Origin>,
}

/// Connections and files.
#[derive(Clone, Debug, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Address and port to accept connections at. "[::]:3000" takes IPv6 and IPv4. For https, and for several
    /// addresses: listen, which is used in its place.
    pub listen: Listen,
    /// The folder for the embedded database, uploads, and noren.toml if it is kept there.
    pub data: PathBuf,
    /// Reverse proxies in front of Noren: only theirs is the X-Forwarded-For that is believed.
    pub trusted_proxies: Vec<Network>,
    /// Connections open at once; more wait until one closes.
    pub connections: usize,
    /// How long a client may take to send the head of a request, or keep a connection open without a request.
    /// Trusted proxies may take ten times as long.
    pub header_timeout: Period,
    /// How long a client may pause in the middle of sending a body.
    pub body_timeout: Period,
    /// How long requests and jobs may take to finish when the server is told to stop.
    pub shutdown_timeout: Period,
    /// Whether pages and JSON are compressed for clients that ask for it. Off saves processor time where a reverse
    /// proxy compresses.
    pub compression: bool,
    /// Threads for requests; 0 takes one for each processor core.
    pub threads: usize,
}

impl Default for ServerConfig {
    fn default() -> Self {
        let loopback = ["127.0.0.0/8", "::1"];
        Self {
            listen: Listen(SocketAddr::from((Ipv6Addr::UNSPECIFIED, 3000))),
            data: "data".into(),
            trusted_proxies: loopback.iter().filter_map(|network| network.parse().ok()).collect(),
            connections: 4096,
            header_timeout: Period(Duration::from_secs(30)),
            body_timeout: Period(Duration::from_secs(30)),
            shutdown_timeout: Period(Duration::from_secs(25)),
            compression: true,
            threads: 0,
        }
    }
}

/// Uploads and their addresses.
#[derive(Clone, Debug, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct MediaConfig {
    /// What comes before the name of a stored file in links, without a slash at the end; other sites remember it.
    /// Without it: the site's address and "/media".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<BaseUrl>,
    /// Largest picture that may be uploaded.
    pub image_size: ByteSize,
    /// Most pixels of a picture that is looked at at all.
    pub image_pixels: u64,
    /// Pictures with more pixels than this are made smaller.
    pub original_pixels: u64,
    /// Pictures worked on at once; 0 takes one for each processor core.
    pub decoders: usize,
    /// Where files are looked for that are not where new ones go, in this order: [[media.origin]] with folder, bucket or
    /// url. Folders at the beginning are looked into before media.storage is asked.
    #[serde(rename = "origin", skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<OriginConfig>,
    /// Pictures, videos and sounds of other servers.
    pub remote: RemoteConfig,
    /// A bucket that keeps the files.
    pub storage: S3Config,
}

impl Default for MediaConfig {
    fn default() -> Self {
        let limits = media::Limits::default();
        Self {
            base_url: None,
            image_size: ByteSize(limits.max_bytes),
            image_pixels: limits.max_pixels,
            original_pixels: limits.original_pixels,
            decoders: 0,
            origins: Vec::new(),
            remote: RemoteConfig::default(),
            storage: S3Config::default(),
        }
    }
}

impl MediaConfig {
    /// The bucket that keeps the files; `None` where the local disk does.
    pub fn bucket(&self) -> media::s3::Result<Option<Bucket>> {
        if !self.storage.is_set() {
            return Ok(None);
        }
        let bucket = Bucket::open(&self.storage)?;
        match bucket.is_anonymous() {
            true => {
                let why = "missing: files cannot be stored without a key".to_owned();
                Err(media::s3::Error::Config { field: "access_key", why })
            }
            false => Ok(Some(bucket)),
        }
    }

    /// What is wrong with the places of old files; the text names the key.
    fn check_origins(&self) -> Result<(), String> {
        if self.origins.len() > MAX_ORIGINS {
            return Err(format!("origin: expected at most {MAX_ORIGINS}"));
        }
        for (at, origin) in self.origins.iter().enumerate() {
            origin.check().map_err(|why| format!("origin[{at}].{why}"))?;
            if let OriginConfig::Bucket(origin) = origin {
                origin.open().map_err(|why| format!("origin[{at}].{why}"))?;
            }
        }
        Ok(())
    }

    pub fn limits(&self) -> media::Limits {
        media::Limits {
            max_bytes: self.image_size.0,
            max_pixels: self.image_pixels,
            original_pixels: self.original_pixels,
            ..media::Limits::default()
        }
    }

    pub fn pool(&self) -> media::Pool {
        match self.decoders {
            0 => media::Pool::default(),
            several => media::Pool::new(several, 64),
        }
    }
}

/// Figures for Prometheus: jobs, servers that do not answer, and those of the edge.
#[derive(Clone, Debug, Default, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsConfig {
    /// An address of its own for them, such as "127.0.0.1:9181"; they are at /metrics there, for everybody who can
    /// reach it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
}

/// How many jobs of each queue run at once.
#[derive(Clone, Debug, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct JobsConfig {
    /// What belongs to no other queue.
    pub default: usize,
    /// Deliveries to other servers.
    pub push: usize,
    /// Fetches from other servers.
    pub pull: usize,
    /// Mail.
    pub mailers: usize,
    /// Uploads being made ready, files being removed.
    pub media: usize,
    /// What happens at a set time.
    pub scheduler: usize,
}

impl Default for JobsConfig {
    fn default() -> Self {
        Self { default: 16, push: 256, pull: 8, mailers: 2, media: 2, scheduler: 1 }
    }
}

impl JobsConfig {
    /// Jobs of `queue` that run at once; at least one, so that nothing waits for ever.
    pub fn at_once(&self, queue: Queue) -> usize {
        let wanted = match queue {
            Queue::Default => self.default,
            Queue::Push => self.push,
            Queue::Pull => self.pull,
            Queue::Mailers => self.mailers,
            Queue::Media => self.media,
            Queue::Scheduler => self.scheduler,
        };
        wanted.clamp(1, 1000)
    }
}

/// What is written to standard error.
#[derive(Clone, Debug, Default, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// "error", "warn", "info", "debug" or "trace"; also by part, such as "info,api=debug". Requests are at "debug".
    pub level: LogLevel,
    /// "text" for people, "json" for programs.
    pub format: LogFormat,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

impl Config {
    /// The domain to be known by: configured, else the one `remembered` by the database, else localhost.
    pub fn domain(&self, remembered: Option<&str>) -> SiteDomain {
        let configured = self.site.domain.clone();
        let domain = configured.or_else(|| remembered.and_then(|name| name.parse().ok()));
        domain.unwrap_or_else(|| SiteDomain::localhost(self.server.listen.0.port()))
    }

    /// Names and addresses of the site that is known by `domain`.
    pub fn site(&self, domain: &SiteDomain) -> site::Site {
        let scheme = if domain.is_local() { "http" } else { "https" };
        let base_url = self.site.base_url.as_ref().map_or_else(|| format!("{scheme}://{domain}"), Origin::to_string);
        let media_url = self.media.base_url.as_ref().map_or_else(|| format!("{base_url}/media"), BaseUrl::to_string);
        site::Site {
            domain: domain.to_string(),
            alternate_domains: self.site.alternate_domains.iter().map(ToString::to_string).collect(),
            base_url,
            media_url,
            limits: self.limits.clone(),
        }
    }

    /// The edge that is a part of this server.
    pub fn edge(&self) -> EdgeConfig {
        let mut config = EdgeConfig::from(self.edge.clone()).in_data(&self.server.data);
        config.server.trusted_proxies.clone_from(&self.server.trusted_proxies);
        config
    }

    /// What no single setting shows; the text names the key.
    fn check(&self) -> Result<(), String> {
        let takes_all = |site: &edge::config::SiteConfig| site.hosts.is_empty() && site.path.as_str().is_empty();
        if let Some(at) = self.edge.sites.iter().position(takes_all) {
            return Err(format!("edge.site[{at}].hosts: expected host names: without any it would take every request"));
        }
        self.media.check_origins().map_err(|why| format!("media.{why}"))?;
        self.federation.certificates().map_err(|why| format!("federation.authorities: {why}"))?;
        self.edge().check().map_err(|why| format!("edge.{why}"))
    }

    /// Where SQLite keeps the data.
    pub fn database_file(&self) -> PathBuf {
        self.server.data.join("noren.sqlite3")
    }
}

#[cfg(test)]
mod tests;
