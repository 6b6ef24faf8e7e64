//! The bytes of a part of an object: from slice to slice, each from wherever it is.

use super::absent::Why;
use super::disk::{Missing, OpenSlice};
use super::facts::Facts;
use super::fetch::{BoxBody, Coming, Errand};
use super::fill::{Fill, Head};
use super::flights::Reading;
use super::object::{First, Object};
use super::pages::Patience;
use super::pass::Passing;
use super::run::Following;
use super::shared::{Content, Shared, Stored, now};
use super::upstream::{Failure, Upstream};
use super::{ObjectKey, buffers};
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::Either;
use futures_util::stream::{self, Stream};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes read from a file at once.
const PIECE: u64 = buffers::LENGTH as u64;
/// How often a slice is looked for that comes and goes meanwhile.
const ATTEMPTS: u32 = 8;

impl Object {
    /// The bytes of a part. Slices are fetched as it comes to them, the next one while one is sent. It ends with a
    /// failure, and the connection has to be broken, if the object cannot be sent as it was announced.
    pub fn part(&self, range: Range<u64>) -> impl Stream<Item = Result<Bytes, Failure>> + Send + 'static + use<> {
        let taken = self.following.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.read(range, taken.as_ref())
    }

    /// The bytes up to there, for who has to see them before he knows what part he wants.
    pub fn beginning(&self, end: u64) -> impl Stream<Item = Result<Bytes, Failure>> + Send + 'static + use<> {
        match &self.first {
            First::Passing(passing) => Either::Left(passing.beginning(end)),
            _ => Either::Right(self.read(0..end, None)),
        }
    }

    fn read(
        &self,
        range: Range<u64>,
        wanted: Option<&Following>,
    ) -> impl Stream<Item = Result<Bytes, Failure>> + Send + 'static + use<> {
        if let First::Passing(passing) = &self.first {
            return Either::Right(passing.part(range));
        }
        let range = range.start..range.end.min(self.facts.total);
        let walk = Walk {
            shared: self.shared.clone(),
            key: self.key.clone(),
            upstream: self.upstream.clone(),
            facts: self.facts.clone(),
            at: self.first_place(),
            following: None,
            ahead: None,
            again: None,
            range,
        };
        let following = wanted.map(|following| following.run.follow(walk.slices()));
        let walk = Walk { following, ..walk };
        Either::Left(stream::try_unfold(walk, Walk::step))
    }

    /// All bytes, if they are in memory already and need no stream.
    pub fn bytes(&self) -> Option<Bytes> {
        match &self.first {
            First::Stored(Stored { content: Content::Bytes(bytes), .. }) if bytes.len() as u64 == self.facts.total => {
                self.shared.counts.bytes_kept.add(self.facts.total);
                Some(bytes.clone())
            }
            First::Nothing => Some(Bytes::new()),
            _ => None,
        }
    }

    fn first_place(&self) -> At {
        match &self.first {
            First::Stored(stored) => At::from(stored.clone()),
            First::Coming(fill) => At::Fill(fill.number, fill.clone(), Settled::No),
            First::Nothing | First::Passing(_) => At::Nowhere,
        }
    }
}

/// Somebody who is being sent an object.
struct Walk {
    shared: Arc<Shared>,
    key: ObjectKey,
    upstream: Arc<dyn Upstream>,
    /// Of the version that was announced.
    facts: Arc<Facts>,
    at: At,
    /// The run that brings what comes next, if there is one.
    following: Option<Following>,
    /// The slice whose successor was seen to.
    ahead: Option<u32>,
    /// The slice that broke off and was asked for again.
    again: Option<u32>,
    /// What is still to be sent.
    range: Range<u64>,
}

/// Where the bytes of a slice come from; its number comes first.
enum At {
    Nowhere,
    Memory(u32, Bytes),
    File(u32, Arc<OpenSlice>),
    Fill(u32, Arc<Fill>, Settled),
    /// Apart from the cache.
    Passing(u32, Mutex<BoxBody>),
}

/// Whether the file of a fill was looked for, so that its memory can be let go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Settled {
    No,
    Yes,
}

impl From<Stored> for At {
    fn from(stored: Stored) -> At {
        match stored.content {
            Content::Bytes(bytes) => At::Memory(stored.facts.number, bytes),
            Content::Open(open) => At::File(stored.facts.number, open),
        }
    }
}

impl At {
    fn number(&self) -> Option<u32> {
        match self {
            At::Nowhere => None,
            At::Memory(number, _) | At::File(number, _) | At::Fill(number, ..) | At::Passing(number, _) => {
                Some(*number)
            }
        }
    }
}

impl Walk {
    /// The next piece and the rest of the way.
    async fn step(mut self) -> Result<Option<(Bytes, Walk)>, Failure> {
        if self.range.start >= self.range.end {
            return Ok(None);
        }
        for _ in 0..ATTEMPTS {
            let number = self.shared.slice_at(self.range.start);
            if self.at.number() != Some(number) {
                if let Some(following) = &self.following {
                    following.comes_to(number);
                }
                Box::pin(self.approach(number)).await?;
            }
            if self.ahead != Some(number) {
                self.ahead = Some(number);
                self.prefetch(number);
            }
            let slice = self.facts.numbered_span(number);
            let inside = self.range.start - slice.start..self.range.end.min(slice.end) - slice.start;
            let Some(bytes) = self.piece(number, inside).await? else { continue };
            self.range.start += bytes.len() as u64;
            return Ok(Some((bytes, self)));
        }
        Err(Failure::broken("it cannot be read"))
    }

    /// Which slices are still to be sent.
    fn slices(&self) -> Range<u32> {
        let end = self.shared.slice_at(self.range.end.saturating_sub(1)).saturating_add(1);
        self.shared.slice_at(self.range.start)..end
    }

    /// A piece of the slice we are at; `None`: look where it is now.
    async fn piece(&mut self, number: u32, inside: Range<u64>) -> Result<Option<Bytes>, Failure> {
        let counts = &self.shared.counts;
        if let At::Passing(_, body) = &mut self.at {
            let body = body.get_mut().unwrap_or_else(PoisonError::into_inner);
            let next = body.next().await.unwrap_or_else(|| Err(Failure::broken("it ends too early")));
            return next.inspect(|bytes| counts.bytes_fresh.add(bytes.len() as u64)).map(Some);
        }
        match &self.at {
            At::Nowhere | At::Passing(..) => Ok(None),
            At::Memory(_, bytes) => {
                let end = usize::try_from(inside.end).unwrap_or(usize::MAX).min(bytes.len());
                let start = usize::try_from(inside.start).unwrap_or(usize::MAX).min(end);
                counts.bytes_kept.add((end - start) as u64);
                Ok((start < end).then(|| bytes.slice(start..end)))
            }
            At::File(_, open) => {
                // Pieces end where buffers can be full.
                let length = open.piece();
                let end = (inside.start / length + 1) * length;
                let piece = inside.start..inside.end.min(end);
                let open = open.clone();
                self.read(number, (open, piece)).await
            }
            At::Fill(_, fill, settled) => {
                let is_alone = || Arc::strong_count(fill) as u64 <= self.shared.config.slice_size / PIECE;
                if *settled == Settled::No && fill.is_kept() && inside.end - inside.start > PIECE && is_alone() {
                    return self.settle(number, fill.clone()).await;
                }
                let read = match fill.read(inside.start).await {
                    // The origin broke off. What has come of other slices is kept, and this one may come another time.
                    Err(Failure::Broken(_)) if self.again != Some(number) => {
                        (self.again, self.at) = (Some(number), At::Nowhere);
                        return Ok(None);
                    }
                    read => read?,
                };
                let mut bytes = read.ok_or_else(|| Failure::broken("it ends too early"))?;
                bytes.truncate(usize::try_from(inside.end - inside.start).unwrap_or(usize::MAX));
                counts.bytes_fresh.add(bytes.len() as u64);
                Ok(Some(bytes))
            }
        }
    }

    async fn read(
        &mut self,
        number: u32,
        (open, piece): (Arc<OpenSlice>, Range<u64>),
    ) -> Result<Option<Bytes>, Failure> {
        let read = match open.read(piece.clone(), Patience::Now) {
            Err(Missing::Later) => {
                let open = open.clone();
                let reading = move || open.read(piece, Patience::Wait);
                tokio::task::spawn_blocking(reading).await.unwrap_or(Err(Missing::Absent))
            }
            read => read,
        };
        match read {
            Ok(bytes) => {
                self.shared.counts.bytes_kept.add(bytes.len() as u64);
                return Ok(Some(bytes));
            }
            Err(Missing::Failed(failure)) => self.shared.complain("a cached file cannot be read", &failure),
            Err(_) => {}
        }
        // Another reader may have found the damage already, and the slice may have come again.
        let id = self.key.slice(number);
        if self.shared.disk.is_same(id, &open) {
            self.shared.damaged(id).await;
        }
        self.at = At::Nowhere;
        Ok(None)
    }

    /// The slice is on the disk: a slow reader need not hold it in memory. (Where many read it, it takes less memory once
    /// than a piece of it for each.)
    async fn settle(&mut self, number: u32, fill: Arc<Fill>) -> Result<Option<Bytes>, Failure> {
        let stored = self.shared.look(&self.key, number).await;
        let same = stored.filter(|stored| stored.facts.version == self.facts.version);
        self.at = same.map_or(At::Fill(number, fill, Settled::Yes), At::from);
        Ok(None)
    }

    /// Finds a slice of the very version that was announced.
    async fn approach(&mut self, number: u32) -> Result<(), Failure> {
        let chain = self.upstream.chain();
        for _ in 0..ATTEMPTS {
            if let Some(stored) = self.shared.look(&self.key, number).await {
                if stored.facts.version == self.facts.version {
                    self.at = self.promoted(stored).await;
                    return Ok(());
                }
                if stored.facts.stamp > self.facts.stamp {
                    drop(self.shared.drop_older(&self.key, &stored.facts));
                    return Err(Failure::Changed);
                }
                self.shared.remove(vec![self.key.slice(number)]).await;
            }
            match self.shared.absences.find((self.key.hash(), &chain), now()) {
                Some(Why::Failed(failure, _)) => return Err(failure),
                Some(Why::Absent(_)) => return Err(Failure::Changed),
                Some(Why::Unkept) | None => {}
            }
            let fill = match self.errand(number).start(Reading::Goes).await {
                Coming::Ours(fill, following) | Coming::Theirs(fill, following) => {
                    self.following = Some(following);
                    fill
                }
                Coming::Look(following) => {
                    self.following = following.or(self.following.take());
                    continue;
                }
                Coming::Apart => {
                    self.at = At::Passing(number, Mutex::new(self.beside(number).await?));
                    return Ok(());
                }
            };
            let head = match fill.head().await {
                // It was refused to others.
                Err(_) if fill.run.chain != chain => continue,
                head => head?,
            };
            match head {
                Head::Slice(facts) if facts.version == self.facts.version => {
                    self.at = At::Fill(number, fill, Settled::No);
                    return Ok(());
                }
                Head::Slice(facts) => {
                    drop(self.shared.drop_older(&self.key, &facts));
                    return Err(Failure::Changed);
                }
                Head::Again | Head::Unchanged(_) => {}
                Head::Absent(_) | Head::Beyond | Head::Unkept => return Err(Failure::Changed),
            }
        }
        Err(Failure::Busy)
    }

    /// What is wanted of this slice, asked for on behalf of another edge while all turns are taken: who has them may wait
    /// for that edge.
    async fn beside(&self, number: u32) -> Result<BoxBody, Failure> {
        let wanted = self.range.start..self.range.end.min(self.facts.numbered_span(number).end);
        let passing = Passing::beside(&self.shared, (&self.key, &self.upstream), &self.facts);
        passing.exactly(wanted).await
    }

    /// For this slice, and those behind it that are wanted.
    fn errand(&self, number: u32) -> Errand {
        let (shared, key, upstream) = (self.shared.clone(), self.key.clone(), self.upstream.clone());
        Errand { shared, key, upstream, slices: number..self.slices().end.max(number + 1), copy: None }
    }

    /// What is used often is read whole, to be kept in memory.
    async fn promoted(&self, stored: Stored) -> At {
        let Content::Open(open) = &stored.content else { return At::from(stored) };
        let id = stored.facts.id(&self.key);
        if !self.shared.is_hot(id, open.len()) || self.shared.is_promoting(id) {
            return At::from(stored);
        }
        let (shared, key, kept, open) = (self.shared.clone(), self.key.clone(), stored.clone(), open.clone());
        let reading = move || shared.promote(&key, &kept, &open);
        match tokio::task::spawn_blocking(reading).await {
            Ok(Some(bytes)) => At::Memory(stored.facts.number, bytes),
            _ => At::from(stored),
        }
    }

    /// Has the next slice come while this one is sent, if nothing brings it yet.
    fn prefetch(&mut self, number: u32) {
        let Some(next) = number.checked_add(1) else { return };
        let is_coming = || self.following.as_ref().is_some_and(|following| following.run.comes_soon_to(next));
        if self.facts.numbered_span(next).start < self.range.end
            && !self.shared.index.contains(self.key.slice(next))
            && !is_coming()
            && let Some(turn) = self.shared.spare_turn()
        {
            self.following = self.errand(next).start_early(turn).or(self.following.take());
        }
    }
}
