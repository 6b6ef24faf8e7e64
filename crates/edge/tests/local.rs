//! Stored media over HTTP: methods, headers, ranges, conditions and hostile paths.
#![allow(clippy::unwrap_used)]

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;
use http_body_util::BodyExt;
use media::{Content, Key, Store};
use tower::ServiceExt;

/// Longer than what is read at once.
const LARGE: usize = 700_001;

struct World {
    _folder: tempfile::TempDir,
    router: axum::Router,
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|place| (place * 7 + place / 251) as u8).collect()
}

async fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("outside.png"), "outside").unwrap();
    let store = Store::disk(folder.path().join("media")).unwrap();
    let files = [
        ("a/small.jpg", pattern(1000)),
        ("a/large.mp4", pattern(LARGE)),
        ("a/empty.png", Vec::new()),
        ("a/page.html", b"<script>alert(1)</script>".to_vec()),
        ("a/actor.json", b"{}".to_vec()),
        ("a/picture.svg", b"<svg/>".to_vec()),
    ];
    for (key, data) in files {
        store.put(&Key::parse(key).unwrap(), Content::Bytes(data.into())).await.unwrap();
    }
    World { _folder: folder, router: edge::local(store, "/media") }
}

impl World {
    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(header(response.headers(), "x-content-type-options"), "nosniff");
        assert!(header(response.headers(), "content-security-policy").contains("sandbox"));
        assert_eq!(header(response.headers(), "access-control-allow-origin"), "*");
        response
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, Vec<u8>) {
        let (parts, body) = self.send("GET", path, headers).await.into_parts();
        (parts.status, parts.headers, body.collect().await.unwrap().to_bytes().to_vec())
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn whole_files() {
    let world = world().await;
    let table = [("small.jpg", 1000, "image/jpeg"), ("large.mp4", LARGE, "video/mp4"), ("empty.png", 0, "image/png")];
    for (name, length, content_type) in table {
        let (status, headers, body) = world.get(&format!("/media/a/{name}"), &[]).await;
        assert_eq!((status, body), (StatusCode::OK, pattern(length)));
        assert_eq!(header(&headers, "content-type"), content_type);
        assert_eq!(header(&headers, "content-length"), length.to_string());
        assert_eq!(header(&headers, "cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(header(&headers, "accept-ranges"), "bytes");
        assert!(header(&headers, "etag").starts_with('"'));
        assert!(header(&headers, "last-modified").ends_with(" GMT"));
        assert_eq!(header(&headers, "content-disposition"), "");

        let head = world.send("HEAD", &format!("/media/a/{name}"), &[("range", "bytes=0-1")]).await;
        assert_eq!(head.status(), StatusCode::OK);
        for same in ["content-length", "content-type", "etag", "last-modified", "cache-control"] {
            assert_eq!(header(head.headers(), same), header(&headers, same));
        }
        assert!(head.into_body().collect().await.unwrap().to_bytes().is_empty());
    }
}

#[tokio::test]
async fn documents_are_never_shown() {
    let world = world().await;
    for name in ["page.html", "actor.json", "picture.svg"] {
        let (status, headers, _) = world.get(&format!("/media/a/{name}"), &[("accept", "*/*")]).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(header(&headers, "content-type"), "application/octet-stream");
        assert_eq!(header(&headers, "content-disposition"), "attachment");
    }
}

#[tokio::test]
async fn ranges() {
    let world = world().await;
    let table = [
        ("small.jpg", 1000, "bytes=0-0", 0..1),
        ("small.jpg", 1000, "bytes=990-2000", 990..1000),
        ("small.jpg", 1000, "bytes=-10", 990..1000),
        ("large.mp4", LARGE, "bytes=0-", 0..LARGE),
        ("large.mp4", LARGE, "bytes=262143-524289", 262_143..524_290),
        ("large.mp4", LARGE, "bytes=-1", LARGE - 1..LARGE),
    ];
    for (name, length, range, expected) in table {
        let (status, headers, body) = world.get(&format!("/media/a/{name}"), &[("range", range)]).await;
        assert_eq!(status, StatusCode::PARTIAL_CONTENT, "{range}");
        assert_eq!(body, pattern(length)[expected.clone()], "{range}");
        let content_range = format!("bytes {}-{}/{length}", expected.start, expected.end - 1);
        assert_eq!(header(&headers, "content-range"), content_range);
        assert_eq!(header(&headers, "content-length"), expected.len().to_string());
        assert!(header(&headers, "cache-control").contains("immutable"));
    }
    for range in ["bytes=1000-", "bytes=-0"] {
        let (status, headers, body) = world.get("/media/a/small.jpg", &[("range", range)]).await;
        assert_eq!(
            (status, body.as_slice()),
            (StatusCode::RANGE_NOT_SATISFIABLE, &b"416 Range Not Satisfiable\n"[..]),
            "{range}"
        );
        assert_eq!(header(&headers, "content-range"), "bytes */1000");
        assert!(!header(&headers, "cache-control").contains("immutable"));
    }
    for range in ["bytes=0-,0-", "bytes=9-1", "lines=0-1"] {
        let (status, headers, body) = world.get("/media/a/small.jpg", &[("range", range)]).await;
        assert_eq!((status, body.len()), (StatusCode::OK, 1000), "{range}");
        assert_eq!(header(&headers, "content-range"), "");
    }
}

#[tokio::test]
async fn conditions() {
    let world = world().await;
    let path = "/media/a/small.jpg";
    let (_, headers, _) = world.get(path, &[]).await;
    let (etag, time) = (header(&headers, "etag"), header(&headers, "last-modified"));
    for (name, value) in [("if-none-match", etag), ("if-modified-since", time)] {
        let (status, headers, body) = world.get(path, &[(name, value)]).await;
        assert_eq!((status, body.len()), (StatusCode::NOT_MODIFIED, 0));
        assert_eq!(header(&headers, "etag"), etag);
        assert!(header(&headers, "cache-control").contains("immutable"));
    }
    let (status, _, body) = world.get(path, &[("if-none-match", "\"other\"")]).await;
    assert_eq!((status, body), (StatusCode::OK, pattern(1000)));
    assert_eq!(world.get(path, &[("if-match", "\"other\"")]).await.0, StatusCode::PRECONDITION_FAILED);

    let ranged = |condition| [("range", "bytes=0-9"), ("if-range", condition)];
    assert_eq!(world.get(path, &ranged(etag)).await.0, StatusCode::PARTIAL_CONTENT);
    assert_eq!(world.get(path, &ranged(time)).await.0, StatusCode::PARTIAL_CONTENT);
    assert_eq!(world.get(path, &ranged("\"other\"")).await.0, StatusCode::OK);
}

#[tokio::test]
async fn methods() {
    let world = world().await;
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"] {
        let response = world.send(method, "/media/a/small.jpg", &[]).await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(header(response.headers(), "allow"), "GET, HEAD, OPTIONS");
    }
    let response = world.send("OPTIONS", "/media/a/small.jpg", &[("origin", "https://elk.zone")]).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert_eq!(header(response.headers(), "access-control-allow-methods"), "GET, HEAD, OPTIONS");
    assert!(header(response.headers(), "access-control-allow-headers").contains("Range"));
}

#[tokio::test]
async fn hostile_paths() {
    let world = world().await;
    let long = "x/".repeat(4000) + "y";
    let paths = [
        "none.jpg",
        "a",
        "a/",
        "a/small.jpg/",
        "a/small.jpg/x",
        "../outside.png",
        "a/../../outside.png",
        "a/../a/small.jpg",
        "..%2foutside.png",
        "%2e%2e/outside.png",
        "%2e%2e%2foutside.png",
        "a%2fsmall.jpg",
        "a//small.jpg",
        "./a/small.jpg",
        ".incoming/x",
        "%2eincoming/x",
        "a/small.jpg%00",
        "a/small.jpg%00.png",
        "%ff%fe",
        "a\\small.jpg",
        "%5c",
        "/etc/passwd",
        "a/%E6%97%A5.jpg",
        "%25",
        "%",
        &long,
    ];
    for path in paths {
        let Ok(uri) = format!("/media/{path}").parse::<axum::http::Uri>() else { continue };
        let (status, headers, body) = world.get(&uri.to_string(), &[]).await;
        assert!(matches!(status, StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST), "{path}: {status}");
        assert!(body.len() < 30 && body.starts_with(b"4"), "{path}");
        assert!(!header(&headers, "cache-control").contains("immutable"));
    }
    let (status, ..) = world.get("/media/a/small%2Ejpg?download=1", &[]).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn a_file_replaced_or_removed_while_it_is_sent_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::disk(folder.path()).unwrap();
    let key = Key::parse("x.mp4").unwrap();
    store.put(&key, Content::Bytes(pattern(LARGE).into())).await.unwrap();
    let router = edge::local(store.clone(), "");
    let request = Request::get("/x.mp4").body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    store.put(&key, Content::Bytes(vec![0; 10].into())).await.unwrap();
    store.delete(&key).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, pattern(LARGE));
}
