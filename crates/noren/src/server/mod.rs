//! Wiring: the parts of the server, its routes, and its life from opening the data to the last answer.

mod documents;
mod fallback;
mod figures;
pub mod layers;
mod lock;
mod mark;
pub(crate) mod places;
mod sites;

pub use edge::server::{Server, Setup, Sockets, allow_many_files};
pub use lock::Lock;

use crate::config::{Config, Mode, Network, SiteDomain};
use crate::memory;
use crate::worker::{Rounds, Worker};
use anyhow::Context as _;
use api::App;
use api::http::cors;
use api::http::rate_limit::{self, Rate, RateLimiter, RateLimits};
use api::streaming::Streams;
use axum::Router;
use axum::middleware::from_fn_with_state;
use domain::{
    Db,
    sessions::{Attempts, Limit},
    site::Site,
};
use edge::server::Limits;
use edge::server::config::ListenConfig;
use federation::Federation;
use sites::{Beside, Sites};
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceBuilder;
use tower_http::timeout::RequestBodyTimeoutLayer;
use web::Web;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Everything that is open while the server or a command runs. Cheap to clone.
#[derive(Clone)]
pub struct Parts {
    pub config: Arc<Config>,
    pub db: Db,
    pub site: Arc<Site>,
    pub store: media::Store,
    pub pool: media::Pool,
    pub federation: Federation,
}

impl Parts {
    /// Makes the data folder if need be and opens database and media store. The database's tables are brought up to date.
    pub async fn open(config: Config) -> anyhow::Result<Self> {
        prepare(&config)?;
        let store = places::store(&config)?;
        let db = Db::open(&config.database, &config.database_file()).await?;
        let remembered = domain::settings::site_domain(&db.read().await?).await?;
        let site = config.site(&config.domain(remembered.as_deref()));
        let (pool, site) = (config.media.pool(), Arc::new(site));
        let federation = federation(&config, &db, &site)?;
        Ok(Self { config: Arc::new(config), db, site, store, pool, federation })
    }

    /// Ready to be served: settles the domain and writes it down, so that every command knows it.
    /// A site that was only known as localhost follows the port that it is served at now, and moves with all of its
    /// links when it gets a name: nobody else has seen them.
    pub async fn to_serve(mut self) -> domain::Result<Self> {
        let before = domain::settings::site_domain(&self.db.read().await?).await?;
        let settled = self.config.domain(before.as_deref());
        let domain = if settled.is_local() { self.config.domain(None) } else { settled };
        self.site = Arc::new(self.config.site(&domain));
        self.federation = federation(&self.config, &self.db, &self.site)?;
        let name = domain.as_str();
        let Some(before) = before.and_then(|before| before.parse::<SiteDomain>().ok()) else {
            domain::settings::remember_site_domain(&self.db, name).await?;
            return Ok(self);
        };
        if before == domain {
            return Ok(self);
        }
        if before.is_local() {
            let old = self.config.site(&before);
            domain::settings::move_site(&self.db, name, (&old.base_url, &self.site.base_url)).await?;
        } else {
            tracing::warn!("this site was known as {before} and is now {name}; links that others keep will break");
            domain::settings::remember_site_domain(&self.db, name).await?;
        }
        Ok(self)
    }
}

fn federation(config: &Config, db: &Db, site: &Arc<Site>) -> domain::Result<Federation> {
    let federation = Federation::new(db.clone(), site.clone(), VERSION, config.federation.clone())?;
    Ok(match config.media.remote.mode {
        Mode::Lazy => federation,
        Mode::Mirror => federation.mirroring(),
    })
}

/// Makes the data folder if need be; nobody else on the machine may look into it.
pub fn prepare(config: &Config) -> anyhow::Result<()> {
    let data = &config.server.data;
    let made = if data.is_dir() { Ok(()) } else { DirBuilder::new().recursive(true).mode(0o700).create(data) };
    made.with_context(|| format!("cannot make the data folder {}", data.display()))
}

/// The link for the first visit: where the owner is made as long as there is nobody, else the site itself.
pub async fn front_door(parts: &Parts) -> domain::Result<String> {
    let setup = web::setup_link(&parts.db, &parts.site).await?;
    Ok(setup.unwrap_or_else(|| format!("{}/", parts.site.base_url)))
}

/// All routes but those of stored files. It lives as long as the server: limits of requests are counted in it.
fn core(parts: &Parts, app: App) -> Router {
    let limiter = RateLimiter::new(parts.config.rate_limits.clone());
    let pages = Web::new(web::Parts {
        db: parts.db.clone(),
        site: parts.site.clone(),
        federation: parts.federation.clone(),
        attempts: attempts(&parts.config.rate_limits),
        version: VERSION,
    });
    let programs = federation::documents_router(parts.federation.clone());
    // Only the API is counted: pages are for people, and an answer in JSON would not help them.
    api::router(app)
        .layer(from_fn_with_state(limiter, rate_limit::limit))
        .merge(web::router(pages).layer(from_fn_with_state(programs, documents::instead)))
        .merge(federation::router(parts.federation.clone()))
}

/// All routes with everything around them. What is added last is met first.
fn router(parts: &Parts, core: &Router, sites: &sites::Ready) -> Router {
    let config = &parts.config.server;
    let proxies: Arc<[Network]> = config.trusted_proxies.clone().into();
    let routes = core
        .clone()
        .merge(sites.media.clone())
        .fallback(fallback::not_found)
        .method_not_allowed_fallback(fallback::wrong_method);
    let routes = match layers::compression(config) {
        Some(compression) => routes.layer(compression),
        None => routes,
    };
    // Together: each step by itself would be one more copy of what lies below it, for each request.
    let around = ServiceBuilder::new()
        .layer(cors::cors())
        .layer(from_fn_with_state(proxies, layers::frame))
        .layer(RequestBodyTimeoutLayer::new(config.body_timeout.0));
    let routes = routes.layer(around);
    match &sites.edge {
        Some(edge) => routes.layer(from_fn_with_state(Beside::new(edge, &parts.site), sites::first)),
        None => routes,
    }
}

/// Tries to sign in are counted where the form is read: it says who they try to be, and the answer is a page.
fn attempts(limits: &RateLimits) -> Attempts {
    let limit = |rate: Rate| Limit { most: rate.limit, seconds: rate.seconds };
    match limits.enabled {
        true => Attempts::new(limit(limits.sign_in), limit(limits.sign_in_email)),
        false => Attempts::unlimited(),
    }
}

/// Where stored files are served: the path that their links have below our own address. Where links lead elsewhere,
/// to a cache in front of us or a store of its own, the files are still at /media.
fn media_path(site: &Site) -> &str {
    let path = site.media_url.strip_prefix(site.base_url.as_str());
    path.filter(|path| path.len() > 1 && path.starts_with('/')).unwrap_or("/media")
}

/// Binds what the configuration asks for, or takes it from `inherited`.
pub fn listen(config: &Config, inherited: Sockets) -> anyhow::Result<Sockets> {
    let sockets = inherited.bind(&addresses(config));
    sockets.map_err(|error| anyhow::anyhow!("{error} (choose another address with --listen or in [[listen]])"))
}

fn addresses(config: &Config) -> Vec<ListenConfig> {
    match config.listen.is_empty() {
        true => vec![ListenConfig::http(config.server.listen)],
        false => config.listen.clone(),
    }
}

/// How connections are taken, as the configuration says.
pub fn setup(config: &Config, router: Router) -> Setup {
    let limits = Limits {
        all: config.server.connections,
        header_timeout: config.server.header_timeout.0,
        connections: config.connections.clone(),
        trusted: config.server.trusted_proxies.clone(),
    };
    Setup {
        listen: addresses(config),
        tls: config.tls.clone(),
        acme: config.acme.clone(),
        limits,
        router,
        mark: Some(Arc::new(mark::mark)),
        data: config.server.data.clone(),
    }
}

/// A server that serves and works at jobs.
pub struct Running {
    changing: Changing,
    tasks: JoinSet<()>,
    grace: Duration,
    stop: CancellationToken,
}

impl Running {
    /// What takes over another configuration while all goes on.
    pub fn changing(&self) -> Changing {
        self.changing.clone()
    }

    /// Returns when it was told to stop and has finished what had begun, as far as the configured time allows.
    pub async fn finish(mut self) -> anyhow::Result<()> {
        let all = async {
            while let Some(ended) = self.tasks.join_next().await {
                // Only a panic ends a task like this: better a restart than a server without workers.
                ended?;
            }
            anyhow::Ok(())
        };
        tokio::select! {
            ended = all => ended.inspect(|()| tracing::info!("stopped")),
            () = run_out(&self.stop, self.grace) => {
                tracing::warn!("stopped; what was not finished within {:?} was cut off", self.grace);
                Ok(())
            }
        }
    }
}

/// The parts of a running server that can be changed.
#[derive(Clone)]
pub struct Changing {
    pub server: Server,
    parts: Parts,
    core: Router,
    sites: Sites,
}

impl Changing {
    /// From now on connections are taken another way, own files are looked for and kept elsewhere, and the edge has
    /// other sites; what else is configured stays until a restart. When something is wrong nothing changes.
    pub fn reload(&self, config: &Config) -> anyhow::Result<()> {
        if let Some(edge) = self.sites.known() {
            edge.reopen_log();
        }
        let ready = self.sites.change(config)?;
        let router = router(&self.parts, &self.core, &ready);
        self.server.reload(setup(config, router))?;
        self.sites.take_over(ready);
        places::tell(&config.media, &self.parts.store);
        if let Err(error) = self.sites.attend() {
            tracing::error!("{error:#}");
        }
        Ok(())
    }
}

/// Begins to serve at `sockets` and to work at jobs, until `stop` is cancelled.
pub fn start(parts: &Parts, sockets: Sockets, rounds: Rounds, stop: &CancellationToken) -> anyhow::Result<Running> {
    let app = app(parts);
    let core = core(parts, app.clone());
    let sites = Sites::new(parts, media_path(&parts.site), stop);
    let ready = sites.begin(&parts.config)?;
    let router = router(parts, &core, &ready);
    // It hears what happens from here on: before the first request can make anything happen.
    let streaming = api::streaming::run(app.clone());
    let server = Server::start(setup(&parts.config, router.clone()), sockets, stop.clone())?;
    let (serving, ending) = (server.clone(), stop.clone());
    let mut tasks = JoinSet::new();
    tasks.spawn(Worker::new(parts.clone(), rounds).beside(sites.remote()).run(stop.clone()));
    tasks.spawn(streaming);
    tasks.spawn(memory::give_back_after(parts.pool.clone(), stop.clone()));
    tasks.spawn(async move { serving.finished().await });
    tasks.spawn(async move {
        ending.cancelled().await;
        app.streams.close();
        app.streams.closed().await;
    });
    sites.attend()?;
    figures::show(parts, &sites, stop)?;
    places::tell(&parts.config.media, &parts.store);
    let changing = Changing { server, parts: parts.clone(), core, sites };
    Ok(Running { changing, tasks, grace: parts.config.server.shutdown_timeout.0, stop: stop.clone() })
}

/// Serves at `sockets` and works at jobs until `stop` is cancelled; then finishes what has begun.
pub async fn run(parts: Parts, sockets: Sockets, rounds: Rounds, stop: CancellationToken) -> anyhow::Result<()> {
    start(&parts, sockets, rounds, &stop)?.finish().await
}

fn app(parts: &Parts) -> App {
    App::new(api::Parts {
        db: parts.db.clone(),
        site: parts.site.clone(),
        store: parts.store.clone(),
        pool: parts.pool.clone(),
        media_limits: parts.config.media.limits(),
        streams: Streams::new(parts.config.streaming.clone()),
        instance: api::instance::Cache::default(),
        federation: parts.federation.clone(),
        version: VERSION,
    })
}

async fn run_out(stop: &CancellationToken, grace: Duration) {
    stop.cancelled().await;
    tokio::time::sleep(grace).await;
}
