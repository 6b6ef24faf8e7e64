//! Copying from one provider to another, without a folder between them.

use crate::{server, storage};
use media::s3::{Bucket, Headers, S3Config, Source};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The same server, with its requests about single objects counted.
async fn counted(config: &S3Config) -> (S3Config, Arc<AtomicUsize>) {
    let behind = config.endpoint.clone().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let heads = Arc::new(AtomicUsize::new(0));
    let count = heads.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let address = format!("{}:{}", behind.host_str().unwrap(), behind.port().unwrap());
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = TcpStream::connect(address).await.unwrap().into_split();
            let count = count.clone();
            tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
            tokio::spawn(async move {
                let mut piece = vec![0; 64 * 1024];
                while let Ok(length @ 1..) = from_client.read(&mut piece).await {
                    count.fetch_add(usize::from(piece.starts_with(b"HEAD ")), Ordering::Relaxed);
                    to_server.write_all(&piece[..length]).await.unwrap();
                }
            });
        }
    });
    (S3Config { endpoint: Some(endpoint.parse().unwrap()), ..config.clone() }, heads)
}

fn described(config: &S3Config, path: &Path) {
    let endpoint = config.endpoint.as_ref().unwrap();
    let text = format!(
        "bucket = \"files\"\nendpoint = \"{endpoint}\"\naccess_key = \"test-id\"\nsecret_key = \"test-secret\"\n"
    );
    fs::write(path, text).unwrap();
}

fn long() -> Vec<u8> {
    (0..(19 << 20) + 77).map(|at: usize| u8::try_from((at * 31 + at / 251) % 256).unwrap()).collect()
}

async fn fill(config: &S3Config) {
    let bucket = Bucket::open(config).unwrap();
    let headers = |kind: &str| Headers { content_type: Some(kind.into()), cache_control: Some("max-age=5".into()) };
    for (key, bytes, kind) in [
        ("cache/a.png", b"picture".to_vec(), "image/png"),
        ("cache/empty", Vec::new(), "image/gif"),
        ("cache/long.mp4", long(), "video/mp4"),
        ("top\u{e9} &.txt", b"1".to_vec(), "text/plain"),
    ] {
        bucket.put(key, &Source::Bytes(bytes.into()), &headers(kind)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_goes_from_one_provider_to_another() {
    let (old, new, folder) = (server::start().await, server::start().await, tempfile::tempdir().unwrap());
    fill(&old.config).await;
    let ((old_config, old_heads), (new_config, new_heads)) = (counted(&old.config).await, counted(&new.config).await);
    described(&old_config, &folder.path().join("old.toml"));
    let run = async |arguments: &[&str]| {
        storage(&new_config, folder.path(), &[&["cp", "--other", "old.toml"], arguments].concat()).await
    };
    let out = run(&["-r", "other:", "bucket:", "--dry-run"]).await.fine();
    assert!(out.contains("would copy other:cache/a.png to bucket:cache/a.png"), "{out}");
    assert!(out.ends_with("4 objects, 19.9 MB would be copied\n"), "{out}");
    assert_eq!(run(&["-r", "other:cache/", "bucket:cache/"]).await.fine(), "3 objects, 19.9 MB copied\n");
    assert_eq!(run(&["-r", "other:", "bucket:"]).await.fine(), "1 object, 1 B copied; 3 there already\n");
    let bucket = Bucket::open(&new.config).unwrap();
    for key in ["cache/a.png", "cache/empty", "cache/long.mp4", "top\u{e9} &.txt"] {
        let read = |server: &server::Server| fs::read(server.folder.path().join("files").join(key)).unwrap();
        assert!(read(&old) == read(&new), "{key}");
    }
    let meta = bucket.head("cache/long.mp4").await.unwrap().unwrap();
    assert_eq!((meta.content_type.as_deref(), meta.cache_control.as_deref()), (Some("video/mp4"), Some("max-age=5")));

    // A second pass lists both, and nothing else.
    let before = (old_heads.load(Ordering::Relaxed), new_heads.load(Ordering::Relaxed));
    assert_eq!(run(&["-r", "other:", "bucket:"]).await.fine(), "0 objects, 0 B copied; 4 there already\n");
    assert_eq!((old_heads.load(Ordering::Relaxed), new_heads.load(Ordering::Relaxed)), before);
    assert_eq!(
        run(&["-r", "other:", "bucket:", "--checksum"]).await.fine(),
        "0 objects, 0 B copied; 4 there already\n"
    );

    // The same length, and other bytes that came later than the object did: only a checksum tells.
    let object = new.folder.path().join("files/cache/a.png");
    fs::write(&object, b"PICTURE").unwrap();
    run(&["-r", "other:", "bucket:"]).await.fine();
    let out = run(&["-r", "other:", "bucket:", "--checksum"]).await.failed(1);
    assert!(out.contains("cache/a.png: is there with other content"), "{out}");
    // If they are older it is seen without.
    let older = SystemTime::now() - Duration::from_secs(3600);
    fs::File::options().write(true).open(&object).unwrap().set_modified(older).unwrap();
    let out = run(&["-r", "other:", "bucket:"]).await.failed(1);
    assert!(out.contains("cache/a.png: is there with other content"), "{out}");
    assert_eq!(fs::read(&object).unwrap(), b"PICTURE", "nothing is replaced unasked");
    let out = run(&["-r", "other:", "bucket:", "--overwrite"]).await.fine();
    assert_eq!(out, "1 object, 7 B copied; 3 there already\n");
    assert_eq!(fs::read(&object).unwrap(), b"picture");

    // And back, one by one.
    assert_eq!(run(&["bucket:cache/a.png", "other:copies/"]).await.fine(), "1 object, 7 B copied\n");
    assert_eq!(fs::read(old.folder.path().join("files/copies/a.png")).unwrap(), b"picture");
    assert!(run(&["other:none", "bucket:x"]).await.failed(1).contains("there is no object \"none\""));
    assert!(run(&["old.toml", "other:x"]).await.failed(2).contains("bucket:NAME"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_bucket_has_to_be_known() {
    let (server, folder) = (server::start().await, tempfile::tempdir().unwrap());
    let run = async |arguments: &[&str]| storage(&server.config, folder.path(), &[&["cp"], arguments].concat()).await;
    assert!(run(&["-r", "other:", "bucket:"]).await.failed(2).contains("--other FILE"));
    assert!(run(&["-r", "--other", "none.toml", "other:", "bucket:"]).await.failed(2).contains("none.toml"));
    fs::write(folder.path().join("wrong.toml"), "bukcet = \"x\"\n").unwrap();
    assert!(run(&["-r", "--other", "wrong.toml", "other:", "bucket:"]).await.failed(2).contains("bukcet"));
}
