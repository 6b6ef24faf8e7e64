//! Where files come from: several places, asked in order.

mod bucket;
mod elsewhere;
mod figures;
mod folder;
mod freshness;
pub(crate) mod hops;
mod http;
mod redirect;

pub use elsewhere::Elsewhere;
pub(crate) use figures::{LATENCIES, OriginFigures};
pub(crate) use folder::{Folder, Opened};

use crate::cache::{Chain, Failure, Meta, ObjectKey, Reply, Upstream, Want};
use crate::config::{Host, OriginConfig};
use crate::path::Name;
use crate::serve;
use bucket::InBucket;
use bytes::Bytes;
use figures::Outcome;
use futures_util::future::BoxFuture;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::Http;
use media::s3::Bucket;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long our own media are served without asking whether they are still there: what people delete has to go.
const OWN_VALID: Duration = Duration::from_secs(60);
/// How long all origins of a site together may take until they answer, where there are several: each has its share.
const TOGETHER: Duration = Duration::from_secs(20);
/// But no share is less.
const SHARE: Duration = Duration::from_secs(2);

/// A file that is wanted from an origin.
pub(crate) struct Asked {
    pub(crate) name: Name,
    /// Empty, or with its question mark.
    pub(crate) query: String,
}

/// An order to an origin.
struct Order<'a> {
    asked: &'a Asked,
    want: &'a Want,
    /// The edges that the request has passed before this one.
    hops: &'a str,
}

impl Asked {
    /// The form that cached files go by: no two files have the same.
    pub(crate) fn to_key(&self) -> String {
        format!("/{}{}", self.name.encoded(), self.query)
    }

    pub(crate) fn of_key(path: &str) -> Option<Asked> {
        let (path, query) = path.find('?').map_or((path, ""), |at| path.split_at(at));
        Some(Asked { name: Name::of_path(path).ok()?, query: query.to_owned() })
    }
}

/// What an origin has.
pub(crate) enum Found {
    Reply(Reply),
    /// It answered, and has no such file.
    Absent,
}

/// How the origins of a site are asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manners {
    /// How long a file is good, if not as long as the cache says.
    pub(crate) valid: Option<Duration>,
    /// Or else, how long the cache says.
    pub(crate) usual: Duration,
    /// The origin's word on that counts.
    pub(crate) honour: bool,
    /// How this edge calls itself.
    pub(crate) via: Arc<str>,
    /// The hosts of the site,
    pub(crate) hosts: Vec<Host>,
    /// and the path that its files are below.
    pub(crate) path: String,
}

/// One of the places of our own media.
#[derive(Clone, Debug)]
pub enum OwnPlace {
    /// As for any site.
    Origin(OriginConfig),
    /// A bucket that is open already.
    Bucket(Bucket),
    /// Files that lie nowhere until somebody wants them.
    Elsewhere(Elsewhere),
}

impl OwnPlace {
    pub(crate) fn label(&self) -> String {
        match self {
            OwnPlace::Origin(config) => config.label(),
            OwnPlace::Bucket(bucket) => bucket.label(),
            OwnPlace::Elsewhere(_) => "other servers".to_owned(),
        }
    }
}

enum Place {
    Folder(Folder),
    Bucket(InBucket),
    Http(Box<Http>),
    Elsewhere(Elsewhere),
}

impl Place {
    /// It is asked for no longer than `most` until it answers.
    fn open(config: &OriginConfig, manners: &Manners, most: Duration) -> Result<Place, String> {
        match config {
            OriginConfig::Folder(config) => Ok(Place::Folder(Folder::new(config))),
            OriginConfig::Http(config) => Http::open(config, (manners, most)).map(|http| Place::Http(Box::new(http))),
            OriginConfig::Bucket(config) => InBucket::open(config, (manners, most)).map(Place::Bucket),
        }
    }
}

/// How long each of so many may take until it answers.
fn share(count: usize) -> Duration {
    match u32::try_from(count).unwrap_or(u32::MAX) {
        0 | 1 => Duration::MAX,
        count => (TOGETHER / count).max(SHARE),
    }
}

struct Origin {
    place: Place,
    figures: Arc<OriginFigures>,
}

/// An origin of the configuration, and what is counted for it.
pub(crate) type Configured = (OriginConfig, Arc<OriginFigures>);

/// The origins of a site, in their order. What one does not have the next is asked for; what one cannot give the next
/// may have. Only what all of them say they do not have is absent.
pub(crate) struct Origins {
    list: Arc<[Origin]>,
    manners: Manners,
}

/// The same for a request that has passed other edges.
pub(crate) struct Chained {
    pub(crate) origins: Arc<Origins>,
    pub(crate) hops: Arc<str>,
}

impl Origins {
    /// `first` is the place of the first of them in the configuration.
    pub(crate) fn open((first, list): (usize, &[Configured]), manners: Manners) -> Result<Origins, String> {
        let most = share(list.len());
        let mut opened = Vec::new();
        for (at, (config, figures)) in list.iter().enumerate() {
            let place = Place::open(config, &manners, most).map_err(|why| format!("origin[{}].{why}", first + at))?;
            opened.push(Origin { place, figures: figures.clone() });
        }
        Ok(Origins { list: opened.into(), manners })
    }

    /// Places of our own media.
    pub(crate) fn of(list: &[(OwnPlace, Arc<OriginFigures>)], via: &Arc<str>) -> Result<Origins, String> {
        let manners = Manners { valid: Some(OWN_VALID), usual: OWN_VALID, via: via.clone(), ..Manners::default() };
        let most = share(list.len());
        let mut opened = Vec::new();
        for (place, figures) in list {
            let opening = match place {
                OwnPlace::Origin(config) => Place::open(config, &manners, most),
                OwnPlace::Bucket(bucket) => Ok(Place::Bucket(InBucket::of(bucket.clone(), most))),
                OwnPlace::Elsewhere(elsewhere) => Ok(Place::Elsewhere(elsewhere.clone())),
            };
            let place = opening.map_err(|why| format!("{}: {why}", place.label()))?;
            opened.push(Origin { place, figures: figures.clone() });
        }
        Ok(Origins { list: opened.into(), manners })
    }

    /// Nothing is left to ask.
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    fn fetch_after(
        &self,
        hops: Arc<str>,
        (key, want): (&ObjectKey, Want),
    ) -> BoxFuture<'static, Result<Reply, Failure>> {
        let asked = Asked::of_key(key.path());
        let (list, valid, honour) = (self.list.clone(), self.manners.valid, self.manners.honour);
        Box::pin(async move {
            let Some(asked) = asked else { return Ok(empty(404, Meta::default())) };
            let mut reply = first(&list, &Order { asked: &asked, want: &want, hops: &hops }).await?;
            // Who says that nothing changed means what was said before, too.
            if matches!(reply.status, 200 | 206) || (reply.status == 304 && !honour) {
                reply.meta.fresh_for = reply.meta.fresh_for.or(valid);
            }
            Ok(reply)
        })
    }
}

impl Upstream for Chained {
    fn fetch(&self, key: &ObjectKey, want: Want) -> BoxFuture<'static, Result<Reply, Failure>> {
        self.origins.fetch_after(self.hops.clone(), (key, want))
    }

    fn patience(&self) -> Duration {
        self.origins.patience()
    }

    fn chain(&self) -> Chain {
        self.hops.clone()
    }
}

impl Upstream for Origins {
    fn fetch(&self, key: &ObjectKey, want: Want) -> BoxFuture<'static, Result<Reply, Failure>> {
        self.fetch_after(Arc::default(), (key, want))
    }

    fn patience(&self) -> Duration {
        let times = self.list.iter().map(|origin| match &origin.place {
            Place::Folder(_) => Duration::ZERO,
            Place::Bucket(bucket) => bucket.patience(),
            Place::Http(http) => http.patience(),
            Place::Elsewhere(_) => elsewhere::PATIENCE,
        });
        // They may also wait half as long for their turn.
        let sum = times.fold(Duration::ZERO, Duration::saturating_add);
        sum.saturating_add(sum / 2).saturating_add(Duration::from_secs(1))
    }
}

async fn first(list: &[Origin], order: &Order<'_>) -> Result<Reply, Failure> {
    let (mut failure, mut circle, mut absent) = (None, None, false);
    for origin in list {
        match origin.ask(order).await {
            Ok(Found::Reply(reply)) => return Ok(reply),
            Ok(Found::Absent) => absent = true,
            Err(Failure::Circle) => circle = Some(Failure::Circle),
            Err(why) => {
                failure.get_or_insert(why);
            }
        }
    }
    // An edge that would only ask us has it nowhere else. Whom we ask for another edge may have it from that one.
    if absent && order.hops.is_empty() {
        circle = None;
    }
    // One that could not answer might have had it: that nobody else does is no reason to call it absent.
    failure.or(circle).map_or_else(|| Ok(empty(404, Meta::default())), Err)
}

impl Origin {
    async fn ask(&self, order: &Order<'_>) -> Result<Found, Failure> {
        let Order { asked, want, .. } = *order;
        if self.figures.is_resting() {
            return Err(Failure::Unreachable(format!("{} failed a moment ago", self.figures.label()).into()));
        }
        let started = Instant::now();
        let answer = match &self.place {
            Place::Folder(folder) => from_folder(folder, asked, want).await,
            Place::Bucket(bucket) => bucket.ask(asked, want).await,
            Place::Http(http) => http.ask(order).await,
            Place::Elsewhere(elsewhere) => elsewhere.ask(asked, want).await,
        };
        let is_one = !matches!(self.place, Place::Elsewhere(_));
        let outcome = match &answer {
            Ok(Found::Reply(_)) => Outcome::Found,
            Ok(Found::Absent) => Outcome::Absent,
            Err(Failure::Busy) => Outcome::Busy,
            // That one of many servers fails says nothing of the others.
            Err(Failure::Unreachable(_) | Failure::TimedOut | Failure::Refused(429 | 502..=504)) if is_one => {
                Outcome::Failed
            }
            Err(_) => Outcome::Refused,
        };
        let origin = self.figures.label();
        match &answer {
            // Edges that have each other as origins say so of all that none of them has.
            Err(failure @ Failure::Circle) => {
                tracing::debug!(%origin, name = %asked.name, %failure, "an origin failed")
            }
            Err(failure) if is_one => tracing::warn!(%origin, name = %asked.name, %failure, "an origin failed"),
            _ => {}
        }
        self.figures.count(outcome, started.elapsed());
        let figures = self.figures.clone();
        answer.map(|found| match found {
            Found::Reply(mut reply) => {
                reply.body = reply.body.inspect_ok(move |bytes| figures.add_bytes(bytes.len())).boxed();
                Found::Reply(reply)
            }
            absent => absent,
        })
    }
}

/// An answer without a body.
pub(crate) fn empty(status: u16, meta: Meta) -> Reply {
    Reply { status, meta, body: stream::empty().boxed() }
}

async fn from_folder(folder: &Folder, asked: &Asked, want: &Want) -> Result<Found, Failure> {
    let (folder, name) = (folder.clone(), asked.name.clone());
    let opening = tokio::task::spawn_blocking(move || folder.open(&name)).await;
    let opened = opening.map_err(broken)?.map_err(broken)?;
    let Some(Opened { file, length, modified }) = opened else { return Ok(Found::Absent) };
    let meta = Meta { total: Some(length), last_modified: Some(modified), ..Meta::default() };
    if want.validators.as_ref().is_some_and(|known| known.last_modified == Some(modified)) {
        return Ok(Found::Reply(empty(304, meta)));
    }
    let part = want.slice.start.min(length)..want.slice.end.min(length);
    if part.is_empty() && length > 0 {
        return Ok(Found::Reply(empty(416, meta)));
    }
    let is_whole = part == (0..length);
    let meta = Meta { start: part.start, ..meta };
    let body = serve::part(Arc::new(file), part).map(|piece| piece.map_err(broken)).boxed();
    Ok(Found::Reply(Reply { status: if is_whole { 200 } else { 206 }, meta, body }))
}

fn broken(error: impl std::fmt::Display) -> Failure {
    Failure::Broken(error.to_string().into())
}

/// So that nobody has to name the type of a body.
pub(crate) type Body = futures_util::stream::BoxStream<'static, Result<Bytes, Failure>>;
