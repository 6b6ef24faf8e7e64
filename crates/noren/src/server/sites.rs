//! The edge as a part of this server: media that are not on this machine, and the sites of other software beside our
//! own.

use super::{Parts, places};
use crate::config::Config;
use crate::remote::Remote;
use anyhow::Context as _;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use domain::site::Site;
use edge::config::{EdgeConfig, Host};
use edge::control::{self, Answer, Obey, Order};
use edge::{Edge, OwnPlace, Prepared, Reach, Unusable};
use media::keys::CACHE;
use media::{Places, Store};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// The edge of a running server, as soon as there is something for it to do.
#[derive(Clone)]
pub(super) struct Sites {
    store: Store,
    data: PathBuf,
    /// Files of other servers.
    remote: Remote,
    /// What addresses of our own media begin with.
    media_url: Arc<str>,
    /// The path that our own media are below.
    path: Arc<str>,
    opened: Arc<Mutex<Option<Opened>>>,
    stop: CancellationToken,
}

struct Opened {
    edge: Edge,
    config: EdgeConfig,
    /// It takes orders and shows figures.
    attended: bool,
}

/// What a configuration makes of it; nothing has changed yet.
pub(super) struct Ready {
    /// Our own media.
    pub(super) media: Router,
    /// For what is beside them.
    pub(super) edge: Option<Edge>,
    places: Option<Places>,
    sites: Option<Prepared>,
}

impl Sites {
    pub(super) fn new(parts: &Parts, path: &str, stop: &CancellationToken) -> Self {
        let data = parts.config.server.data.clone();
        let (store, remote) = (parts.store.clone(), Remote::new(parts));
        let media_url = format!("{}/", parts.site.media_url).into();
        Self { store, data, remote, media_url, path: path.into(), opened: Arc::default(), stop: stop.clone() }
    }

    pub(super) fn remote(&self) -> Remote {
        self.remote.clone()
    }

    /// For the configuration that the store has been opened with.
    pub(super) fn begin(&self, config: &Config) -> anyhow::Result<Ready> {
        self.prepare(config, None)
    }

    /// For another configuration. The data folder stays the one that it was.
    pub(super) fn change(&self, config: &Config) -> anyhow::Result<Ready> {
        let places = places::open(&config.media, &self.data)?;
        self.prepare(config, Some(places))
    }

    fn prepare(&self, config: &Config, places: Option<Places>) -> anyhow::Result<Ready> {
        let mut own = places::served(&config.media, &self.data)?;
        let from_afar = !own.iter().all(places::is_folder);
        let edge = self.edge(config)?;
        let media = match from_afar {
            true => edge.own(&own, &self.path).map_err(media_said)?,
            false => edge::local(self.store.clone(), &self.path),
        };
        own.push(OwnPlace::Elsewhere(self.remote.origin()));
        let cached = edge.own_below(&own, &self.path, CACHE).map_err(media_said)?;
        let sites = edge.prepare(&config.edge()).map_err(said)?;
        let beside = !config.edge.sites.is_empty() || from_afar;
        Ok(Ready { media: media.merge(cached), edge: beside.then_some(edge), places, sites: Some(sites) })
    }

    /// What was prepared is in force from here on. It cannot fail.
    pub(super) fn take_over(&self, ready: Ready) {
        if let (Some(edge), Some(sites)) = (self.known(), ready.sites) {
            edge.take_over(sites);
        }
        if let Some(places) = ready.places {
            self.store.move_to(places);
        }
    }

    /// The edge takes orders, and shows its figures where they have an address of their own, if there is one and it
    /// does not yet.
    pub(super) fn attend(&self) -> anyhow::Result<()> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = opened.as_mut().filter(|opened| !opened.attended) {
            match attend(opened, &self.media_url, &self.stop) {
                Ok(()) => opened.attended = true,
                // Nobody has asked for an edge: without orders it does what it is there for.
                Err(error) if opened.config.sites.is_empty() => tracing::warn!("{error:#}"),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    pub(super) fn known(&self) -> Option<Edge> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.as_ref().map(|opened| opened.edge.clone())
    }

    /// Opened where there is something for it to do, once.
    fn edge(&self, config: &Config) -> anyhow::Result<Edge> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = &*opened {
            return Ok(opened.edge.clone());
        }
        let mut settled = config.edge();
        // The data folder may have another name in a configuration that is read again: it is where it was.
        settled.cache.path = self.data.join(&config.edge.cache.path);
        let place = &settled.cache.path;
        std::fs::create_dir_all(place).with_context(|| format!("cannot make the folder {}", place.display()))?;
        let edge = Edge::open(&settled).map_err(said)?;
        self.remote.behind(&edge);
        *opened = Some(Opened { edge: edge.clone(), config: settled, attended: false });
        Ok(edge)
    }
}

/// With the key as it is called in noren.toml.
fn said(error: Unusable) -> anyhow::Error {
    match error {
        Unusable::Config(why) => anyhow::anyhow!("edge.{why}"),
        other => other.into(),
    }
}

fn media_said(error: Unusable) -> anyhow::Error {
    match error {
        Unusable::Config(why) => anyhow::anyhow!("media.origin: {why}"),
        other => other.into(),
    }
}

/// The edge's sites beside our own.
#[derive(Clone)]
pub(super) struct Beside {
    edge: Edge,
    router: Router,
    /// Where our own routes are to be found whatever sites there are.
    own: Arc<[Host]>,
}

impl Beside {
    pub(super) fn new(edge: &Edge, site: &Site) -> Self {
        let url = url::Url::parse(&site.base_url).ok();
        let names = [url.as_ref().and_then(|url| url.host_str()), Some(site.domain.as_str())];
        let others = site.alternate_domains.iter().map(String::as_str);
        let own = names.into_iter().flatten().chain(others).filter_map(Host::of_request).collect();
        Self { edge: edge.clone(), router: edge.router(), own }
    }
}

/// Requests for the edge's sites never meet what is around our own routes, and other hosts than ours never show them.
pub(super) async fn first(State(beside): State<Beside>, request: Request, next: Next) -> Response {
    if !beside.edge.is_for(&request, &beside.own) {
        return next.run(request).await;
    }
    let answer = beside.router.oneshot(request).await;
    answer.unwrap_or_else(|never| match never {})
}

/// Takes orders, and shows figures to Prometheus where that has an address of its own, until `stop`.
fn attend(opened: &Opened, media_url: &Arc<str>, stop: &CancellationToken) -> anyhow::Result<()> {
    let Opened { edge, config, .. } = opened;
    let socket = control::socket(&config.cache.path);
    let orders = control::listen(&socket, obey(edge.clone(), media_url.clone()));
    let orders = orders.with_context(|| format!("cannot take orders at {}", socket.display()))?;
    let ended = stop.clone();
    tokio::spawn(async move { ended.run_until_cancelled(orders).await });
    if let Some(address) = config.metrics.listen {
        edge.show_figures(address, stop)?;
    }
    Ok(())
}

fn obey(edge: Edge, media_url: Arc<str>) -> Obey {
    Arc::new(move |order| {
        let (edge, media_url) = (edge.clone(), media_url.clone());
        Box::pin(async move {
            let (address, reach) = match order {
                Order::Status => return Answer::Status(Box::new(edge.status())),
                Order::Reload => {
                    return Answer::Refused("this edge is a part of noren serve: send that SIGHUP".to_owned());
                }
                Order::Purge { url } => (url, Reach::One),
                Order::PurgePrefix { prefix } => (prefix, Reach::Below),
            };
            let done = match address.strip_prefix(&*media_url) {
                Some(key) => edge.purge_own(key, reach).await,
                None => edge.purge(&address, reach).await,
            };
            done.map_or_else(Answer::Refused, |()| Answer::Done)
        })
    })
}
