//! Edges that have each other as origins.

use crate::world::{Origin, Reply, World, sent};
use axum::body::Body;
use axum::http::Request;
use edge::OwnPlace;
use edge::config::EdgeConfig;
use futures_util::future::join_all;
use std::time::{Duration, Instant};

/// Who waits for another edge waits as long as one of three origins may take to answer: 6.6 seconds.
const WITHOUT_WAITING: Duration = Duration::from_secs(6);

/// Two edges, or three, each with the next as its origin.
#[tokio::test]
async fn edges_in_a_circle_end_at_once() {
    let site = |world: &World| {
        format!("[[site]]\n[[site.origin]]\nurl = \"http://{}\"\nanswer_timeout = \"20 s\"\n", world.address)
    };
    let first = World::new("[[site]]\n[[site.origin]]\nfolder = \"{here}\"\n").await;
    let second = World::new(&site(&first)).await;
    let third = World::new(&site(&second)).await;
    for last in [&second, &third] {
        first.reload(&site(last));
        let started = Instant::now();
        let answer = first.get("a", &format!("/{}.png", last.address.port())).await;
        assert!(matches!(answer.status, 502 | 508), "{}", answer.head);
        assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    }
    // A chain that ends is none, whatever strangers write into their requests.
    let origin = Origin::with(&[("/a.png", "image/png", b"bytes")]).await;
    first.reload(&format!("[[site]]\n[[site.origin]]\nurl = \"{}\"\n", origin.url()));
    let hops = "CDN-Loop: cloudflare; subreqs=9, noren-0123456789abcdef, other\r\n";
    assert_eq!(third.ask("a", "/a.png", hops).await.text(), "bytes");
    let told = origin.asked();
    let told: Vec<&str> = sent(&told[0], "cdn-loop").unwrap().split(", ").collect();
    assert_eq!((told.len(), told[0]), (4, "noren-0123456789abcdef"), "{told:?}");
    assert!(told.iter().all(|hop| hop.starts_with("noren-")), "{told:?}");
}

/// Two edges, each with the other as an origin and then with files of its own, and settings of their caches.
async fn two(cache: &str) -> (World, World) {
    two_behind("", cache).await
}

/// The same, with other origins in front of each other.
async fn two_behind(front: &str, cache: &str) -> (World, World) {
    let own = "[[site.origin]]\nfolder = \"{here}/shelf\"\n";
    // What comes before [cache] is said of the other edge.
    let (other_edge, cache) = cache.split_once("[cache]\n").unwrap_or(("", cache));
    let alone = format!("[[site]]\n{own}[cache]\n{cache}");
    let (first, second) = (World::new(&alone).await, World::new(&alone).await);
    let site = |other: &World| {
        let url = format!("url = \"http://{}\"\nanswer_timeout = \"20 s\"\n{other_edge}", other.address);
        format!("[[site]]\n{front}[[site.origin]]\n{url}{own}[cache]\n{cache}")
    };
    first.reload(&site(&second));
    second.reload(&site(&first));
    (first, second)
}

/// Our own media are asked for at places that may lead here, too.
#[tokio::test]
async fn own_media_that_lead_back_end_at_once() {
    let origin = Origin::with(&[("/a.png", "image/png", b"bytes")]).await;
    let world = World::new("").await;
    let site = format!("[[site]]\n[[site.origin]]\nurl = \"{}\"\n", origin.url());
    let config = EdgeConfig::parse(&site, "edge.toml").unwrap();
    let places = [OwnPlace::Origin(config.sites[0].origins[0].clone())];
    let router = world.edge.own(&places, "/media").unwrap();
    let ask = async |path: &str, hops: &str| {
        let request = Request::get(path).header("cdn-loop", hops).body(Body::empty()).unwrap();
        tower::ServiceExt::oneshot(router.clone(), request).await.unwrap().status().as_u16()
    };
    assert_eq!(ask("/media/a.png", "").await, 200);
    let own = sent(&origin.asked()[0], "cdn-loop").unwrap().to_owned();
    for path in ["/media/a.png", "/media/b.png"] {
        assert_eq!(ask(path, &own).await, 508, "{path}");
    }
    assert_eq!(origin.asked().len(), 1);
}

/// Two edges, each with the other as an origin, and both asked for the same files at the same moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_edges_that_ask_each_other_do_not_wait_for_each_other() {
    let (first, second) = two("").await;
    let png = |number: usize| [b"\x89PNG\r\n\x1a\n".as_slice(), &vec![b'a'; number * 400_000]].concat();
    // Some are at the one, some at the other, and some nowhere.
    for number in 0..12 {
        match number % 3 {
            0 => first.write(&format!("shelf/{number}.png"), png(number)),
            1 => second.write(&format!("shelf/{number}.png"), png(number)),
            _ => {}
        }
    }
    for number in 0..12 {
        let started = Instant::now();
        let path = format!("/{number}.png");
        let (one, other) = tokio::join!(first.get("a", &path), second.get("a", &path));
        for answer in [one, other] {
            match number % 3 {
                2 => assert_eq!(answer.status, 404, "{number}: {}", answer.head),
                _ => assert!(
                    answer.status == 200 && answer.body == png(number),
                    "{number}, {} bytes: {}",
                    answer.body.len(),
                    answer.head
                ),
            }
        }
        assert!(started.elapsed() < WITHOUT_WAITING, "{number}: {:?}", started.elapsed());
    }
}

/// The same with files of many slices, of which both have some already.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_edges_with_a_part_each_give_each_other_the_rest() {
    let (first, second) = two("slice_size = \"256 KiB\"\nmemory = \"0 B\"\n").await;
    let film = |number: usize| -> Vec<u8> { (0..3_000_000).map(|place| (place / 7 * (number + 3)) as u8).collect() };
    for number in 0..8 {
        let (path, film) = (format!("/{number}.mp4"), film(number));
        (if number % 2 == 0 { &first } else { &second }).write(&format!("shelf{path}"), &film);
        for (world, slices) in [(&first, [0, 1, 5]), (&second, [0, 4, 7])] {
            for slice in slices {
                let range = format!("Range: bytes={0}-{0}\r\n", slice * 262_144 + 1);
                let answer = world.ask("a", &path, &range).await;
                assert_eq!(answer.status, 206, "{number}, slice {slice}: {}", answer.head);
            }
        }
        let started = Instant::now();
        let asked = [&first, &second, &first, &second].map(|world| world.get("a", &path));
        for answer in join_all(asked).await {
            let is_right = answer.status == 200 && answer.body == film;
            assert!(is_right, "{number}, {} bytes: {}", answer.body.len(), answer.head);
        }
        assert!(started.elapsed() < WITHOUT_WAITING, "{number}: {:?}", started.elapsed());
    }
}

/// An origin that has nothing and takes its time to say so: who is asked at the same moment has taken his turn before
/// either comes to the next origin.
async fn slow() -> String {
    let nothing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let origin = Origin::new(move |_| Reply::Late(Duration::from_millis(300), nothing.to_vec())).await;
    format!("[[site.origin]]\nurl = \"{}\"\n", origin.url())
}

/// Each has a single turn to fetch something, and needs the other for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_edges_whose_turns_are_taken_do_not_wait_for_each_other() {
    let (first, second) = two_behind(&slow().await, "fills = 1\n").await;
    first.write("shelf/one.png", b"\x89PNG\r\n\x1a\none");
    second.write("shelf/two.png", b"\x89PNG\r\n\x1a\ntwo");
    for (at_first, at_second) in [("two", "one"), ("one", "two")] {
        let started = Instant::now();
        let (at_first, at_second) = (format!("/{at_first}.png"), format!("/{at_second}.png"));
        for answer in join_all([first.get("a", &at_first), second.get("a", &at_second)]).await {
            assert_eq!((answer.status, answer.body.len()), (200, 11), "{}", answer.head);
        }
        assert!(started.elapsed() < WITHOUT_WAITING, "{:?}", started.elapsed());
    }
}

/// However many readers there are before other edges: those ask once each at most.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_before_other_edges_are_joined() {
    let body: Vec<u8> = (0..600_000u32).map(|place| (place % 251) as u8).collect();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: {}\r\n\r\n", body.len());
    let bytes = [head.as_bytes(), &body].concat();
    let origin = Origin::new(move |_| Reply::Late(Duration::from_millis(300), bytes.clone())).await;
    let site = |url: String| format!("[[site]]\n[[site.origin]]\nurl = \"{url}\"\n");
    let back = World::new(&site(origin.url())).await;
    let front = site(format!("http://{}", back.address));
    let fronts = [World::new(&front).await, World::new(&front).await];
    let worlds = [&back, &fronts[0], &fronts[1]];
    let readers = (0..150).map(|number| worlds[number % 3].get("a", "/film.mp4"));
    for answer in join_all(readers).await {
        assert!(answer.status == 200 && answer.body == body, "{} bytes: {}", answer.body.len(), answer.head);
    }
    let asked = origin.asked().len();
    assert!((1..=3).contains(&asked), "{asked}: once for each of the three edges at most");
}

/// The same in the middle of files, for which turns are given back and taken again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_edges_in_the_middle_of_files_do_not_wait_for_each_others_turns() {
    let (first, second) = two("fills = 2\nslice_size = \"256 KiB\"\nmemory = \"0 B\"\nstall = \"20 s\"\n").await;
    let film = |number: usize| -> Vec<u8> { (0..1_500_000).map(|place| (place / 7 * (number + 3)) as u8).collect() };
    for number in 0..12 {
        (if number % 2 == 0 { &first } else { &second }).write(&format!("shelf/{number}.mp4"), film(number));
    }
    let started = Instant::now();
    let worlds = [&first, &second];
    let asked = (0..24)
        .map(|number| async move { (number / 2, worlds[number % 2].get("a", &format!("/{}.mp4", number / 2)).await) });
    for (number, answer) in join_all(asked).await {
        let is_right = answer.status == 200 && answer.body == film(number);
        assert!(is_right, "{number}, {} bytes: {}", answer.body.len(), answer.head);
    }
    // For a turn it is waited as long as an origin may be silent.
    assert!(started.elapsed() < Duration::from_secs(18), "{:?}", started.elapsed());
}

/// Each may ask the other for one file at a time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_edges_whose_requests_are_under_way_do_not_wait_for_each_other() {
    let (first, second) = two_behind(&slow().await, "requests = 1\n[cache]\n").await;
    let body = [b"\x89PNG\r\n\x1a\n".as_slice(), &vec![b'a'; 3_000_000]].concat();
    for world in [&first, &second] {
        assert_eq!(world.get("a", "/none.png").await.status, 404);
    }
    let mut shortest = Duration::MAX;
    for number in 0..3 {
        first.write(&format!("shelf/one-{number}.png"), &body);
        second.write(&format!("shelf/two-{number}.png"), &body);
        let paths = (format!("/two-{number}.png"), format!("/one-{number}.png"));
        let started = Instant::now();
        for answer in join_all([first.get("a", &paths.0), second.get("a", &paths.1)]).await {
            assert!(answer.status == 200 && answer.body == body, "{} bytes: {}", answer.body.len(), answer.head);
        }
        shortest = shortest.min(started.elapsed());
    }
    // For a place it is waited half as long as for an answer, each time: 3.3 seconds. The machine may be busy once.
    assert!(shortest < Duration::from_secs(3), "{shortest:?}");
}

/// Each would call the other's copy good, again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_deleted_does_not_live_on_between_two_edges() {
    let (first, second) = two("valid_ok = \"2 s\"\nvalid_not_found = \"1 s\"\n").await;
    first.write("shelf/a.png", b"\x89PNG\r\n\x1a\na");
    for world in [&second, &first] {
        assert_eq!(world.get("a", "/a.png").await.status, 200);
        world.settled().await;
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    std::fs::remove_file(first.folder.path().join("shelf/a.png")).unwrap();
    let started = Instant::now();
    loop {
        let statuses = [first.get("a", "/a.png").await.status, second.get("a", "/a.png").await.status];
        if statuses == [404, 404] {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "it lives on: {statuses:?}");
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
}

/// What an edge has from another one is good no longer than there, and it says so.
#[tokio::test]
async fn edges_tell_each_other_how_long_a_file_is_good() {
    let origin = Origin::with(&[("/a.png", "image/png", b"bytes")]).await;
    let site = |url: String, valid: &str| format!("[[site]]\nvalid = \"{valid}\"\n[[site.origin]]\nurl = \"{url}\"\n");
    let back = World::new(&site(origin.url(), "100 s")).await;
    let front = World::new(&site(format!("http://{}", back.address), "90 d")).await;
    let hops = "CDN-Loop: noren-0123456789abcdef\r\n";
    for world in [&front, &back] {
        for _ in 0..2 {
            let told = world.ask("a", "/a.png", hops).await;
            let seconds: u64 = told.header("noren-good-for").parse().unwrap();
            assert!((80..=100).contains(&seconds), "{}", told.head);
            world.settled().await;
        }
        // Nobody else is told, and what browsers may keep is another matter.
        let answer = world.get("a", "/a.png").await;
        assert_eq!((answer.header("noren-good-for"), answer.header("x-cache")), ("", "HIT"));
        assert!(answer.header("cache-control").contains("immutable"), "{}", answer.head);
    }
    // The shorter time counts.
    let short = World::new(&site(format!("http://{}", back.address), "20 s")).await;
    let told = short.ask("a", "/a.png", hops).await;
    assert!(told.header("noren-good-for").parse::<u64>().unwrap() <= 20, "{}", told.head);
}
