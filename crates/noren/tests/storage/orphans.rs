//! `noren media` on a site whose files lie in a bucket: what nobody names goes, whoever put it there, and nothing else.

use crate::{Ran, noren, ran, server, site};
use std::path::Path;
use std::time::{Duration, SystemTime};
use testkit::{Engine, TestServer};

const DAY: Duration = Duration::from_secs(86_400);

/// `noren media …` for the site of `server`.
async fn media(server: &TestServer, arguments: &[&str]) -> Ran {
    command(server, &[&["media"], arguments].concat()).await
}

async fn command(server: &TestServer, arguments: &[&str]) -> Ran {
    let config = &server.parts().config;
    let storage = &config.media.storage;
    let mut command = noren(&config.server.data);
    command.args(arguments).arg("--data").arg(&config.server.data);
    command.env("NOREN_SITE__DOMAIN", "noren.test");
    command.env("NOREN_MEDIA__STORAGE__ENDPOINT", storage.endpoint.as_ref().unwrap().as_str());
    command.env("NOREN_MEDIA__STORAGE__BUCKET", "files");
    command.env("NOREN_MEDIA__STORAGE__ACCESS_KEY", "test-id");
    command.env("NOREN_MEDIA__STORAGE__SECRET_KEY", "test-secret");
    if !config.database.url.is_empty() {
        command.env("NOREN_DATABASE__URL", &config.database.url);
    }
    ran(command).await
}

/// In the bucket's own folder: an object that is so old.
fn put(bucket: &Path, key: &str, age: Duration) {
    let path = bucket.join(key);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, vec![7; 1000]).unwrap();
    grow_old(&path, age);
}

fn grow_old(path: &Path, age: Duration) {
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - age).unwrap();
}

/// Called as Mastodon calls its files, and younger or otherwise called ones.
const STAYS: [(&str, u64); 9] = [
    ("media_attachments/files/000/000/008/original/young.png", 0),
    ("custom_emojis/images/000/000/008/original/imported.png", 2),
    ("site_uploads/files/000/000/001/original/logo.png", 2),
    ("media_attachments/strange.png", 2),
    ("accounts/avatars/8/original/unknown-layout.png", 2),
    ("accounts/avatars/000/000/008/huge/style.png", 2),
    ("backups/dump.tar", 2),
    ("imports/data/000/000/001/original/list.csv", 2),
    ("other/software.bin", 2),
];

async fn orphans_go(server: TestServer, bucket: &Path) {
    let alice = server.person("alice").await;
    let sent = alice.upload("/api/v2/media", ("file", "x.png", site::picture()), &[]).await.expect(202);
    server.settle().await;
    let own = alice.get(&format!("/api/v1/media/{}", sent["id"].as_str().unwrap()), ()).await.ok();
    let keys = ["url", "preview_url"]
        .map(|name| own[name].as_str().unwrap().strip_prefix("https://noren.test/media/").unwrap().to_owned());
    for key in &keys {
        grow_old(&bucket.join(key), 3 * DAY);
    }
    // More than a page of them, and of each kind.
    let mut orphans: Vec<String> =
        (0..700).map(|n| format!("cache/media_attachments/files/000/000/{:03}/small/{n}.png", n % 9 + 1)).collect();
    for folder in ["accounts/avatars", "accounts/headers", "custom_emojis/images", "preview_cards/images"] {
        orphans.push(format!("{folder}/000/000/009/original/a.png"));
        orphans.push(format!("cache/{folder}/109/698/123/456/789/012/static/b.jpeg"));
    }
    for key in &orphans {
        put(bucket, key, 2 * DAY);
    }
    for (key, days) in STAYS {
        put(bucket, key, days as u32 * DAY);
    }
    let imported = domain::emojis::New {
        id: domain::emojis::new_id(),
        shortcode: "imported".into(),
        image: STAYS[1].0.into(),
        image_static: STAYS[1].0.into(),
        category: None,
        visible_in_picker: true,
    };
    domain::emojis::put(server.db(), imported).await.unwrap();

    let said = media(&server, &["remove-orphans", "--dry-run"]).await.fine();
    for key in &orphans {
        assert!(said.contains(&format!("{key}  1.0 kB\n")), "{key}: {said}");
    }
    assert_eq!(said.lines().count(), orphans.len() + 1, "{said}");
    assert!(said.ends_with("708 files that no row names, 708.0 kB; nothing was removed\n"), "{said}");
    for key in &orphans {
        assert!(bucket.join(key).exists(), "{key}");
    }
    // An edge that has one of them in its cache forgets it, too.
    let cached = format!("https://noren.test/media/{}", orphans[700]);
    assert_eq!(server.client().get(&cached, ()).await.status, 200);
    let said = media(&server, &["remove-orphans", "--prefix", "accounts/", "--yes"]).await.fine();
    assert!(said.ends_with("2 files, 2.0 kB removed\n"), "{said}");
    assert_eq!(server.client().get(&cached, ()).await.status, 404);
    let said = media(&server, &["remove-orphans", "--prefix", "backups/", "--yes"]).await.failed(2);
    assert!(said.contains("backups/"), "{said}");
    let said = media(&server, &["remove-orphans", "--yes"]).await.fine();
    assert!(said.ends_with("706 files, 706.0 kB removed\n"), "{said}");
    for key in &orphans {
        assert!(!bucket.join(key).exists(), "{key}");
    }
    for (key, _) in STAYS {
        assert!(bucket.join(key).exists(), "{key}");
    }
    for key in &keys {
        assert!(bucket.join(key).exists(), "{key}");
        assert_eq!(server.client().get(&format!("https://noren.test/media/{key}"), ()).await.status, 200, "{key}");
    }
    let said = media(&server, &["remove-orphans", "--yes"]).await.fine();
    assert!(said.contains("0 files that no row names, 0 B; nothing was removed"), "{said}");
}

/// What somebody deletes is not shown any longer out of the cache; and by hand the cache forgets a file by its link.
async fn own_files_go_from_the_cache(server: TestServer, bucket: &Path) {
    let alice = server.person("alice").await;
    let sent = alice.upload("/api/v2/media", ("file", "x.png", site::picture()), &[]).await.expect(202);
    server.settle().await;
    let posted = alice.post("/api/v1/statuses", [("status", "look"), ("media_ids[]", sent["id"].as_str().unwrap())]);
    let post = posted.await.ok();
    let url = post["media_attachments"][0]["url"].as_str().unwrap().to_owned();
    let file = bucket.join(url.strip_prefix("https://noren.test/media/").unwrap());
    let look = async || server.client().get(&url, ()).await.status;
    assert_eq!(look().await, 200);
    // Somebody else takes it away: the cache has it, until it is told.
    let said = media(&server, &["usage"]).await.fine();
    let row = |whose: &str, what: &str| {
        let is_it = |line: &&str| line.contains(whose) && line.trim_end().ends_with(what);
        said.lines().find(is_it).unwrap().split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let size = [
        &file,
        &bucket.join(
            post["media_attachments"][0]["preview_url"]
                .as_str()
                .unwrap()
                .strip_prefix("https://noren.test/media/")
                .unwrap(),
        ),
    ]
    .map(|file| std::fs::metadata(file).unwrap().len());
    let size = format!("{:.1}", (size[0] + size[1]) as f64 / 1000.0);
    assert_eq!(row("own", "attachments"), [size.as_str(), "kB", "2", "own", "attachments"], "{said}");
    assert_eq!(row("own", "uploads that wait")[..3], ["0", "B", "0"], "{said}");
    assert_eq!(row("copies", "attachments")[..3], ["0", "B", "0"], "{said}");
    let aside = bucket.join("aside");
    std::fs::rename(&file, &aside).unwrap();
    assert_eq!(look().await, 200);
    command(&server, &["edge", "purge", &url]).await.fine();
    assert_eq!(look().await, 404);
    std::fs::rename(&aside, &file).unwrap();
    command(&server, &["edge", "purge", &url]).await.fine();
    assert_eq!(look().await, 200, "also what is not there is forgotten");
    alice.delete(&format!("/api/v1/statuses/{}?delete_media=true", post["id"].as_str().unwrap()), ()).await.ok();
    server.settle().await;
    assert!(!file.exists());
    assert_eq!(look().await, 404, "the cache has forgotten it, too");
}

#[test]
fn orphans_in_a_bucket() {
    in_a_bucket(async |server, bucket| orphans_go(server, bucket).await);
}

#[test]
fn deleted_files_in_a_bucket() {
    in_a_bucket(async |server, bucket| own_files_go_from_the_cache(server, bucket).await);
}

fn in_a_bucket(body: impl AsyncFn(TestServer, &Path)) {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let (_runtime, bucket): (_, server::Server) = site::bucket();
        let (config, folder) = (bucket.config.clone(), bucket.folder.path().join("files"));
        testkit::run_with(engine, |all| all.media.storage = config, |server| body(server, &folder));
    }
}
