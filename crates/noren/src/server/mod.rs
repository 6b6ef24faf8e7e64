//! Wiring: the parts of the server, its routes, and its life from opening the data to the last answer.

mod connections;
mod fallback;
pub mod layers;
mod listen;
mod lock;

pub use listen::listen;
pub use lock::Lock;

use crate::config::{Config, Network};
use crate::worker::{Rounds, Worker};
use anyhow::Context as _;
use api::http::rate_limit::{self, RateLimiter};
use api::http::{cors, request_id};
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use domain::{Db, site::Site};
use federation::Discovery;
use std::fs::DirBuilder;
use std::net::TcpListener;
use std::os::unix::fs::DirBuilderExt as _;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tower_http::timeout::RequestBodyTimeoutLayer;

/// Everything that is open while the server or a command runs. Cheap to clone.
#[derive(Clone)]
pub struct Parts {
    pub config: Arc<Config>,
    pub db: Db,
    pub site: Arc<Site>,
    pub store: media::Store,
    pub pool: media::Pool,
}

impl Parts {
    /// Makes the data folder if need be and opens database and media store. The database's tables are brought up to date.
    pub async fn open(config: Config) -> anyhow::Result<Self> {
        prepare(&config)?;
        let store = media::Store::disk(config.server.data.join("media")).context("cannot open the media folder")?;
        let db = Db::open(&config.database, &config.database_file()).await?;
        let remembered = domain::settings::site_domain(&db.read().await?).await?;
        let site = config.site(&config.domain(remembered.as_deref()));
        let pool = config.media.pool();
        Ok(Self { config: Arc::new(config), db, site: Arc::new(site), store, pool })
    }

    /// Writes down the domain that the site is served with, so that every command knows it.
    pub async fn remember_domain(&self) -> domain::Result<()> {
        let name = &self.site.domain;
        match domain::settings::site_domain(&self.db.read().await?).await? {
            Some(before) if before == *name => Ok(()),
            before => {
                if let Some(before) = before {
                    tracing::warn!(
                        "this site was known as {before} and is now {name}; links that others keep will break"
                    );
                }
                domain::settings::remember_site_domain(&self.db, name).await
            }
        }
    }
}

/// Makes the data folder if need be; nobody else on the machine may look into it.
pub fn prepare(config: &Config) -> anyhow::Result<()> {
    let data = &config.server.data;
    let made = if data.is_dir() { Ok(()) } else { DirBuilder::new().recursive(true).mode(0o700).create(data) };
    made.with_context(|| format!("cannot make the data folder {}", data.display()))
}

/// The link for the first visit: where the owner is made as long as there is nobody, else the site itself.
pub async fn front_door(parts: &Parts) -> domain::Result<String> {
    Ok(format!("{}/", parts.site.base_url))
}

/// All routes with everything around them. What is added last is met first.
pub fn router(parts: &Parts) -> Router {
    let config = &parts.config.server;
    let proxies: Arc<[Network]> = config.trusted_proxies.clone().into();
    let limiter = RateLimiter::new(parts.config.rate_limits.clone());
    let routes = Router::new()
        .merge(federation::router(Discovery::new(parts.db.clone(), parts.site.clone())))
        .merge(edge::local(parts.store.clone(), media_path(&parts.site)))
        .fallback(fallback::not_found)
        .layer(from_fn_with_state(limiter, rate_limit::limit));
    let routes = match layers::compression(config) {
        Some(compression) => routes.layer(compression),
        None => routes,
    };
    routes
        .layer(from_fn(layers::catch_panic))
        .layer(RequestBodyTimeoutLayer::new(config.body_timeout.0))
        .layer(from_fn(layers::end_streams))
        .layer(from_fn(layers::safe_headers))
        .layer(from_fn(layers::access_log))
        .layer(from_fn_with_state(proxies, layers::client_ip))
        .layer(from_fn(request_id::request_id))
        .layer(cors::cors())
}

/// Where stored files are served: the path that their links have below our own address. Where links lead elsewhere,
/// to a cache in front of us or a store of its own, the files are still at /media.
fn media_path(site: &Site) -> &str {
    let path = site.media_url.strip_prefix(site.base_url.as_str());
    path.filter(|path| path.len() > 1 && path.starts_with('/')).unwrap_or("/media")
}

/// Serves at `listener` and works at jobs until `stop` is cancelled; then finishes what has begun, as far as the
/// configured time allows.
pub async fn run(parts: Parts, listener: TcpListener, rounds: Rounds, stop: CancellationToken) -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let worker = Worker::new(parts.clone(), rounds);
    let serving = connections::accept(listener, router(&parts), &parts.config.server, stop.clone());
    let working = worker.run(stop.clone());
    let all = async { tokio::join!(serving, working) };
    let grace = parts.config.server.shutdown_timeout.0;
    tokio::select! {
        ((), ()) = all => tracing::info!("stopped"),
        () = run_out(&stop, grace) => tracing::warn!("stopped; what was not finished within {grace:?} was cut off"),
    }
    Ok(())
}

async fn run_out(stop: &CancellationToken, grace: Duration) {
    stop.cancelled().await;
    tokio::time::sleep(grace).await;
}
