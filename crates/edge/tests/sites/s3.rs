//! A real S3 server as an origin, one that checks every signature.

use crate::s3_server;
use crate::s3_tls::Encrypted;
use crate::world::World;
use bytes::Bytes;
use media::s3::{Bucket, Headers, S3Config, Source};
use std::io::Write as _;

/// Made in two parts of 8 MiB and a rest.
const LONG: usize = 17 * 1024 * 1024 + 123;

fn long() -> Vec<u8> {
    (0..LONG).map(|at| u8::try_from((at * 31 + at / 251) % 256).unwrap()).collect()
}

fn picture() -> Headers {
    Headers { content_type: Some("image/png".into()), cache_control: None }
}

/// A bucket in which everything is in the folder "sub": a picture, and something long.
async fn filled(server: &s3_server::Server) {
    let config = S3Config { prefix: Some("sub".into()), ..server.config.clone() };
    let bucket = Bucket::open(&config).unwrap();
    bucket.put("a/b c.png", &Source::Bytes(Bytes::from_static(b"picture")), &picture()).await.unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&long()).unwrap();
    let headers = Headers { content_type: Some("video/mp4".into()), cache_control: None };
    bucket.put("long.mp4", &Source::open(file.path()).await.unwrap(), &headers).await.unwrap();
    let outside = Bucket::open(&server.config).unwrap();
    outside.put("outside.png", &Source::Bytes(Bytes::from_static(b"outside")), &picture()).await.unwrap();
}

fn site(server: &s3_server::Server, (secret, more): (&str, &str)) -> String {
    site_of(&server.config, (secret, more))
}

fn site_of(config: &S3Config, (secret, more): (&str, &str)) -> String {
    format!(
        "[[site]]\nhosts = [\"media.test\"]\n{more}\n[[site.origin]]\nbucket = \"files\"\nendpoint = \"{}\"\n\
         prefix = \"sub\"\naccess_key = \"test-id\"\nsecret_key = \"{secret}\"\nretries = 0\n\
         authorities = {:?}\n",
        config.endpoint.as_ref().unwrap(),
        config.authorities
    )
}

#[tokio::test]
async fn a_private_bucket_is_served_to_everybody() {
    let server = s3_server::start().await;
    filled(&server).await;
    let world = World::new(&site(&server, ("test-secret", ""))).await;
    for how in ["MISS", "HIT"] {
        let answer = world.get("media.test", "/a/b%20c.png").await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "picture"), "{}", answer.head);
        assert_eq!((answer.header("content-type"), answer.header("x-cache")), ("image/png", how));
        assert!(!answer.head.to_lowercase().contains("x-amz"), "{}", answer.head);
        world.settled().await;
    }
    for path in ["/none.png", "/outside.png", "/a/", "/", "/sub/a/b%20c.png"] {
        assert_eq!(world.get("media.test", path).await.status, 404, "{path}");
    }
    // Nobody else can read it.
    let endpoint = server.config.endpoint.clone().unwrap();
    let direct = crate::world::ask(
        (endpoint.host_str().unwrap(), endpoint.port().unwrap()),
        "GET /files/sub/a/b%20c.png HTTP/1.1\r\nHost: bucket\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert_eq!(direct.status, 403, "{}", direct.head);
}

#[tokio::test]
async fn a_jump_deep_into_a_long_object_fetches_little_and_all_of_it_is_right() {
    let (server, long) = (s3_server::start().await, long());
    filled(&server).await;
    let world = World::new(&site(&server, ("test-secret", ""))).await;
    let fetched = || world.status().origins.iter().map(|origin| origin.bytes).sum::<u64>();
    let part = world.ask("media.test", "/long.mp4", "Range: bytes=13000000-13000999\r\n").await;
    assert_eq!((part.status, part.body.as_slice()), (206, &long[13_000_000..13_001_000]), "{}", part.head);
    assert_eq!(part.header("content-range"), format!("bytes 13000000-13000999/{LONG}"));
    world.settled().await;
    assert!(fetched() <= 2 << 20, "{}", fetched());
    let end = world.ask("media.test", "/long.mp4", "Range: bytes=-100\r\n").await;
    assert_eq!((end.status, end.body.as_slice()), (206, &long[LONG - 100..]));
    let beyond = world.ask("media.test", "/long.mp4", &format!("Range: bytes={LONG}-\r\n")).await;
    assert_eq!((beyond.status, beyond.header("content-range")), (416, format!("bytes */{LONG}").as_str()));
    let several = world.ask("media.test", "/long.mp4", "Range: bytes=0-9,17000000-17000009\r\n").await;
    assert_eq!(several.status, 206);
    assert!(several.header("content-type").starts_with("multipart/byteranges"), "{}", several.head);
    // What is there already is not fetched again.
    let whole = world.get("media.test", "/long.mp4").await;
    assert!(whole.status == 200 && whole.whole && whole.body == long);
    world.settled().await;
    assert!(fetched() <= LONG as u64 + (2 << 20), "{}", fetched());
    assert_eq!(world.get("media.test", "/long.mp4").await.header("x-cache"), "HIT");
}

/// Behind https, with an authority that nobody knows who is not told.
#[tokio::test]
async fn a_private_bucket_behind_an_authority_of_its_own_is_served() {
    let server = s3_server::start().await;
    filled(&server).await;
    let encrypted = Encrypted::before(&server.config, "127.0.0.1").await;
    let other = Encrypted::before(&server.config, "other.test").await;
    let world = World::new(&site_of(&encrypted.config, ("test-secret", ""))).await;
    for how in ["MISS", "HIT"] {
        let answer = world.get("media.test", "/a/b%20c.png").await;
        assert_eq!((answer.text().as_str(), answer.header("x-cache")), ("picture", how), "{}", answer.head);
        world.settled().await;
    }
    for config in [encrypted.unknown(), other.config.clone()] {
        world.reload(&site_of(&config, ("test-secret", "valid = \"0 s\"")));
        let answer = world.get("media.test", "/long.mp4").await;
        assert_eq!((answer.status, answer.header("cache-control")), (502, "no-store"), "{}", answer.head);
        // What was fetched before is there still.
        let answer = world.get("media.test", "/a/b%20c.png").await;
        assert_eq!(answer.text(), "picture", "{}", answer.head);
    }
    // Another web server's certificate is judged in the same way.
    let public = crate::world::Origin::with(&[("/a.png", "image/png", b"bytes")]).await;
    let plain = S3Config { endpoint: Some(public.url().parse().unwrap()), ..server.config.clone() };
    let encrypted = Encrypted::before(&plain, "127.0.0.1").await;
    let url = encrypted.config.endpoint.clone().unwrap();
    let site = |authorities: &[std::path::PathBuf]| {
        format!("[[site]]\n[[site.origin]]\nurl = \"{url}\"\nauthorities = {authorities:?}\n")
    };
    let world = World::new(&site(&[])).await;
    assert_eq!(world.get("a", "/a.png").await.status, 502);
    let world = World::new(&site(&encrypted.config.authorities)).await;
    assert_eq!(world.get("a", "/a.png").await.text(), "bytes");
}

/// A key that was changed at the provider and not here.
#[tokio::test]
async fn with_a_wrong_secret_copies_are_served_and_all_else_is_an_error() {
    let server = s3_server::start().await;
    filled(&server).await;
    let world = World::new(&site(&server, ("test-secret", "valid = \"0 s\""))).await;
    assert_eq!(world.get("media.test", "/a/b%20c.png").await.text(), "picture");
    world.settled().await;
    world.reload(&site(&server, ("wrong", "valid = \"0 s\"")));
    for _ in 0..2 {
        let answer = world.get("media.test", "/a/b%20c.png").await;
        assert_eq!((answer.text().as_str(), answer.header("x-cache")), ("picture", "STALE"), "{}", answer.head);
    }
    for path in ["/long.mp4", "/none.png"] {
        let answer = world.get("media.test", path).await;
        assert_eq!((answer.status, answer.header("cache-control")), (502, "no-store"), "{path}: {}", answer.head);
    }
    world.reload(&site(&server, ("test-secret", "valid = \"0 s\"\nname = \"again\"")));
    assert_eq!(world.get("media.test", "/a/b%20c.png").await.text(), "picture");
}

#[tokio::test]
async fn what_is_removed_from_a_bucket_goes_when_its_time_is_over() {
    let server = s3_server::start().await;
    filled(&server).await;
    let world = World::new(&site(&server, ("test-secret", "valid = \"0 s\""))).await;
    for _ in 0..2 {
        assert_eq!(world.get("media.test", "/a/b%20c.png").await.text(), "picture");
        world.settled().await;
    }
    std::fs::remove_file(server.folder.path().join("files/sub/a/b c.png")).unwrap();
    assert_eq!(world.get("media.test", "/a/b%20c.png").await.status, 404);
}

/// A change of provider: the new bucket first, the old one for what has not been copied yet, and no address changes.
#[tokio::test]
async fn two_buckets_one_after_the_other() {
    let (old, new) = (s3_server::start().await, s3_server::start().await);
    filled(&old).await;
    let config = S3Config { prefix: Some("sub".into()), ..new.config.clone() };
    let copied = Source::Bytes(Bytes::from_static(b"copied"));
    Bucket::open(&config).unwrap().put("a/new.png", &copied, &picture()).await.unwrap();
    let second = site(&old, ("test-secret", ""));
    let (_, second) = second.split_once("[[site.origin]]").unwrap();
    let world = World::new(&format!("{}[[site.origin]]{second}", site(&new, ("test-secret", "")))).await;
    assert_eq!(world.get("media.test", "/a/new.png").await.text(), "copied");
    assert_eq!(world.get("media.test", "/a/b%20c.png").await.text(), "picture");
    assert_eq!(world.get("media.test", "/none.png").await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_on_a_cold_object_of_many_slices_cause_one_request() {
    let (server, long) = (s3_server::start().await, std::sync::Arc::new(long()));
    filled(&server).await;
    let world = std::sync::Arc::new(World::new(&site(&server, ("test-secret", ""))).await);
    let clients: Vec<_> = (0..40)
        .map(|_| {
            let (world, long) = (world.clone(), long.clone());
            tokio::spawn(async move {
                let answer = world.get("media.test", "/long.mp4").await;
                assert!(answer.status == 200 && answer.body == *long, "{}", answer.head);
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    world.settled().await;
    assert_eq!(world.status().origins[0].found, 1);
    // A part in the middle of another one takes its slices alone, and the head of a third its first.
    for name in ["part.mp4", "head.mp4"] {
        let bucket = Bucket::open(&S3Config { prefix: Some("sub".into()), ..server.config.clone() }).unwrap();
        let video = Headers { content_type: Some("video/mp4".into()), cache_control: None };
        bucket.put(name, &Source::Bytes(long.to_vec().into()), &video).await.unwrap();
    }
    let before = world.status().cached("bytes_fetched");
    let part = world.ask("media.test", "/part.mp4", "Range: bytes=9000000-10000000\r\n").await;
    assert!(part.status == 206 && part.body == long[9_000_000..=10_000_000]);
    world.settled().await;
    let head = b"HEAD /head.mp4 HTTP/1.1\r\nHost: media.test\r\nConnection: close\r\n\r\n";
    assert_eq!(world.send(head).await.header("content-length"), LONG.to_string());
    world.settled().await;
    assert_eq!(world.status().cached("bytes_fetched") - before, 3 << 20);
    let end = world.ask("media.test", "/head.mp4", "Range: bytes=-1000\r\n").await;
    assert!(end.status == 206 && end.body == long[LONG - 1000..]);
    world.settled().await;
    assert!(world.status().cached("bytes_fetched") - before < 5 << 20);
}
