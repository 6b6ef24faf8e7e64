//! What an admin removes is gone at once and stays so.

use crate::origin::{Origin, Place, SLICE, config, content, files, key, on_disk, read, right, until, whole};
use edge::cache::{CacheConfig, How, Purge, PurgeError, Reply, TO_THE_END};
use futures_util::{StreamExt as _, stream};
use std::sync::Arc;
use tokio::sync::Semaphore;

fn prefix(path: &str) -> Purge {
    Purge::Prefix { site: "site".into(), path: path.into() }
}

async fn filled(config: CacheConfig, origin: &Arc<Origin>) -> Place {
    let place = Place::new(config, origin);
    for path in ["/a/1", "/a/2", "/b/1"] {
        place.get(path).await.unwrap();
    }
    place.settled().await;
    place
}

#[tokio::test]
async fn an_object_is_gone_with_all_its_slices() {
    for config in [config, on_disk] {
        let folder = tempfile::tempdir().unwrap();
        let origin = Origin::of(content(1, 3 * SLICE));
        let place = filled(config(folder.path()), &origin).await;
        assert_eq!((files(folder.path()).len(), origin.count()), (9, 3));
        place.cache.purge(Purge::Object(key("/a/1"))).await.unwrap();
        assert_eq!(files(folder.path()).len(), 6);
        for (path, how) in [("/a/1", How::Miss), ("/a/2", How::Hit), ("/b/1", How::Hit), ("/a/1", How::Hit)] {
            let object = place.object(path).await.unwrap();
            assert_eq!(object.how(), how, "{path}");
            read(&object, 0..TO_THE_END).await.unwrap();
            place.settled().await;
        }
        assert_eq!(origin.count(), 4);
    }
}

#[tokio::test]
async fn a_prefix_is_gone_at_once_and_its_files_follow() {
    for config in [config, on_disk] {
        let folder = tempfile::tempdir().unwrap();
        let origin = Origin::of(content(1, 1000));
        let place = filled(config(folder.path()), &origin).await;
        place.cache.purge(prefix("/a/")).await.unwrap();
        assert_eq!(place.object("/a/1").await.unwrap().how(), How::Miss);
        assert_eq!(place.object("/b/1").await.unwrap().how(), How::Hit);
        // The second file goes although nobody asks for it; what came after the purge stays.
        until(|| files(folder.path()).len() == 2).await;
        place.settled().await;
        assert_eq!(place.object("/a/1").await.unwrap().how(), How::Hit);
        until(|| !folder.path().join("noren-cache-v1/purges").exists()).await;
        place.cache.purge(prefix("")).await.unwrap();
        until(|| files(folder.path()).is_empty()).await;
        assert_eq!(place.object("/b/1").await.unwrap().how(), How::Miss);
    }
}

#[tokio::test]
async fn a_purge_survives_a_restart_in_the_middle() {
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::of(content(1, 1000));
    drop(filled(config(folder.path()), &origin).await);
    // As if the program had died before it looked through the files.
    let soon = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() + 1000;
    let mark = format!("{soon}\tsite\t/a/\n");
    std::fs::write(folder.path().join("noren-cache-v1/purges"), mark).unwrap();
    let place = Place::new(config(folder.path()), &origin);
    assert_eq!(place.object("/a/1").await.unwrap().how(), How::Miss);
    assert_eq!(place.object("/b/1").await.unwrap().how(), How::Hit);
    place.settled().await;
    until(|| !folder.path().join("noren-cache-v1/purges").exists()).await;
    assert_eq!(place.object("/a/1").await.unwrap().how(), How::Hit);
    until(|| files(folder.path()).len() == 2).await;
}

#[tokio::test]
async fn what_was_on_its_way_is_neither_joined_nor_kept() {
    for purge in [prefix("/"), Purge::Object(key("/a"))] {
        let folder = tempfile::tempdir().unwrap();
        let turns = Arc::new(Semaphore::new(0));
        let gate = turns.clone();
        let origin = Origin::new(move |call| {
            let gate = gate.clone();
            async move {
                if call.number == 0 {
                    gate.acquire().await.unwrap().forget();
                }
                let seed = call.number as u64;
                Ok(right(&content(seed, 1000), &call.want, &format!("\"{seed}\"")))
            }
        });
        let place = Arc::new(Place::new(config(folder.path()), &origin));
        let asking = place.clone();
        let early = tokio::spawn(async move { asking.get("/a").await.unwrap() });
        until(|| origin.count() == 1).await;
        place.cache.purge(purge).await.unwrap();
        assert!(place.get("/a").await.unwrap() == content(1, 1000));
        turns.add_permits(1);
        assert!(early.await.unwrap() == content(0, 1000));
        place.settled().await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        assert!(place.get("/a").await.unwrap() == content(1, 1000));
        assert!(Place::new(on_disk(folder.path()), &origin).get("/a").await.unwrap() == content(1, 1000));
        assert_eq!(origin.count(), 2);
    }
}

#[tokio::test]
async fn names_that_no_object_has_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(config(folder.path()), &Origin::of(content(1, 1)));
    assert!(matches!(place.cache.purge(prefix("/a\nb")).await, Err(PurgeError::Name)));
}

/// An origin that knows no ranges goes on sending the whole object. What comes after the purge is as old as the rest.
#[tokio::test]
async fn what_flows_by_is_not_kept_after_a_purge() {
    for (purge, early) in [(prefix("/"), 0), (Purge::Object(key("/a")), 0), (prefix("/"), 3), (prefix("/"), 1)] {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (content(1, 6 * SLICE), content(2, 6 * SLICE));
        let turns = Arc::new(Semaphore::new(usize::from(early != 1)));
        let (gate, given) = (turns.clone(), (old.clone(), new.clone()));
        let origin = Origin::new(move |call| {
            let (gate, (old, new)) = (gate.clone(), given.clone());
            async move {
                if call.number > 0 {
                    return Ok(whole(&new, "\"v2\""));
                }
                // The head, then half of it, then the rest, each when it may come.
                gate.acquire().await.unwrap().forget();
                let (first, second) = (old.slice(..old.len() / 2), old.slice(old.len() / 2..));
                let later = async move {
                    gate.acquire().await.unwrap().forget();
                    Ok(second)
                };
                let body = stream::iter([Ok(first)]).chain(stream::once(later)).boxed();
                Ok(Reply { body, ..whole(&old, "\"v1\"") })
            }
        });
        let place = Arc::new(Place::new(config(folder.path()), &origin));
        let asking = place.clone();
        // Somebody who wants the beginning, or a slice that comes after the purge.
        let reader = tokio::spawn(async move {
            let part = early * SLICE..early * SLICE + 1;
            let object = asking.at("/a", part.clone()).await.unwrap();
            read(&object, part).await.unwrap()
        });
        match early {
            // Not even the head has come.
            1 => until(|| origin.count() == 1).await,
            _ => until(|| files(folder.path()).len() == 3).await,
        }
        place.cache.purge(purge).await.unwrap();
        until(|| !folder.path().join("noren-cache-v1/purges").exists()).await;
        turns.add_permits(2);
        let first = usize::try_from(early * SLICE).unwrap();
        assert!(reader.await.unwrap() == old.slice(first..=first), "who is being sent something goes on");
        place.settled().await;
        assert_eq!(files(folder.path()).len(), 0);
        assert!(place.get("/a").await.unwrap() == new);
        place.settled().await;
        let again = Place::new(on_disk(folder.path()), &origin);
        assert!(again.get("/a").await.unwrap() == new);
        assert_eq!(origin.count(), 2);
    }
}
