//! From one name in the bucket to another: the bytes do not travel.

use super::{Copying, Outcome};
use crate::cli::output;
use crate::cli::storage::list::shown;
use crate::cli::storage::place::BUCKET;
use anyhow::anyhow;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use media::s3::Scope;

impl Copying<'_> {
    pub(super) async fn one_inside(&self, from: &str, to: &str) -> anyhow::Result<()> {
        let name = from.rsplit('/').next().unwrap_or(from);
        let to = if to.is_empty() || to.ends_with('/') { format!("{to}{name}") } else { to.to_owned() };
        if self.bucket.head(from).await?.is_none() {
            return Err(anyhow!("there is no object {from:?}; for all in a folder: --recursive"));
        }
        let outcome = self.over(from, &to).await;
        self.tally.count(from, outcome)
    }

    pub(super) async fn all_inside(&self, from: &str, to: &str) -> anyhow::Result<()> {
        let scope = Scope { prefix: from.to_owned(), limit: 1000, ..Scope::default() };
        let mut next = None;
        loop {
            let page = self.bucket.list(&scope, next.as_ref()).await?;
            self.tally.bar.inc_length(page.objects.iter().map(|found| found.len).sum());
            let copies = page.objects.iter().map(|found| async {
                let outcome = self.over(&found.key, &format!("{to}{}", &found.key[from.len()..])).await;
                self.tally.count(&shown(&found.key), outcome)
            });
            stream::iter(copies).buffer_unordered(self.parallel).try_collect::<()>().await?;
            next = page.next;
            if next.is_none() {
                return Ok(());
            }
        }
    }

    /// The ETag of a copy that was made in parts is another one: such a copy is said to differ.
    async fn over(&self, from: &str, to: &str) -> anyhow::Result<Outcome> {
        let Some(meta) = self.bucket.head(from).await? else { return Ok(Outcome::Vanished) };
        if let Some(there) = self.bucket.head(to).await? {
            let same =
                there.total == meta.total && (self.size_only || (there.etag.is_some() && there.etag == meta.etag));
            if same {
                return Ok(Outcome::Same(meta.total));
            }
            if !self.overwrite {
                return Ok(Outcome::Differs(meta.total));
            }
        }
        if self.dry_run {
            output::line(format_args!("would copy {BUCKET}{} to {BUCKET}{}", shown(from), shown(to)));
        } else {
            self.bucket.copy(from, to).await?;
        }
        Ok(Outcome::Copied(meta.total))
    }
}
