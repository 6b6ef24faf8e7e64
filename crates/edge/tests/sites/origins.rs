//! Several origins in order, redirects, and changes while it runs.

use crate::world::{Origin, Reply, World, reply, sent};

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

#[tokio::test]
async fn redirects_are_followed_where_they_may_and_told_where_not() {
    let target = Origin::with(&[("/there/a.png", "image/png", b"there")]).await;
    let port = target.address.port();
    let origin = Origin::new(move |head| {
        let path = head.split(' ').nth(1).unwrap_or_default();
        let to = |status: &str, location: &str| reply(status, &format!("Location: {location}\r\n"), b"moved");
        match path {
            "/known.png" => to("302 Found", &format!("http://127.0.0.1:{port}/there/a.png")),
            "/other.png" => to("301 Moved Permanently", "https://elsewhere.test/b.png?c=d"),
            "/relative.png" => to("307 Temporary Redirect", "known.png"),
            "/loop.png" => to("302 Found", "/loop.png"),
            "/script.png" => to("302 Found", "javascript:alert(1)"),
            "/data.png" => to("302 Found", "data:text/html,x"),
            "/user.png" => to("302 Found", "https://a:b@elsewhere.test/"),
            "/nowhere.png" => reply("302 Found", "", b""),
            "/other-way.png" => to("303 See Other", "https://elsewhere.test/"),
            _ => reply("404 Not Found", "", b""),
        }
    })
    .await;
    let world =
        World::new(&format!("[[site]]\n[[site.origin]]\nurl = \"{}\"\nfollow = [\"127.0.0.1\"]\n", origin.url())).await;
    for (path, status, location) in [
        ("/known.png", 200, ""),
        ("/relative.png", 200, ""),
        ("/other.png", 301, "https://elsewhere.test/b.png?c=d"),
        ("/loop.png", 502, ""),
        ("/script.png", 502, ""),
        ("/data.png", 502, ""),
        ("/user.png", 502, ""),
        ("/nowhere.png", 502, ""),
        ("/other-way.png", 502, ""),
    ] {
        // One that fails often rests: each of these is to be asked.
        world.reload(&format!(
            "[[site]]\nname = \"{path}\"\n[[site.origin]]\nurl = \"{}\"\nfollow = [\"127.0.0.1\"]\n",
            origin.url()
        ));
        let answer = world.get("a", path).await;
        assert_eq!((answer.status, answer.header("location")), (status, location), "{path}: {}", answer.head);
    }
    assert_eq!(origin.paths().iter().filter(|path| *path == "/loop.png").count(), 4, "three redirects and no more");
    assert_eq!(world.get("a", "/other.png").await.status, 301);

    // Without the host in the list the client is told.
    world.reload(&format!("[[site]]\nname = \"two\"\n[[site.origin]]\nurl = \"{}\"\n", origin.url()));
    let answer = world.get("a", "/known.png").await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (302, format!("http://127.0.0.1:{port}/there/a.png").as_str())
    );
}

#[tokio::test]
async fn old_addresses_lead_to_new_ones() {
    let world = World::new(
        "[[site]]\nhosts = [\"old.test\"]\nredirect = \"https://new.test/media\"\n\
         [[site]]\nhosts = [\"old.test\"]\npath = \"/files\"\nredirect = \"https://files.test\"\n",
    )
    .await;
    for (path, status, location) in [
        ("/a/b%20c.png", 301, "https://new.test/media/a/b%20c.png"),
        ("/files/x%2Dy.png?a=b", 301, "https://files.test/x-y.png"),
        ("/", 301, "https://new.test/media/"),
        ("/a/../b", 404, ""),
        ("/a%0d%0aSet-Cookie:%20x", 400, ""),
        ("//evil.test/x", 404, ""),
        ("/%2f%2fevil.test", 400, ""),
    ] {
        let answer = world.get("old.test", path).await;
        assert_eq!((answer.status, answer.header("location")), (status, location), "{path}");
    }
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
