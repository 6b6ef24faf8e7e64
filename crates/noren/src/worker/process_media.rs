//! Turns an upload into an original, a small version and a blurhash.

use crate::server::Parts;
use domain::{
    Error, Result,
    ids::MediaId,
    jobs::Outcome,
    media::{Shape, Small, State, Versions},
};
use media::{Key, Stored, StoredAttachment, Workshop};

pub(super) async fn run(parts: &Parts, id: MediaId) -> Result<Outcome> {
    let row = domain::media::store::by_id(&parts.db.read().await?, id).await?.ok_or(Error::NotFound)?;
    let Some(upload) = row.upload.filter(|_| row.state == State::Processing) else { return Ok(Outcome::Done) };
    let Ok(upload) = Key::parse(&upload) else {
        return Ok(Outcome::GiveUp(format!("{upload} is not a name of a stored file")));
    };
    let workshop =
        Workshop { store: parts.store.clone(), pool: parts.pool.clone(), limits: parts.config.media.limits() };
    match workshop.stored_upload(id.0, &upload).await {
        Ok(Some(made)) => keep(parts, &workshop, (id, made)).await?,
        Ok(None) => {
            tracing::error!(%id, %upload, "an upload is not in the store any more");
            domain::media::fail(&parts.db, id, "the file was lost, please upload it again").await?;
        }
        Err(media::Error::Input(fault)) => {
            domain::media::fail(&parts.db, id, &fault.sentences("File").join(", ")).await?;
        }
        Err(failure) => return Ok(Outcome::Retry(failure.to_string())),
    }
    workshop.discard(&upload).await;
    Ok(Outcome::Done)
}

/// Writes down what was made; when the attachment was deleted meanwhile nobody wants it.
async fn keep(parts: &Parts, workshop: &Workshop, (id, made): (MediaId, StoredAttachment)) -> Result<()> {
    let keys = [made.original.key.clone(), made.small.key.clone()];
    let kept = domain::media::finish(&parts.db, id, versions(made)).await;
    if !matches!(kept, Err(Error::NotFound)) {
        return kept;
    }
    // Another worker may have been as far: then these are its files.
    if domain::media::store::by_id(&parts.db.read().await?, id).await?.is_none() {
        for key in &keys {
            workshop.discard(key).await;
        }
    }
    Ok(())
}

fn versions(made: StoredAttachment) -> Versions {
    let shape = |stored: &Stored| Shape { width: stored.size.width, height: stored.size.height };
    let StoredAttachment { original, small, blurhash } = made;
    Versions {
        original: original.key.to_string(),
        shape: shape(&original),
        content_type: original.format.content_type().to_owned(),
        size: i64::try_from(original.bytes).unwrap_or(i64::MAX),
        small: Small { key: small.key.to_string(), shape: shape(&small), blurhash },
    }
}
