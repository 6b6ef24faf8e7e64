//! From bucket to bucket: inside of one the bytes do not travel, between two they go through this machine.

use super::compare::{There, have_same_bytes};
use super::there::Listing;
use super::{Copying, Equality, Outcome};
use crate::cli::output;
use crate::cli::storage::list::shown;
use anyhow::{anyhow, bail};
use futures_util::stream::{self, TryStreamExt as _};
use media::s3::{Bucket, COPY_MEMORY, Scope};
use std::collections::VecDeque;

/// Copies under way may hold so much, in MiB.
pub(super) const MEMORY: u32 = 128;

/// A bucket and how it is called on the command line.
#[derive(Clone, Copy)]
pub(super) struct Named<'a> {
    pub bucket: &'a Bucket,
    pub mark: &'static str,
}

/// From where to where.
#[derive(Clone, Copy)]
pub(super) struct Between<'a> {
    pub from: Named<'a>,
    pub to: Named<'a>,
}

impl Between<'_> {
    /// Both are the very same bucket of the command line.
    pub(super) fn is_inside(&self) -> bool {
        self.from.mark == self.to.mark
    }
}

impl Copying<'_> {
    pub(super) async fn one_over(&self, between: Between<'_>, from: &str, to: &str) -> anyhow::Result<()> {
        let name = from.rsplit('/').next().unwrap_or(from);
        let to = if to.is_empty() || to.ends_with('/') { format!("{to}{name}") } else { to.to_owned() };
        let found = between.from.bucket.head(from).await?;
        let found = found.ok_or_else(|| anyhow!("there is no object {from:?}; for all in a folder: --recursive"))?;
        self.tally.bar.set_length(found.total);
        let there = between.to.bucket.head(&to).await?.map(There::from);
        let outcome = self.over(between, (from, &There::from(found)), (&to, there)).await;
        self.tally.count(from, outcome)
    }

    /// Both are listed side by side: what is there already takes no request of its own.
    pub(super) async fn all_over(&self, between: Between<'_>, from: &str, to: &str) -> anyhow::Result<()> {
        let scope = Scope { prefix: from.to_owned(), limit: 1000, ..Scope::default() };
        let source = between.from.bucket;
        let state = (VecDeque::new(), Some(None), Listing::of(between.to.bucket, to));
        let found = stream::try_unfold(state, |(mut page, mut next, mut listing)| {
            let scope = &scope;
            async move {
                loop {
                    if let Some(found) = page.pop_front() {
                        let found: media::s3::Found = found;
                        let key = format!("{to}{}", &found.key[from.len()..]);
                        let there = listing.find(&key).await?;
                        return anyhow::Ok(Some(((found, key, there), (page, next, listing))));
                    }
                    let Some(after) = next else { return Ok(None) };
                    let listed = source.list(scope, after.as_ref()).await?;
                    self.tally.bar.inc_length(listed.objects.iter().map(|found| found.len).sum());
                    (page, next) = (listed.objects.into(), listed.next.map(Some));
                }
            }
        });
        let copies = found.map_ok(async |(found, key, there)| {
            let name = found.key.clone();
            let outcome = self.over(between, (&name, &There::from(found)), (&key, there)).await;
            self.tally.count(&shown(&name), outcome)
        });
        copies.try_buffer_unordered(self.parallel).try_collect::<()>().await
    }

    async fn over(
        &self,
        between: Between<'_>,
        (from, found): (&str, &There),
        (to, there): (&str, Option<There>),
    ) -> anyhow::Result<Outcome> {
        let Between { from: source, to: target } = between;
        if let Some(there) = &there {
            let (one, other) = ((source.bucket, (from, found)), (target.bucket, (to, there)));
            if self.are_same_objects(one, other).await? {
                return Ok(Outcome::Same(found.len));
            }
            if !self.overwrite {
                return Ok(Outcome::Differs(found.len));
            }
        }
        if self.dry_run {
            output::line(format_args!("would copy {}{} to {}{}", source.mark, shown(from), target.mark, shown(to)));
            return Ok(Outcome::Copied(found.len));
        }
        if between.is_inside() {
            return Ok(match target.bucket.copy(from, to).await {
                Err(media::s3::Error::NoObject) => Outcome::Vanished,
                copied => Outcome::Copied(copied?.total),
            });
        }
        // The marker of a folder that some programs make is an object like others here.
        let mebibytes = found.len.min(COPY_MEMORY).div_ceil(1024 * 1024).max(1);
        let _room = self.memory.acquire_many(u32::try_from(mebibytes)?.min(MEMORY)).await?;
        let copied = target.bucket.copy_from((source.bucket, from), to).await?;
        let Some((meta, stored)) = copied else { return Ok(Outcome::Vanished) };
        // Who removes an object removes it last from where it is copied: the copy must not outlive it.
        if source.bucket.head(from).await?.is_none() {
            target.bucket.delete(to).await?;
            return Ok(Outcome::Vanished);
        }
        if !stored.is_proven() && self.equality != Equality::Lengths {
            let (one, other) = (source.bucket.get(from, None).await?, target.bucket.get(to, None).await?);
            let (Some(one), Some(other)) = (one, other) else { return Ok(Outcome::Vanished) };
            if !have_same_bytes(one, other).await? {
                bail!("it did not arrive as it was sent");
            }
        }
        Ok(Outcome::Copied(meta.total))
    }
}
