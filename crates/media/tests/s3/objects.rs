//! Objects in a bucket whose server checks signatures.

use crate::{pattern, server, whole};
use bytes::Bytes;
use media::s3::{Bucket, CopyRule, Created, Error, Headers, Origin, S3Config, Scope, Secret, Source, is_etag_of};
use std::io::Write as _;

fn bytes(text: &'static str) -> Source {
    Source::Bytes(Bytes::from_static(text.as_bytes()))
}

fn picture() -> Headers {
    Headers { content_type: Some("image/png".into()), cache_control: Some("public, max-age=60".into()) }
}

/// A file as a source; it is deleted with what is answered.
async fn file(content: &[u8]) -> (Source, tempfile::TempPath) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(content).unwrap();
    let path = file.into_temp_path();
    (Source::open(&path).await.unwrap(), path)
}

#[tokio::test]
async fn put_head_get_delete() {
    let server = server::start().await;
    let bucket = Bucket::open(&server.config).unwrap();
    assert!(bucket.head("a/b.png").await.unwrap().is_none());
    assert!(bucket.get("a/b.png", None).await.unwrap().is_none());
    bucket.put("a/b.png", &bytes("0123456789"), &picture()).await.unwrap();

    let meta = bucket.head("a/b.png").await.unwrap().unwrap();
    assert_eq!((meta.start, meta.len, meta.total), (0, 10, 10));
    assert_eq!(meta.content_type.as_deref(), Some("image/png"));
    assert!(meta.last_modified.is_some());
    let object = bucket.get("a/b.png", None).await.unwrap().unwrap();
    assert_eq!(object.meta.total, 10);
    assert!(object.meta.etag.as_deref().unwrap().starts_with('"'));
    assert_eq!(whole(object).await.unwrap(), b"0123456789");

    bucket.put("a/b.png", &bytes("other"), &picture()).await.unwrap();
    assert_eq!(whole(bucket.get("a/b.png", None).await.unwrap().unwrap()).await.unwrap(), b"other");
    bucket.delete("a/b.png").await.unwrap();
    assert!(bucket.head("a/b.png").await.unwrap().is_none());
}

#[tokio::test]
async fn parts() {
    let server = server::start().await;
    let bucket = Bucket::open(&server.config).unwrap();
    bucket.put("k", &bytes("0123456789"), &Headers::default()).await.unwrap();
    let table: [(std::ops::Range<u64>, &[u8]); 5] =
        [(0..1, b"0"), (3..7, b"3456"), (9..10, b"9"), (5..500, b"56789"), (0..10, b"0123456789")];
    for (range, expected) in table {
        let object = bucket.get("k", Some(range.clone())).await.unwrap().unwrap();
        assert_eq!((object.meta.start, object.meta.total), (range.start, 10));
        assert_eq!(whole(object).await.unwrap(), expected, "{range:?}");
    }
    for range in [10..11, 500..600, 4..4] {
        let refused = bucket.get("k", Some(range)).await;
        assert!(matches!(refused, Err(Error::OutOfRange { .. })), "{refused:?}");
    }
}

#[tokio::test]
async fn keys_with_everything_in_them() {
    let server = server::start().await;
    let bucket = Bucket::open(&server.config).unwrap();
    let keys = ["a b+c%20&=;,@$!'()*~.png", "日本/é.png", "a?b#c.png", "x/y/.hidden", "100%"];
    for key in keys {
        bucket.put(key, &bytes("x"), &Headers::default()).await.unwrap();
        assert!(bucket.head(key).await.unwrap().is_some(), "{key}");
    }
    let mut listed: Vec<_> = list(&bucket, 1000).await;
    listed.sort_unstable();
    let mut sorted = keys.map(str::to_owned);
    sorted.sort_unstable();
    assert_eq!(listed, sorted);
    let long = "a".repeat(1025);
    for key in ["", "..", "a/../b", "./a", "a\0b", &long] {
        assert!(matches!(bucket.get(key, None).await, Err(Error::Key(_))), "{key:?}");
    }
}

async fn list(bucket: &Bucket, limit: usize) -> Vec<String> {
    let (mut found, mut next) = (Vec::new(), None);
    loop {
        let page = bucket.list(&Scope { limit, ..Scope::default() }, next.as_ref()).await.unwrap();
        assert!(page.objects.len() <= limit);
        found.extend(page.objects.into_iter().map(|found| found.key));
        next = page.next;
        if next.is_none() {
            return found;
        }
    }
}

#[tokio::test]
async fn listing_goes_page_by_page() {
    let server = server::start().await;
    let bucket = Bucket::open(&server.config).unwrap();
    for number in 0..7 {
        bucket.put(&format!("d{}/{number}", number % 2), &bytes("x"), &Headers::default()).await.unwrap();
    }
    let everything = list(&bucket, 1000).await;
    assert_eq!(everything.len(), 7);
    assert_eq!(list(&bucket, 2).await, everything);
    let scope = Scope { prefix: "d1/".into(), after: Some("d1/1".into()), limit: 10, ..Scope::default() };
    let page = bucket.list(&scope, None).await.unwrap();
    assert_eq!(page.objects.iter().map(|found| found.key.as_str()).collect::<Vec<_>>(), ["d1/3", "d1/5"]);
    let page = bucket.list(&Scope { folders: true, limit: 10, ..Scope::default() }, None).await.unwrap();
    assert_eq!((page.folders, page.objects.len()), (vec!["d0/".to_owned(), "d1/".to_owned()], 0));
}

#[tokio::test]
async fn a_prefix_is_a_bucket_of_its_own() {
    let server = server::start().await;
    let below = S3Config { prefix: Some("/site/media/".into()), ..server.config.clone() };
    let (all, below) = (Bucket::open(&server.config).unwrap(), Bucket::open(&below).unwrap());
    below.put("a.png", &bytes("x"), &picture()).await.unwrap();
    all.put("other.png", &bytes("y"), &picture()).await.unwrap();
    assert_eq!(list(&below, 10).await, ["a.png"]);
    assert_eq!(list(&all, 10).await, ["other.png", "site/media/a.png"]);
    assert!(below.get("../../other.png", None).await.is_err());
    below.copy("a.png", "b c.png").await.unwrap();
    assert_eq!(list(&all, 10).await, ["other.png", "site/media/a.png", "site/media/b c.png"]);
    let copied = all.get("site/media/b c.png", None).await.unwrap().unwrap();
    assert_eq!(whole(copied).await.unwrap(), b"x");
}

#[tokio::test]
async fn long_files_go_in_parts() {
    let server = server::start().await;
    let bucket = Bucket::open(&server.config).unwrap();
    let content = pattern(20 * 1024 * 1024 + 17);
    let (source, _path) = file(&content).await;
    bucket.put("video.mp4", &source, &picture()).await.unwrap();
    let object = bucket.get("video.mp4", None).await.unwrap().unwrap();
    assert!(whole(object).await.unwrap() == content);
    // Beyond the border of the first two parts.
    let range = 8 * 1024 * 1024 - 3..8 * 1024 * 1024 + 3;
    let object = bucket.get("video.mp4", Some(range)).await.unwrap().unwrap();
    assert_eq!(whole(object).await.unwrap(), content[8 * 1024 * 1024 - 3..8 * 1024 * 1024 + 3]);
    let (short, _path) = file(&content[..300_000]).await;
    bucket.put("short.mp4", &short, &picture()).await.unwrap();
    assert!(whole(bucket.get("short.mp4", None).await.unwrap().unwrap()).await.unwrap() == content[..300_000]);
}

#[tokio::test]
async fn wrong_keys_and_missing_buckets_are_told_apart() {
    let server = server::start().await;
    let wrong = S3Config { secret_key: Some(Secret::new("wrong-secret")), ..server.config.clone() };
    let unknown = S3Config { access_key: Some("nobody".into()), ..server.config.clone() };
    let anonymous = S3Config { access_key: None, secret_key: None, ..server.config.clone() };
    for config in [wrong, unknown, anonymous] {
        let bucket = Bucket::open(&config).unwrap();
        for refused in [
            bucket.put("a", &bytes("x"), &Headers::default()).await.unwrap_err(),
            bucket.list(&Scope { limit: 1, ..Scope::default() }, None).await.unwrap_err(),
            bucket.get("a", None).await.unwrap_err(),
        ] {
            assert!(matches!(refused, Error::Denied { .. }), "{refused:?}");
            assert_eq!((refused.origin(), refused.is_passing()), (Origin::Settings, false));
            let shown = format!("{refused} {refused:?}");
            assert!(!shown.contains("secret") && !shown.contains("Signature="), "{shown}");
        }
    }
    let missing = Bucket::open(&S3Config { bucket: Some("missing".into()), ..server.config.clone() }).unwrap();
    let refused = missing.list(&Scope { limit: 1, ..Scope::default() }, None).await;
    assert!(matches!(refused, Err(Error::NoBucket(name)) if name == "missing"));
    assert!(!missing.is_there().await.unwrap());
    assert_eq!(missing.create().await.unwrap(), Created::New);
    assert!(missing.is_there().await.unwrap());
}

#[tokio::test]
async fn the_storage_class_is_told() {
    let server = server::start().await;
    let class = |name: &str| S3Config { storage_class: Some(name.into()), ..server.config.clone() };
    let bucket = Bucket::open(&class("STANDARD")).unwrap();
    bucket.put("a", &bytes("x"), &Headers::default()).await.unwrap();
    // The server knows no such class: so the header has arrived, and its signature was right.
    let bucket = Bucket::open(&class("ICE")).unwrap();
    let refused = bucket.put("a", &bytes("x"), &Headers::default()).await;
    assert!(matches!(refused, Err(Error::Refused { status: 400, .. })), "{refused:?}");
}

/// What the server says of what it has is the same as what the file says.
#[tokio::test]
async fn what_is_stored_with_checksums_is_proven() {
    let server = server::start().await;
    let bucket = Bucket::open(&server.config).unwrap();
    for length in [0, 10, 17 * 1024 * 1024 + 5] {
        let content = pattern(length);
        let (source, path) = file(&content).await;
        let stored = bucket.put_checked("k", &source, &picture()).await.unwrap();
        let etag = bucket.head("k").await.unwrap().unwrap().etag.unwrap();
        let same =
            async |etag: &str| is_etag_of(std::fs::File::open(&path).unwrap(), length as u64, etag).await.unwrap();
        if length < 16 * 1024 * 1024 {
            assert!(stored.is_proven());
            assert_eq!(same(&etag).await, Some(true));
        }
        assert_eq!(same("00000000000000000000000000000000").await, Some(false));
        assert_eq!(whole(bucket.get("k", None).await.unwrap().unwrap()).await.unwrap(), content);
    }
}

#[tokio::test]
async fn long_objects_are_copied_in_parts() {
    let server = server::start().await;
    let config = S3Config { prefix: Some("sub".into()), ..server.config.clone() };
    copied_in_parts(&Bucket::open(&config).unwrap()).await;
}

pub(crate) async fn copied_in_parts(bucket: &Bucket) {
    const MIB: u64 = 1024 * 1024;
    let content = pattern(12 * MIB as usize + 7);
    bucket.put("a b.mp4", &Source::Bytes(content.clone().into()), &picture()).await.unwrap();
    let rule = CopyRule { at_once: 6 * MIB, part: 5 * MIB };
    let meta = bucket.copy_by("a b.mp4", "copies/b.mp4", rule).await.unwrap();
    assert_eq!(meta.total, content.len() as u64);
    let copy = bucket.get("copies/b.mp4", None).await.unwrap().unwrap();
    assert_eq!(copy.meta.content_type.as_deref(), Some("image/png"), "what is told about it is copied too");
    let etag = copy.meta.etag.clone().unwrap();
    assert!(whole(copy).await.unwrap() == content);
    let at_once = CopyRule { at_once: content.len() as u64, ..rule };
    bucket.copy_by("a b.mp4", "copies/c.mp4", at_once).await.unwrap();
    let other = bucket.head("copies/c.mp4").await.unwrap().unwrap();
    assert_eq!(other.total, content.len() as u64);
    assert_ne!(other.etag, Some(etag), "what is short enough is copied at once");
    assert!(matches!(bucket.copy_by("none", "x", rule).await, Err(Error::NoObject)));
}
