//! Several origins in order, what they say of keeping files, and changes while it runs.

use crate::world::{Origin, Reply, World, reply, sent};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const PNG: &str = "Content-Type: image/png\r\n";

#[tokio::test]
async fn folders_then_origins_in_their_order() {
    let first = Origin::with(&[("/one.png", "image/png", b"first")]).await;
    let second = Origin::with(&[("/one.png", "image/png", b"second"), ("/two.png", "image/png", b"second")]).await;
    let world = World::new(&format!(
        "[[site]]\nhosts = [\"a.test\"]\n[[site.origin]]\nfolder = \"{{here}}/files\"\n\
         [[site.origin]]\nurl = \"{}\"\n[[site.origin]]\nurl = \"{}\"\n[[site.origin]]\nfolder = \"{{here}}/last\"\n",
        first.url(),
        second.url()
    ))
    .await;
    world.write("files/zero.png", "folder");
    world.write("last/three.png", "last folder");
    for (path, status, body, how) in [
        ("/zero.png", 200, "folder", "BYPASS"),
        ("/one.png", 200, "first", "MISS"),
        ("/two.png", 200, "second", "MISS"),
        ("/three.png", 200, "last folder", "MISS"),
        ("/three.png", 200, "last folder", "HIT"),
        ("/none.png", 404, "404 Not Found\n", "MISS"),
        ("/none.png", 404, "404 Not Found\n", "HIT"),
    ] {
        world.settled().await;
        let answer = world.get("a.test", path).await;
        assert_eq!((answer.status, answer.text().as_str(), answer.header("x-cache")), (status, body, how), "{path}");
    }
    assert_eq!(world.get("a.test", "/none.png").await.header("cache-control"), "public, max-age=60");
    assert_eq!((first.asked().len(), second.asked().len()), (4, 3));

    // What appears in the folder later goes before what is cached.
    world.write("files/one.png", "folder again");
    assert_eq!(world.get("a.test", "/one.png").await.text(), "folder again");
    let status = world.status();
    let labels: Vec<(&str, u64, u64)> =
        status.origins.iter().map(|origin| (origin.name.as_str(), origin.found, origin.absent)).collect();
    assert!(labels.contains(&(first.url().as_str(), 1, 3)), "{labels:?}");
}

#[tokio::test]
async fn denied_is_absent_and_failing_is_not() {
    let first = Origin::new(|_| reply("403 Forbidden", "", b"<Error/>")).await;
    let second = Origin::with(&[("/a.png", "image/png", b"second")]).await;
    let sites = |first: &Origin, second: &Origin| {
        format!("[[site]]\n[[site.origin]]\nurl = \"{}\"\n[[site.origin]]\nurl = \"{}\"\n", first.url(), second.url())
    };
    let world = World::new(&sites(&first, &second)).await;
    assert_eq!(world.get("a", "/a.png").await.text(), "second");
    assert_eq!(world.get("a", "/b.png").await.status, 404);
    for status in ["500 Internal Server Error", "502 Bad Gateway", "401 Unauthorized", "429 Too Many Requests"] {
        let line = status.to_owned();
        first.becomes(move |_| reply(&line, PNG, b"sorry"));
        let path = format!("/{}.png", &status[..3]);
        // The second does not have it, but the first could: that is no 404.
        let answer = world.get("a", &path).await;
        assert!(matches!(answer.status, 502 | 503), "{status}: {}", answer.head);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(!answer.text().contains("sorry"));
    }
}

/// What its origin forbids to keep is neither on the disk nor in memory, and browsers are told so too.
#[tokio::test]
async fn what_is_not_to_be_kept_goes_through() {
    let origin = Origin::new(|head| match head.split(' ').nth(1).unwrap_or_default() {
        "/short.png" => reply("200 OK", &format!("{PNG}Cache-Control: max-age=60\r\n"), b"bytes"),
        "/moved.png" => reply("302 Found", "Location: https://elsewhere.test/\r\nCache-Control: no-store\r\n", b""),
        "/private.png" => reply("200 OK", &format!("{PNG}Cache-Control: max-age=60, private\r\n"), b"bytes"),
        _ => reply("200 OK", &format!("{PNG}Cache-Control: no-store\r\nETag: \"e\"\r\n"), b"bytes"),
    })
    .await;
    let site = |more: &str| format!("[[site]]\n{more}\n[[site.origin]]\nurl = \"{}\"\n", origin.url());
    let world = World::new(&site("honour_origin_headers = true")).await;
    let files = || walk(&world.folder.path().join("cache"));
    for path in ["/store.png", "/private.png", "/moved.png"] {
        for time in 0..3 {
            let answer = world.get("a", path).await;
            let expected = if path == "/moved.png" { (302, "") } else { (200, "bytes") };
            assert_eq!((answer.status, answer.text().as_str()), expected, "{path}");
            assert_eq!(
                (answer.header("x-cache"), answer.header("cache-control")),
                ("BYPASS", "no-store"),
                "{path} {time}"
            );
        }
        world.settled().await;
        assert_eq!(files(), 0, "{path}");
    }
    let count = origin.asked().len();
    let part = world.ask("a", "/store.png", "Range: bytes=1-2\r\n").await;
    assert_eq!((part.status, part.text().as_str()), (206, "yt"));
    assert_eq!(origin.asked().len(), count + 1);
    let short = world.get("a", "/short.png").await;
    assert_eq!(short.header("cache-control"), "public, max-age=60, immutable");
    world.settled().await;
    assert_eq!((world.get("a", "/short.png").await.header("x-cache"), files()), ("HIT", 1));

    // What was kept before its origin forbade it goes.
    let other = World::new(&site("honour_origin_headers = true\nvalid = \"0 s\"")).await;
    origin.becomes(|_| reply("200 OK", &format!("{PNG}ETag: \"e\"\r\n"), b"bytes"));
    assert_eq!(other.get("a", "/a.png").await.text(), "bytes");
    other.settled().await;
    assert_eq!(walk(&other.folder.path().join("cache")), 1);
    origin.becomes(|head| match sent(head, "if-none-match") {
        Some(_) => reply("304 Not Modified", "Cache-Control: private\r\nETag: \"e\"\r\n", b""),
        None => reply("200 OK", &format!("{PNG}Cache-Control: private\r\nETag: \"e\"\r\n"), b"bytes"),
    });
    let answer = other.get("a", "/a.png").await;
    assert_eq!((answer.text().as_str(), answer.header("x-cache")), ("bytes", "BYPASS"));
    other.settled().await;
    assert_eq!(walk(&other.folder.path().join("cache")), 0);

    // Without that setting all of it is kept.
    origin.becomes(|_| reply("200 OK", &format!("{PNG}Cache-Control: no-store\r\n"), b"bytes"));
    let world = World::new(&site("")).await;
    world.get("a", "/store.png").await;
    world.settled().await;
    let answer = world.get("a", "/store.png").await;
    assert_eq!(
        (answer.header("x-cache"), answer.header("cache-control")),
        ("HIT", "public, max-age=31536000, immutable")
    );
}

/// The files of slices below the folder of a cache.
fn walk(folder: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let count = |entry: std::fs::DirEntry| match entry.file_type().unwrap().is_dir() {
        true => walk(&entry.path()),
        false => 1,
    };
    entries.map(count).sum()
}

#[tokio::test]
async fn another_host_and_another_address() {
    let origin = Origin::with(&[("/a.png", "image/png", b"bytes")]).await;
    let world = World::new(&format!(
        "[[site]]\n[[site.origin]]\nurl = \"http://media.invalid\"\nhost = \"virtual.test\"\nconnect = \"{}\"\n",
        origin.address
    ))
    .await;
    assert_eq!(world.get("a", "/a.png").await.text(), "bytes");
    assert_eq!(sent(&origin.asked()[0], "host"), Some("virtual.test"));
}

#[tokio::test]
async fn origins_decide_how_long_only_where_they_may() {
    let origin = Origin::new(|_| {
        reply("200 OK", "Content-Type: image/png\r\nCache-Control: max-age=0\r\nETag: \"e\"\r\n", b"bytes")
    })
    .await;
    let site = |name: &str, more: &str| {
        format!("[[site]]\nname = \"{name}\"\n{more}\n[[site.origin]]\nurl = \"{}\"\n", origin.url())
    };
    let world = World::new(&site("one", "")).await;
    world.get("a", "/a.png").await;
    world.settled().await;
    assert_eq!(world.get("a", "/a.png").await.header("x-cache"), "HIT");
    world.reload(&site("two", "honour_origin_headers = true"));
    world.get("a", "/a.png").await;
    world.settled().await;
    let again = world.get("a", "/a.png").await;
    assert!(matches!(again.header("x-cache"), "REVALIDATED" | "MISS" | "STALE"), "{}", again.head);
    world.reload(&site("three", "valid = \"0 s\""));
    world.get("a", "/a.png").await;
    world.settled().await;
    assert_ne!(world.get("a", "/a.png").await.header("x-cache"), "HIT");
}

#[tokio::test]
async fn a_reload_changes_origins_and_no_address() {
    let old = Origin::with(&[("/a.png", "image/png", b"old"), ("/b.png", "image/png", b"old")]).await;
    let new = Origin::with(&[("/b.png", "image/png", b"new"), ("/c.png", "image/png", b"new")]).await;
    let site =
        |origin: &Origin| format!("[[site]]\nhosts = [\"a.test\"]\n[[site.origin]]\nurl = \"{}\"\n", origin.url());
    let world = World::new(&site(&old)).await;
    assert_eq!(world.get("a.test", "/a.png").await.text(), "old");
    world.settled().await;
    world.reload(&site(&new));
    let a = world.get("a.test", "/a.png").await;
    assert_eq!((a.text().as_str(), a.header("x-cache")), ("old", "HIT"), "what is cached stays");
    assert_eq!(world.get("a.test", "/b.png").await.text(), "new");
    assert_eq!(old.asked().len(), 1);
    assert_eq!(world.status().sites[0].requests(), 3, "counts outlive a reload");
}

#[tokio::test]
async fn what_the_software_keeps_private_is_not_served() {
    let origin = Origin::new(|_| {
        Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nzip!".to_vec())
    })
    .await;
    let world = World::new(&format!(
        "[[site]]\npath = \"/system\"\nsoftware = \"mastodon\"\n[[site.origin]]\nfolder = \"{{here}}/system\"\n[[site.origin]]\nurl = \"{}\"\n",
        origin.url()
    ))
    .await;
    world.write("system/backups/dumps/000/a.zip", "archive");
    world.write("system/accounts/avatars/000/a.png", "picture");
    for (path, status) in [
        ("/system/accounts/avatars/000/a.png", 200),
        ("/system/cache/accounts/a.png", 200),
        ("/system/media_attachments/files/1/original/a.mp4", 200),
        ("/system/backups/dumps/000/a.zip", 404),
        ("/system/imports/data/000/a.csv", 404),
        ("/system/Accounts/a", 404),
        ("/system/accounts", 404),
        ("/system", 404),
        ("/", 404),
    ] {
        assert_eq!(world.get("a", path).await.status, status, "{path}");
    }
    assert!(!origin.paths().iter().any(|path| path.contains("backups")), "{:?}", origin.paths());
}

/// A bucket that is locked denies everything. What was kept before must outlive that.
#[tokio::test]
async fn a_denial_is_no_end_of_a_good_copy() {
    for validator in ["ETag: \"e\"\r\n", ""] {
        let lines = format!("{PNG}{validator}");
        let origin = Origin::new(move |_| reply("200 OK", &lines, b"bytes")).await;
        let world =
            World::new(&format!("[[site]]\nvalid = \"0 s\"\n[[site.origin]]\nurl = \"{}\"\n", origin.url())).await;
        assert_eq!(world.get("a", "/a.png").await.text(), "bytes");
        world.settled().await;
        origin.becomes(|_| reply("403 Forbidden", "", b"<Error/>"));
        for _ in 0..2 {
            let answer = world.get("a", "/a.png").await;
            assert_eq!((answer.text().as_str(), answer.header("x-cache")), ("bytes", "STALE"), "{validator}");
        }
        assert_eq!(world.get("a", "/b.png").await.status, 404);
    }
}

/// An origin closes a connection just when it is used again: the request is made once more on another one.
#[tokio::test]
async fn a_kept_connection_that_ends_loses_no_request() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let counted = counted.clone();
            tokio::spawn(async move {
                let mut piece = [0; 4096];
                // The first request is answered; the second one is read and ends the connection.
                for n in 0..2 {
                    let Ok(1..) = stream.read(&mut piece).await else { return };
                    counted.fetch_add(1, Ordering::SeqCst);
                    let answer = "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 5\r\n\r\nbytes";
                    if n == 0 && stream.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    let world = World::new(&format!("[[site]]\n[[site.origin]]\nurl = \"http://{address}\"\n")).await;
    for n in 0..10 {
        let answer = world.get("a", &format!("/{n}.png")).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "bytes"), "{n}: {}", answer.head);
        world.settled().await;
    }
    assert!(asked.load(Ordering::SeqCst) > 10, "connections were used again");
}
