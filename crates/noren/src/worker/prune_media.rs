//! Removes attachments that hang on no status for a day, and uploads that a crash left behind.

use crate::server::Parts;
use domain::{Error, Result, ids::MediaId};
use media::{Key, Listing, UPLOADS};
use std::time::{Duration, SystemTime};

/// A younger upload may be about to be written down.
const YOUNG: Duration = Duration::from_secs(3600);
const PAGE: usize = 500;

/// How many were removed.
pub(super) async fn run(parts: &Parts) -> Result<u64> {
    let mut removed = domain::media::prune(&parts.db).await?;
    let mut after = None;
    loop {
        let listing = Listing { prefix: UPLOADS.to_owned(), after: after.take(), limit: PAGE };
        let page = parts.store.list(listing).await.map_err(|e| Error::Internal(e.into()))?;
        let Some(last) = page.last() else { return Ok(removed) };
        after = Some(last.key.clone());
        let old = page.into_iter().filter(|entry| is_old(entry.modified)).map(|entry| entry.key);
        removed += sweep(parts, old.collect()).await?;
    }
}

fn is_old(modified: SystemTime) -> bool {
    SystemTime::now().duration_since(modified).is_ok_and(|age| age > YOUNG)
}

/// Removes those of these uploads that nothing waits for.
async fn sweep(parts: &Parts, uploads: Vec<Key>) -> Result<u64> {
    let mut removed = 0;
    let id_of = |key: &Key| media::upload_id(key).map(MediaId);
    let ids: Vec<MediaId> = uploads.iter().filter_map(id_of).collect();
    let wanted = domain::media::still_processing(&parts.db.read().await?, &ids).await?;
    for key in uploads.iter().filter(|key| id_of(key).is_none_or(|id| !wanted.contains(&id))) {
        match parts.store.delete(key).await {
            Ok(()) => removed += 1,
            Err(failure) => tracing::warn!(%failure, %key, "a left upload stays behind"),
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use domain::media::{Details, New, Upload};
    use domain::{accounts, ids};
    use media::{Content, upload_key};

    #[tokio::test]
    async fn uploads_of_a_crash_go_and_those_in_use_stay() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.server.data = folder.path().join("data");
        let parts = Parts::open(config).await.unwrap();
        let tx = parts.db.begin().await.unwrap();
        let owner = accounts::create(&tx, &parts.site, "alice").await.unwrap().id;
        tx.commit().await.unwrap();

        let ids: [MediaId; 3] = [ids::next(), ids::next(), ids::next()];
        let [left, used, young] = ids.map(|id| upload_key(id.0));
        for key in [&left, &used, &young] {
            parts.store.put(key, Content::Bytes(b"x".to_vec().into())).await.unwrap();
        }
        for key in [&left, &used] {
            let path = folder.path().join("data/media").join(key.as_str());
            let file = std::fs::File::options().write(true).open(path).unwrap();
            file.set_modified(SystemTime::now() - 2 * YOUNG).unwrap();
        }
        let new = New { id: ids[1], owner, details: Details::default(), thumbnail: None };
        let upload = Upload { key: used.to_string(), content_type: "image/png".into(), size: 1 };
        domain::media::receive(&parts.db, new, upload).await.unwrap();

        assert_eq!(run(&parts).await.unwrap(), 1);
        for (key, stays) in [(left, false), (used, true), (young, true)] {
            assert_eq!(parts.store.exists(&key).await.unwrap(), stays, "{key}");
        }
    }
}
