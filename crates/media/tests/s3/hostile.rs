//! Answers that make no sense, or want to hurt.

use crate::broken::{Broken, Reaction, say};
use crate::whole;
use media::s3::{Error, Scope};
use std::time::{Duration, Instant};

fn one() -> Scope {
    Scope { limit: 10, ..Scope::default() }
}

#[tokio::test]
async fn listings_that_are_none() {
    let bomb =
        "<!DOCTYPE a [<!ENTITY x \"haha\"><!ENTITY y \"&x;&x;&x;&x;\">]><ListBucketResult>&y;</ListBucketResult>";
    let deep = "<a>".repeat(50_000);
    let cases = [
        "",
        "garbage",
        "<html><body>It works!</body></html>",
        "{\"Contents\":[]}",
        bomb,
        &deep,
        "<ListBucketResult><Contents><Key>a</Key>",
        "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
    ];
    for case in cases {
        let server = Broken::start_with(vec![say(200, "", case)], |config| config.retries = 0).await;
        let error = server.bucket.list(&one(), None).await.unwrap_err();
        assert!(matches!(&error, Error::Broken { .. }), "{case:.60}: {error:?}");
    }
}

#[tokio::test]
async fn an_endless_answer_is_not_read_to_its_end() {
    let head = || Reaction::Flood(b"HTTP/1.1 200 x\r\n\r\n<ListBucketResult>".to_vec());
    let announced =
        || Reaction::Flood(b"HTTP/1.1 200 x\r\nContent-Length: 104857600\r\n\r\n<ListBucketResult>".to_vec());
    let refused = || Reaction::Flood(b"HTTP/1.1 403 x\r\n\r\n<Error>".to_vec());
    let started = Instant::now();
    for reaction in [head(), announced()] {
        let server = Broken::start_with(vec![reaction], |config| config.retries = 0).await;
        let error = server.bucket.list(&one(), None).await.unwrap_err();
        assert!(error.to_string().contains("longer than"), "{error}");
    }
    let server = Broken::start_with(vec![refused()], |config| config.retries = 0).await;
    assert!(matches!(server.bucket.list(&one(), None).await, Err(Error::Denied { .. })));
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn pages_that_go_round_are_noticed() {
    let page = "<ListBucketResult><IsTruncated>true</IsTruncated>\
        <NextContinuationToken>t</NextContinuationToken></ListBucketResult>";
    let server = Broken::start_with(vec![say(200, "", page), say(200, "", page)], |config| config.retries = 0).await;
    let first = server.bucket.list(&one(), None).await.unwrap();
    let error = server.bucket.list(&one(), first.next.as_ref()).await.unwrap_err();
    assert!(error.to_string().contains("circle"), "{error}");
}

#[tokio::test]
async fn answers_about_another_part_are_refused() {
    let part = |range: &str| format!("Content-Range: {range}\r\n");
    let cases = [
        say(200, "", "0123456789"),
        say(206, "", "2345"),
        say(206, &part("bytes 0-3/10"), "0123"),
        say(206, &part("bytes 2-9/10"), "23456789"),
        say(206, &part("bytes 2-5/4"), "2345"),
        say(206, &part("bytes 2-18446744073709551615/18446744073709551615"), "2345"),
        say(206, &part("bytes 2-5/10"), "234"),
        say(206, &part("bytes -5/10"), "2345"),
        say(206, &part("bytes 2-5/*"), "2345"),
    ];
    for case in cases {
        let server = Broken::start_with(vec![case], |config| config.retries = 0).await;
        let error = server.bucket.get("k", Some(2..6)).await.unwrap_err();
        assert!(matches!(&error, Error::Broken { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_wrong_length_is_noticed() {
    let cut = Reaction::SayAndCut(b"HTTP/1.1 200 x\r\nContent-Length: 20\r\n\r\n0123456789".to_vec());
    let server = Broken::start(vec![cut]).await;
    let object = server.bucket.get("k", None).await.unwrap().unwrap();
    assert!(whole(object).await.is_err());
    let unsaid = Reaction::SayAndCut(b"HTTP/1.1 200 x\r\nConnection: close\r\n\r\n0123456789".to_vec());
    let server = Broken::start(vec![unsaid]).await;
    assert!(matches!(server.bucket.get("k", None).await, Err(Error::Broken { .. })));
    // What is too much stays on the wire.
    let longer = Reaction::SayAndCut(b"HTTP/1.1 200 x\r\nContent-Length: 4\r\n\r\n0123456789".to_vec());
    let server = Broken::start(vec![longer]).await;
    let object = server.bucket.get("k", None).await.unwrap().unwrap();
    assert_eq!(whole(object).await.unwrap(), b"0123");
}

#[tokio::test]
async fn garbage_instead_of_http() {
    for garbage in ["\0\0\0\0\0\0", "HTTP/9.9 hello\r\n\r\n", "SSH-2.0-x\r\n", "HTTP/1.1 200 x\r\nbad header\r\n\r\n"] {
        let server = Broken::start_with(vec![Reaction::SayAndCut(garbage.into())], |config| config.retries = 0).await;
        assert!(matches!(server.bucket.head("k").await, Err(Error::Unreachable { .. })), "{garbage:?}");
    }
}
