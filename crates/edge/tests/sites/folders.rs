//! Files of this machine: types, ranges, names of all software, sizes on both sides of what is read at once.

use crate::world::World;
use std::time::Duration;

const SITE: &str = "[[site]]\npath = \"/files\"\nsoftware = \"misskey\"\n[[site.origin]]\nfolder = \"{here}/files\"\n";

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|place| (place * 7 + place / 251) as u8).collect()
}

#[tokio::test]
async fn names_with_and_without_extensions() {
    let world = World::new(SITE).await;
    let png = b"\x89PNG\r\n\x1a\nrest".as_slice();
    for (name, path, kind) in [
        ("4f0c6f3e-8a5b-4a0a-8c33-2f7c0a7a9d11", "4f0c6f3e-8a5b-4a0a-8c33-2f7c0a7a9d11", "image/png"),
        ("webpublic-4f0c6f3e.png", "webpublic-4f0c6f3e.png", "image/png"),
        ("thumbnail-4f0c6f3e.webp", "thumbnail-4f0c6f3e.webp", "image/webp"),
        ("日本語 (写真).jpg", "%E6%97%A5%E6%9C%AC%E8%AA%9E%20%28%E5%86%99%E7%9C%9F%29.jpg", "image/jpeg"),
        ("100%.png", "100%25.png", "image/png"),
        ("what?.png", "what%3F.png", "image/png"),
        ("a&b=c;d.png", "a&b=c;d.png?name=%22x%22.png", "image/png"),
    ] {
        world.write(&format!("files/{name}"), png);
        let answer = world.get("a", &format!("/files/{path}")).await;
        assert_eq!((answer.status, answer.header("content-type"), answer.body.as_slice()), (200, kind, png), "{name}");
    }
    for (name, body) in
        [("page", "<html>"), ("page.html", "<p>"), ("a.svg", "<svg/>"), ("text.txt", "text"), ("empty", "")]
    {
        world.write(&format!("files/{name}"), body);
        let answer = world.get("a", &format!("/files/{name}")).await;
        let told = (answer.header("content-type"), answer.header("content-disposition"));
        assert_eq!((answer.status, told), (200, ("application/octet-stream", "attachment")), "{name}");
    }
}

#[tokio::test]
async fn large_files_come_in_pieces() {
    let world = World::new(SITE).await;
    let bytes = pattern(1_500_000);
    world.write("files/large.mp4", &bytes);
    let whole = world.get("a", "/files/large.mp4").await;
    assert!(whole.whole && whole.body == bytes);
    for (range, part) in [
        ("0-0", 0..1),
        ("262143-262144", 262_143..262_145),
        ("-10", 1_499_990..1_500_000),
        ("1000000-", 1_000_000..1_500_000),
    ] {
        let answer = world.ask("a", "/files/large.mp4", &format!("Range: bytes={range}\r\n")).await;
        assert_eq!(answer.status, 206);
        assert!(answer.whole && answer.body == bytes[part], "{range}");
    }
    let answer = world.ask("a", "/files/large.mp4", "Range: bytes=0-9,700000-700009\r\n").await;
    assert!(answer.whole && answer.header("content-type").starts_with("multipart/byteranges"));
    for part in [&bytes[0..10], &bytes[700_000..700_010]] {
        assert!(answer.body.windows(10).any(|window| window == part));
    }
    let etag = whole.header("etag").to_owned();
    let again = world.ask("a", "/files/large.mp4", &format!("If-None-Match: {etag}\r\n")).await;
    assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, etag.as_str()));
    // Another content has another tag, at once.
    tokio::time::sleep(Duration::from_millis(20)).await;
    world.write("files/large.mp4", b"other");
    let other = world.ask("a", "/files/large.mp4", &format!("If-None-Match: {etag}\r\n")).await;
    assert_eq!((other.status, other.text().as_str()), (200, "other"));
}

#[tokio::test]
async fn figures_are_counted_and_shown_to_those_who_may() {
    let sites = format!("{SITE}\n[metrics]\npath = \"/metrics\"\n");
    let world = World::new(&sites).await;
    world.write("files/a.png", "bytes");
    world.get("a", "/files/a.png").await;
    world.get("a", "/files/none.png").await;
    world.get("a", "/elsewhere").await;
    let page = world.get("a", "/metrics").await;
    assert_eq!(page.status, 200);
    let text = page.text();
    for line in [
        "noren_edge_requests_total{site=\"*/files\",status=\"2xx\"} 1",
        "noren_edge_requests_total{site=\"*/files\",status=\"4xx\"} 1",
        "noren_edge_cache_answers_total{site=\"*/files\",how=\"bypass\"} 1",
        "noren_edge_sent_bytes_total{site=\"*/files\"} 19",
        "noren_edge_cache_limit_bytes 20000000000",
        "# TYPE noren_edge_origin_seconds histogram",
        "noren_edge_cache_evictions_total 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    let (mut names, mut seen) = (std::collections::HashSet::new(), String::new());
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("# TYPE ") {
            seen = name.split(' ').next().unwrap().to_owned();
            assert!(names.insert(seen.clone()), "{seen} twice");
        } else if !line.starts_with('#') {
            assert!(line.starts_with(&seen), "{line} under {seen}");
        }
    }
    world.reload(&sites.replace("[metrics]", "[metrics]\nallow = [\"10.0.0.0/8\"]"));
    assert_eq!(world.get("a", "/metrics").await.status, 404);
    // Only a proxy that is trusted may say who asks.
    assert_eq!(world.ask("a", "/metrics", "X-Forwarded-For: 10.1.1.1\r\n").await.status, 200);
    assert_eq!(world.ask("a", "/metrics", "X-Forwarded-For: 10.1.1.1, 9.9.9.9\r\n").await.status, 404);
}
