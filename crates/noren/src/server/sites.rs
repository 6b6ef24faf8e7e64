//! The edge as a part of this server: media that are in a bucket, and the sites of other software beside our own.

use super::Parts;
use crate::config::Config;
use anyhow::Context as _;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use domain::site::Site;
use edge::config::Host;
use edge::control::{self, Answer, Obey, Order};
use edge::{Edge, Reach, Unusable};
use media::Store;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// Opened where there is something for it to do.
pub(super) fn open(parts: &Parts) -> anyhow::Result<Option<Edge>> {
    let config = &parts.config;
    if config.edge.sites.is_empty() && matches!(parts.store, Store::Disk(_)) {
        return Ok(None);
    }
    let config = config.edge();
    let place = &config.cache.path;
    std::fs::create_dir_all(place).with_context(|| format!("cannot make the folder {}", place.display()))?;
    Edge::open(&config).map(Some).map_err(said)
}

/// With the key as it is called in noren.toml.
pub(super) fn said(error: Unusable) -> anyhow::Error {
    match error {
        Unusable::Config(why) => anyhow::anyhow!("edge.{why}"),
        other => other.into(),
    }
}

/// Our own media below `path`.
pub(super) fn media(store: &Store, edge: Option<&Edge>, path: &str) -> Router {
    match (store, edge) {
        (Store::S3(store), Some(edge)) => edge.bucket(store.bucket().clone(), path),
        _ => edge::local(store.clone(), path),
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
        let own = names.into_iter().flatten().filter_map(Host::of_request).collect();
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
pub(super) fn attend(edge: &Edge, config: &Config, stop: &CancellationToken) -> anyhow::Result<()> {
    let config = config.edge();
    let socket = control::socket(&config.cache.path);
    let orders = control::listen(&socket, obey(edge.clone()));
    let orders = orders.with_context(|| format!("cannot take orders at {}", socket.display()))?;
    let ended = stop.clone();
    tokio::spawn(async move { ended.run_until_cancelled(orders).await });
    if let Some(address) = config.metrics.listen {
        edge.show_figures(address, stop)?;
    }
    Ok(())
}

fn obey(edge: Edge) -> Obey {
    Arc::new(move |order| {
        let edge = edge.clone();
        Box::pin(async move {
            let done = match order {
                Order::Status => return Answer::Status(Box::new(edge.status())),
                Order::Reload => Err("this edge is a part of noren serve: send that SIGHUP".to_owned()),
                Order::Purge { url } => edge.purge(&url, Reach::One).await,
                Order::PurgePrefix { prefix } => edge.purge(&prefix, Reach::Below).await,
            };
            done.map_or_else(Answer::Refused, |()| Answer::Done)
        })
    })
}
