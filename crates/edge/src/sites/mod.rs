//! The edge as a whole: sites, their origins, the cache between them, and what is told about it all.

mod handle;
mod shown;

pub use shown::show;
mod site;
mod table;
mod watch;

pub(crate) use handle::Client;

use crate::cache::{Cache, How, Object, ObjectKey, Purge};
use crate::config::{EdgeConfig, Host, MetricsConfig, Network};
use crate::figures::Figures;
use crate::log::AccessLog;
use crate::metrics;
use crate::origin::{OwnPlace, hops};
use crate::path::Name;
use crate::status::{OriginStatus, Status};
use axum::Router;
use axum::extract::Request;
use axum::routing::{any, get};
use site::Site;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;
use table::Table;

/// Serves the sites of a configuration. Cheap to clone.
#[derive(Clone)]
pub struct Edge(Arc<Inner>);

struct Inner {
    current: RwLock<Arc<Current>>,
    cache: Cache,
    figures: Figures,
    log: AccessLog,
    /// What this edge calls itself, to know its own requests when they come back.
    via: Arc<str>,
    cache_limit: u64,
    started: Instant,
}

/// What a reload replaces.
struct Current {
    table: Table,
    metrics: MetricsConfig,
    trusted: Vec<Network>,
}

/// Sites that were found good and are not in force yet.
pub struct Prepared(Current);

/// Why an edge cannot be made of a configuration.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The text names the key and what is expected.
    #[error("{0}")]
    Config(String),
    #[error("the cache cannot be opened: {0}")]
    Cache(String),
    #[error("the access log cannot be opened: {0}")]
    Log(std::io::Error),
}

impl Edge {
    /// Opens the cache and makes the origins ready. Nothing is asked of them: it works without a network.
    pub fn open(config: &EdgeConfig) -> Result<Edge, Unusable> {
        let via = hops::new_name();
        let figures = Figures::default();
        let current = Current::new(config, (&figures, &via))?;
        let cache = Cache::open(config.cache.clone()).map_err(|error| Unusable::Cache(error.to_string()))?;
        let log = AccessLog::open(&config.access_log).map_err(Unusable::Log)?;
        let current = RwLock::new(Arc::new(current));
        let cache_limit = config.cache.max_size;
        Ok(Edge(Arc::new(Inner { current, cache, figures, log, via, cache_limit, started: Instant::now() })))
    }

    /// Whether an edge could be made of a configuration, as far as that can be known without doing it.
    pub fn check(config: &EdgeConfig) -> Result<(), Unusable> {
        config.check().map_err(Unusable::Config)?;
        Current::new(config, (&Figures::default(), &Arc::from("noren"))).map(|_| ())
    }

    /// Takes over sites and origins; requests on their way finish with the old ones. The cache and the access log stay
    /// as they are.
    pub fn reload(&self, config: &EdgeConfig) -> Result<(), Unusable> {
        self.prepare(config).map(|prepared| self.take_over(prepared))
    }

    /// The first half of a reload: everything that can go wrong. Nothing changes yet.
    pub fn prepare(&self, config: &EdgeConfig) -> Result<Prepared, Unusable> {
        config.check().map_err(Unusable::Config)?;
        Current::new(config, (&self.0.figures, &self.0.via)).map(Prepared)
    }

    /// The second half of it.
    pub fn take_over(&self, Prepared(new): Prepared) {
        *self.0.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
    }

    /// Opens the file of the access log again, after it was renamed.
    pub fn reopen_log(&self) {
        self.0.log.reopen();
    }

    /// Every request belongs to it: what is no site's is answered with 404.
    pub fn router(&self) -> Router {
        Router::new().fallback(handle::handle).with_state(self.clone())
    }

    /// `prefix/key` for every file of our own in these places, which are asked in their order; what is in no folder
    /// goes through the cache. `prefix` is as for [`crate::local`].
    pub fn own(&self, places: &[OwnPlace], prefix: &str) -> Result<Router, Unusable> {
        self.own_below(places, prefix, "")
    }

    /// As [`Edge::own`], for keys that begin with `folder` (with a slash at its end) alone.
    pub fn own_below(&self, places: &[OwnPlace], prefix: &str, folder: &str) -> Result<Router, Unusable> {
        let with = (&self.0.figures, &self.0.via);
        let site = Site::own(places, prefix.trim_matches('/'), with).map_err(Unusable::Config)?;
        let route = format!("{prefix}/{folder}{{*key}}");
        Ok(Router::new().route(&route, any(handle::handle_for)).with_state((self.clone(), Arc::new(site))))
    }

    /// Whether a request is for one of the sites, for servers that have more than these. Hosts of sites that are not
    /// among the server's `own` ones belong to the sites altogether: nothing else of the server is to be found there.
    pub fn is_for(&self, request: &Request, own: &[Host]) -> bool {
        let current = self.current();
        let host = handle::host(request.version(), request.uri(), request.headers());
        let Ok(host) = host else { return false };
        if current.table.names(&host) && !own.contains(&host) {
            return true;
        }
        match Name::of_path(request.uri().path()) {
            Ok(name) => current.table.find(&host, &name).is_some(),
            Err(_) => current.table.redirecting(&host, request.uri().path()).is_some(),
        }
    }

    /// Everything that is counted.
    pub fn status(&self) -> Status {
        let origins = self.0.figures.origins();
        let cache =
            serde_json::to_value(self.0.cache.stats()).ok().and_then(|stats| serde_json::from_value(stats).ok());
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            up: self.0.started.elapsed().as_secs(),
            sites: self.0.figures.sites(),
            origins: origins.iter().map(|(site, figures)| OriginStatus::of(site, figures)).collect(),
            cache: cache.unwrap_or_default(),
            cache_limit: self.0.cache_limit,
            log_dropped: self.0.log.dropped(),
        }
    }

    /// The same for Prometheus.
    pub fn metrics(&self) -> String {
        metrics::page(&self.status(), &self.0.figures.origins())
    }

    /// A router that has nothing but figures, for an address of its own.
    pub fn metrics_router(&self) -> Router {
        let edge = self.clone();
        Router::new().route("/metrics", get(move || async move { handle::figures(&edge) }))
    }

    /// Removes what is cached of an address.
    pub async fn purge(&self, url: &str, reach: Reach) -> Result<(), String> {
        let url =
            url::Url::parse(url).map_err(|_| "expected an address such as \"https://media.example.com/a.png\"")?;
        let host = Host::of_request(url.host_str().unwrap_or_default()).ok_or("expected a host name")?;
        let current = self.current();
        let (site, key) = current.table.purged(&host, &url, reach)?;
        let purge = match reach {
            Reach::One => Purge::Object(site.key(&key).ok_or("the name is too long")?),
            Reach::Below => Purge::Prefix { site: site.label().to_owned(), path: key },
        };
        self.0.cache.purge(purge).await.map_err(|error| error.to_string())
    }

    /// The file of our own media with this key, if the cache has all of it. Nobody is asked for it.
    pub async fn kept_own(&self, key: &str) -> Option<Object> {
        self.0.cache.kept(&ObjectKey::new(site::OWN, &format!("/{key}"))?).await
    }

    /// Removes what is cached of our own media: of the file of this key, or of all whose keys begin so.
    pub async fn purge_own(&self, key: &str, reach: Reach) -> Result<(), String> {
        let path = format!("/{key}");
        let purge = match reach {
            Reach::One => Purge::Object(ObjectKey::new(site::OWN, &path).ok_or("the name is too long")?),
            Reach::Below => Purge::Prefix { site: site::OWN.to_owned(), path },
        };
        self.0.cache.purge(purge).await.map_err(|error| error.to_string())
    }

    fn current(&self) -> Arc<Current> {
        self.0.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// How much an order to remove means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// That file.
    One,
    /// All files whose addresses begin so.
    Below,
}

impl Current {
    fn new(config: &EdgeConfig, (figures, via): (&Figures, &Arc<str>)) -> Result<Current, Unusable> {
        let mut sites = Vec::new();
        for (at, site) in config.sites.iter().enumerate() {
            let site = Site::open((site, config.cache.valid_ok), (figures, via));
            let site = site.map_err(|why| Unusable::Config(format!("site[{at}].{why}")))?;
            sites.push(Arc::new(site));
        }
        let (metrics, trusted) = (config.metrics.clone(), config.server.trusted_proxies.clone());
        Ok(Current { table: Table::new(sites), metrics, trusted })
    }
}

/// The word for `X-Cache` and the log.
pub(crate) fn word(how: How) -> &'static str {
    match how {
        How::Hit => "HIT",
        How::Miss => "MISS",
        How::Stale => "STALE",
        How::Revalidated => "REVALIDATED",
        How::Bypass => "BYPASS",
    }
}
