//! Origins that break off, lie, and change their mind.

use crate::origin::{Call, Origin, Place, SLICE, chunks, config, content, files, meta, on_disk, read, right, status};
use bytes::Bytes;
use edge::cache::{CacheConfig, Failure, How, Meta, Reply, TO_THE_END};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

fn is_broken<T>(result: &Result<T, Failure>) -> bool {
    matches!(result, Err(Failure::Broken(_)))
}

/// A reply of these bytes that says it has so many.
fn saying(total: u64, body: Bytes) -> Reply {
    Reply { status: 206, meta: meta(total, "\"v1\""), body: chunks(body) }
}

#[tokio::test]
async fn nothing_torn_is_kept_and_the_next_request_gets_it_whole() {
    let body = content(1, 50_000);
    let faults: [fn(&Bytes) -> Reply; 5] = [
        // Cut in the middle, cleanly and not.
        |body| saying(50_000, body.slice(..20_000)),
        |body| {
            let torn = stream::once(async { Err(Failure::Broken("connection reset".into())) });
            Reply { body: chunks(body.slice(..20_000)).chain(torn).boxed(), ..saying(50_000, Bytes::new()) }
        },
        // Longer than it says.
        |body| saying(40_000, body.clone()),
        // Nothing at all.
        |_| saying(50_000, Bytes::new()),
        // Silent in the middle.
        |body| Reply {
            body: chunks(body.slice(..100)).chain(stream::pending()).boxed(),
            ..saying(50_000, Bytes::new())
        },
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let given = body.clone();
        let origin = Origin::new(move |call| {
            let reply = if call.number == 0 { fault(&given) } else { right(&given, &call.want, "\"v1\"") };
            async move { Ok(reply) }
        });
        let config = CacheConfig { stall: Duration::from_millis(500), ..config(folder.path()) };
        let place = Place::new(config, &origin);
        let first = place.get("/a").await;
        match number {
            // What it said it sent; it is not kept all the same.
            2 => assert!(first.unwrap() == body.slice(..40_000)),
            4 => assert_eq!(first.unwrap_err(), Failure::TimedOut),
            // It is asked again at once.
            _ => assert!(first.unwrap() == body, "{number}"),
        }
        place.settled().await;
        assert_eq!(files(folder.path()).len(), usize::from(!matches!(number, 2 | 4)), "{number}");
        assert!(place.get("/a").await.unwrap() == body, "{number}");
        assert_eq!(origin.count(), 2);
    }
}

#[tokio::test]
async fn an_origin_that_breaks_off_all_the_time_is_not_asked_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let body = content(1, 50_000);
    let origin = Origin::new(move |_| {
        let reply = saying(50_000, body.slice(..20_000));
        async move { Ok(reply) }
    });
    let place = Place::new(config(folder.path()), &origin);
    assert!(is_broken(&place.get("/a").await));
    assert_eq!((origin.count(), files(folder.path()).len()), (2, 0));
}

/// Gives so much of what was asked for, and breaks off.
fn cut_after(length: u64, body: &Bytes, call: &Call, etag: &str) -> Reply {
    let reply = right(body, &call.want, etag);
    let start = call.want.slice.start;
    let rest = crate::origin::cut(body, &(start..(start + length).min(call.want.slice.end)));
    let torn = stream::once(async { Err(Failure::Broken("connection reset".into())) });
    Reply { body: chunks(rest).chain(torn).boxed(), ..reply }
}

#[tokio::test]
async fn where_an_origin_breaks_off_it_is_asked_again_and_what_came_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let body = content(1, 6 * SLICE + 5);
    let given = body.clone();
    let origin = Origin::new(move |call| {
        let reply = match call.number {
            0 => cut_after(2 * SLICE + 1000, &given, &call, "\"v1\""),
            _ => right(&given, &call.want, "\"v1\""),
        };
        async move { Ok(reply) }
    });
    let place = Arc::new(Place::new(on_disk(folder.path()), &origin));
    let readers: Vec<_> = (0..20)
        .map(|_| {
            let place = place.clone();
            tokio::spawn(async move { place.get("/a").await })
        })
        .collect();
    for reader in readers {
        assert!(reader.await.unwrap().unwrap() == body);
    }
    place.settled().await;
    let asked: Vec<_> = origin.calls().into_iter().map(|call| call.want.slice).collect();
    assert_eq!(asked, [0..TO_THE_END, 2 * SLICE..7 * SLICE]);
    assert_eq!(files(folder.path()).len(), 7);
}

#[tokio::test]
async fn answers_that_make_no_sense_are_refused() {
    let replies: [fn() -> Reply; 5] = [
        || Reply { meta: Meta { total: Some(u64::MAX), ..meta(0, "") }, ..saying(0, Bytes::new()) },
        // Another part than was asked for.
        || Reply { meta: Meta { start: 5, ..meta(100, "\"v1\"") }, ..saying(100, content(1, 95)) },
        || Reply { meta: Meta { total: None, ..meta(100, "\"v1\"") }, ..saying(100, content(1, 100)) },
        || saying(0, Bytes::new()),
        || Reply {
            meta: Meta { total: Some(u64::MAX), ..meta(0, "") },
            ..Reply { status: 200, ..saying(0, Bytes::new()) }
        },
    ];
    for (number, reply) in replies.into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(config(folder.path()), &Origin::new(move |_| async move { Ok(reply()) }));
        let got = place.get("/a").await;
        assert!(is_broken(&got), "{number}: {got:?}");
        assert_eq!(files(folder.path()).len(), 0);
    }
}

#[tokio::test]
async fn errors_without_a_copy_are_passed_on_and_remembered_for_a_moment() {
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::new(|call| async move {
        match call.path.as_str() {
            "/down" => Err(Failure::Unreachable("refused".into())),
            "/304" => Ok(status(304)),
            "/416" => Ok(status(416)),
            "/hangs" => std::future::pending().await,
            _ => Ok(status(503)),
        }
    });
    let times = (Duration::from_secs(2), Duration::from_millis(200));
    let place = Place::new(CacheConfig { valid_error: times.0, stall: times.1, ..config(folder.path()) }, &origin);
    let table = [
        ("/down", Failure::Unreachable("refused".into())),
        ("/503", Failure::Refused(503)),
        ("/304", Failure::Refused(304)),
        ("/416", Failure::Refused(416)),
        ("/hangs", Failure::TimedOut),
    ];
    for (path, failure) in &table {
        let before = origin.count();
        assert_eq!(place.object(path).await.err().as_ref(), Some(failure));
        assert_eq!(place.object(path).await.err().as_ref(), Some(failure));
        assert_eq!(origin.count(), before + 1, "{path}");
    }
    tokio::time::sleep(times.0).await;
    for (path, failure) in &table {
        let before = origin.count();
        assert_eq!(place.object(path).await.err().as_ref(), Some(failure));
        assert_eq!(origin.count(), before + 1, "{path}");
    }
}

/// Which version there is, and an origin that has it.
fn changing(length: u64) -> (Arc<AtomicUsize>, Arc<Origin>) {
    let version = Arc::new(AtomicUsize::new(1));
    let now = version.clone();
    let origin = Origin::new(move |call| {
        let version = now.load(Ordering::SeqCst) as u64;
        let body = content(version, length + version);
        let reply = right(&body, &call.want, &format!("\"v{version}\""));
        async move { Ok(reply) }
    });
    (version, origin)
}

#[tokio::test]
async fn nobody_is_given_a_mix_of_versions() {
    for config in [config, on_disk] {
        let folder = tempfile::tempdir().unwrap();
        let version = Arc::new(AtomicUsize::new(1));
        let now = version.clone();
        let origin = Origin::new(move |call| {
            let version = now.load(Ordering::SeqCst) as u64;
            let (body, etag) = (content(version, 6 * SLICE + version), format!("\"v{version}\""));
            let reply = match call.number {
                0 => cut_after(2 * SLICE + 10, &body, &call, &etag),
                _ => right(&body, &call.want, &etag),
            };
            async move { Ok(reply) }
        });
        let place = Place::new(config(folder.path()), &origin);
        let object = place.object("/a").await.unwrap();
        let mut part = Box::pin(object.part(0..TO_THE_END));
        let mut got = Vec::new();
        got.extend_from_slice(&part.next().await.unwrap().unwrap());
        place.settled().await;
        version.store(2, Ordering::SeqCst);
        let failure = loop {
            match part.next().await.unwrap() {
                Ok(bytes) => got.extend_from_slice(&bytes),
                Err(failure) => break failure,
            }
        };
        assert_eq!(failure, Failure::Changed);
        assert!(content(1, 6 * SLICE + 1)[..got.len()] == got);
        // The old slices go, and then everything is of the new version.
        let is_old = |path: &std::path::PathBuf| matches!(path.extension().unwrap().to_str(), Some("0" | "1"));
        crate::origin::until(|| !files(folder.path()).iter().any(is_old)).await;
        place.settled().await;
        let object = place.object("/a").await.unwrap();
        assert_eq!(object.length(), Some(6 * SLICE + 2));
        assert!(read(&object, 0..TO_THE_END).await.unwrap() == content(2, 6 * SLICE + 2));
    }
}

#[tokio::test]
async fn leftovers_of_an_older_version_are_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (version, origin) = changing(3 * SLICE);
    let place = Place::new(on_disk(folder.path()), &origin);
    // Only the last slice is of the first version.
    let object = place.at("/a", 3 * SLICE..TO_THE_END).await.unwrap();
    read(&object, 3 * SLICE..TO_THE_END).await.unwrap();
    place.settled().await;
    version.store(2, Ordering::SeqCst);
    assert!(place.get("/a").await.unwrap() == content(2, 3 * SLICE + 2));
    place.settled().await;
    assert!(place.get("/a").await.unwrap() == content(2, 3 * SLICE + 2));
    assert_eq!(origin.count(), 3);
}

#[tokio::test]
async fn an_origin_that_changes_all_the_time_mixes_nothing_either() {
    let folder = tempfile::tempdir().unwrap();
    let (version, origin) = changing(4 * SLICE);
    let place = Place::new(on_disk(folder.path()), &origin);
    let mut whole = 0;
    for round in 0..60 {
        if round % 3 == 0 {
            version.fetch_add(1, Ordering::SeqCst);
        }
        let object = place.at("/a", round % 4 * SLICE..TO_THE_END).await.unwrap();
        let total = object.length().unwrap();
        let expected = content(total - 4 * SLICE, total);
        if let Ok(got) = read(&object, 0..TO_THE_END).await {
            assert!(got == expected);
            whole += 1;
        }
    }
    assert!(whole > 5, "{whole}");
}

#[tokio::test]
async fn a_slice_that_is_gone_at_the_origin_breaks_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::new(|call| async move {
        match call.want.slice.start {
            0 => Ok(right(&content(1, 3 * SLICE), &call.want, "\"v1\"")),
            _ => Ok(status(404)),
        }
    });
    let place = Place::new(on_disk(folder.path()), &origin);
    let object = place.at("/a", 0..SLICE).await.unwrap();
    assert_eq!(object.how(), How::Miss);
    assert_eq!(read(&object, 0..TO_THE_END).await.unwrap_err(), Failure::Changed);
    assert!(read(&object, 0..SLICE).await.unwrap() == content(1, SLICE));
}

/// The same for what only goes through; and who has to see its beginning first asks for nothing else.
#[tokio::test]
async fn what_goes_through_is_taken_up_where_it_broke_off() {
    let folder = tempfile::tempdir().unwrap();
    let body = content(1, 2 * SLICE);
    let given = body.clone();
    let origin = Origin::new(move |call| {
        let reply = match call.number {
            0 => cut_after(SLICE + 1000, &given, &call, "\"v1\""),
            2 => cut_after(10, &given, &call, "\"v1\""),
            3 => right(&content(2, 2 * SLICE), &call.want, "\"v2\""),
            _ => right(&given, &call.want, "\"v1\""),
        };
        async move { Ok(reply) }
    });
    let place = Place::new(config(folder.path()), &origin);
    let object = place.pass("/a", None).await.unwrap();
    let beginning: Vec<Bytes> = object.beginning(64).try_collect().await.unwrap();
    assert_eq!(beginning.concat(), body[..64]);
    assert!(read(&object, 0..2 * SLICE).await.unwrap() == body);
    let asked: Vec<_> = origin.calls().into_iter().map(|call| call.want.slice).collect();
    assert_eq!(asked, [0..TO_THE_END, SLICE + 1000..2 * SLICE]);
    // It has become another one.
    let object = place.pass("/a", None).await.unwrap();
    assert_eq!(read(&object, 0..2 * SLICE).await.unwrap_err(), Failure::Changed);
    assert_eq!(origin.count(), 4);
}
