//! Objects that go through without being kept: because somebody says so, or because nobody says how long they are.

use super::facts::{Asked, Facts, Version};
use super::fetch::BoxBody;
use super::object::{First, How, Object};
use super::shared::Shared;
use super::upstream::{Failure, Reply, TO_THE_END, Upstream, Want};
use super::{Cache, ObjectKey};
use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use std::future::ready;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// An answer of the origin that belongs to one request.
pub(super) struct Passing {
    key: ObjectKey,
    upstream: Arc<dyn Upstream>,
    stall: Duration,
    pub(super) total: Option<u64>,
    asked: Asked,
    version: Version,
    /// Where the body begins, and the body until somebody takes it.
    body: Mutex<Option<(u64, BoxBody)>>,
}

impl Cache {
    /// As [`Cache::object`], but the origin is asked for this request alone, and nothing is kept.
    pub async fn pass(
        &self,
        key: &ObjectKey,
        upstream: &Arc<dyn Upstream>,
        hint: Option<Range<u64>>,
    ) -> Result<Object, Failure> {
        let stall = self.shared.config.stall;
        let whole = 0..TO_THE_END;
        let slice = hint.filter(|hint| hint.start < hint.end).unwrap_or_else(|| whole.clone());
        let mut reply = ask((key, upstream), slice.clone(), stall).await;
        if slice != whole && matches!(&reply, Ok(Reply { status: 416, .. }) | Err(Failure::Refused(416))) {
            reply = ask((key, upstream), whole, stall).await;
        }
        let reply = match reply {
            Err(Failure::Refused(status @ (404 | 410))) | Ok(Reply { status: status @ (404 | 410), .. }) => {
                return Ok(self.absent(key, upstream, (status, How::Bypass)));
            }
            reply => reply?,
        };
        let asked = Asked { number: 0, slice_size: self.shared.config.slice_size, stamp: self.shared.purges.moment() };
        let total = reply.meta.total;
        let (status, known) = match reply.status {
            200 | 206 => (200, total.unwrap_or_default()),
            301 | 302 | 307 | 308 if reply.meta.location.is_some() => (reply.status, 0),
            status => return Err(Failure::Refused(status)),
        };
        let facts = Arc::new(Facts::new(asked, status, (&reply.meta, known)));
        let first = match status {
            200 => {
                let start = if reply.status == 206 { reply.meta.start } else { 0 };
                let body = Mutex::new(Some((start, reply.body)));
                let (key, upstream, version) = (key.clone(), upstream.clone(), facts.version);
                First::Passing(Arc::new(Passing { key, upstream, stall, total, asked, version, body }))
            }
            _ => First::Nothing,
        };
        Ok(Object { unkept: reply.meta.unkept, ..self.answer(key, upstream, (facts, How::Bypass, first)) })
    }
}

async fn ask(
    (key, upstream): (&ObjectKey, &Arc<dyn Upstream>),
    slice: Range<u64>,
    stall: Duration,
) -> Result<Reply, Failure> {
    let asking = upstream.fetch(key, Want { slice, validators: None, has_copy: false });
    tokio::time::timeout(stall.max(upstream.patience()), asking).await.map_err(|_| Failure::TimedOut)?
}

impl Passing {
    /// For a part of an object that is known.
    pub(super) fn beside(
        shared: &Shared,
        (key, upstream): (&ObjectKey, &Arc<dyn Upstream>),
        facts: &Facts,
    ) -> Arc<Passing> {
        let asked = Asked { number: 0, slice_size: facts.slice_size, stamp: facts.stamp };
        let (key, upstream, stall) = (key.clone(), upstream.clone(), shared.config.stall);
        let (total, version) = (Some(facts.total), facts.version);
        Arc::new(Passing { key, upstream, stall, total, asked, version, body: Mutex::default() })
    }

    /// A part of the very version that is known.
    pub(super) async fn exactly(self: Arc<Passing>, range: Range<u64>) -> Result<BoxBody, Failure> {
        let (version, start, body) = self.again(range.clone()).await?;
        if version != self.version {
            return Err(Failure::Changed);
        }
        *self.body() = Some((start, body));
        Ok(self.part(range))
    }

    fn body(&self) -> MutexGuard<'_, Option<(u64, BoxBody)>> {
        self.body.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From the answer that there is, if it begins early enough and was not taken; else from another one.
    pub(super) fn part(self: &Arc<Passing>, range: Range<u64>) -> BoxStream<'static, Result<Bytes, Failure>> {
        let taken = self.body().take_if(|(start, _)| *start <= range.start);
        let passing = self.clone();
        let opening = async move {
            let (start, body) = match taken {
                Some(taken) => taken,
                None => {
                    let (_, start, body) = passing.again(range.clone()).await?;
                    (start, body)
                }
            };
            let is_measured = passing.total.is_some() && range.end != TO_THE_END;
            let ends = if is_measured { Ends::Measured } else { Ends::Anywhere };
            let skip = range.start - start.min(range.start);
            let cut = Cut { passing, body, skip, range, ends, broke: None };
            let next = |mut cut: Cut| async move { Ok::<_, Failure>(cut.next().await?.map(|bytes| (bytes, cut))) };
            Ok::<_, Failure>(stream::try_unfold(cut, next))
        };
        stream::once(opening).try_flatten().boxed()
    }

    /// The first bytes. They stay where they are for whoever takes them afterwards.
    pub(super) fn beginning(self: &Arc<Passing>, end: u64) -> BoxStream<'static, Result<Bytes, Failure>> {
        let taken = self.body().take_if(|(start, _)| *start == 0);
        let Some((_, mut body)) = taken else { return self.part(0..end) };
        let passing = self.clone();
        let looking = async move {
            let mut seen = BytesMut::new();
            while (seen.len() as u64) < end {
                let Some(bytes) = passing.next(&mut body).await? else { break };
                seen.extend_from_slice(&bytes);
            }
            let seen = seen.freeze();
            let whole = stream::once(ready(Ok(seen.clone()))).chain(body).boxed();
            *passing.body() = Some((0, whole));
            Ok::<_, Failure>(seen.slice(..seen.len().min(usize::try_from(end).unwrap_or(usize::MAX))))
        };
        stream::once(looking).boxed()
    }

    /// The next bytes; never for longer than an origin may be silent.
    async fn next(&self, body: &mut BoxBody) -> Result<Option<Bytes>, Failure> {
        tokio::time::timeout(self.stall, body.next()).await.map_err(|_| Failure::TimedOut)?.transpose()
    }

    /// A part from another answer: of which version it is, where it begins, and its bytes.
    async fn again(&self, range: Range<u64>) -> Result<(Version, u64, BoxBody), Failure> {
        let reply = ask((&self.key, &self.upstream), range.clone(), self.stall).await?;
        let start = match reply.status {
            200 => 0,
            206 if reply.meta.start <= range.start => reply.meta.start,
            status => return Err(Failure::Refused(status)),
        };
        let total = reply.meta.total.or(self.total).unwrap_or_default();
        let facts = Facts::new(self.asked, 200, (&reply.meta, total));
        Ok((facts.version, start, reply.body))
    }
}

/// A body of which a part is wanted.
struct Cut {
    passing: Arc<Passing>,
    body: BoxBody,
    /// What comes before it.
    skip: u64,
    /// What is still wanted.
    range: Range<u64>,
    ends: Ends,
    /// Where it broke off and was asked for again.
    broke: Option<u64>,
}

/// Where a body may end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// Where it was said.
    Measured,
    Anywhere,
}

impl Cut {
    async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        while self.range.start < self.range.end {
            let next = match self.passing.next(&mut self.body).await {
                Ok(None) if self.ends == Ends::Measured => Err(Failure::broken("it ends too early")),
                next => next,
            };
            let mut bytes = match next {
                Ok(Some(bytes)) => bytes,
                Ok(None) => return Ok(None),
                Err(failure) => {
                    self.go_on(failure).await?;
                    continue;
                }
            };
            let skipped = self.skip.min(bytes.len() as u64);
            bytes = bytes.split_off(usize::try_from(skipped).unwrap_or(bytes.len()));
            self.skip -= skipped;
            bytes.truncate(usize::try_from(self.range.end - self.range.start).unwrap_or(usize::MAX));
            if !bytes.is_empty() {
                self.range.start += bytes.len() as u64;
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    /// Asks once more for what is lacking, if the origin only broke off: another one may have it.
    async fn go_on(&mut self, failure: Failure) -> Result<(), Failure> {
        let is_worth_it = matches!(failure, Failure::Broken(_)) && self.ends == Ends::Measured;
        if !is_worth_it || self.broke == Some(self.range.start) {
            return Err(failure);
        }
        self.broke = Some(self.range.start);
        let (version, start, body) = self.passing.again(self.range.clone()).await?;
        if version != self.passing.version {
            return Err(Failure::Changed);
        }
        (self.body, self.skip) = (body, self.range.start - start);
        Ok(())
    }
}
