//! Answers for a file that is there.

use super::*;
use axum::http::Request;
use http_body_util::BodyExt as _;
use std::time::UNIX_EPOCH;

const BYTES: &[u8] = b"0123456789";

fn content(announced: Announced) -> Content {
    Content {
        length: Some(10),
        validators: Validators::known("\"tag\"".into(), Some(UNIX_EPOCH + Duration::from_secs(784_111_777))),
        announced,
        max_age: Duration::from_secs(31_536_000),
        source: Source::Bytes(Bytes::from_static(BYTES)),
    }
}

fn picture() -> Content {
    content(Announced::Shown("image/png"))
}

/// Status, headers and body.
async fn asked(content: &Content, method: &str, headers: &[(&str, &str)]) -> (u16, HeaderMap, Vec<u8>) {
    let mut request = Request::builder().method(method).uri("/a.png");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let (head, body) = answer(&parts, content).into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    if let Some(length) = head.headers.get("content-length")
        && method == "GET"
    {
        assert_eq!(length.to_str().unwrap(), body.len().to_string());
    }
    (head.status.as_u16(), head.headers, body)
}

#[tokio::test]
async fn one_part_and_the_whole() {
    type Case<'a> = (&'a [(&'a str, &'a str)], u16, &'a [u8], &'a str);
    let table: [Case<'_>; 9] = [
        (&[], 200, BYTES, ""),
        (&[("range", "bytes=2-4")], 206, b"234", "bytes 2-4/10"),
        (&[("range", "bytes=-3")], 206, b"789", "bytes 7-9/10"),
        (&[("range", "bytes=7-")], 206, b"789", "bytes 7-9/10"),
        (&[("range", "bytes=20-")], 416, b"416 Range Not Satisfiable\n", "bytes */10"),
        (&[("range", "bytes=2-4"), ("if-range", "\"tag\"")], 206, b"234", "bytes 2-4/10"),
        (&[("range", "bytes=2-4"), ("if-range", "\"old\"")], 200, BYTES, ""),
        (&[("range", "bytes=2-4"), ("if-range", "Sun, 06 Nov 1994 08:49:37 GMT")], 206, b"234", "bytes 2-4/10"),
        (&[("range", "bytes=2-4"), ("range", "bytes=0-1")], 200, BYTES, ""),
    ];
    for (headers, status, body, range) in table {
        let (got, answer, bytes) = asked(&picture(), "GET", headers).await;
        assert_eq!((got, bytes.as_slice()), (status, body), "{headers:?}");
        assert_eq!(answer.get("content-range").map_or("", |value| value.to_str().unwrap()), range, "{headers:?}");
    }
    let (status, headers, body) = asked(&picture(), "HEAD", &[("range", "bytes=2-4")]).await;
    assert_eq!((status, &headers["content-length"], body.len()), (200, &HeaderValue::from_static("10"), 0));
}

#[tokio::test]
async fn several_parts_in_one_message() {
    let (status, headers, body) = asked(&picture(), "GET", &[("range", "bytes=0-1,-2,4-4")]).await;
    assert_eq!(status, 206);
    assert!(!headers.contains_key("content-range"));
    let kind = headers["content-type"].to_str().unwrap();
    let boundary = kind.strip_prefix("multipart/byteranges; boundary=").unwrap();
    let part = |range: &str, bytes: &str| {
        format!("\r\n--{boundary}\r\nContent-Type: image/png\r\nContent-Range: bytes {range}/10\r\n\r\n{bytes}")
    };
    let expected = format!("{}{}{}\r\n--{boundary}--\r\n", part("0-1", "01"), part("8-9", "89"), part("4-4", "4"));
    assert_eq!(String::from_utf8(body).unwrap(), expected);
    let (_, again, _) = asked(&picture(), "GET", &[("range", "bytes=0-1,3-3")]).await;
    assert_ne!(again["content-type"], headers["content-type"], "nobody can know the boundary");
}

#[tokio::test]
async fn conditions_come_first() {
    let (status, headers, body) =
        asked(&picture(), "GET", &[("if-none-match", "\"tag\""), ("range", "bytes=50-")]).await;
    assert_eq!((status, body.len()), (304, 0));
    assert!(
        headers.contains_key("etag") && headers.contains_key("cache-control") && !headers.contains_key("content-type")
    );
    assert_eq!(asked(&picture(), "GET", &[("if-match", "\"other\"")]).await.0, 412);
}

#[tokio::test]
async fn what_browsers_are_told() {
    let told = async |announced| {
        let (_, headers, _) = asked(&content(announced), "GET", &[]).await;
        let text = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        (text("content-type"), text("content-disposition"), text("content-security-policy"))
    };
    assert_eq!(told(Announced::Shown("image/png")).await, ("image/png".into(), String::new(), String::new()));
    let saved = told(Announced::Saved).await;
    assert_eq!((saved.0.as_str(), saved.1.as_str()), ("application/octet-stream", "attachment"));
    let vector = told(Announced::Shown("image/svg+xml")).await;
    assert!(vector.2.contains("sandbox") && vector.2.contains("default-src 'none'"), "{}", vector.2);
    let (_, headers, _) = asked(&picture(), "GET", &[]).await;
    assert_eq!(headers["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(headers["accept-ranges"], "bytes");
    let guarded = guarded(error(StatusCode::NOT_FOUND));
    let headers = guarded.headers();
    assert_eq!(headers["cache-control"], "public, max-age=60");
    assert_eq!(
        (&headers["x-content-type-options"], &headers["access-control-allow-origin"]),
        (&"nosniff".parse().unwrap(), &"*".parse().unwrap())
    );
    assert!(headers["content-security-policy"].to_str().unwrap().contains("sandbox"));
}

#[tokio::test]
async fn what_has_no_length_has_no_parts() {
    let endless = || Content { length: None, ..picture() };
    let (status, headers, body) = asked(&endless(), "GET", &[("range", "bytes=2-4")]).await;
    assert_eq!((status, body.as_slice()), (200, BYTES));
    assert!(!headers.contains_key("content-length") && !headers.contains_key("accept-ranges"));
}
