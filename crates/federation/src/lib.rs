//! How other servers find this one and the people on it, and how both tell each other what happens: ActivityPub.
//!
//! What arrives is looked at in `inbox`, what is fetched in `resolve`, what is sent in `deliver`; `actors`, `statuses`
//! and `collections` turn what the domain knows into documents and back.

mod accept;
mod actors;
mod boxed;
pub mod cards;
mod collections;
pub mod deliver;
pub mod documents;
mod emojis;
pub mod fetch;
pub mod follows;
mod host_meta;
pub mod inbox;
mod nodeinfo;
mod policy;
mod reach;
mod refusal;
pub mod resolve;
pub mod signatures;
mod statuses;
mod webfinger;

pub use crate::actors::keys::rotate as rotate_keys;
pub use crate::boxed::boxed;
pub use crate::policy::{FederationConfig, Policy};
pub use crate::reach::{Reach, Verdict};

use crate::accept::accepts_documents;
use crate::actors::keys::{Known, Own};
use crate::deliver::moved::Moved;
use crate::fetch::{Fetcher, Options, Private};
use crate::inbox::asking::Asking;
use crate::inbox::trouble::Trouble;
use crate::refusal::{Path, Refusal};
use crate::resolve::missing::Missing;
use axum::Router;
use axum::http::{HeaderMap, Method, Uri};
use axum::middleware::from_fn_with_state;
use domain::statistics::Statistics;
use domain::{Db, site::Site};
use std::ops::Deref;
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use tokio::sync::Mutex;

/// Files and pages that are fetched at once: from all hosts, and from one.
const FILES: usize = 64;
const FILES_PER_HOST: usize = 6;

/// What speaking with other servers takes. Cheap to clone; dereferences to its parts.
#[derive(Clone)]
pub struct Federation(Arc<Parts>);

pub struct Parts {
    pub db: Db,
    pub site: Arc<Site>,
    pub fetcher: Fetcher,
    /// Whom this server has to do with.
    pub policy: Arc<Policy>,
    pub(crate) config: FederationConfig,
    /// For files and pages: with places of its own, so that many pictures of a host keep no activity from it.
    pub files: Fetcher,
    /// Set when what hangs on posts is copied as soon as it is known.
    mirrors: OnceLock<()>,
    own: Own,
    known: Known,
    missing: Missing,
    /// Polls that were looked at lately.
    polled: Missing,
    /// Moves that came to nothing lately.
    unmoved: Missing,
    trouble: Trouble,
    asking: Asking,
    moved: Moved,
    doubtful: deliver::Doubtful,
    counted: follows::Counted,
    /// Public numbers and when they were counted.
    statistics: Mutex<Option<(Instant, Statistics)>>,
}

impl Federation {
    /// `version`: of this program, told to others with each request.
    pub fn new(db: Db, site: Arc<Site>, version: &str, config: FederationConfig) -> domain::Result<Self> {
        let mut options = Options::new(format!("Noren/{version} (+{}/)", site.base_url));
        // A site without TLS is one for development: its peers are on the same machine.
        if site.base_url.starts_with("http://") {
            options.private = Private::Allowed;
        } else if !config.allowed_addresses.is_empty() {
            options.private = Private::These(config.allowed_addresses.clone().into());
        }
        let authorities = config.certificates();
        options.authorities =
            authorities.map_err(|why| domain::Error::internal(format!("federation.authorities: {why}")))?;
        options.ours = [&site.base_url, &site.media_url].into_iter().filter_map(|url| documents::host(url)).collect();
        options.ours.push(site.domain.clone());
        options.ours.extend(site.alternate_domains.iter().cloned());
        let policy = Arc::new(Policy::new(db.clone(), config.limited));
        options.gate = policy.clone();
        let of_files = Options { requests: FILES, requests_per_host: FILES_PER_HOST, ..options.clone() };
        let files = Fetcher::new(of_files).map_err(domain::Error::internal)?;
        let fetcher = Fetcher::new(options).map_err(domain::Error::internal)?;
        let (own, known, missing, trouble) = <(Own, Known, Missing, Trouble)>::default();
        let (polled, unmoved, moved, asking) = <(Missing, Missing, Moved, Asking)>::default();
        let doubtful = deliver::Doubtful::default();
        let (counted, statistics, mirrors) = (follows::Counted::default(), Mutex::default(), OnceLock::new());
        Ok(Self(Arc::new(Parts {
            db,
            site,
            fetcher,
            files,
            mirrors,
            policy,
            config,
            own,
            known,
            missing,
            polled,
            unmoved,
            trouble,
            asking,
            moved,
            doubtful,
            counted,
            statistics,
        })))
    }
}

impl Federation {
    /// Pictures of posts and people that arrive from here on are to be copied at once.
    pub fn mirroring(self) -> Self {
        self.mirrors.get_or_init(|| ());
        self
    }

    pub(crate) fn is_mirroring(&self) -> bool {
        self.mirrors.get().is_some()
    }
}

impl Deref for Federation {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// What only programs ask for: discovery, inboxes, collections. CORS is the caller's business.
pub fn router(federation: Federation) -> Router {
    let guarded = Router::new()
        .merge(collections::routes())
        .merge(statuses::serve::routes())
        .merge(statuses::collections::routes())
        .merge(statuses::quotes::routes());
    Router::new()
        .merge(guarded.route_layer(from_fn_with_state(federation.clone(), policy::guard)))
        .merge(webfinger::routes())
        .merge(nodeinfo::routes())
        .merge(host_meta::routes())
        .merge(actors::serve::routes())
        .merge(emojis::routes())
        .merge(inbox::routes())
        .merge(follows::routes())
        .with_state(federation)
}

/// Documents at addresses that people get a page at: for requests that are [`Asked::Document`].
pub fn documents_router(federation: Federation) -> Router {
    let guarded = Router::new().merge(actors::serve::documents()).merge(statuses::serve::documents());
    guarded.route_layer(from_fn_with_state(federation.clone(), policy::guard)).with_state(federation)
}

/// Beside a request whose address was changed on its way to here: the address as it was sent, which may be signed.
#[derive(Clone, Debug)]
pub struct AsSent(pub Uri);

/// What a request wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Document,
    /// A page, at an address that has a document too.
    Page,
    /// Something at an address that has one answer.
    Other,
}

/// Tells documents from pages: by the address, and by what is accepted.
pub fn asked(method: &Method, path: &str, headers: &HeaderMap) -> Asked {
    if !matches!(*method, Method::GET | Method::HEAD) || !(path.starts_with("/@") || path.starts_with("/users/")) {
        return Asked::Other;
    }
    let mut parts = path.trim_start_matches('/').split('/');
    let is_both = match (parts.next(), parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some("users"), Some(_), None, ..) | (Some("users"), Some(_), Some("statuses"), Some(_), None) => true,
        (Some(name), None, ..) | (Some(name), Some(_), None, ..) => name.starts_with('@'),
        _ => false,
    };
    match (is_both, accepts_documents(headers)) {
        (true, true) => Asked::Document,
        (true, false) => Asked::Page,
        (false, _) => Asked::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderValue, header};

    #[test]
    fn documents_are_told_from_pages() {
        let page = "text/html,application/xhtml+xml,*/*;q=0.8";
        let document = "application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"";
        for (path, accept, wanted) in [
            ("/users/mia", "application/activity+json", Asked::Document),
            ("/@mia", document, Asked::Document),
            ("/@mia/7", "text/html, application/activity+json;q=0.9", Asked::Page),
            ("/@mia/7", "text/html;q=0.1, application/activity+json", Asked::Document),
            ("/users/mia/statuses/7", document, Asked::Document),
            ("/users/mia", page, Asked::Page),
            ("/@mia/7", page, Asked::Page),
            ("/users/mia", "application/json", Asked::Page),
            ("/users/mia/followers", document, Asked::Other),
            ("/users/mia/statuses/7/activity", document, Asked::Other),
            ("/settings/@mia", document, Asked::Other),
            ("/@mia/7/8", document, Asked::Other),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(asked(&Method::GET, path, &headers), wanted, "{path} {accept}");
            assert_eq!(asked(&Method::POST, path, &headers), Asked::Other, "{path} {accept}");
        }
    }
}
