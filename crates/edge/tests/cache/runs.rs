//! One request brings slice after slice, as far as somebody wants them.

use crate::origin::{Origin, Place, SLICE, chunks, config, content, cut, files, meta, on_disk, read, right, until};
use bytes::Bytes;
use edge::cache::{CacheConfig, Chain, How, Meta, ObjectKey, Reply, TO_THE_END, Upstream, Want};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, Stream, StreamExt, stream};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// An origin that does everything right, a piece at a time, and counts the bytes it is made to give.
fn counted(body: Bytes) -> (Arc<AtomicU64>, Arc<Origin>) {
    let given = Arc::new(AtomicU64::new(0));
    let count = given.clone();
    let origin = Origin::new(move |call| {
        let (reply, count) = (right(&body, &call.want, "\"v1\""), count.clone());
        async move {
            let pieces = reply.body.then(move |piece| {
                count.fetch_add(piece.as_ref().map_or(0, |piece| piece.len() as u64), Ordering::Relaxed);
                tokio::task::yield_now().map(|()| piece)
            });
            Ok(Reply { body: pieces.boxed(), ..reply })
        }
    });
    (given, origin)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_on_a_long_cold_object_cause_one_request() {
    for config in [config, on_disk] {
        let folder = tempfile::tempdir().unwrap();
        let body = content(1, 20 * SLICE + 99);
        let (given, origin) = counted(body.clone());
        let place = Arc::new(Place::new(config(folder.path()), &origin));
        let readers: Vec<_> = (0..300)
            .map(|number| {
                let (place, body) = (place.clone(), body.clone());
                tokio::spawn(async move {
                    // Some come when the beginning is here already, and some read slowly.
                    tokio::time::sleep(Duration::from_micros(number % 7 * 300)).await;
                    let object = place.object("/a").await.unwrap();
                    let (mut part, mut place) = (Box::pin(object.part(0..TO_THE_END)), 0);
                    while let Some(bytes) = part.next().await {
                        let bytes = bytes.unwrap();
                        assert!(bytes == body[place..place + bytes.len()]);
                        place += bytes.len();
                        if number % 50 == 0 {
                            tokio::time::sleep(Duration::from_millis(1)).await;
                        }
                    }
                    assert_eq!(place, body.len());
                })
            })
            .collect();
        for reader in readers {
            reader.await.unwrap();
        }
        place.settled().await;
        assert_eq!((origin.count(), given.load(Ordering::Relaxed)), (1, body.len() as u64));
        assert_eq!(files(folder.path()).len(), 21);
    }
}

#[tokio::test]
async fn who_leaves_stops_it_at_the_end_of_a_slice_and_only_for_himself() {
    let folder = tempfile::tempdir().unwrap();
    let body = content(1, 40 * SLICE);
    let (given, origin) = counted(body.clone());
    let place = Place::new(on_disk(folder.path()), &origin);
    let object = place.object("/a").await.unwrap();
    let mut part = Box::pin(object.part(0..TO_THE_END));
    part.next().await.unwrap().unwrap();
    drop((part, object));
    place.settled().await;
    let bytes = given.load(Ordering::Relaxed);
    assert!((SLICE..4 * SLICE).contains(&bytes), "{bytes}");
    assert_eq!(files(folder.path()).len() as u64, bytes / SLICE);

    // Two who want everything, and one of them goes.
    let (stays, goes) = (place.object("/a").await.unwrap(), place.object("/a").await.unwrap());
    let mut going = Box::pin(goes.part(0..TO_THE_END));
    let reading = read(&stays, 0..TO_THE_END);
    let leaving = async {
        for _ in 0..20 {
            going.next().await.unwrap().unwrap();
        }
        drop((going, goes));
    };
    let (all, ()) = tokio::join!(reading, leaving);
    assert!(all.unwrap() == body);
    assert_eq!(origin.count(), 2);
}

#[tokio::test]
async fn what_is_not_read_is_not_fetched_far_ahead() {
    let folder = tempfile::tempdir().unwrap();
    // 48 MiB; 32 MiB are fetched ahead.
    let total = 192 * SLICE;
    let given = Arc::new(AtomicU64::new(0));
    let count = given.clone();
    let origin = Origin::new(move |call| {
        let count = count.clone();
        async move {
            let pieces = (call.want.slice.start / SLICE..total / SLICE).map(move |number| {
                count.fetch_add(SLICE, Ordering::Relaxed);
                Ok(content(number, SLICE))
            });
            let meta = Meta { start: call.want.slice.start, ..meta(total, "\"v1\"") };
            Ok(Reply { status: 206, meta, body: stream::iter(pieces).boxed() })
        }
    });
    let place = Place::new(on_disk(folder.path()), &origin);
    let object = place.object("/film.mp4").await.unwrap();
    let mut part = Box::pin(object.part(0..TO_THE_END));
    let mut got = part.next().await.unwrap().unwrap().to_vec();
    until(|| given.load(Ordering::Relaxed) >= 4 * SLICE).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let bytes = given.load(Ordering::Relaxed);
    assert!(bytes <= 130 * SLICE, "{bytes}");
    while let Some(bytes) = part.next().await {
        got.extend_from_slice(&bytes.unwrap());
    }
    let right = |number: u64| {
        let start = usize::try_from(number * SLICE).unwrap();
        got[start..start + SLICE as usize] == content(number, SLICE)
    };
    assert!(got.len() as u64 == total && (0..total / SLICE).all(right));
    assert_eq!(origin.count(), 1);
}

#[tokio::test]
async fn what_is_here_is_not_fetched_again() {
    let folder = tempfile::tempdir().unwrap();
    let body = content(1, 9 * SLICE + 7);
    let origin = Origin::of(body.clone());
    let place = Place::new(on_disk(folder.path()), &origin);
    for slice in [3, 4] {
        let part = slice * SLICE..slice * SLICE + 1;
        read(&place.at("/a", part.clone()).await.unwrap(), part).await.unwrap();
        place.settled().await;
    }
    assert!(place.get("/a").await.unwrap() == body);
    place.settled().await;
    let asked: Vec<_> = origin.calls().into_iter().skip(2).map(|call| call.want.slice).collect();
    assert_eq!(asked, [0..3 * SLICE, 5 * SLICE..10 * SLICE]);
    // Somebody at the end, and then somebody who wants all of it.
    let part = 8 * SLICE..9 * SLICE;
    assert!(read(&place.at("/b", part.clone()).await.unwrap(), part.clone()).await.unwrap() == cut(&body, &part));
    place.settled().await;
    assert_eq!(origin.calls().last().unwrap().want.slice, part);
}

#[tokio::test]
async fn whoever_needs_a_turn_gets_it_at_the_end_of_a_slice() {
    let folder = tempfile::tempdir().unwrap();
    let (long, short) = (content(1, 100 * SLICE), content(2, 1000));
    let given = Arc::new(AtomicU64::new(0));
    let count = given.clone();
    let origin = Origin::new(move |call| {
        let body = if call.path == "/short" { short.clone() } else { long.clone() };
        let count = count.clone();
        async move {
            let reply = right(&body, &call.want, "\"v1\"");
            let slowly = reply.body.then(move |piece| {
                count.fetch_add(piece.as_ref().map_or(0, |piece| piece.len() as u64), Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(1)).map(|()| piece)
            });
            Ok(Reply { body: slowly.boxed(), ..reply })
        }
    });
    let place = Place::new(CacheConfig { fills: 1, ..on_disk(folder.path()) }, &origin);
    let object = place.object("/long").await.unwrap();
    let mut part: Pin<Box<dyn Stream<Item = _>>> = Box::pin(object.part(0..TO_THE_END));
    part.next().await.unwrap().unwrap();
    assert_eq!(place.get("/short").await.unwrap().len(), 1000);
    let bytes = given.load(Ordering::Relaxed);
    assert!(bytes < 50 * SLICE, "{bytes}: it waits for a slice, not for all");
    let mut left = 100 * SLICE - 10_000;
    while let Some(bytes) = part.next().await {
        left -= bytes.unwrap().len() as u64;
    }
    assert_eq!(left, 0);
}

/// The same origin, asked on behalf of another edge.
struct OnBehalf(Arc<Origin>, &'static str);

impl Upstream for OnBehalf {
    fn fetch(&self, key: &ObjectKey, want: Want) -> BoxFuture<'static, Result<Reply, edge::cache::Failure>> {
        self.0.fetch(key, want)
    }

    fn chain(&self) -> Chain {
        self.1.into()
    }
}

#[tokio::test]
async fn nobody_waits_for_what_is_asked_on_behalf_of_others() {
    let folder = tempfile::tempdir().unwrap();
    let body = content(1, 3 * SLICE);
    let given = body.clone();
    let origin = Origin::new(move |call| {
        let body = given.clone();
        async move {
            match call.number {
                // As an edge that waits for us.
                0 => std::future::pending().await,
                1 => Err(edge::cache::Failure::Refused(508)),
                _ => Ok(Reply { body: chunks(body.clone()), ..right(&body, &call.want, "\"v1\"") }),
            }
        }
    });
    let place = Arc::new(Place::new(config(folder.path()), &origin));
    let waiting = place.clone();
    let waiting = tokio::spawn(async move { waiting.get("/a").await });
    until(|| origin.count() == 1).await;
    let [other, another]: [Arc<dyn Upstream>; 2] =
        ["noren-1", "noren-2"].map(|chain| Arc::new(OnBehalf(origin.clone(), chain)) as Arc<dyn Upstream>);
    let key = crate::origin::key("/a");
    for _ in 0..2 {
        let refused = place.cache.object(&key, &other, None).await.err();
        assert_eq!(refused, Some(edge::cache::Failure::Refused(508)), "and it is remembered");
    }
    // That says nothing to others.
    let object = place.cache.object(&key, &another, None).await.unwrap();
    assert!(read(&object, 0..TO_THE_END).await.unwrap() == body);
    assert_eq!(origin.count(), 3);
    waiting.abort();
}

/// What another edge gives may stop in the middle until it has been given the rest, perhaps by us.
#[tokio::test]
async fn nobody_waits_in_the_middle_of_what_another_edge_gives() {
    let body = content(1, 4 * SLICE);
    let elsewhere = tempfile::tempdir().unwrap();
    let of_an_edge = Place::new(config(elsewhere.path()), &Origin::of(body.clone())).object("/a").await.unwrap().etag();
    for (etag, requests) in [(of_an_edge, 2), ("\"v1\"".to_owned(), 1)] {
        let folder = tempfile::tempdir().unwrap();
        let (gate, opened) = watch::channel(false);
        let given = body.clone();
        let origin = Origin::new(move |call| {
            let (reply, mut gate) = (right(&given, &call.want, &etag), opened.clone());
            let (start, rest) = (chunks(given.slice(..SLICE as usize + 1000)), given.slice(SLICE as usize + 1000..));
            async move {
                if call.number > 0 {
                    return Ok(reply);
                }
                let later = stream::once(async move {
                    gate.wait_for(|open| *open).await.unwrap();
                    Ok(rest)
                });
                Ok(Reply { body: start.chain(later).boxed(), ..reply })
            }
        });
        let place = Place::new(config(folder.path()), &origin);
        let object = place.object("/a").await.unwrap();
        let mut part = Box::pin(object.part(0..TO_THE_END));
        let mut all = part.next().await.unwrap().unwrap().to_vec();
        until(|| files(folder.path()).len() == 1).await;

        let other: Arc<dyn Upstream> = Arc::new(OnBehalf(origin.clone(), "noren-1"));
        let (key, second) = (crate::origin::key("/a"), SLICE..2 * SLICE);
        let asking =
            async { read(&place.cache.object(&key, &other, Some(second.clone())).await?, second.clone()).await };
        let patience = Duration::from_secs(if requests == 1 { 1 } else { 20 });
        match tokio::time::timeout(patience, asking).await {
            Ok(answer) => assert!(requests == 2 && answer.unwrap() == cut(&body, &second)),
            Err(_) => assert_eq!(requests, 1, "it waits for what cannot wait for it"),
        }
        gate.send(true).unwrap();
        while let Some(bytes) = part.next().await {
            all.extend_from_slice(&bytes.unwrap());
        }
        assert!(all == body);
        assert_eq!(origin.count(), requests);
    }
}

/// Those who have the turns may be waiting for the very edge that asks.
#[tokio::test]
async fn who_asks_on_behalf_of_another_edge_waits_for_no_turn() {
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::new(|call| async move {
        if call.path == "/slow" {
            std::future::pending::<()>().await;
        }
        Ok(right(&content(1, 2 * SLICE), &call.want, "\"v1\""))
    });
    // The turn is taken for longer than is waited here.
    let config = CacheConfig { fills: 1, stall: Duration::from_secs(60), ..config(folder.path()) };
    let place = Arc::new(Place::new(config, &origin));
    let waiting = place.clone();
    let waiting = tokio::spawn(async move { waiting.get("/slow").await });
    until(|| origin.count() == 1).await;
    let other: Arc<dyn Upstream> = Arc::new(OnBehalf(origin.clone(), "noren-1"));
    let key = crate::origin::key("/quick");
    let object = tokio::time::timeout(Duration::from_secs(20), place.cache.object(&key, &other, None)).await;
    let object = object.unwrap().unwrap();
    assert_eq!(object.how(), How::Bypass);
    assert!(read(&object, 0..TO_THE_END).await.unwrap() == content(1, 2 * SLICE));
    waiting.abort();
}

/// Whoever asks for himself may wait for what is asked for on behalf of others, and asks again if it is refused to them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_join_what_is_asked_for_on_behalf_of_others() {
    for is_refused in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let body = content(1, 3 * SLICE);
        let (gate, opened) = watch::channel(false);
        let given = body.clone();
        let origin = Origin::new(move |call| {
            let (reply, mut gate) = (right(&given, &call.want, "\"v1\""), opened.clone());
            async move {
                if call.number == 0 {
                    gate.wait_for(|open| *open).await.unwrap();
                }
                if call.number == 0 && is_refused { Err(edge::cache::Failure::Circle) } else { Ok(reply) }
            }
        });
        let place = Arc::new(Place::new(config(folder.path()), &origin));
        let other: Arc<dyn Upstream> = Arc::new(OnBehalf(origin.clone(), "noren-1"));
        let (key, asking) = (crate::origin::key("/a"), place.clone());
        let other = tokio::spawn(async move { asking.cache.object(&key, &other, None).await.err() });
        until(|| origin.count() == 1).await;
        let readers: Vec<_> = (0..100)
            .map(|_| {
                let place = place.clone();
                tokio::spawn(async move { place.get("/a").await })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(50)).await;
        gate.send(true).unwrap();
        for reader in readers {
            assert!(reader.await.unwrap().unwrap() == body);
        }
        assert_eq!(other.await.unwrap(), is_refused.then_some(edge::cache::Failure::Circle));
        let calls = origin.calls();
        assert_eq!(calls.len(), if is_refused { 2 } else { 1 }, "{calls:?}");
    }
}
