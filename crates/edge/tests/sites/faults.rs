//! Origins that fail: what was kept is served, what was not is refused soon and clearly, and nothing is taken for whole
//! that is not.

use crate::world::{Origin, Reply, World, reply};
use std::time::{Duration, Instant};

const PNG: &str = "Content-Type: image/png\r\n";
/// Less than anybody waits who has not been told to be impatient.
const SOON: Duration = Duration::from_secs(12);

fn site(origin: &Origin, name: &str) -> String {
    format!(
        "[[site]]\nname = \"{name}\"\nvalid = \"0 s\"\n[[site.origin]]\nurl = \"{}\"\nconnect_timeout = \"1 s\"\n\
         answer_timeout = \"1500 ms\"\nidle_timeout = \"1500 ms\"\n",
        origin.url()
    )
}

fn head(length: usize) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\n{PNG}Content-Length: {length}\r\nConnection: close\r\n\r\n").into_bytes()
}

fn with(mut bytes: Vec<u8>, more: &[u8]) -> Vec<u8> {
    bytes.extend_from_slice(more);
    bytes
}

type Fails = fn(&str) -> Reply;

/// (what it is, what it does)
fn failures() -> Vec<(&'static str, Fails)> {
    vec![
        ("error", |_| reply("500 Internal Server Error", PNG, b"sorry")),
        ("unavailable", |_| reply("503 Service Unavailable", PNG, b"sorry")),
        ("closes", |_| Reply::Bytes(Vec::new())),
        ("nonsense", |_| Reply::Bytes(b"SSH-2.0-OpenSSH\r\n".to_vec())),
        ("half a head", |_| Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Le".to_vec())),
        ("silent", |_| Reply::Stuck(Vec::new())),
        ("slow", |_| Reply::Late(Duration::from_secs(20), with(head(5), b"bytes"))),
        ("compressed", |_| reply("200 OK", "Content-Type: image/png\r\nContent-Encoding: gzip\r\n", b"\x1f\x8b")),
        ("loop", |_| reply("302 Found", "Location: /a.png\r\n", b"")),
        ("two lengths", |_| {
            Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nbytes!".to_vec())
        }),
        ("part without place", |_| reply("206 Partial Content", PNG, b"byt")),
        ("not modified, unasked", |_| reply("304 Not Modified", "", b"")),
    ]
}

#[tokio::test]
async fn what_was_kept_is_served_whatever_happens_to_the_origin() {
    let origin = Origin::new(|_| reply("200 OK", PNG, b"bytes")).await;
    let world = World::new(&site(&origin, "start")).await;
    for (name, fails) in failures() {
        world.reload(&site(&origin, name).replace("[[site.origin]]", "[[site.origin]]\nfollow = [\"127.0.0.1\"]"));
        origin.becomes(|_| reply("200 OK", PNG, b"bytes"));
        assert_eq!(world.get("a", "/a.png").await.text(), "bytes", "{name}");
        world.settled().await;
        origin.becomes(fails);
        let started = Instant::now();
        let answer = world.get("a", "/a.png").await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "bytes"), "{name}: {}", answer.head);
        // Who asks on a condition gets an answer that makes sense.
        let how = if name.starts_with("not modified") { "REVALIDATED" } else { "STALE" };
        assert_eq!(answer.header("x-cache"), how, "{name}");
        assert!(started.elapsed() < SOON, "{name}: {:?}", started.elapsed());
    }
}

#[tokio::test]
async fn what_was_not_kept_is_refused_soon_and_not_called_absent() {
    let origin = Origin::new(|_| reply("200 OK", PNG, b"bytes")).await;
    let world = World::new(&site(&origin, "start")).await;
    for (name, fails) in failures() {
        world.reload(&site(&origin, name).replace("[[site.origin]]", "[[site.origin]]\nfollow = [\"127.0.0.1\"]"));
        origin.becomes(fails);
        let started = Instant::now();
        let answer = world.get("a", "/a.png").await;
        assert!(matches!(answer.status, 502..=504), "{name}: {}", answer.head);
        assert_eq!(
            (answer.header("cache-control"), answer.header("content-type")),
            ("no-store", "text/plain; charset=utf-8")
        );
        assert!(answer.whole && answer.body.len() < 100, "{name}");
        assert!(started.elapsed() < SOON, "{name}: {:?}", started.elapsed());
        // It is well again, and the file is there as soon as the failure is forgotten.
        origin.becomes(|_| reply("200 OK", PNG, b"bytes"));
        assert_eq!(world.get("a", "/other.png").await.text(), "bytes", "{name}");
    }
}

/// What breaks in the middle must break for the client too, and must not stay.
#[tokio::test]
async fn what_is_cut_is_never_whole() {
    let long: Vec<u8> = (0..100_000u32).map(|place| (place % 251) as u8).collect();
    let whole = long.clone();
    let cut = long.clone();
    let origin = Origin::new(move |_| Reply::Bytes(with(head(100_000), &cut[..40_000]))).await;
    let world = World::new(&site(&origin, "cut")).await;
    let answer = world.get("a", "/cut.png").await;
    assert!(answer.status != 200 || !answer.whole, "{}", answer.head);
    let cut = long.clone();
    origin.becomes(move |_| Reply::Stuck(with(head(100_000), &cut[..40_000])));
    let started = Instant::now();
    let answer = world.get("a", "/stuck.png").await;
    assert!(answer.status != 200 || !answer.whole, "{}", answer.head);
    assert!(started.elapsed() < SOON);
    // More than was announced: what follows is not part of it.
    let more = long.clone();
    origin.becomes(move |_| Reply::Bytes(with(head(50_000), &more)));
    let answer = world.get("a", "/more.png").await;
    assert!(answer.status != 200 || (answer.whole && answer.body == long[..50_000]), "{}", answer.head);
    origin.becomes(move |_| Reply::Bytes(with(head(100_000), &long)));
    tokio::time::sleep(Duration::from_millis(100)).await;
    world.reload(&site(&origin, "cut").replace("valid = ", "max_age = \"1 d\"\nvalid = "));
    for path in ["/cut.png", "/stuck.png"] {
        let answer = patiently(&world, path).await;
        assert_eq!((answer.status, answer.whole, answer.body == whole), (200, true, true), "{path}: {}", answer.head);
    }
}

/// Until the failure before is forgotten.
async fn patiently(world: &World, path: &str) -> crate::world::Answer {
    for _ in 0..600 {
        let answer = world.get("a", path).await;
        if answer.status == 200 {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    world.get("a", path).await
}

#[tokio::test]
async fn without_network_or_names_it_starts_and_serves_what_it_has() {
    let origin = Origin::new(|_| reply("200 OK", PNG, b"bytes")).await;
    let world = World::new(&site(&origin, "a")).await;
    assert_eq!(world.get("a", "/a.png").await.text(), "bytes");
    world.settled().await;
    // The name is gone, then the machine is.
    for url in ["http://gone.invalid", "http://127.0.0.1:1"] {
        world.reload(&site(&origin, "a").replace(&origin.url(), url));
        for _ in 0..5 {
            let answer = world.get("a", "/a.png").await;
            assert_eq!((answer.text().as_str(), answer.header("x-cache")), ("bytes", "STALE"), "{url}");
        }
        let answer = world.get("a", &format!("/{}.png", url.len())).await;
        assert!(matches!(answer.status, 502..=504), "{url}: {}", answer.head);
    }
    // The next origin is asked where the first is gone.
    let both = site(&origin, "b").replace(&origin.url(), "http://127.0.0.1:1")
        + &format!("[[site.origin]]\nurl = \"{}\"\n", origin.url());
    world.reload(&both);
    for at in 0..6 {
        assert_eq!(world.get("a", &format!("/{at}.png")).await.text(), "bytes");
    }
    let status = world.status();
    let gone = status.origins.iter().find(|known| known.site == "b" && known.name.ends_with(":1")).unwrap();
    assert_eq!((gone.failed, gone.rests), (3, true), "it is not asked again for a while");
}

#[tokio::test]
async fn requests_to_an_origin_are_bounded() {
    let origin = Origin::new(|_| Reply::Late(Duration::from_millis(200), with(head(5), b"bytes"))).await;
    let world = World::new(&format!(
        "[[site]]\n[[site.origin]]\nurl = \"{}\"\nrequests = 2\nanswer_timeout = \"5 s\"\n",
        origin.url()
    ))
    .await;
    let started = Instant::now();
    let paths: Vec<String> = (0..8).map(|at| format!("/{at}.png")).collect();
    let answers = futures_util::future::join_all(paths.iter().map(|path| world.get("a", path))).await;
    assert!(answers.iter().all(|answer| answer.text() == "bytes"));
    assert!(started.elapsed() >= Duration::from_millis(780), "{:?}: two at once take four rounds", started.elapsed());
}

/// What is wrong with single files is no reason to leave the whole origin alone.
#[tokio::test]
async fn refusals_do_not_let_an_origin_rest() {
    for status in ["401 Unauthorized", "500 Internal Server Error"] {
        let origin = Origin::new(move |head| match head.contains("/good") {
            true => reply("200 OK", PNG, b"bytes"),
            false => reply(status, "", b""),
        })
        .await;
        let world = World::new(&site(&origin, "a")).await;
        for at in 0..5 {
            assert_eq!(world.get("a", &format!("/{at}.png")).await.status, 502, "{status}");
        }
        assert_eq!(world.get("a", "/good.png").await.text(), "bytes", "{status}");
    }
}

/// One that takes connections and says nothing must not keep the next from being asked.
#[tokio::test]
async fn the_next_is_asked_where_one_is_silent() {
    let silent = Origin::new(|_| Reply::Stuck(Vec::new())).await;
    let good = Origin::new(|_| reply("200 OK", PNG, b"bytes")).await;
    let sites =
        format!("[[site]]\n[[site.origin]]\nurl = \"{}\"\n[[site.origin]]\nurl = \"{}\"\n", silent.url(), good.url());
    // As if the cache were less patient than the two together.
    let world = World::new(&(sites + "[cache]\nstall = \"2 s\"\n")).await;
    let started = Instant::now();
    let answers = tokio::join!(world.get("a", "/a.png"), world.get("a", "/b.png"), world.get("a", "/c.png"));
    for answer in [answers.0, answers.1, answers.2] {
        assert_eq!((answer.status, answer.text().as_str()), (200, "bytes"), "{}", answer.head);
    }
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    // It rests now.
    let started = Instant::now();
    assert_eq!(world.get("a", "/d.png").await.text(), "bytes");
    assert!(started.elapsed() < Duration::from_secs(9), "{:?}", started.elapsed());
}
