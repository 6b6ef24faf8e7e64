//! Files of other servers: got when somebody looks at them, or ahead of that where they are mirrored.
//!
//! A key in the cache says which row means it (`source`); what the row names is handed on as it comes (`carry`) or made
//! smaller first (`make`). The edge sees to it that this happens once for all who look, and keeps what came.

mod carry;
mod kept;
mod make;
mod resting;
mod source;
mod trouble;

use crate::server::Parts;
use domain::Result;
use edge::cache::{Failure, Meta, Reply, TO_THE_END, Validators, Want};
use edge::{Edge, Elsewhere, Reach};
use federation::fetch::Bounds;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use media::Content;
use resting::Resting;
use source::{Family, Make, Source};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use trouble::Trouble;

/// How long something is shown without a look whether it still may be.
const GOOD: Duration = Duration::from_secs(60);
/// Pictures of people may change behind their address: they are fetched anew after this.
const PORTRAIT: u64 = 7 * 24 * 3600;

/// Gets files of other servers. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Remote(Arc<Inner>);

struct Inner {
    parts: Parts,
    resting: Resting,
    /// Its cache may have what something is to be made of.
    edge: OnceLock<Edge>,
}

impl Remote {
    pub(crate) fn new(parts: &Parts) -> Self {
        Self(Arc::new(Inner { parts: parts.clone(), resting: Resting::default(), edge: OnceLock::new() }))
    }

    /// For the edge, which asks for what it does not have.
    pub(crate) fn origin(&self) -> Elsewhere {
        let remote = self.clone();
        Elsewhere::new(move |key, want| {
            let remote = remote.clone();
            Box::pin(async move { remote.give(&key, &want).await })
        })
    }

    /// What this edge has in its cache need not be fetched. Once.
    pub(crate) fn behind(&self, edge: &Edge) {
        self.0.edge.get_or_init(|| edge.clone());
    }

    /// The cache forgets the file of this key, and does not keep what is on its way.
    pub(crate) async fn purge(&self, key: &str) {
        if let Some(edge) = self.0.edge.get()
            && let Err(error) = edge.purge_own(key, Reach::One).await
        {
            tracing::warn!(error, key, "the cache does not forget a file");
        }
    }

    /// Whether this key stands for a file that somebody may be shown, by the rules as they are now.
    pub(crate) async fn is_shown(&self, key: &str) -> Result<bool> {
        let parts = &self.0.parts;
        let conn = parts.db.read().await?;
        let policy = &parts.federation.policy;
        let rules = policy.renewed(&conn).await?;
        Ok(source::find((&conn, &rules, policy), key).await?.is_some())
    }

    async fn source(&self, key: &str) -> Result<Option<Source>> {
        let parts = &self.0.parts;
        let conn = parts.db.read().await?;
        let policy = &parts.federation.policy;
        let rules = policy.rules_on(&conn).await?;
        source::find((&conn, &rules, policy), key).await
    }

    /// The file that this key stands for.
    async fn give(&self, key: &str, want: &Want) -> Result<Reply, Failure> {
        let found = self.source(key).await.map_err(|error| {
            tracing::error!(error = format!("{error:#}"), key, "cannot look up a file of another server");
            Failure::Broken("the database failed".into())
        })?;
        let Some(source) = found else { return Ok(empty(404)) };
        if want.validators.as_ref().is_some_and(|known| source.is_good(known)) {
            let meta = Meta { fresh_for: Some(GOOD), ..Meta::default() };
            return Ok(Reply { meta, ..empty(304) });
        }
        let got = match source.make {
            Make::Original(family) => self.carry(&source, family, want).await,
            Make::Small | Make::Picture(..) => self.made(&source).await,
        };
        match got {
            Ok(reply) => Ok(reply),
            Err(trouble) => {
                tracing::debug!(%trouble, url = %source.url, "a file of another server cannot be had");
                if let Some(was) = trouble.of_the_host() {
                    self.0.resting.note(source.url.authority(), was);
                }
                trouble.into_answer()
            }
        }
    }

    /// All of the file, to be kept elsewhere; None for one that is not to be had.
    pub(crate) async fn copied(&self, key: &str) -> Result<Option<Content>, Failure> {
        let reply = self.give(key, &Want { slice: 0..TO_THE_END, validators: None, has_copy: false }).await?;
        if reply.status != 200 {
            return Ok(None);
        }
        let spool = self.0.parts.store.spool();
        match make::spooled(reply.body.map_err(Trouble::Given), &spool).await {
            Ok((file, _)) => Ok(Some(Content::File(file))),
            Err(trouble) => trouble.into_answer().map(|_| None),
        }
    }

    /// A host that did not answer a moment ago is left in peace.
    fn may_ask(&self, source: &Source) -> Result<(), Trouble> {
        match self.0.resting.has(source.url.authority()) {
            true => Err(Trouble::Given(Failure::Unreachable("it did not answer a moment ago".into()))),
            false => Ok(()),
        }
    }

    /// What an answer may cost.
    fn bounds(&self, family: Family) -> Bounds {
        let limits = &self.0.parts.config.media.remote;
        let (most, total) = match family {
            Family::Picture => (limits.image_size.0, Duration::from_secs(45)),
            Family::Film | Family::Any => (limits.video_size.0, Duration::from_secs(600)),
        };
        let bytes = usize::try_from(most).unwrap_or(usize::MAX);
        Bounds { bytes, idle: Duration::from_secs(10), total, redirects: 3 }
    }
}

impl Source {
    /// What tells this version from another. It has the time in it when it was fetched, where that matters.
    fn etag(&self) -> String {
        match self.make {
            Make::Picture(media::Role::Avatar | media::Role::Header, _) => format!("\"{}\"", seconds()),
            _ => "\"0\"".to_owned(),
        }
    }

    /// Whether what is there need not be fetched anew.
    fn is_good(&self, known: &Validators) -> bool {
        let Some(etag) = known.etag.as_deref() else { return false };
        let since: u64 = etag.trim_matches('"').parse().unwrap_or_default();
        since == 0 || seconds().saturating_sub(since) < PORTRAIT
    }
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_secs())
}

fn empty(status: u16) -> Reply {
    Reply { status, meta: Meta::default(), body: stream::empty().boxed() }
}
