//! Servers and networks that fail: what is tried again, what is taken up, what is told.

use crate::broken::{Broken, Reaction, complain, say};
use crate::{pattern, whole};
use bytes::Bytes;
use media::s3::{Bucket, Error, Headers, Origin, S3Config, Source};
use std::time::{Duration, Instant};

fn bytes(text: &'static str) -> Source {
    Source::Bytes(Bytes::from_static(text.as_bytes()))
}

/// A part of "0123456789" that is cut after `sent` of its bytes.
fn cut(start: usize, sent: usize, etag: &str) -> Reaction {
    let (content, length) = (&"0123456789"[start..start + sent], 10 - start);
    let part = if start > 0 { format!("Content-Range: bytes {start}-9/10\r\n") } else { String::new() };
    let status = if start > 0 { 206 } else { 200 };
    let head = format!("HTTP/1.1 {status} x\r\n{part}{etag}Content-Length: {length}\r\n\r\n{content}");
    Reaction::SayAndCut(head.into_bytes())
}

#[tokio::test]
async fn busy_then_well() {
    let reactions = vec![complain(503, "", "SlowDown"), say(429, "", ""), say(200, "ETag: \"e\"\r\n", "hello")];
    let server = Broken::start(reactions).await;
    let object = server.bucket.get("k", None).await.unwrap().unwrap();
    assert_eq!(whole(object).await.unwrap(), b"hello");
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn always_busy_is_given_up() {
    let server = Broken::start((0..9).map(|_| complain(503, "", "SlowDown")).collect()).await;
    let error = server.bucket.head("k").await.unwrap_err();
    assert!(matches!(&error, Error::Busy { status: 503, .. }), "{error:?}");
    assert_eq!((error.origin(), error.is_passing(), server.count()), (Origin::Provider, true, 3));
}

#[tokio::test]
async fn refusals_are_not_repeated() {
    for (status, code) in
        [(403, "AccessDenied"), (400, "InvalidArgument"), (404, "NoSuchBucket"), (501, "NotImplemented")]
    {
        let server = Broken::start(vec![complain(status, "", code)]).await;
        assert!(server.bucket.put("k", &bytes("x"), &Headers::default()).await.is_err());
        assert_eq!(server.count(), 1, "{code}");
    }
}

#[tokio::test]
async fn cut_connections_are_made_again() {
    let nothing = || Reaction::SayAndCut(Vec::new());
    let server = Broken::start(vec![nothing(), nothing(), say(200, "", "")]).await;
    server.bucket.put("k", &bytes("x"), &Headers::default()).await.unwrap();
    assert_eq!(server.count(), 3);
    let server = Broken::start((0..9).map(|_| nothing()).collect()).await;
    let error = server.bucket.delete("k").await.unwrap_err();
    assert!(matches!(&error, Error::Unreachable { unsent: false, .. }), "{error:?}");
}

#[tokio::test]
async fn nobody_there() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let config = crate::server::config(&format!("http://{}", listener.local_addr().unwrap()));
    drop(listener);
    let bucket = Bucket::open(&S3Config { retries: 1, ..config }).unwrap();
    let error = bucket.head("k").await.unwrap_err();
    assert!(matches!(&error, Error::Unreachable { unsent: true, .. }), "{error:?}");
    assert!(error.to_string().starts_with("cannot reach 127.0.0.1:"), "{error}");
}

#[tokio::test]
async fn a_broken_stream_is_taken_up_where_it_broke() {
    let etag = "ETag: \"e\"\r\n";
    let server = Broken::start(vec![cut(0, 4, etag), cut(4, 3, etag), cut(7, 3, etag)]).await;
    let object = server.bucket.get("k", None).await.unwrap().unwrap();
    assert_eq!(whole(object).await.unwrap(), b"0123456789");
    let heads = server.heads();
    for (head, range) in heads[1..].iter().zip(["range: bytes=4-9", "range: bytes=7-9"]) {
        assert!(head.contains(range) && head.contains("if-match: \"e\""), "{head}");
    }
}

#[tokio::test]
async fn a_stream_is_not_taken_up_in_another_object() {
    for reactions in [
        vec![cut(0, 4, "")],
        vec![cut(0, 4, "ETag: \"e\"\r\n"), complain(412, "", "PreconditionFailed")],
        vec![cut(0, 4, "ETag: \"e\"\r\n"), cut(4, 6, "ETag: \"f\"\r\n")],
    ] {
        let server = Broken::start(reactions).await;
        let object = server.bucket.get("k", None).await.unwrap().unwrap();
        assert!(whole(object).await.is_err());
    }
}

#[tokio::test]
async fn slowness_ends() {
    let hang = |text: &str| Reaction::SayAndHang(text.as_bytes().to_vec());
    let started = Instant::now();
    let server = Broken::start_with(vec![hang("")], |config| config.retries = 0).await;
    let error = server.bucket.head("k").await.unwrap_err();
    assert!(matches!(&error, Error::TimedOut { .. }), "{error:?}");
    let server = Broken::start(vec![hang("HTTP/1.1 200 x\r\nContent-Length: 10\r\n\r\n012")]).await;
    let object = server.bucket.get("k", None).await.unwrap().unwrap();
    let error = whole(object).await.unwrap_err();
    assert!(matches!(&error, Error::TimedOut { .. }), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn clocks_that_differ_are_named() {
    let date = "Date: Sun, 06 Nov 2022 08:49:37 GMT\r\n";
    for reaction in
        [complain(403, date, "RequestTimeTooSkewed"), complain(403, date, "AccessDenied"), say(403, date, "")]
    {
        let server = Broken::start(vec![reaction]).await;
        let error = server.bucket.get("k", None).await.unwrap_err();
        assert!(matches!(&error, Error::Clock { ahead: true, .. }), "{error:?}");
        assert!(error.to_string().contains("days ahead: set it right"), "{error}");
        assert_eq!(error.origin(), Origin::Settings);
    }
}

#[tokio::test]
async fn a_bucket_elsewhere_is_named() {
    let there = "x-amz-bucket-region: eu-west-3\r\nLocation: http://127.0.0.1:1/\r\n";
    let malformed = "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-3</Region></Error>";
    for reaction in [complain(301, there, "PermanentRedirect"), say(301, there, ""), say(400, "", malformed)] {
        let server = Broken::start(vec![reaction]).await;
        let error = server.bucket.get("k", None).await.unwrap_err();
        assert!(matches!(&error, Error::Region(region) if region == "eu-west-3"), "{error:?}");
        assert_eq!(server.count(), 1, "no redirect is followed");
    }
}

/// What uploads in parts are answered with until they are to be completed: two of 8 MB and one of 1 MB.
fn begun(parts: usize) -> Vec<Reaction> {
    let begin = "<InitiateMultipartUploadResult><UploadId>id/1</UploadId></InitiateMultipartUploadResult>";
    let parts = (0..parts).map(|_| say(200, "ETag: \"p\"\r\n", ""));
    [say(200, "", begin)].into_iter().chain(parts).collect()
}

async fn upload(server: &Broken) -> Result<(), Error> {
    let source = Source::Bytes(pattern(17 * 1024 * 1024).into());
    server.bucket.put("v.mp4", &source, &Headers::default()).await
}

fn was_given_up(server: &Broken) -> bool {
    // What was sent before it may be read after it.
    server.heads().iter().any(|head| head.starts_with("DELETE /files/v.mp4?") && head.contains("uploadId=id%2F1"))
}

#[tokio::test]
async fn a_failed_upload_leaves_no_parts() {
    let denied = || complain(403, "", "AccessDenied");
    for after in [
        vec![complain(400, "", "EntityTooSmall"), say(204, "", "")],
        vec![denied(), complain(404, "", "NoSuchUpload")],
        vec![complain(200, "", "InternalError"), complain(200, "", "InternalError"), denied(), say(204, "", "")],
        vec![say(200, "", "garbage"), say(200, "", "<html><b>Done</b></html>"), say(200, "", ""), say(204, "", "")],
    ] {
        let server = Broken::start(begun(3).into_iter().chain(after).collect()).await;
        assert!(upload(&server).await.is_err());
        assert!(was_given_up(&server), "{:?}", server.heads());
    }
}

#[tokio::test]
async fn an_upload_that_fails_in_the_end_is_ended_again() {
    let failed = complain(200, "", "InternalError");
    let done = say(
        200,
        "",
        "<x:CompleteMultipartUploadResult xmlns:x='y'><x:ETag>\"e-3\"</x:ETag></x:CompleteMultipartUploadResult>",
    );
    let server = Broken::start(begun(3).into_iter().chain([failed, done]).collect()).await;
    upload(&server).await.unwrap();
    assert_eq!(server.count(), 6);
}

#[tokio::test]
async fn a_part_without_an_etag_fails_the_upload() {
    let server = Broken::start(begun(0).into_iter().chain((0..4).map(|_| say(200, "", ""))).collect()).await;
    let error = upload(&server).await.unwrap_err();
    assert!(matches!(&error, Error::Broken { .. }), "{error:?}");
    assert!(was_given_up(&server));
}

#[tokio::test]
async fn a_dropped_upload_leaves_no_parts() {
    let hang = || Reaction::SayAndHang(Vec::new());
    let reactions = begun(0).into_iter().chain([hang(), hang(), hang(), say(204, "", "")]).collect();
    let server = Broken::start_with(reactions, |config| config.answer_timeout.0 = Duration::from_secs(30)).await;
    let under_way = async {
        while server.count() < 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        done = upload(&server) => panic!("{done:?}"),
        () = under_way => {}
    }
    for _ in 0..100 {
        if was_given_up(&server) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{:?}", server.heads());
}

#[tokio::test]
async fn a_lost_confirmation_is_looked_up() {
    let lost = || [Reaction::SayAndCut(Vec::new()), complain(404, "", "NoSuchUpload")];
    let made = |length: &str, etag: &str| {
        Reaction::Say(format!("HTTP/1.1 200 x\r\nETag: \"{etag}\"\r\nContent-Length: {length}\r\n\r\n").into_bytes())
    };
    let done = begun(3).into_iter().chain(lost()).chain([made("17825792", "abc-3")]).collect();
    upload(&Broken::start(done).await).await.unwrap();
    for other in [made("17825792", "abc"), made("5", "abc-3")] {
        let not = begun(3).into_iter().chain(lost()).chain([other, say(204, "", "")]).collect();
        assert!(upload(&Broken::start(not).await).await.is_err());
    }
}

#[tokio::test]
async fn an_upload_is_begun_once() {
    let server = Broken::start(vec![Reaction::SayAndCut(Vec::new())]).await;
    assert!(matches!(upload(&server).await, Err(Error::Unreachable { .. })));
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn nothing_tells_secrets() {
    let reactions = vec![say(599, "", ""), say(302, "Location: http://127.0.0.1:1/\r\n", ""), say(418, "", "teapot")];
    let server = Broken::start_with(reactions, |config| config.retries = 0).await;
    for _ in 0..3 {
        let error = server.bucket.get("k", None).await.unwrap_err();
        let shown = format!("{error} {error:?} {:?}", server.bucket);
        assert!(!shown.contains("test-secret") && !shown.contains("X-Amz"), "{shown}");
    }
    assert!(server.heads()[0].contains("X-Amz-Signature="));
}

/// The second page is asked for by the first one's last key and id; pages that go round are not followed.
#[tokio::test]
async fn uploads_are_listed_page_by_page() {
    let page = |key: &str, more: &str| {
        let upload = format!(
            "<Upload><Key>{key}</Key><UploadId>i</UploadId><Initiated>2026-01-02T03:04:05Z</Initiated></Upload>"
        );
        say(200, "", &format!("<ListMultipartUploadsResult>{upload}{more}</ListMultipartUploadsResult>"))
    };
    let more =
        "<IsTruncated>true</IsTruncated><NextKeyMarker>a b</NextKeyMarker><NextUploadIdMarker>n</NextUploadIdMarker>";
    let server = Broken::start(vec![page("a b", more), page("c", "")]).await;
    let first = server.bucket.uploads("", None).await.unwrap();
    let second = server.bucket.uploads("", first.next.as_ref()).await.unwrap();
    assert_eq!((first.uploads[0].key.as_str(), second.uploads[0].key.as_str()), ("a b", "c"));
    assert_eq!(second.next, None);
    let heads = server.heads();
    assert!(heads[1].contains("key-marker=a%20b&") && heads[1].contains("upload-id-marker=n"), "{}", heads[1]);
    let server = Broken::start((0..9).map(|_| page("a b", more)).collect()).await;
    let first = server.bucket.uploads("", None).await.unwrap();
    let round = server.bucket.uploads("", first.next.as_ref()).await.unwrap_err();
    assert!(matches!(&round, Error::Broken { .. }), "{round:?}");
}
