//! One contract of stores, held by a folder and by a bucket.

use crate::{pattern, server};
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use media::s3::{Bucket, S3Config};
use media::{Body, Content, Key, Listing, Pool, Store, Workshop};
use std::path::Path;
use tempfile::NamedTempFile;

/// A store of each kind, and what has to live as long.
struct Stores {
    all: Vec<Store>,
    _folder: tempfile::TempDir,
    server: server::Server,
}

async fn stores() -> Stores {
    let (folder, server) = (tempfile::tempdir().unwrap(), server::start().await);
    let bucket = Bucket::open(&S3Config { prefix: Some("site".into()), ..server.config.clone() }).unwrap();
    let disk = Store::disk(folder.path().join("media")).unwrap();
    let bucket = Store::bucket(bucket, folder.path().join("spool")).unwrap();
    Stores { all: vec![disk, bucket], _folder: folder, server }
}

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

fn bytes(text: &'static str) -> Content {
    Content::Bytes(Bytes::from_static(text.as_bytes()))
}

fn spooled(store: &Store, content: &[u8]) -> Content {
    let mut file = NamedTempFile::new_in(store.spool()).unwrap();
    std::io::Write::write_all(&mut file, content).unwrap();
    Content::File(file.into_temp_path())
}

fn files_in(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

async fn content(store: &Store, name: &str, inline: u64) -> Option<Vec<u8>> {
    let blob = store.open(&key(name), inline).await.unwrap()?;
    let bytes = match blob.body {
        Body::Bytes(bytes) => {
            assert!(bytes.len() as u64 <= inline);
            bytes.to_vec()
        }
        Body::File(mut file) => {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut file, &mut bytes).unwrap();
            bytes
        }
        Body::Remote(remote) => remote.whole().try_collect::<Vec<_>>().await.unwrap().concat(),
    };
    assert_eq!(blob.len, bytes.len() as u64);
    Some(bytes)
}

#[tokio::test]
async fn put_open_replace_delete() {
    let stores = stores().await;
    for store in &stores.all {
        assert_eq!(content(store, "a/b/c.jpg", 100).await, None);
        assert_eq!(content(store, "a/b/c.jpg", 0).await, None);
        for text in ["one", "two, longer"] {
            store.put(&key("a/b/c.jpg"), bytes(text)).await.unwrap();
            assert_eq!(content(store, "a/b/c.jpg", 100).await.unwrap(), text.as_bytes());
            assert_eq!(content(store, "a/b/c.jpg", 0).await.unwrap(), text.as_bytes());
            assert_eq!(content(store, "a/b/c.jpg", 2).await.unwrap(), text.as_bytes());
        }
        assert!(store.exists(&key("a/b/c.jpg")).await.unwrap());
        store.delete(&key("a/b/c.jpg")).await.unwrap();
        store.delete(&key("a/b/c.jpg")).await.unwrap();
        assert!(!store.exists(&key("a/b/c.jpg")).await.unwrap());
    }
}

#[tokio::test]
async fn files_are_taken_over_and_leave_nothing() {
    let stores = stores().await;
    for store in &stores.all {
        for length in [0, 1, 300_000, 17 * 1024 * 1024] {
            let written = pattern(length);
            store.put(&key("k.bin"), spooled(store, &written)).await.unwrap();
            assert!(content(store, "k.bin", 1 << 20).await.unwrap() == written, "{length}");
            assert_eq!(files_in(&store.spool()), 0);
        }
    }
}

#[tokio::test]
async fn readers_see_the_old_or_the_new_never_a_part() {
    let stores = stores().await;
    for store in &stores.all {
        let whole = |letter: u8| Content::Bytes(vec![letter; 200_000].into());
        store.put(&key("k"), whole(b'0')).await.unwrap();
        let writer = {
            let store = store.clone();
            tokio::spawn(async move {
                for round in 0..20 {
                    store.put(&key("k"), whole(b'0' + round % 10)).await.unwrap();
                }
            })
        };
        while !writer.is_finished() {
            let bytes = content(store, "k", 1 << 20).await.unwrap();
            assert_eq!(bytes.len(), 200_000);
            assert!(bytes.iter().all(|b| *b == bytes[0]));
        }
        writer.await.unwrap();
    }
}

#[tokio::test]
async fn listing_is_paged_in_key_order() {
    let stores = stores().await;
    let names = ["a-b/1", "a.b", "a/1", "a/2/x", "a/2.y", "b/1", "c"];
    let mut sorted = names;
    sorted.sort_unstable();
    for store in &stores.all {
        for name in names {
            store.put(&key(name), bytes("xyz")).await.unwrap();
        }
        for limit in [1, 2, 7, 5000] {
            let (mut seen, mut after) = (Vec::new(), None);
            loop {
                let page = store.list(Listing { after, limit, ..Listing::default() }).await.unwrap();
                let Some(last) = page.last() else { break };
                assert!(page.len() <= limit && page.iter().all(|entry| entry.len == 3));
                after = Some(last.key.clone());
                seen.extend(page.into_iter().map(|entry| entry.key.to_string()));
            }
            assert_eq!(seen, sorted);
        }
        for (prefix, expected) in [("a/", 3), ("a", 5), ("a/2", 2), ("zz", 0), (".incoming", 0)] {
            let listing = Listing { prefix: prefix.into(), limit: 100, ..Listing::default() };
            assert_eq!(store.list(listing).await.unwrap().len(), expected, "{prefix}");
        }
    }
}

#[tokio::test]
async fn puts_and_deletes_of_neighbours_do_not_disturb_each_other() {
    let stores = stores().await;
    for store in &stores.all {
        let mut tasks = Vec::new();
        for number in 0..8 {
            let store = store.clone();
            tasks.push(tokio::spawn(async move {
                let name = key(&format!("a/b/c/{number}/x.jpg"));
                for _ in 0..10 {
                    store.put(&name, bytes("x")).await.unwrap();
                    store.delete(&name).await.unwrap();
                }
                store.put(&name, bytes("x")).await.unwrap();
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(store.list(Listing { limit: 100, ..Listing::default() }).await.unwrap().len(), 8);
    }
}

#[tokio::test]
async fn parts_of_what_lies_in_a_bucket() {
    let stores = stores().await;
    let store = &stores.all[1];
    let written = pattern(100_000);
    store.put(&key("k.bin"), Content::Bytes(written.clone().into())).await.unwrap();
    for (inline, part) in [(0, 10..20), (0, 0..100_000), (5, 99_999..100_000), (5, 0..100_000), (0, 7..7)] {
        let Body::Remote(remote) = store.open(&key("k.bin"), inline).await.unwrap().unwrap().body else { panic!() };
        let bytes = remote.part(part.clone()).try_collect::<Vec<_>>().await.unwrap().concat();
        let part = usize::try_from(part.start).unwrap()..usize::try_from(part.end).unwrap();
        assert!(bytes == written[part]);
    }
    // What is replaced after it was looked at is not mixed up with what was there.
    let Body::Remote(remote) = store.open(&key("k.bin"), 0).await.unwrap().unwrap().body else { panic!() };
    store.put(&key("k.bin"), bytes("other")).await.unwrap();
    assert!(remote.part(0..4).try_collect::<Vec<_>>().await.is_err());
    let folder = stores.server.folder.path().join("files/site/k.bin");
    assert_eq!(std::fs::read(folder).unwrap(), b"other");
}

#[tokio::test]
async fn a_failed_put_leaves_the_old_object_and_no_file() {
    let stores = stores().await;
    let wrong = S3Config { secret_key: Some(media::s3::Secret::new("wrong")), ..stores.server.config.clone() };
    let spool = tempfile::tempdir().unwrap();
    let store = Store::bucket(Bucket::open(&wrong).unwrap(), spool.path()).unwrap();
    let refused = store.put(&key("k"), spooled(&store, &pattern(300_000))).await;
    assert!(matches!(refused, Err(media::Error::Storage(_))));
    assert_eq!(files_in(spool.path()), 0);
    let anonymous = S3Config { access_key: None, secret_key: None, ..wrong };
    assert!(Store::bucket(Bucket::open(&anonymous).unwrap(), spool.path()).is_err());
}

#[tokio::test]
async fn pictures_are_worked_at_in_a_bucket_too() {
    let stores = stores().await;
    for store in &stores.all {
        let workshop = Workshop { store: store.clone(), pool: Pool::default(), limits: media::Limits::default() };
        let upload = media::upload_key(7);
        assert!(workshop.stored_upload(7, &upload).await.unwrap().is_none());
        store.put(&upload, Content::Bytes(photograph().into())).await.unwrap();
        let made = workshop.stored_upload(7, &upload).await.unwrap().unwrap();
        let original = content(store, made.original.key.as_str(), 0).await.unwrap();
        assert_eq!(image::load_from_memory(&original).unwrap().width(), 300);
        assert!(store.exists(&made.small.key).await.unwrap());
        assert_eq!(files_in(&store.spool()), 0);
    }
}

/// Larger than what is opened at once.
fn photograph() -> Vec<u8> {
    let mut noise = pattern(300 * 200 * 3).into_iter().map(|byte| byte.wrapping_mul(167));
    let picture = image::RgbImage::from_fn(300, 200, |_, _| image::Rgb([(); 3].map(|()| noise.next().unwrap())));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    assert!(bytes.get_ref().len() > 64 * 1024);
    bytes.into_inner()
}
