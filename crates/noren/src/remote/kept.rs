//! Files that lie here already, so that nothing is fetched to make another version of them.

use super::Remote;
use super::make::spooled;
use super::source::Source;
use super::trouble::Trouble;
use crate::config::Mode;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use media::{Blob, Body, Key};
use tempfile::TempPath;
use tokio::io::AsyncReadExt as _;

/// Bytes that are read from a file at once.
const PIECE: usize = 64 * 1024;

type Pieces = BoxStream<'static, Result<Bytes, Trouble>>;

impl Remote {
    /// The file as its server has it: the copy of a mirror, or what the cache has. What cannot be read is fetched.
    pub(super) async fn kept(&self, source: &Source) -> Option<TempPath> {
        let whole = source.whole.as_deref()?;
        let pieces = match self.mirrored(whole).await {
            Some(pieces) => pieces,
            None => self.cached(whole).await?,
        };
        match spooled(pieces, &self.0.parts.store.spool()).await {
            Ok((file, _)) => Some(file),
            Err(error) => {
                tracing::debug!(%error, key = whole, "what is kept cannot be read");
                None
            }
        }
    }

    async fn mirrored(&self, key: &str) -> Option<Pieces> {
        let parts = &self.0.parts;
        let key = Key::parse(key).ok().filter(|_| parts.config.media.remote.mode == Mode::Mirror)?;
        let blob = parts.store.open(&key, 0).await.ok()??;
        Some(whole(blob))
    }

    async fn cached(&self, key: &str) -> Option<Pieces> {
        let object = self.0.edge.get()?.kept_own(key).await?;
        let end = object.length()?;
        Some(object.part(0..end).map_err(Trouble::Given).boxed())
    }
}

fn whole(blob: Blob) -> Pieces {
    match blob.body {
        Body::Bytes(bytes) => stream::once(async { Ok(bytes) }).boxed(),
        Body::Remote(remote) => remote.whole().map_err(Trouble::Disk).boxed(),
        Body::File(file) => stream::try_unfold(tokio::fs::File::from_std(file), |mut file| async move {
            let mut piece = Vec::with_capacity(PIECE);
            file.read_buf(&mut piece).await?;
            Ok((!piece.is_empty()).then(|| (Bytes::from(piece), file)))
        })
        .boxed(),
    }
}
