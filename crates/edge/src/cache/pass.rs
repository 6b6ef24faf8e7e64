//! Objects that go through without being kept: because somebody says so, or because nobody says how long they are.

use super::facts::{Asked, Facts};
use super::fetch::BoxBody;
use super::object::{First, How, Object};
use super::upstream::{Failure, Reply, TO_THE_END, Upstream, Want};
use super::{Cache, ObjectKey};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// An answer of the origin that belongs to one request.
pub(super) struct Passing {
    key: ObjectKey,
    upstream: Arc<dyn Upstream>,
    stall: Duration,
    pub(super) total: Option<u64>,
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
        let first = match reply.status {
            200 | 206 => {
                let start = if reply.status == 206 { reply.meta.start } else { 0 };
                let body = Mutex::new(Some((start, reply.body)));
                let (key, upstream) = (key.clone(), upstream.clone());
                First::Passing(Arc::new(Passing { key, upstream, stall, total, body }))
            }
            301 | 302 | 307 | 308 if reply.meta.location.is_some() => First::Nothing,
            status => return Err(Failure::Refused(status)),
        };
        let (status, total) = match first {
            First::Passing(_) => (200, total.unwrap_or_default()),
            _ => (reply.status, 0),
        };
        let facts = Arc::new(Facts::new(asked, status, (&reply.meta, total)));
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
    /// From the answer that there is, if it begins early enough and was not taken; else from another one.
    pub(super) fn part(self: &Arc<Passing>, range: Range<u64>) -> BoxStream<'static, Result<Bytes, Failure>> {
        let mut body = self.body.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = body.take_if(|(start, _)| *start <= range.start);
        drop(body);
        let passing = self.clone();
        let opening = async move {
            let (start, body) = match taken {
                Some(taken) => taken,
                None => passing.again(range.clone()).await?,
            };
            let cut = Cut { body, skip: range.start - start.min(range.start), left: range.end - range.start };
            let is_measured = passing.total.is_some() && range.end != TO_THE_END;
            Ok::<_, Failure>(cut.stream(passing.stall, if is_measured { Ends::Measured } else { Ends::Anywhere }))
        };
        stream::once(opening)
            .flat_map(|opened| match opened {
                Ok(stream) => stream,
                Err(failure) => stream::once(async { Err(failure) }).boxed(),
            })
            .boxed()
    }

    async fn again(&self, range: Range<u64>) -> Result<(u64, BoxBody), Failure> {
        let reply = ask((&self.key, &self.upstream), range.clone(), self.stall).await?;
        match reply.status {
            200 => Ok((0, reply.body)),
            206 if reply.meta.start <= range.start => Ok((reply.meta.start, reply.body)),
            status => Err(Failure::Refused(status)),
        }
    }
}

/// A body of which a part is wanted.
struct Cut {
    body: BoxBody,
    skip: u64,
    left: u64,
}

/// Where a body may end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// Where it was said.
    Measured,
    Anywhere,
}

impl Cut {
    fn stream(self, stall: Duration, ends: Ends) -> BoxStream<'static, Result<Bytes, Failure>> {
        stream::try_unfold(self, move |mut cut| async move {
            while cut.left > 0 {
                let next = tokio::time::timeout(stall, cut.body.next()).await.map_err(|_| Failure::TimedOut)?;
                let Some(mut bytes) = next.transpose()? else {
                    let is_early = ends == Ends::Measured;
                    return if is_early { Err(Failure::broken("it ends too early")) } else { Ok(None) };
                };
                let skipped = cut.skip.min(bytes.len() as u64);
                bytes = bytes.split_off(usize::try_from(skipped).unwrap_or(bytes.len()));
                cut.skip -= skipped;
                bytes.truncate(usize::try_from(cut.left).unwrap_or(usize::MAX));
                if !bytes.is_empty() {
                    cut.left -= bytes.len() as u64;
                    return Ok(Some((bytes, cut)));
                }
            }
            Ok(None)
        })
        .boxed()
    }
}
