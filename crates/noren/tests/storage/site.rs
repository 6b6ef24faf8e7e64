//! A site whose files lie in a bucket.

use crate::{noren, ran, server};
use testkit::{Engine, TestServer};

/// Answers only while `server` lives, which has a runtime of its own.
pub(crate) fn bucket() -> (tokio::runtime::Runtime, server::Server) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(server::start());
    (runtime, server)
}

pub(crate) fn picture() -> Vec<u8> {
    let picture = image::RgbImage::from_fn(500, 400, |x, y| image::Rgb([(x * y % 251) as u8, x as u8, y as u8]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
fn uploads_go_into_the_bucket_and_are_served_from_it() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let (_runtime, bucket) = bucket();
        let config = bucket.config.clone();
        let ran = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counted = ran.clone();
        testkit::run_with(
            engine,
            |all| all.media.storage = config,
            |server: TestServer| async move {
                let alice = server.person("alice").await;
                let sent = alice.upload("/api/v2/media", ("file", "x.png", picture()), &[]).await.expect(202);
                server.settle().await;
                let path = format!("/api/v1/media/{}", sent["id"].as_str().unwrap());
                let ready = alice.get(&path, ()).await.ok();
                let url = ready["url"].as_str().unwrap();
                assert!(url.starts_with("https://noren.test/media/media_attachments/files/"), "{url}");
                let whole = server.client().get(url, ()).await;
                assert_eq!((whole.status, whole.header("content-type")), (200, "image/png"));
                assert!(whole.header("etag").starts_with('"'));
                let key = media::Key::parse(url.strip_prefix("https://noren.test/media/").unwrap()).unwrap();
                assert!(server.parts().store.exists(&key).await.unwrap());
                assert!(matches!(server.parts().store.places().first(), media::Place::S3(_)));
                assert_eq!(std::fs::read_dir(server.parts().store.spool()).unwrap().count(), 0);
                assert!(!server.parts().config.server.data.join("media").exists());
                counted.store(1, std::sync::atomic::Ordering::Relaxed);
            },
        );
        // The upload itself is gone; both versions lie in the bucket.
        let files = walk(&bucket.folder.path().join("files"));
        assert_eq!(files.len(), 2 * ran.load(std::sync::atomic::Ordering::Relaxed), "{files:?}");
    }
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(walk(&path)) } else { found.push(path) }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sites_bucket_is_the_usual_one() {
    let (bucket, folder) = (server::start().await, tempfile::tempdir().unwrap());
    let endpoint = bucket.config.endpoint.as_ref().unwrap();
    let file = format!("[media.storage]\nendpoint = \"{endpoint}\"\nbucket = \"files\"\naccess_key = \"test-id\"\n");
    std::fs::write(folder.path().join("noren.toml"), file).unwrap();
    std::fs::write(folder.path().join("secret"), "test-secret\n").unwrap();
    let run = async |arguments: &[&str]| {
        let mut command = noren(folder.path());
        command.env("NOREN_MEDIA__STORAGE__SECRET_KEY_FILE", "secret").args(arguments);
        ran(command).await
    };
    assert!(run(&["config", "check"]).await.fine().contains("is fine"));
    std::fs::write(folder.path().join("a.png"), "12345").unwrap();
    run(&["storage", "cp", "a.png", "bucket:cache/a.png"]).await.fine();
    assert!(run(&["storage", "ls", "-r"]).await.fine().contains("cache/a.png"));
    let elsewhere = run(&["storage", "ls", "--endpoint", endpoint.as_str(), "--bucket", "files"]).await;
    assert!(elsewhere.failed(1).contains("refused"), "the site's keys are not sent to buckets that are named");
}
