//! Files that are shown smaller than they are: fetched whole, then made in the pool of decoders.

use super::carry::{Pieces, pieces};
use super::source::{Asking, Base, Family, Make, Source};
use super::trouble::{Trouble, broken};
use super::{GOOD, Remote};
use bytes::Bytes;
use domain::media::{Seen, Shape};
use edge::cache::{Failure, Meta, Reply};
use federation::fetch::Ask;
use futures_util::stream::{self, Stream};
use futures_util::{StreamExt as _, TryStreamExt as _};
use media::keys::Style;
use media::{Content, Limits, Output, Role, Size};
use std::path::Path;
use std::pin::pin;
use tempfile::{NamedTempFile, TempPath};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Bytes that are read from a file at once.
const PIECE: usize = 64 * 1024;
/// Pixels of what is shown in place of an emoji that cannot be kept as it is.
const EMOJI_PIXELS: u64 = 128 * 128;

/// What was made of a file, and what was found out about it.
struct Made {
    output: Output,
    seen: Option<(Size, String)>,
}

impl Remote {
    /// The version that is asked for, made from what is fetched now.
    pub(super) async fn made(&self, source: &Source) -> Result<Reply, Trouble> {
        let parts = &self.0.parts;
        let file = match self.kept(source).await {
            Some(file) => file,
            None => self.fetched(source).await?,
        };
        let most = parts.config.media.remote.image_size.0;
        let limits = Limits { max_bytes: most, ..parts.config.media.limits() };
        let make = source.make;
        let made = parts.pool.run(move || version(&file, make, &limits)).await?;
        self.tell(source.asking, &made).await;
        let meta = Meta {
            content_type: Some(made.output.format.content_type().to_owned()),
            total: Some(made.output.bytes),
            etag: Some(source.etag()),
            fresh_for: Some(GOOD),
            ..Meta::default()
        };
        Ok(Reply { status: 200, meta, body: streamed(made.output.content) })
    }

    async fn fetched(&self, source: &Source) -> Result<TempPath, Trouble> {
        self.may_ask(source)?;
        let (parts, bounds) = (&self.0.parts, self.bounds(Family::Picture));
        let reply = parts.federation.files.open(&Ask::foreign(&source.url, "image/*", bounds)).await?;
        let (file, _) = spooled(pieces(reply.body).map_err(Trouble::from), &parts.store.spool()).await?;
        Ok(file)
    }

    /// Whoever asked for it is shown it in any case.
    async fn tell(&self, asking: Asking, made: &Made) {
        let Some((original, blurhash)) = made.seen.clone() else { return };
        let (db, small) = (&self.0.parts.db, made.output.size);
        let shape = |size: Size| Shape { width: size.width, height: size.height };
        let told = match asking {
            Asking::Nobody => Ok(()),
            Asking::Attachment(id, base) => {
                let original = (base == Base::Itself).then(|| shape(original));
                domain::media::describe(db, id, Seen { original, small: shape(small), blurhash }).await
            }
            Asking::Card(id) => domain::cards::describe(db, id, (small.width, small.height), blurhash).await,
        };
        if let Err(error) = told {
            tracing::warn!(error = format!("{error:#}"), "cannot write down what a picture is");
        }
    }
}

fn version(file: &Path, make: Make, limits: &Limits) -> media::Result<Made> {
    match make {
        Make::Picture(Role::Emoji, style) => match media::fit(file, Role::Emoji, limits) {
            Err(media::Error::Input(_)) => small(file, &Limits { small_pixels: EMOJI_PIXELS, ..limits.clone() }),
            fitted => Ok(Made { output: chosen(fitted?, style), seen: None }),
        },
        Make::Picture(role, style) => Ok(Made { output: chosen(media::fit(file, role, limits)?, style), seen: None }),
        Make::Small | Make::Original(_) => small(file, limits),
    }
}

fn chosen(fitted: media::Fitted, style: Style) -> Output {
    match (style, fitted.still) {
        (Style::Static, Some(still)) => still,
        _ => fitted.original,
    }
}

fn small(file: &Path, limits: &Limits) -> media::Result<Made> {
    // The original is not wanted: no work goes into bringing it down.
    let limits = Limits { original_pixels: limits.max_pixels, ..limits.clone() };
    let made = media::process(file, &limits)?;
    Ok(Made { seen: Some((made.original.size, made.blurhash)), output: made.small })
}

/// A file in the spool with all of it, and its length.
pub(super) async fn spooled(
    incoming: impl Stream<Item = Result<Bytes, Trouble>>,
    spool: &Path,
) -> Result<(TempPath, u64), Trouble> {
    let (file, path) = NamedTempFile::new_in(spool)?.into_parts();
    let (mut file, mut length) = (tokio::fs::File::from_std(file), 0);
    let mut incoming = pin!(incoming);
    while let Some(piece) = incoming.try_next().await? {
        length += piece.len() as u64;
        file.write_all(&piece).await?;
    }
    file.flush().await?;
    Ok((path, length))
}

/// The bytes of what was made; its file goes with the last of them.
pub(super) fn streamed(content: Content) -> Pieces {
    let path = match content {
        Content::Bytes(bytes) => return stream::once(async { Ok(bytes) }).boxed(),
        Content::File(path) => path,
    };
    let opening = async move {
        let file = tokio::fs::File::open(&path).await.map_err(broken)?;
        Ok::<_, Failure>(stream::try_unfold((file, path), |(mut file, path)| async move {
            let mut piece = Vec::with_capacity(PIECE);
            file.read_buf(&mut piece).await.map_err(broken)?;
            Ok((!piece.is_empty()).then(|| (Bytes::from(piece), (file, path))))
        }))
    };
    stream::once(opening).try_flatten().boxed()
}
