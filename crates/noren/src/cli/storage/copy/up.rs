//! From this machine into the bucket.

use super::compare::{Direction, There};
use super::there::Listing;
use super::{Copying, Equality, Outcome};
use crate::cli::output;
use crate::cli::storage::files::{self, Walk};
use crate::cli::storage::list::shown;
use crate::cli::storage::place::BUCKET;
use anyhow::{Context as _, bail};
use futures_util::stream::{self, TryStreamExt as _};
use media::s3::{Headers, Source};
use std::io::ErrorKind;
use std::path::Path;

/// Shorter files are read once: what is sent is what the checksum is of.
const SHORT: u64 = 1024 * 1024;

impl Copying<'_> {
    pub(super) async fn one_up(&self, from: &Path, to: &str) -> anyhow::Result<()> {
        let place = || from.display().to_string();
        let meta = tokio::fs::metadata(from).await.with_context(place)?;
        if meta.is_dir() {
            bail!("{} is a folder: say --recursive", from.display());
        }
        self.tally.bar.set_length(meta.len());
        let there = self.bucket.head(to).await?.map(There::from);
        let outcome = self.up(from, to, there).await;
        self.tally.count(&place(), outcome)
    }

    pub(super) async fn all_up(&self, from: &Path, to: &str) -> anyhow::Result<()> {
        let to = if to.is_empty() || to.ends_with('/') { to.to_owned() } else { format!("{to}/") };
        // What cannot be read is told before anything is copied.
        let sum = files::sum(from)?;
        self.tally.bar.set_length(sum.bytes);
        if sum.others > 0 {
            let all = if sum.others == 1 { "1 link is".to_owned() } else { format!("{} links are", sum.others) };
            output::note(format_args!("{all} left out: what they lead to may be anywhere"));
        }
        let state = (Walk::below(from)?, Listing::of(self.bucket, &to));
        let found = stream::try_unfold(state, |(mut walk, mut listing)| {
            let to = &to;
            async move {
                let Some(file) = walk.next().transpose()? else { return anyhow::Ok(None) };
                let key = format!("{to}{}", file.name);
                let there = listing.find(&key).await?;
                Ok(Some(((file.name, key, there), (walk, listing))))
            }
        });
        let copies = found.map_ok(async |(name, key, there)| {
            let outcome = self.up(&from.join(&name), &key, there).await;
            self.tally.count(&name, outcome)
        });
        copies.try_buffer_unordered(self.parallel).try_collect::<()>().await
    }

    async fn up(&self, from: &Path, to: &str, there: Option<There>) -> anyhow::Result<Outcome> {
        let length = match tokio::fs::metadata(from).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Outcome::Vanished),
            meta => meta?.len(),
        };
        if let Some(there) = &there {
            if self.are_same(from, (to, there), Direction::Up).await? {
                return Ok(Outcome::Same(length));
            }
            if !self.overwrite {
                return Ok(Outcome::Differs(length));
            }
        }
        if self.dry_run {
            output::line(format_args!("would copy {} to {BUCKET}{}", from.display(), shown(to)));
            return Ok(Outcome::Copied(length));
        }
        let source = match length {
            0..=SHORT => Source::Bytes(tokio::fs::read(from).await?.into()),
            _ => Source::open(from).await?,
        };
        let stored = self.bucket.put_checked(to, &source, &headers(from)).await?;
        // Who removes a file removes it here last, from where it is copied: the copy must not outlive it.
        if !tokio::fs::try_exists(from).await? {
            self.bucket.delete(to).await?;
            return Ok(Outcome::Vanished);
        }
        if !stored.is_proven() && self.equality != Equality::Lengths && !self.have_same_bytes(from, to).await? {
            bail!("it did not arrive as it was sent");
        }
        Ok(Outcome::Copied(length))
    }
}

fn headers(from: &Path) -> Headers {
    let extension = from.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let content_type = media::content_type(extension).unwrap_or("application/octet-stream");
    let cache_control = "public, max-age=31536000, immutable";
    Headers { content_type: Some(content_type.into()), cache_control: Some(cache_control.into()) }
}
