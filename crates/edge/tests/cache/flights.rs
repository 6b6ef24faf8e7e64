//! Many want the same at the same time.

use crate::origin::{Origin, Place, SLICE, config, content, files, meta, on_disk, read, until};
use bytes::Bytes;
use edge::cache::{CacheConfig, Failure, How, Reply, TO_THE_END};
use futures_util::{StreamExt, stream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// Gives the first half, and the second when the gate opens.
fn halves(body: Bytes, gate: watch::Receiver<bool>) -> Arc<Origin> {
    Origin::new(move |call| {
        let (body, mut gate) = (body.slice(usize::try_from(call.want.slice.start).unwrap()..), gate.clone());
        async move {
            let middle = body.len() / 2;
            let (first, second) = (body.slice(..middle), body.slice(middle..));
            let later = async move {
                gate.wait_for(|open| *open).await.unwrap();
                Ok(second)
            };
            let body = stream::iter([Ok(first)]).chain(stream::once(later)).boxed();
            Ok(Reply { status: 206, meta: meta(middle as u64 * 2, "\"v1\""), body })
        }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_on_a_cold_object_cause_one_request_and_stream_as_it_arrives() {
    let folder = tempfile::tempdir().unwrap();
    let body = content(1, 200_000);
    let (gate, opened) = watch::channel(false);
    let place = Arc::new(Place::new(config(folder.path()), &halves(body.clone(), opened)));
    let have_half = Arc::new(AtomicUsize::new(0));
    let readers: Vec<_> = (0..1000)
        .map(|_| {
            let (place, have_half) = (place.clone(), have_half.clone());
            tokio::spawn(async move {
                let object = place.object("/a").await.unwrap();
                let mut part = Box::pin(object.part(0..TO_THE_END));
                let mut all = Vec::new();
                while let Some(bytes) = part.next().await {
                    all.extend_from_slice(&bytes.unwrap());
                    if all.len() == 100_000 {
                        have_half.fetch_add(1, Ordering::Relaxed);
                    }
                }
                (object.how(), all)
            })
        })
        .collect();
    // The second half is withheld until all of them have the first.
    until(|| have_half.load(Ordering::Relaxed) == 1000).await;
    gate.send(true).unwrap();
    for reader in readers {
        let (how, all) = reader.await.unwrap();
        assert!(how == How::Miss && all == body);
    }
    assert_eq!(place.origin.count(), 1);
    assert_eq!(place.cache.stats().misses, 1000);
}

#[tokio::test]
async fn a_reader_that_goes_away_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let body = content(1, 100_000);
    let (gate, opened) = watch::channel(false);
    let place = Place::new(config(folder.path()), &halves(body.clone(), opened));
    let object = place.object("/a").await.unwrap();
    let mut part = Box::pin(object.part(0..TO_THE_END));
    part.next().await.unwrap().unwrap();
    drop(part);
    drop(object);
    gate.send(true).unwrap();
    place.settled().await;
    let again = place.object("/a").await.unwrap();
    assert_eq!(again.how(), How::Hit);
    assert_eq!(read(&again, 0..TO_THE_END).await.unwrap(), body);
    assert_eq!(place.origin.count(), 1);
}

#[tokio::test]
async fn a_request_that_goes_away_before_the_answer_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let turns = Arc::new(Semaphore::new(0));
    let body = content(1, 1000);
    let (given, gate) = (body.clone(), turns.clone());
    let origin = Origin::new(move |call| {
        let (body, gate) = (given.clone(), gate.clone());
        async move {
            gate.acquire().await.unwrap().forget();
            Ok(crate::origin::right(&body, &call.want, "\"v1\""))
        }
    });
    let place = Place::new(config(folder.path()), &origin);
    let waiting = tokio::time::timeout(Duration::from_millis(20), place.object("/a")).await;
    assert!(waiting.is_err());
    turns.add_permits(1);
    place.settled().await;
    assert_eq!(place.object("/a").await.unwrap().how(), How::Hit);
    assert_eq!(origin.count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_that_come_at_any_moment_cause_one_request() {
    for round in 0..30 {
        let folder = tempfile::tempdir().unwrap();
        let body = content(round, 50_000);
        let config = if round % 2 == 0 { config(folder.path()) } else { on_disk(folder.path()) };
        let place = Arc::new(Place::new(config, &Origin::of(body.clone())));
        let readers: Vec<_> = (0..50)
            .map(|number| {
                let place = place.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_micros(number * 40)).await;
                    place.get("/a").await.unwrap()
                })
            })
            .collect();
        for reader in readers {
            assert!(reader.await.unwrap() == body);
        }
        assert_eq!(place.origin.count(), 1, "round {round}");
    }
}

#[tokio::test]
async fn fetches_are_bounded_and_wait_for_their_turn() {
    let folder = tempfile::tempdir().unwrap();
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (now, peak) = (running.clone(), most.clone());
    let origin = Origin::new(move |call| {
        let (now, peak) = (now.clone(), peak.clone());
        async move {
            peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(3)).await;
            now.fetch_sub(1, Ordering::SeqCst);
            Ok(crate::origin::right(&content(1, 100), &call.want, "\"v1\""))
        }
    });
    let place = Arc::new(Place::new(CacheConfig { fills: 3, ..config(folder.path()) }, &origin));
    let readers: Vec<_> = (0..40)
        .map(|number| {
            let place = place.clone();
            tokio::spawn(async move { place.get(&format!("/{number}")).await })
        })
        .collect();
    for reader in readers {
        reader.await.unwrap().unwrap();
    }
    assert_eq!((origin.count(), most.load(Ordering::SeqCst)), (40, 3));
}

#[tokio::test]
async fn who_waits_too_long_for_a_turn_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::new(|call| async move {
        if call.path == "/slow" {
            std::future::pending::<()>().await;
        }
        Ok(crate::origin::right(&content(1, 100), &call.want, "\"v1\""))
    });
    let short = CacheConfig { fills: 1, stall: Duration::from_millis(500), ..config(folder.path()) };
    let place = Place::new(short, &origin);
    let (slow, quick) = tokio::join!(place.object("/slow"), async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        place.object("/quick").await
    });
    assert_eq!(slow.err(), Some(Failure::TimedOut));
    // Its turn may come just before its patience ends.
    assert!(matches!(quick.err(), None | Some(Failure::Busy)));
    place.settled().await;
    assert!(place.object("/quick").await.is_ok(), "being busy is not remembered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_of_an_object_that_flows_share_one_request() {
    let folder = tempfile::tempdir().unwrap();
    let body = content(5, 12 * SLICE + 3);
    let given = body.clone();
    let origin = Origin::new(move |_| {
        let reply = crate::origin::whole(&given, "\"v1\"");
        async move { Ok(reply) }
    });
    let place = Arc::new(Place::new(config(folder.path()), &origin));
    let readers: Vec<_> = (0..60_u64)
        .map(|number| {
            let (place, body) = (place.clone(), body.clone());
            tokio::spawn(async move {
                let part = number % 12 * SLICE + number..TO_THE_END;
                let object = place.at("/a", part.clone()).await.unwrap();
                assert!(read(&object, part.clone()).await.unwrap() == crate::origin::cut(&body, &part));
            })
        })
        .collect();
    for reader in readers {
        reader.await.unwrap();
    }
    place.settled().await;
    // Whoever looked just before the flow began asks for a slice of his own.
    assert!(origin.count() <= 12, "{}", origin.count());
    assert_eq!(files(folder.path()).len(), 13);
}

/// Gives the whole object whatever is asked, as slowly as it is read, and counts what was read.
fn counted(body: Bytes) -> (Arc<AtomicUsize>, Arc<Origin>) {
    let given = Arc::new(AtomicUsize::new(0));
    let count = given.clone();
    let origin = Origin::new(move |_| {
        let (reply, count) = (crate::origin::whole(&body, "\"v1\""), count.clone());
        async move {
            let counted = reply.body.inspect(move |bytes| {
                count.fetch_add(bytes.as_ref().map_or(0, Bytes::len), Ordering::Relaxed);
            });
            Ok(Reply { body: counted.boxed(), ..reply })
        }
    });
    (given, origin)
}

#[tokio::test]
async fn a_flow_goes_on_for_a_slow_reader_and_stops_when_nobody_wants_it() {
    let body = content(1, 60 * SLICE);
    let folder = tempfile::tempdir().unwrap();
    let (given, origin) = counted(body.clone());
    let place = Place::new(on_disk(folder.path()), &origin);
    let object = place.at("/a", SLICE..TO_THE_END).await.unwrap();
    let mut part = Box::pin(object.part(SLICE..TO_THE_END));
    let mut all = part.next().await.unwrap().unwrap().to_vec();
    place.settled().await;
    assert_eq!(given.load(Ordering::Relaxed), body.len());
    while let Some(bytes) = part.next().await {
        all.extend_from_slice(&bytes.unwrap());
    }
    assert!(all == body[SLICE as usize..] && origin.count() == 1);

    let folder = tempfile::tempdir().unwrap();
    let (given, origin) = counted(body.clone());
    let place = Place::new(on_disk(folder.path()), &origin);
    drop(place.at("/a", SLICE..2 * SLICE).await.unwrap());
    place.settled().await;
    let given = given.load(Ordering::Relaxed);
    assert!(given > 30 * SLICE as usize && given < 40 * SLICE as usize, "{given}");
}
