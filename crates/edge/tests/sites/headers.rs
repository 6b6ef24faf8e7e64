//! Heads of requests and answers: what is passed on, what is hidden, what is refused.

use crate::world::{Origin, World, reply, sent};

fn site(origin: &Origin) -> String {
    format!("[[site]]\nhosts = [\"files.test\"]\n[[site.origin]]\nurl = \"{}\"\n", origin.url())
}

#[tokio::test]
async fn origins_learn_nothing_of_who_asks_and_clients_nothing_of_origins() {
    let origin = Origin::with(&[("/a.png", "image/png", b"0123456789")]).await;
    let world = World::new(&site(&origin)).await;
    let lines = "Cookie: session=1\r\nAuthorization: Bearer 2\r\nX-Forwarded-For: 6.6.6.6\r\nReferer: https://b/\r\n\
                 Accept-Encoding: gzip\r\nAccept-Language: ja\r\nUser-Agent: spy\r\nX-Amz-Date: 3\r\nOrigin: https://b\r\n";
    let answer = world.ask("files.test", "/a.png?token=4", lines).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "0123456789"), "{}", answer.head);
    let asked = origin.asked();
    assert_eq!(asked.len(), 1);
    let mut names: Vec<String> =
        asked[0].lines().skip(1).filter_map(|line| line.split_once(':')).map(|(name, _)| name.to_lowercase()).collect();
    names.retain(|name| name != "range");
    names.sort();
    assert_eq!(names, ["accept", "accept-encoding", "cdn-loop", "host", "user-agent", "via"], "{}", asked[0]);
    assert_eq!((sent(&asked[0], "accept-encoding"), sent(&asked[0], "accept")), (Some("identity"), Some("*/*")));
    assert!(sent(&asked[0], "user-agent").unwrap().starts_with("Noren/"));
    assert!(!asked[0].contains("token") && asked[0].starts_with("GET /a.png HTTP/1.1\r\n"));

    for name in ["set-cookie", "server", "x-amz-id-2"] {
        assert_eq!(answer.header(name), "", "{name}");
    }
    assert!(answer.header("etag").len() > 10 && answer.header("etag") != "\"origin\"");
    for (name, value) in [
        ("content-type", "image/png"),
        ("cache-control", "public, max-age=31536000, immutable"),
        ("access-control-allow-origin", "*"),
        ("cross-origin-resource-policy", "cross-origin"),
        ("x-content-type-options", "nosniff"),
        ("x-cache", "MISS"),
        ("accept-ranges", "bytes"),
        // It would be taken off the max-age of a file that we vouch for ourselves.
        ("age", ""),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    assert!(answer.header("content-security-policy").contains("sandbox"));
    world.settled().await;
    assert_eq!(world.get("files.test", "/a.png").await.header("x-cache"), "HIT");
    assert_eq!(origin.asked().len(), 1);
}

#[tokio::test]
async fn only_reading_is_allowed() {
    let origin = Origin::with(&[("/a.png", "image/png", b"0123456789")]).await;
    let world = World::new(&site(&origin)).await;
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "PURGE", "get"] {
        let request =
            format!("{method} /a.png HTTP/1.1\r\nHost: files.test\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        let answer = world.send(request.as_bytes()).await;
        assert_eq!((answer.status, answer.header("allow")), (405, "GET, HEAD, OPTIONS"), "{method}");
    }
    assert!(origin.asked().is_empty());
    let options = b"OPTIONS /a.png HTTP/1.1\r\nHost: files.test\r\nConnection: close\r\n\r\n";
    let answer = world.send(options).await;
    assert_eq!((answer.status, answer.header("access-control-allow-methods")), (204, "GET, HEAD, OPTIONS"));
    let head = world.send(b"HEAD /a.png HTTP/1.1\r\nHost: files.test\r\nConnection: close\r\n\r\n").await;
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, "10", 0));
    let connect = world.send(b"CONNECT files.test:443 HTTP/1.1\r\nHost: files.test:443\r\n\r\n").await;
    assert!(matches!(connect.status, 0 | 400 | 404 | 405), "{}", connect.head);
}

/// (lines of a head, the status)
pub const HOSTS: &[(&str, u16)] = &[
    ("Host: files.test\r\n", 200),
    ("Host: FILES.Test:8443\r\n", 200),
    ("Host: files.test.\r\n", 200),
    ("Host: other.test\r\n", 404),
    ("Host: files.test\r\nHost: other.test\r\n", 400),
    ("Host: files.test\r\nHost: files.test\r\n", 400),
    ("Host: files.test, other.test\r\n", 400),
    ("Host: files.test@other.test\r\n", 400),
    ("Host: files.test/x\r\n", 400),
    ("Host: \r\n", 400),
    ("", 400),
];

#[tokio::test]
async fn hosts_have_to_be_clear() {
    let origin = Origin::with(&[("/a.png", "image/png", b"0123456789")]).await;
    let world = World::new(&site(&origin)).await;
    for (lines, status) in HOSTS {
        let request = format!("GET /a.png HTTP/1.1\r\n{lines}Connection: close\r\n\r\n");
        assert_eq!(world.send(request.as_bytes()).await.status, *status, "{lines}");
    }
    // The absolute form says which host is meant.
    let absolute = b"GET http://files.test/a.png HTTP/1.1\r\nHost: other.test\r\nConnection: close\r\n\r\n";
    assert_eq!(world.send(absolute).await.status, 200);
}

const HIDDEN: &str = "GET /inner HTTP/1.1\r\nHost: files.test\r\n\r\n";

/// Requests for /a.png in which somebody may see another one.
pub fn smuggled() -> Vec<String> {
    let lines = [
        format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", HIDDEN.len()),
        "Content-Length: 0\r\nContent-Length: 5\r\n".into(),
        "Content-Length: -1\r\n".into(),
        "Content-Length: 1, 2\r\n".into(),
        "Transfer-Encoding: chunked, identity\r\n".into(),
        "Transfer-Encoding : chunked\r\n".into(),
        "X: y\r\n\tz\r\n".into(),
        "Header without colon\r\n".into(),
    ];
    let request = |lines: String| {
        let head = format!("GET /a.png HTTP/1.1\r\nHost: files.test\r\n{lines}Connection: close\r\n\r\n");
        format!("{head}0\r\n\r\n{HIDDEN}")
    };
    lines.into_iter().map(request).collect()
}

#[tokio::test]
async fn smuggled_requests_reach_nobody() {
    let origin = Origin::with(&[("/a.png", "image/png", b"0123456789")]).await;
    let world = World::new(&site(&origin)).await;
    for request in smuggled() {
        let answer = world.send(request.as_bytes()).await;
        assert!(matches!(answer.status, 0 | 200 | 400 | 501), "{request}: {}", answer.head);
        assert!(!answer.text().contains("HTTP/1.1"), "{request}: two answers");
    }
    assert!(!origin.paths().iter().any(|path| path.contains("inner")), "{:?}", origin.paths());
}

/// What may run is never called what it is, whatever an origin says.
#[tokio::test]
async fn active_content_is_for_saving_only() {
    let origin = Origin::new(|head| {
        let (kind, body): (&str, &[u8]) = match head.split(' ').nth(1).unwrap_or_default() {
            "/a.html" => ("text/html", b"<script>alert(1)</script>"),
            "/a.svg" => ("image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
            "/a.js" => ("application/javascript", b"alert(1)"),
            "/a.json" => ("application/activity+json", b"{}"),
            "/a.xml" => ("application/xml", b"<a/>"),
            "/none" => ("", b"\x89PNG\r\n\x1a\nrest"),
            "/binary" => ("binary/octet-stream", b"\xff\xd8\xff\xe0rest"),
            "/lies.png" => ("text/html", b"\x89PNG\r\n\x1a\nrest"),
            _ => ("video/mp4; codecs=avc1", b"whatever"),
        };
        reply("200 OK", &format!("Content-Type: {kind}\r\nContent-Disposition: inline\r\n"), body)
    })
    .await;
    let world = World::new(&site(&origin)).await;
    for (path, kind, disposition) in [
        ("/a.html", "application/octet-stream", "attachment"),
        ("/a.svg", "application/octet-stream", "attachment"),
        ("/a.js", "application/octet-stream", "attachment"),
        ("/a.json", "application/octet-stream", "attachment"),
        ("/a.xml", "application/octet-stream", "attachment"),
        ("/none", "image/png", ""),
        ("/binary", "image/jpeg", ""),
        ("/lies.png", "image/png", ""),
        ("/other", "video/mp4", ""),
    ] {
        let answer = world.get("files.test", path).await;
        assert_eq!(
            (answer.status, answer.header("content-type"), answer.header("content-disposition")),
            (200, kind, disposition),
            "{path}"
        );
    }
    world.reload(&site(&origin).replace("[[site.origin]]", "svg = \"sandboxed\"\n[[site.origin]]"));
    let vector = world.get("files.test", "/a.svg").await;
    assert_eq!((vector.header("content-type"), vector.header("content-disposition")), ("image/svg+xml", ""));
    assert!(vector.header("content-security-policy").contains("sandbox"));
}

#[tokio::test]
async fn its_own_requests_that_come_back_are_refused() {
    let origin = Origin::with(&[]).await;
    let world = World::new(&site(&origin)).await;
    world.get("files.test", "/a.png").await;
    let via = sent(&origin.asked()[0], "via").unwrap().to_owned();
    let answer = world.ask("files.test", "/b.png", &format!("Via: 1.1 other, {via}\r\n")).await;
    assert_eq!(answer.status, 508);
    assert_eq!(world.ask("files.test", "/b.png", "Via: 1.1 noren-0000\r\n").await.status, 404);

    // An edge that is its own origin says so at once.
    let own = format!(
        "[[site]]\nhosts = [\"loop.test\", \"127.0.0.1\"]\n[[site.origin]]\nurl = \"http://{}\"\n",
        world.address
    );
    world.reload(&own);
    let started = std::time::Instant::now();
    assert_eq!(world.get("loop.test", "/c.png").await.status, 508);
    assert!(started.elapsed() < std::time::Duration::from_secs(15));
}
