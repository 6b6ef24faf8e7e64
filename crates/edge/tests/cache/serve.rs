//! Objects are given as they are, and fetched as little as possible.

use crate::origin::{
    Origin, Place, SLICE, chunks, config, content, cut, files, meta, on_disk, read, status, until, whole,
};
use bytes::Bytes;
use edge::cache::{CacheConfig, Failure, How, Meta, Reply, TO_THE_END};
use futures_util::StreamExt;
use proptest::prelude::*;
use std::time::Duration;

#[tokio::test]
async fn what_was_fetched_once_is_served_from_memory_from_disk_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let body = content(1, 20_000);
    let origin = Origin::of(body.clone());
    for config in [config(folder.path()), config(folder.path()), on_disk(folder.path())] {
        let place = Place::new(config, &origin);
        let before = origin.count();
        for round in 0..3 {
            let object = place.object("/a.png").await.unwrap();
            let how = if before == 0 && round == 0 { How::Miss } else { How::Hit };
            assert_eq!((object.status(), object.how(), object.length()), (200, how, Some(20_000)));
            assert_eq!(object.content_type(), Some("image/png"));
            assert!(object.etag().starts_with('"') && object.etag().ends_with('"'));
            assert_eq!(read(&object, 0..TO_THE_END).await.unwrap(), body);
            assert_eq!(read(&object, 5..10_001).await.unwrap(), body.slice(5..10_001));
            assert_eq!(object.bytes(), (how == How::Hit).then(|| body.clone()));
            place.settled().await;
        }
    }
    assert_eq!(origin.count(), 1);
    assert_eq!(files(folder.path()).len(), 1);
}

#[tokio::test]
async fn etags_are_of_versions() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(config(folder.path()), &Origin::of(content(1, 10)));
    let tags = [place.object("/a").await.unwrap().etag(), place.object("/b").await.unwrap().etag()];
    assert_eq!(tags[0], tags[1]);
    let other = Origin::new(|_| async { Ok(whole(&content(1, 10), "\"v2\"")) });
    let place = Place { origin: other, ..place };
    assert_ne!(place.object("/c").await.unwrap().etag(), tags[0]);
}

/// Two gigabytes that are nowhere.
fn endless(total: u64) -> std::sync::Arc<Origin> {
    Origin::new(move |call| async move {
        let part = call.want.slice.start..call.want.slice.end.min(total);
        let bytes: Vec<u8> = part.clone().map(|place| (place / 1000 % 251) as u8).collect();
        Ok(Reply { status: 206, meta: Meta { start: part.start, ..meta(total, "\"v1\"") }, body: chunks(bytes.into()) })
    })
}

#[tokio::test]
async fn a_range_deep_into_a_long_object_fetches_its_slices_alone() {
    let folder = tempfile::tempdir().unwrap();
    let total = 2_000_000_000;
    let origin = endless(total);
    let start = 1_500_000_000;
    for how in [How::Miss, How::Hit] {
        let place = Place::new(config(folder.path()), &origin);
        let object = place.at("/film.mp4", start..start + 300_000).await.unwrap();
        assert_eq!((object.how(), object.length()), (how, Some(total)));
        let expected: Vec<u8> = (start..start + 300_000).map(|place| (place / 1000 % 251) as u8).collect();
        assert!(read(&object, start..start + 300_000).await.unwrap() == expected);
        place.settled().await;
        let fetched: Vec<_> = origin.calls().into_iter().map(|call| call.want.slice).collect();
        let slices = start / SLICE * SLICE..((start + 299_999) / SLICE + 1) * SLICE;
        assert_eq!(fetched, std::slice::from_ref(&slices));
    }
    // The end, from what is known of another slice.
    let place = Place::new(config(folder.path()), &origin);
    let object = place.at("/film.mp4", start..TO_THE_END).await.unwrap();
    assert_eq!(read(&object, total - 10..TO_THE_END).await.unwrap().len(), 10);
}

#[tokio::test]
async fn a_hint_beyond_the_end_finds_the_object_all_the_same() {
    for length in [0, 1000, SLICE, SLICE + 1] {
        let folder = tempfile::tempdir().unwrap();
        let body = content(2, length);
        for origin in [Origin::of(body.clone()), origin_of_wholes(body.clone())] {
            let place = Place::new(config(folder.path()), &origin);
            let object = place.at("/a", 10 * SLICE..TO_THE_END).await.unwrap();
            assert_eq!((object.status(), object.length()), (200, Some(length)));
            assert_eq!(read(&object, 0..TO_THE_END).await.unwrap(), body);
            assert_eq!(read(&object, 10 * SLICE..TO_THE_END).await.unwrap(), Bytes::new());
        }
    }
}

fn origin_of_wholes(body: Bytes) -> std::sync::Arc<Origin> {
    Origin::new(move |_| {
        let reply = whole(&body, "\"v1\"");
        async move { Ok(reply) }
    })
}

#[tokio::test]
async fn what_comes_next_is_fetched_while_something_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::of(content(1, 5 * SLICE));
    let place = Place::new(config(folder.path()), &origin);
    let object = place.at("/a", 0..1).await.unwrap();
    let mut part = Box::pin(object.part(0..3 * SLICE));
    part.next().await.unwrap().unwrap();
    until(|| origin.count() == 2).await;
    let asked: Vec<_> = origin.calls().into_iter().map(|call| call.want.slice).collect();
    assert_eq!(asked, [0..SLICE, SLICE..3 * SLICE], "nothing beyond the range");
    let rest: Vec<_> = part.collect().await;
    assert!(rest.iter().all(Result::is_ok));
    place.settled().await;
    assert_eq!((origin.count(), files(folder.path()).len()), (2, 3));
}

#[tokio::test]
async fn an_origin_without_ranges_is_cut_as_it_flows() {
    let folder = tempfile::tempdir().unwrap();
    let body = content(3, 5 * SLICE + 77);
    let origin = origin_of_wholes(body.clone());
    let place = Place::new(config(folder.path()), &origin);
    let deep = 3 * SLICE + 5..4 * SLICE + 10;
    let object = place.at("/a", deep.clone()).await.unwrap();
    assert_eq!(read(&object, deep.clone()).await.unwrap(), cut(&body, &deep));
    assert_eq!(read(&object, 0..TO_THE_END).await.unwrap(), body);
    place.settled().await;
    assert_eq!((origin.count(), files(folder.path()).len()), (1, 6));
    let again = Place::new(on_disk(folder.path()), &origin);
    assert_eq!(again.get("/a").await.unwrap(), body);
    assert_eq!(origin.count(), 1);
}

#[tokio::test]
async fn objects_without_a_length_are_kept_if_they_are_short_and_go_through_else() {
    let folder = tempfile::tempdir().unwrap();
    for (path, length, requests) in [("/short", 1000, 1), ("/slice", SLICE, 1), ("/long", 3 * SLICE, 3)] {
        let body = content(4, length);
        let given = body.clone();
        let origin = Origin::new(move |_| {
            let mut reply = whole(&given, "\"v1\"");
            reply.meta.total = None;
            async move { Ok(reply) }
        });
        let place = Place::new(config(folder.path()), &origin);
        for round in 0..2 {
            let object = place.object(path).await.unwrap();
            let expected = match (requests, round) {
                (1, 0) => (How::Miss, Some(length)),
                (1, _) => (How::Hit, Some(length)),
                _ => (How::Bypass, None),
            };
            assert_eq!((object.how(), object.length()), expected, "{path}");
            assert_eq!(read(&object, 0..TO_THE_END).await.unwrap(), body);
            assert_eq!(object.status(), 200);
            place.settled().await;
        }
        assert_eq!(origin.count(), requests, "{path}");
    }
}

#[tokio::test]
async fn redirects_are_kept_and_lead_somewhere() {
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::new(|call| async move {
        let mut reply = status(if call.path == "/nowhere" { 302 } else { call.path[1..].parse().unwrap() });
        reply.meta.location = (call.path != "/nowhere").then(|| "https://example.com/".to_owned());
        Ok(reply)
    });
    for expected in [How::Miss, How::Hit] {
        let place = Place::new(config(folder.path()), &origin);
        for status in [301, 302, 307, 308] {
            let object = place.object(&format!("/{status}")).await.unwrap();
            assert_eq!((object.status(), object.how(), object.length()), (status, expected, Some(0)));
            assert_eq!(object.location(), Some("https://example.com/"));
            assert_eq!(read(&object, 0..TO_THE_END).await.unwrap(), Bytes::new());
            place.settled().await;
        }
    }
    assert_eq!(origin.count(), 4);
    let place = Place::new(config(folder.path()), &origin);
    assert!(matches!(place.object("/nowhere").await.err(), Some(Failure::Broken(_))));
    assert!(matches!(place.object("/303").await.err(), Some(Failure::Refused(303))));
}

#[tokio::test]
async fn what_is_not_there_is_asked_for_again_soon() {
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::new(|call| async move {
        match call.path.as_str() {
            "/refused" => Err(Failure::Refused(404)),
            path => Ok(status(path[1..].parse().unwrap())),
        }
    });
    let valid_not_found = Duration::from_secs(2);
    let place = Place::new(CacheConfig { valid_not_found, ..config(folder.path()) }, &origin);
    let table = [("/404", 404), ("/410", 410), ("/refused", 404)];
    for (path, status) in table {
        for how in [How::Miss, How::Hit, How::Hit] {
            let object = place.object(path).await.unwrap();
            assert_eq!((object.status(), object.how(), object.length()), (status, how, Some(0)));
        }
    }
    assert_eq!(origin.count(), table.len());
    tokio::time::sleep(valid_not_found).await;
    for (path, _) in table {
        assert_eq!(place.object(path).await.unwrap().how(), How::Miss);
    }
    assert_eq!(files(folder.path()).len(), 0);
}

#[tokio::test]
async fn what_is_told_to_go_through_is_neither_looked_up_nor_kept() {
    let folder = tempfile::tempdir().unwrap();
    let body = content(1, 3 * SLICE);
    let origin = Origin::of(body.clone());
    let place = Place::new(config(folder.path()), &origin);
    for number in 1..3 {
        let object = place.pass("/a", None).await.unwrap();
        assert_eq!((object.how(), object.length()), (How::Bypass, Some(3 * SLICE)));
        assert_eq!(read(&object, 0..3 * SLICE).await.unwrap(), body);
        assert_eq!(origin.count(), number);
    }
    let part = SLICE + 5..2 * SLICE + 9;
    let object = place.pass("/a", Some(part.clone())).await.unwrap();
    assert_eq!(origin.calls()[2].want.slice, part);
    assert_eq!(read(&object, part.clone()).await.unwrap(), cut(&body, &part));
    assert_eq!(read(&object, 1..4).await.unwrap(), body.slice(1..4), "another request for another part");
    assert_eq!(place.pass("/a", Some(9 * SLICE..TO_THE_END)).await.unwrap().length(), Some(3 * SLICE));
    assert_eq!((files(folder.path()).len(), place.cache.stats().bypassed), (0, 4));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Cold, warm, after a restart, with and without ranges of the origin.
    #[test]
    fn every_part_is_that_part(
        length in 0..4 * SLICE,
        parts in prop::collection::vec((0..4 * SLICE, 0..3 * SLICE), 1..6),
        knows_ranges: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let body = content(length, length);
            let origin = if knows_ranges { Origin::of(body.clone()) } else { origin_of_wholes(body.clone()) };
            for round in 0..3 {
                let config = if round == 1 { config(folder.path()) } else { on_disk(folder.path()) };
                let place = Place::new(config, &origin);
                for (start, length) in &parts {
                    let part = *start..start + length;
                    let object = place.at("/a", part.clone()).await.unwrap();
                    assert!(read(&object, part.clone()).await.unwrap() == cut(&body, &part), "{part:?}");
                }
                place.settled().await;
            }
        });
    }
}
