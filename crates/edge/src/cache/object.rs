//! Finding an object: in memory, on the disk, on its way, or at its origin.

use super::absent::Why;
use super::facts::{Facts, Version, time};
use super::fetch::{Coming, Errand, LAST};
use super::fill::{Fill, Head};
use super::flights::Reading;
use super::pass::Passing;
use super::run::Following;
use super::shared::{Shared, Stored, now};
use super::upstream::{Failure, Upstream};
use super::{Cache, ObjectKey};
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

/// How long somebody waits for an origin to say whether a copy is still good, before he is given the copy.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often something is looked up that comes and goes meanwhile.
const ATTEMPTS: u32 = 8;

/// How an object was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It was here.
    Hit,
    /// It comes from the origin, for this request or for another one at the same time.
    Miss,
    /// It was here and its time is over, but the origin does not answer, or is being asked just now.
    Stale,
    /// It was here, and the origin says that it is good.
    Revalidated,
    /// It goes through without being kept.
    Bypass,
}

/// An object, and where its bytes come from. Dropping it stops no fetch.
pub struct Object {
    pub(super) shared: Arc<Shared>,
    pub(super) key: ObjectKey,
    pub(super) upstream: Arc<dyn Upstream>,
    pub(super) facts: Arc<Facts>,
    pub(super) how: How,
    pub(super) first: First,
    pub(super) unkept: bool,
    /// What comes after the first slice is wanted, until it is known what is read of it.
    pub(super) following: Mutex<Option<Following>>,
}

/// The slice that was looked at first.
#[derive(Clone)]
pub(super) enum First {
    Stored(Stored),
    Coming(Arc<Fill>),
    /// There are no bytes.
    Nothing,
    Passing(Arc<Passing>),
}

impl Object {
    /// 200, 301, 302, 307, 308, 404 or 410. Other statuses of an origin are failures.
    pub fn status(&self) -> u16 {
        self.facts.status
    }

    pub fn how(&self) -> How {
        self.how
    }

    /// Length of the whole object; unknown only for what goes through.
    pub fn length(&self) -> Option<u64> {
        match &self.first {
            First::Passing(passing) => passing.total,
            _ => Some(self.facts.total),
        }
    }

    /// As the origin says it.
    pub fn content_type(&self) -> Option<&str> {
        self.facts.content_type.as_deref()
    }

    pub fn last_modified(&self) -> Option<SystemTime> {
        self.facts.last_modified.map(time)
    }

    /// Where a redirect leads.
    pub fn location(&self) -> Option<&str> {
        self.facts.location.as_deref()
    }

    /// Its origin forbids keeping it, and that word is honoured.
    pub fn is_unkept(&self) -> bool {
        self.unkept
    }

    /// How long it is good after it was given, if anybody has said so.
    pub fn fresh_for(&self) -> Option<Duration> {
        self.facts.fresh_for.map(Duration::from_millis)
    }

    /// How much longer it is good, as far as its origin and the settings say.
    pub fn good_for(&self) -> Duration {
        let (facts, config) = (&self.facts, &self.shared.config);
        let valid = facts.fresh_for.map_or_else(|| config.validity(facts.status), Duration::from_millis);
        valid.saturating_sub(Duration::from_millis(now().saturating_sub(facts.checked)))
    }

    /// When the origin last gave it or said that it is good.
    pub fn checked(&self) -> SystemTime {
        time(self.facts.checked)
    }

    /// A strong validator of our own, with its quotes: another version has another one.
    pub fn etag(&self) -> String {
        let Version(version) = self.facts.version;
        format!("\"{:032x}\"", u128::from_be_bytes(version))
    }
}

impl Cache {
    /// Finds an object. `hint` is the part that will be asked for, as far as that is known: then nothing else is
    /// fetched. The object is answered as soon as the origin has said what it is.
    pub async fn object(
        &self,
        key: &ObjectKey,
        upstream: &Arc<dyn Upstream>,
        hint: Option<Range<u64>>,
    ) -> Result<Object, Failure> {
        let number = hint.as_ref().map_or(0, |hint| self.shared.slice_at(hint.start));
        if let Ok(stored) = self.shared.look_now(key, number)
            && stored.facts.is_fresh(now(), &self.shared.config)
        {
            return Ok(self.stored(key, upstream, (stored, How::Hit)));
        }
        // Rare, and large.
        Box::pin(self.find(key, upstream, (number, hint))).await
    }

    async fn find(
        &self,
        key: &ObjectKey,
        upstream: &Arc<dyn Upstream>,
        (mut number, hint): (u32, Option<Range<u64>>),
    ) -> Result<Object, Failure> {
        let chain = upstream.chain();
        let mut waiting = None;
        for _ in 0..ATTEMPTS {
            let (mut stored, mut how) = (self.shared.look(key, number).await, How::Hit);
            // Another edge is promised nothing that may have to be asked of itself; it has other origins.
            if stored.is_none() && number != 0 && chain.is_empty() {
                // What is wanted has to be fetched all the same.
                (stored, how) = (self.shared.look(key, 0).await, How::Miss);
            }
            if let Some(stored) = stored {
                if stored.facts.is_fresh(now(), &self.shared.config) {
                    return Ok(self.stored(key, upstream, (stored, how)));
                }
                let slices = self.slices(stored.facts.number, hint.as_ref());
                match self.revalidate((key, upstream), stored, slices).await? {
                    Some(object) => return Ok(object),
                    None => continue,
                }
            }
            match self.shared.absences.find((key.hash(), &chain), now()) {
                Some(Why::Absent(status)) => return Ok(self.absent(key, upstream, (status, How::Hit))),
                Some(Why::Failed(failure, _)) => return Err(failure),
                Some(Why::Unkept) => return self.pass(key, upstream, hint).await,
                None => {}
            }
            let slices = self.slices(number, hint.as_ref());
            let (fill, following) = match self.errand(key, upstream, (slices, None)).start(Reading::Begins).await {
                Coming::Ours(fill, following) | Coming::Theirs(fill, following) => (fill, following),
                Coming::Look(following) => {
                    // What we wait for goes on while we look.
                    waiting = following;
                    continue;
                }
                Coming::Apart => return self.apart(key, upstream, hint).await,
            };
            drop(waiting.take());
            match fill.head().await {
                Ok(Head::Slice(facts)) => return Ok(self.coming((key, upstream), facts, (fill, following))),
                Ok(Head::Absent(status)) => return Ok(self.absent(key, upstream, (status, How::Miss))),
                Ok(Head::Unkept) => return self.pass(key, upstream, hint).await,
                Ok(Head::Beyond) => number = 0,
                Ok(Head::Again | Head::Unchanged(_)) => {}
                // It was refused to others.
                Err(_) if fill.run.chain != chain => {}
                Err(failure) => {
                    self.shared.counts.misses.one();
                    return Err(failure);
                }
            }
        }
        Err(Failure::Busy)
    }

    /// While others, who may wait for us, have it asked for, or have all turns: what comes is not kept, but a failure is
    /// remembered.
    async fn apart(
        &self,
        key: &ObjectKey,
        upstream: &Arc<dyn Upstream>,
        hint: Option<Range<u64>>,
    ) -> Result<Object, Failure> {
        let passed = self.pass(key, upstream, hint).await;
        if let Err(failure) = &passed
            && *failure != Failure::Busy
        {
            let time = u64::try_from(self.shared.config.valid_error.as_millis()).unwrap_or(u64::MAX);
            let why = Why::Failed(failure.clone(), upstream.chain());
            self.shared.absences.note(key.hash(), now().saturating_add(time), why);
        }
        passed
    }

    /// The slices that are wanted, beginning with this one.
    fn slices(&self, number: u32, hint: Option<&Range<u64>>) -> Range<u32> {
        let last = hint.map_or(LAST, |hint| self.shared.slice_at(hint.end.saturating_sub(1)));
        number..last.max(number).saturating_add(1)
    }

    /// The copy is too old to be served without a word: whoever comes first asks, and the others are given it.
    /// `None`: look again. A failure is one of an edge that only who asks could tell anything.
    async fn revalidate(
        &self,
        (key, upstream): (&ObjectKey, &Arc<dyn Upstream>),
        copy: Stored,
        slices: Range<u32>,
    ) -> Result<Option<Object>, Failure> {
        let chain = upstream.chain();
        let stale = |copy: Stored| Ok(Some(self.stored(key, upstream, (copy, How::Stale))));
        // Where all others say that it is not there, our copy must not be the reason for keeping theirs.
        let is_theirs = |failure: &Failure| *failure == Failure::Circle && !chain.is_empty();
        let failed = match self.shared.absences.find((key.hash(), &chain), now()) {
            Some(Why::Failed(failure, _)) => Some(failure),
            _ => None,
        };
        if failed.as_ref().is_some_and(is_theirs) {
            return Err(Failure::Circle);
        }
        if failed.is_some() || self.shared.flights.contains(copy.facts.id(key)) {
            return stale(copy);
        }
        let errand = self.errand(key, upstream, (slices, Some(copy.clone())));
        let (fill, following) = match errand.start(Reading::Begins).await {
            Coming::Ours(fill, following) => (fill, following),
            Coming::Theirs(..) | Coming::Apart => return stale(copy),
            Coming::Look(_) => return Ok(None),
        };
        match tokio::time::timeout(PATIENCE, fill.head()).await {
            Ok(Ok(Head::Unchanged(facts))) => {
                let renewed = Stored { facts, content: copy.content };
                Ok(Some(self.stored(key, upstream, (renewed, How::Revalidated))))
            }
            Ok(Ok(Head::Slice(facts))) => Ok(Some(self.coming((key, upstream), facts, (fill, following)))),
            Ok(Ok(Head::Absent(status))) => Ok(Some(self.absent(key, upstream, (status, How::Miss)))),
            Ok(Err(failure)) if is_theirs(&failure) => Err(failure),
            Ok(Ok(Head::Beyond | Head::Unkept)) => {
                // The object has become another one, and nothing of this will ever be good again.
                self.shared.drop_version(key, copy.facts.version).await;
                Ok(None)
            }
            Ok(Ok(Head::Again) | Err(_)) | Err(_) => stale(copy),
        }
    }

    fn errand(
        &self,
        key: &ObjectKey,
        upstream: &Arc<dyn Upstream>,
        (slices, copy): (Range<u32>, Option<Stored>),
    ) -> Errand {
        Errand { shared: self.shared.clone(), key: key.clone(), upstream: upstream.clone(), slices, copy }
    }

    fn stored(&self, key: &ObjectKey, upstream: &Arc<dyn Upstream>, (stored, how): (Stored, How)) -> Object {
        let facts = stored.facts.clone();
        self.answer(key, upstream, (facts, how, First::Stored(stored)))
    }

    fn coming(
        &self,
        (key, upstream): (&ObjectKey, &Arc<dyn Upstream>),
        facts: Arc<Facts>,
        (fill, following): (Arc<Fill>, Following),
    ) -> Object {
        let object = self.answer(key, upstream, (facts, How::Miss, First::Coming(fill)));
        Object { following: Mutex::new(Some(following)), ..object }
    }

    pub(super) fn absent(&self, key: &ObjectKey, upstream: &Arc<dyn Upstream>, (status, how): (u16, How)) -> Object {
        let facts = Arc::new(Facts::nothing(status));
        self.answer(key, upstream, (facts, how, First::Nothing))
    }

    pub(super) fn answer(
        &self,
        key: &ObjectKey,
        upstream: &Arc<dyn Upstream>,
        (facts, how, first): (Arc<Facts>, How, First),
    ) -> Object {
        let counts = &self.shared.counts;
        match how {
            How::Hit => counts.hits.one(),
            How::Miss => counts.misses.one(),
            How::Stale => counts.stale.one(),
            How::Revalidated => counts.revalidated.one(),
            How::Bypass => counts.bypassed.one(),
        }
        let (shared, key, upstream) = (self.shared.clone(), key.clone(), upstream.clone());
        Object { shared, key, upstream, facts, how, first, unkept: false, following: Mutex::default() }
    }
}
