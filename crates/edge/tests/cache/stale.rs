//! When the time of a copy is over.

use crate::origin::{Origin, Place, SLICE, config, content, files, on_disk, read, right, status, until};
use edge::cache::{CacheConfig, Failure, How, TO_THE_END, Validators};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, UNIX_EPOCH};
use tokio::sync::Semaphore;

/// Long enough for what has to happen within, on a machine that does other things.
const VALID: Duration = Duration::from_millis(1500);
/// How long an origin that failed is left alone.
const LEFT_ALONE: Duration = Duration::from_secs(3);

fn short(folder: &Path) -> CacheConfig {
    CacheConfig { valid_ok: VALID, valid_error: LEFT_ALONE, ..config(folder) }
}

/// The first answer is right; what the others are, the function says.
fn later<F>(answer: fn(edge::cache::Want) -> F) -> Arc<Origin>
where
    F: Future<Output = Result<edge::cache::Reply, Failure>> + Send + 'static,
{
    Origin::new(move |call| async move {
        match call.number {
            0 => Ok(right(&content(1, 100_000), &call.want, "\"v1\"")),
            _ => answer(call.want).await,
        }
    })
}

async fn aged(config: CacheConfig, origin: &Arc<Origin>) -> Place {
    let place = Place::new(config, origin);
    assert!(place.get("/a").await.unwrap() == content(1, 100_000));
    place.settled().await;
    tokio::time::sleep(VALID).await;
    place
}

#[tokio::test]
async fn an_origin_that_says_unchanged_makes_a_copy_good_again_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let origin = later(|want| async move { Ok(right(&content(1, 100_000), &want, "\"v1\"")) });
    for config in [short(folder.path()), CacheConfig { memory: 0, ..short(folder.path()) }] {
        let before = origin.count();
        let place = aged(config.clone(), &origin).await;
        let object = place.object("/a").await.unwrap();
        assert_eq!(object.how(), How::Revalidated);
        assert!(read(&object, 0..TO_THE_END).await.unwrap() == content(1, 100_000));
        let asked = origin.calls().last().unwrap().want.validators.clone();
        assert_eq!(asked, Some(Validators { etag: Some("\"v1\"".into()), last_modified: None }));
        place.settled().await;
        assert_eq!(place.object("/a").await.unwrap().how(), How::Hit);
        let again = Place::new(CacheConfig { valid_ok: 100 * VALID, ..config }, &origin);
        assert_eq!(again.object("/a").await.unwrap().how(), How::Hit);
        assert!(origin.count() > before);
    }
}

#[tokio::test]
async fn others_are_not_kept_waiting_while_one_asks() {
    let folder = tempfile::tempdir().unwrap();
    let turns = Arc::new(Semaphore::new(1));
    let gate = turns.clone();
    let origin = Origin::new(move |call| {
        let gate = gate.clone();
        async move {
            gate.acquire().await.unwrap().forget();
            Ok(right(&content(1, 100_000), &call.want, "\"v1\""))
        }
    });
    let place = Arc::new(aged(short(folder.path()), &origin).await);
    let asking = place.clone();
    let first = tokio::spawn(async move { asking.object("/a").await.unwrap().how() });
    until(|| origin.count() == 2).await;
    for _ in 0..100 {
        let object = place.object("/a").await.unwrap();
        assert_eq!(object.how(), How::Stale);
        assert!(read(&object, 0..TO_THE_END).await.unwrap() == content(1, 100_000));
    }
    turns.add_permits(1);
    assert_eq!(first.await.unwrap(), How::Revalidated);
    assert_eq!(origin.count(), 2);
}

#[tokio::test]
async fn a_good_copy_is_served_whatever_the_origin_fails_with_and_it_is_left_alone_for_a_while() {
    let fails = async |number| {
        let folder = tempfile::tempdir().unwrap();
        let origin = Origin::new(move |call| async move {
            match (call.number, number) {
                (0, _) => Ok(right(&content(1, 100_000), &call.want, "\"v1\"")),
                (_, 0) => Ok(status(500)),
                (_, 1) => Ok(status(403)),
                (_, 2) => Err(Failure::Unreachable("no such host".into())),
                (_, 3) => Err(Failure::TimedOut),
                _ => std::future::pending().await,
            }
        });
        let stall = Duration::from_millis(500);
        let place = aged(CacheConfig { stall, ..short(folder.path()) }, &origin).await;
        for _ in 0..10 {
            let object = place.object("/a").await.unwrap();
            assert_eq!(object.how(), How::Stale, "{number}");
            assert!(read(&object, 0..TO_THE_END).await.unwrap() == content(1, 100_000));
        }
        assert_eq!(origin.count(), 2, "{number}: the next try comes later");
        tokio::time::sleep(LEFT_ALONE).await;
        assert_eq!(place.object("/a").await.unwrap().how(), How::Stale);
        assert_eq!(origin.count(), 3, "{number}: but it comes");
        assert_eq!(files(folder.path()).len(), 1);
    };
    futures_util::future::join_all((0..5).map(fails)).await;
}

#[tokio::test]
async fn nobody_waits_long_for_an_origin_that_hangs_if_there_is_a_copy() {
    let folder = tempfile::tempdir().unwrap();
    let place = aged(short(folder.path()), &later(|_| std::future::pending())).await;
    let asking = tokio::time::timeout(Duration::from_secs(4), place.object("/a")).await;
    assert_eq!(asking.unwrap().unwrap().how(), How::Stale);
}

#[tokio::test]
async fn what_the_origin_removed_goes_when_its_time_is_over() {
    for gone in [404, 410] {
        let folder = tempfile::tempdir().unwrap();
        let calls = AtomicUsize::new(0);
        let origin = Origin::new(move |call| {
            let first = calls.fetch_add(1, Ordering::SeqCst) == 0;
            async move { Ok(if first { right(&content(1, 100_000), &call.want, "\"v1\"") } else { status(gone) }) }
        });
        let place = aged(short(folder.path()), &origin).await;
        assert_eq!(place.object("/a").await.unwrap().status(), gone);
        place.settled().await;
        assert_eq!(files(folder.path()).len(), 0);
        assert_eq!(place.object("/a").await.unwrap().status(), gone);
        assert_eq!(origin.count(), 2);
    }
}

#[tokio::test]
async fn a_new_version_takes_the_place_of_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let origin = later(|want| async move { Ok(right(&content(2, 90_000), &want, "\"v2\"")) });
    for config in [short(folder.path()), CacheConfig { memory: 0, ..short(folder.path()) }] {
        let place = Place::new(config, &origin);
        let first = place.get("/a").await.unwrap();
        place.settled().await;
        tokio::time::sleep(VALID).await;
        let object = place.object("/a").await.unwrap();
        let how = if first == content(1, 100_000) { How::Miss } else { How::Revalidated };
        assert_eq!((object.how(), object.length()), (how, Some(90_000)));
        assert!(read(&object, 0..TO_THE_END).await.unwrap() == content(2, 90_000));
        place.settled().await;
        assert!(place.get("/a").await.unwrap() == content(2, 90_000));
        assert_eq!(files(folder.path()).len(), 1);
    }
}

#[tokio::test]
async fn a_new_version_of_many_slices_comes_with_one_request() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (content(1, 5 * SLICE + 1), content(2, 6 * SLICE));
    let given = (old.clone(), new.clone());
    let origin = Origin::new(move |call| {
        let reply = match call.number {
            0 => right(&given.0, &call.want, "\"v1\""),
            _ => right(&given.1, &call.want, "\"v2\""),
        };
        async move { Ok(reply) }
    });
    let place = Place::new(short(folder.path()), &origin);
    assert!(place.get("/a").await.unwrap() == old);
    place.settled().await;
    tokio::time::sleep(VALID).await;
    assert!(place.get("/a").await.unwrap() == new);
    place.settled().await;
    assert_eq!(origin.count(), 2);
    assert_eq!(files(folder.path()).len(), 6);
}

#[tokio::test]
async fn without_validators_it_is_fetched_again() {
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::new(|call| async move {
        let mut reply = right(&content(1, 100_000), &call.want, "");
        reply.meta.etag = None;
        Ok(reply)
    });
    let place = aged(short(folder.path()), &origin).await;
    assert_eq!(place.object("/a").await.unwrap().how(), How::Miss);
    assert_eq!(origin.calls()[1].want.validators, None);
}

#[tokio::test]
async fn times_serve_where_there_are_no_tags_and_the_origins_word_is_honoured_if_given() {
    let folder = tempfile::tempdir().unwrap();
    let time = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let origin = Origin::new(move |call| async move {
        let mut reply = right(&content(1, 100), &call.want, "");
        (reply.meta.etag, reply.meta.last_modified, reply.meta.fresh_for) = (None, Some(time), Some(VALID));
        if call.want.validators.is_some() {
            reply.status = 304;
        }
        Ok(reply)
    });
    let place = Place::new(on_disk(folder.path()), &origin);
    assert_eq!(place.object("/a").await.unwrap().last_modified(), Some(time));
    place.settled().await;
    assert_eq!(place.object("/a").await.unwrap().how(), How::Hit);
    tokio::time::sleep(VALID).await;
    assert_eq!(place.object("/a").await.unwrap().how(), How::Revalidated);
    let asked = Validators { etag: None, last_modified: Some(time) };
    assert_eq!(origin.calls()[1].want.validators, Some(asked));
}

#[tokio::test]
async fn a_restart_without_network_serves_what_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::of(content(1, 3 * SLICE));
    let place = Place::new(config(folder.path()), &origin);
    place.get("/a").await.unwrap();
    place.settled().await;
    drop(place);
    tokio::time::sleep(VALID).await;
    let nowhere = Origin::new(|_| async { Err(Failure::Unreachable("no network".into())) });
    let place = Place::new(short(folder.path()), &nowhere);
    let object = place.object("/a").await.unwrap();
    assert_eq!(object.how(), How::Stale);
    assert!(read(&object, 0..TO_THE_END).await.unwrap() == content(1, 3 * SLICE));
    assert_eq!(place.object("/b").await.err(), Some(Failure::Unreachable("no network".into())));
}

#[tokio::test]
async fn an_object_that_became_shorter_is_fetched_again() {
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::new(|call| async move {
        match call.number {
            0 => Ok(right(&content(1, 2 * SLICE), &call.want, "\"v1\"")),
            _ => Ok(right(&content(2, 1000), &call.want, "\"v2\"")),
        }
    });
    let place = Place::new(short(folder.path()), &origin);
    let object = place.at("/a", SLICE..2 * SLICE).await.unwrap();
    assert!(read(&object, SLICE..2 * SLICE).await.unwrap() == content(1, 2 * SLICE)[SLICE as usize..]);
    place.settled().await;
    tokio::time::sleep(VALID).await;
    let object = place.at("/a", SLICE..2 * SLICE).await.unwrap();
    assert_eq!((object.how(), object.length()), (How::Miss, Some(1000)));
    assert!(read(&object, 0..TO_THE_END).await.unwrap() == content(2, 1000));
}

#[tokio::test]
async fn an_object_that_has_no_length_any_more_goes_through() {
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::new(|call| async move {
        match call.number {
            0 => Ok(right(&content(1, 100_000), &call.want, "\"v1\"")),
            _ => {
                let mut reply = crate::origin::whole(&content(2, 2 * SLICE), "\"v2\"");
                reply.meta.total = None;
                Ok(reply)
            }
        }
    });
    let place = aged(short(folder.path()), &origin).await;
    let object = place.object("/a").await.unwrap();
    assert_eq!(object.how(), How::Bypass);
    assert!(read(&object, 0..TO_THE_END).await.unwrap() == content(2, 2 * SLICE));
    place.settled().await;
    assert_eq!(files(folder.path()).len(), 0);
}

/// What asks about long slices again and again writes nothing, and asks once in each time of validity.
#[tokio::test]
async fn a_long_slice_that_is_good_again_is_not_asked_about_at_every_request() {
    let body = content(1, 2 * SLICE);
    let given = body.clone();
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::new(move |call| {
        let reply = right(&given, &call.want, "\"v1\"");
        async move { Ok(reply) }
    });
    let long = Duration::from_secs(2);
    for memory in [0, 16 << 20] {
        let place = Place::new(CacheConfig { memory, valid_ok: long, ..config(folder.path()) }, &origin);
        // Often enough for the second slice to be hot.
        for _ in 0..8 {
            assert!(place.get("/a").await.unwrap() == body);
            place.settled().await;
        }
        let identities = || -> Vec<_> {
            let meta =
                |path: &std::path::PathBuf| std::fs::metadata(path).map(|meta| (meta.ino(), meta.len())).unwrap();
            files(folder.path()).iter().map(meta).collect()
        };
        let before = identities();
        for round in 0..2 {
            tokio::time::sleep(long).await;
            let count = origin.count();
            for slice in 0..2 {
                for time in 0..5 {
                    let part = slice * SLICE..(slice + 1) * SLICE;
                    let object = place.at("/a", part.clone()).await.unwrap();
                    let how = if time == 0 { How::Revalidated } else { How::Hit };
                    assert_eq!(object.how(), how, "memory {memory}, round {round}, slice {slice}, time {time}");
                    assert!(read(&object, part.clone()).await.unwrap() == crate::origin::cut(&body, &part));
                    place.settled().await;
                }
            }
            assert_eq!(origin.count(), count + 2);
            assert_eq!(identities(), before, "no file is written again");
        }
    }
}
