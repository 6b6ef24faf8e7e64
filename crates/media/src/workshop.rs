//! From a file that came in to objects in the store: processing, naming and keeping in one go.

use crate::keys::{self, Kind, Origin, Style, random_hex};
use crate::{Body, Error, Fault, Format, Key, Limits, Output, Pool, Processed, Remote, Result, Role, Size, Store};
use futures_util::TryStreamExt as _;
use std::fs::File;
use std::io::{self, Seek};
use std::path::Path;
use tempfile::{NamedTempFile, TempPath};
use tokio::io::AsyncWriteExt as _;

/// Where uploads wait to be processed. They still have their metadata: nothing below is ever to be served.
pub const UPLOADS: &str = "uploads/";
/// Objects of up to this many bytes are read at once.
const INLINE: u64 = 64 * 1024;

/// What it takes to work at pictures. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Workshop {
    /// Where they are kept.
    pub store: Store,
    /// How many are worked at.
    pub pool: Pool,
    /// What they may be, and what they become.
    pub limits: Limits,
}

/// A picture that lies in the store.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its name.
    pub key: Key,
    /// Its format.
    pub format: Format,
    /// As shown.
    pub size: Size,
    /// Length in bytes.
    pub bytes: u64,
}

/// An attachment that lies in the store.
#[derive(Debug, Clone)]
pub struct StoredAttachment {
    /// As it is shown in full.
    pub original: Stored,
    /// The preview.
    pub small: Stored,
    /// Of the preview. <https://github.com/woltapp/blurhash>
    pub blurhash: String,
}

/// A picture that lies in the store in its role.
#[derive(Debug, Clone)]
pub struct StoredPicture {
    /// As it is shown.
    pub original: Stored,
    /// The version that does not move, when the original does; always with emoji.
    pub still: Option<Stored>,
}

/// The name under which an upload waits: `uploads/`, the id, and 32 digits that nobody can guess.
pub fn upload_key(id: i64) -> Key {
    Key::built(format!("{UPLOADS}{}-{}", id.unsigned_abs(), random_hex::<16>()))
}

/// The id in a name that [`upload_key`] made.
pub fn upload_id(key: &Key) -> Option<i64> {
    let (id, _) = key.as_str().strip_prefix(UPLOADS)?.split_once('-')?;
    id.parse().ok()
}

/// The stem of the names of what is made of an upload: made again, it takes the place of what was made before.
/// Of the upload's own name it tells too little to guess it.
fn stem_of(upload: &Key) -> Option<&str> {
    let (_, digits) = upload.as_str().strip_prefix(UPLOADS)?.split_once('-')?;
    digits.get(..16)
}

impl Workshop {
    /// Makes the versions of an attachment from a file in [`Store::spool`] and stores them.
    pub async fn attachment(&self, id: i64, file: TempPath) -> Result<StoredAttachment> {
        self.make_attachment((id, &random_hex::<8>()), file).await
    }

    /// The same from an upload in the store; `None` when there is no such object. It is left where it is.
    /// Doing it again replaces what was made before.
    pub async fn stored_upload(&self, id: i64, upload: &Key) -> Result<Option<StoredAttachment>> {
        let Some(file) = self.checked_out(upload).await? else { return Ok(None) };
        let stem = stem_of(upload).map_or_else(random_hex::<8>, str::to_owned);
        self.make_attachment((id, &stem), file).await.map(Some)
    }

    async fn make_attachment(&self, (id, stem): (i64, &str), file: TempPath) -> Result<StoredAttachment> {
        let limits = self.limits.clone();
        let made = self.pool.run(move || crate::process(&file, &limits)).await?;
        let Processed { original, small, blurhash, .. } = made;
        // Side by side: each waits for the disk.
        let (original, small) = tokio::join!(
            self.keep((Kind::Attachment, id), (Style::Original, stem), original),
            self.keep((Kind::Attachment, id), (Style::Small, stem), small),
        );
        let (original, small) = self.both(original, small).await?;
        Ok(StoredAttachment { original, small, blurhash })
    }

    /// Makes a preview that somebody chose for attachment `id`, and stores it.
    pub async fn thumbnail(&self, id: i64, file: TempPath) -> Result<(Stored, String)> {
        // The original is not wanted: no work goes into bringing it down.
        let limits = Limits { original_pixels: self.limits.max_pixels, ..self.limits.clone() };
        let made = self.pool.run(move || crate::process(&file, &limits)).await?;
        let stored = self.keep((Kind::Thumbnail, id), (Style::Original, &random_hex::<8>()), made.small).await?;
        Ok((stored, made.blurhash))
    }

    /// Makes a picture fit for its role and stores it under account or emoji `id`.
    pub async fn picture(&self, role: Role, id: i64, file: TempPath) -> Result<StoredPicture> {
        let limits = self.limits.clone();
        let made = self.pool.run(move || crate::fit(&file, role, &limits)).await?;
        let kind = match role {
            Role::Avatar => Kind::Avatar,
            Role::Header => Kind::Header,
            Role::Emoji => Kind::Emoji,
        };
        let stem = random_hex::<8>();
        let original = self.keep((kind, id), (Style::Original, &stem), made.original).await?;
        let Some(still) = made.still else { return Ok(StoredPicture { original, still: None }) };
        let still = self.keep((kind, id), (Style::Static, &stem), still).await;
        let (original, still) = self.both(Ok(original), still).await?;
        Ok(StoredPicture { original, still: Some(still) })
    }

    async fn keep(&self, (kind, id): (Kind, i64), (style, stem): (Style, &str), output: Output) -> Result<Stored> {
        let name = format!("{stem}.{}", output.format.extension());
        let key = keys::key((Origin::Local, kind), id, style, &name);
        let key = key.ok_or_else(|| Error::Storage(io::Error::other("a name that cannot be stored")))?;
        self.store.put(&key, output.content).await?;
        Ok(Stored { key, format: output.format, size: output.size, bytes: output.bytes })
    }

    /// Both or none: what was stored while the other failed is taken away.
    async fn both(&self, a: Result<Stored>, b: Result<Stored>) -> Result<(Stored, Stored)> {
        match (a, b) {
            (Ok(a), Ok(b)) => Ok((a, b)),
            (Ok(stored), Err(failure)) | (Err(failure), Ok(stored)) => {
                self.discard(&stored.key).await;
                Err(failure)
            }
            (Err(failure), Err(_)) => Err(failure),
        }
    }

    /// Removes an object that is not needed after all; a failure is no more than a line in the log.
    pub async fn discard(&self, key: &Key) {
        if let Err(failure) = self.store.delete(key).await {
            tracing::warn!(%failure, %key, "a file stays behind");
        }
    }

    /// A copy in the spool.
    async fn checked_out(&self, key: &Key) -> Result<Option<TempPath>> {
        let Some(blob) = self.store.open(key, INLINE).await? else { return Ok(None) };
        let spool = self.store.spool();
        if let Body::Remote(remote) = blob.body {
            return fetch(remote, &spool).await.map(Some).map_err(Error::Storage);
        }
        let copied = tokio::task::spawn_blocking(move || copy(blob.body, &spool)).await;
        copied.map_err(io::Error::other).and_then(|result| result).map(Some).map_err(Error::Storage)
    }
}

async fn fetch(remote: Remote, spool: &Path) -> io::Result<TempPath> {
    let (file, path) = NamedTempFile::new_in(spool)?.into_parts();
    let mut file = tokio::fs::File::from_std(file);
    let mut whole = remote.whole();
    while let Some(chunk) = whole.try_next().await? {
        file.write_all(&chunk).await?;
    }
    file.flush().await?;
    Ok(path)
}

fn copy(body: Body, spool: &Path) -> io::Result<TempPath> {
    let mut file = NamedTempFile::new_in(spool)?;
    match body {
        Body::Bytes(bytes) => io::Write::write_all(&mut file, &bytes)?,
        Body::File(mut from) => {
            from.rewind()?;
            let to: &mut File = file.as_file_mut();
            io::copy(&mut from, to)?;
        }
        Body::Remote(_) => return Err(io::Error::other("what lies elsewhere has to be fetched")),
    }
    Ok(file.into_temp_path())
}

impl Fault {
    /// Sentences about the picture that is called `name` in them, such as "File" or "Avatar".
    pub fn sentences(&self, name: &str) -> Vec<String> {
        match self {
            Fault::ContentType | Fault::Undecodable(_) => {
                vec![format!("{name} content type is invalid"), format!("{name} is invalid")]
            }
            other => {
                let text = other.to_string();
                vec![text.strip_prefix("File").map_or_else(|| text.clone(), |rest| format!("{name}{rest}"))]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Content;
    use crate::samples::{self, quarters};

    fn workshop() -> (tempfile::TempDir, Workshop) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::disk(folder.path().join("media")).unwrap();
        (folder, Workshop { store, pool: Pool::default(), limits: Limits::default() })
    }

    fn spooled(workshop: &Workshop, bytes: &[u8]) -> TempPath {
        let mut file = NamedTempFile::new_in(workshop.store.spool()).unwrap();
        io::Write::write_all(&mut file, bytes).unwrap();
        file.into_temp_path()
    }

    fn nothing_spooled(workshop: &Workshop) -> bool {
        std::fs::read_dir(workshop.store.spool()).unwrap().count() == 0
    }

    #[tokio::test]
    async fn uploads_can_be_processed_twice() {
        let (_folder, workshop) = workshop();
        let upload = upload_key(7);
        assert_eq!(upload_id(&upload), Some(7));
        assert!(workshop.stored_upload(7, &upload).await.unwrap().is_none());
        let photograph = samples::jpeg(&quarters(900, 700));
        workshop.store.put(&upload, Content::Bytes(photograph.into())).await.unwrap();
        let first = workshop.stored_upload(7, &upload).await.unwrap().unwrap();
        let again = workshop.stored_upload(7, &upload).await.unwrap().unwrap();
        assert_eq!(first.original.key, again.original.key);
        assert_ne!(first.original.key, first.small.key);
        assert!(!first.original.key.as_str().contains(&upload.as_str()[UPLOADS.len()..]));
        assert_eq!(first.original.size, Size { width: 900, height: 700 });
        for key in [&first.original.key, &first.small.key, &upload] {
            assert!(workshop.store.exists(key).await.unwrap(), "{key}");
        }
        assert!(nothing_spooled(&workshop));
    }

    #[tokio::test]
    async fn broken_files_leave_nothing() {
        let (_folder, workshop) = workshop();
        let photograph = samples::jpeg(&quarters(900, 700));
        let cut = spooled(&workshop, &photograph[..photograph.len() / 2]);
        assert!(matches!(workshop.attachment(1, cut).await, Err(Error::Input(_))));
        let page = spooled(&workshop, b"<html>");
        let Err(Error::Input(fault)) = workshop.picture(Role::Avatar, 1, page).await else { panic!() };
        assert_eq!(fault.sentences("Avatar"), ["Avatar content type is invalid", "Avatar is invalid"]);
        assert!(nothing_spooled(&workshop));
        let everything = crate::Listing { limit: 10, ..crate::Listing::default() };
        assert!(workshop.store.list(everything).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn pictures_in_their_roles() {
        let (_folder, workshop) = workshop();
        let still = spooled(&workshop, &samples::jpeg(&quarters(900, 700)));
        let avatar = workshop.picture(Role::Avatar, 5, still).await.unwrap();
        assert_eq!(avatar.original.size, Size { width: 400, height: 400 });
        assert!(avatar.original.key.as_str().starts_with("accounts/avatars/000/000/005/original/"));
        assert!(avatar.still.is_none());
        let moving = spooled(&workshop, &samples::gif(&samples::holed(64, 64), 3));
        let emoji = workshop.picture(Role::Emoji, 6, moving).await.unwrap();
        let still = emoji.still.unwrap();
        assert!(still.key.as_str().starts_with("custom_emojis/images/000/000/006/static/"), "{}", still.key);
        assert_eq!((emoji.original.format, still.format), (Format::Gif, Format::Png));
        let chosen = spooled(&workshop, &samples::png(quarters(2000, 1500)));
        let (small, blurhash) = workshop.thumbnail(8, chosen).await.unwrap();
        assert!(u64::from(small.size.width) * u64::from(small.size.height) <= 231_000);
        assert!(small.key.as_str().starts_with("media_attachments/thumbnails/"));
        assert!(!blurhash.is_empty());
        assert!(nothing_spooled(&workshop));
    }

    #[test]
    fn sentences_name_the_field() {
        let size = Fault::TooManyBytes { max: 8 << 20 };
        assert_eq!(size.sentences("Header"), ["Header must be less than 8 MB"]);
        let pixels = Fault::TooManyPixels { width: 9, height: 8 };
        assert_eq!(pixels.sentences("Header"), ["9x8 images are not supported"]);
    }
}
