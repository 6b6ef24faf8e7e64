//! A bucket that requests can be made to.

use super::config::Settled;
use super::{Addressing, Error, Preset, Provider, Result, S3Config, Secret};
use crate::connections::{Connections, Names};
use crate::trust;
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};
use rustls::ClientConfig;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::task::TaskTracker;
use url::Url;

/// An unused connection is not kept longer.
const POOL_IDLE: Duration = Duration::from_secs(30);
/// Longest key that S3 takes, in bytes.
const MAX_KEY: usize = 1024;

/// A bucket. Cheap to clone.
#[derive(Clone)]
pub struct Bucket(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub http: Connections,
    /// For addresses; rusty-s3's own.
    pub place: rusty_s3::Bucket,
    pub host: String,
    pub prefix: String,
    pub keys: Option<(String, Secret)>,
    pub provider: Option<Provider>,
    pub config: S3Config,
    /// Uploads that are being given up.
    pub ends: TaskTracker,
}

impl Bucket {
    /// Checks the description; makes no connection. Reads the key's file, if there is one.
    pub fn open(config: &S3Config) -> Result<Bucket> {
        Bucket::open_with(config, Names::default())
    }

    fn open_with(config: &S3Config, names: Names) -> Result<Bucket> {
        let Settled { provider, endpoint, region, bucket, prefix, keys, addressing } = config.settled()?;
        let style = match addressing {
            Addressing::Path => rusty_s3::UrlStyle::Path,
            Addressing::VirtualHost => rusty_s3::UrlStyle::VirtualHost,
        };
        let place = rusty_s3::Bucket::new(endpoint, style, bucket, region)
            .map_err(|error| Error::Config { field: "endpoint", why: error.to_string() })?;
        let tls = trust::tls(&config.authorities).map_err(|why| Error::Config { field: "authorities", why })?;
        let connect_timeout = config.connect_timeout.0;
        let http = Connections::open(names, place.base_url().domain(), move || client(&tls, connect_timeout))
            .map_err(|error| Error::Config { field: "endpoint", why: error.without_url().to_string() })?;
        let host = host(place.base_url());
        Ok(Bucket(Arc::new(Inner {
            http,
            place,
            host,
            prefix,
            keys,
            provider,
            config: config.clone(),
            ends: TaskTracker::new(),
        })))
    }

    /// The same bucket, asked as a stranger would: without keys.
    pub fn as_a_stranger(&self) -> Bucket {
        let Inner { http, place, host, prefix, provider, config, .. } = &*self.0;
        Bucket(Arc::new(Inner {
            http: http.clone(),
            place: place.clone(),
            host: host.clone(),
            prefix: prefix.clone(),
            keys: None,
            provider: *provider,
            config: config.clone(),
            ends: TaskTracker::new(),
        }))
    }

    /// Waits until uploads that were broken off leave nothing in the bucket: their parts cost money, and no listing shows
    /// them. Only for who is about to end.
    pub async fn given_up(&self) {
        self.0.ends.close();
        self.0.ends.wait().await;
    }

    /// The bucket's name.
    pub fn name(&self) -> &str {
        self.0.place.name()
    }

    /// How it is called in logs and figures.
    pub fn label(&self) -> String {
        self.0.config.label()
    }

    /// The folder inside of it: empty, or with a slash at the end.
    pub fn prefix(&self) -> &str {
        &self.0.prefix
    }

    /// The region that requests are signed for.
    pub fn region(&self) -> &str {
        self.0.place.region()
    }

    /// Whether requests go out unsigned.
    pub fn is_anonymous(&self) -> bool {
        self.0.keys.is_none()
    }

    /// What is known about whoever runs it.
    pub fn preset(&self) -> Option<&'static Preset> {
        self.0.provider.map(Provider::preset)
    }

    /// The address of an object for those who may read it without a signature.
    pub fn public_url(&self, key: &str) -> Result<Url> {
        Ok(self.0.place.object_url(&self.full(key)?))
    }

    /// The address of the bucket itself.
    pub fn url(&self) -> &Url {
        self.0.place.base_url()
    }

    /// The key as the bucket knows it. A part "." or ".." would be cut out of the address on its way.
    pub(super) fn full(&self, key: &str) -> Result<String> {
        let full = format!("{}{key}", self.0.prefix);
        let dots = full.split('/').any(|part| part == "." || part == "..");
        match key.is_empty() || full.len() > MAX_KEY || dots || full.contains('\0') {
            true => Err(Error::Key(key.chars().take(100).collect())),
            false => Ok(full),
        }
    }
}

fn client(tls: &ClientConfig, connect_timeout: Duration) -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("Noren/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .referer(false)
        .connect_timeout(connect_timeout)
        .pool_idle_timeout(POOL_IDLE)
        .pool_max_idle_per_host(32)
        .http1_only()
        .tls_backend_preconfigured(tls.clone())
}

/// Host and port.
pub(super) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

impl fmt::Debug for Bucket {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Bucket").field("url", &self.url().as_str()).field("prefix", &self.prefix()).finish()
    }
}

#[cfg(test)]
mod tests;
