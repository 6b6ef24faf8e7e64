//! `noren media` beside a server that runs: what goes, what stays, whose it is.

use crate::media::{png, post_with};
use crate::peer::{File, Peer, followed};
use crate::{find, id};
use noren::config::Mode;
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};
use testkit::{Engine, TestServer};

const DAY: Duration = Duration::from_secs(86_400);

/// What the command says, and how it ends.
async fn ran(server: &TestServer, arguments: &[&str]) -> (i32, String) {
    let config = &server.parts().config;
    let mut command = Command::new(env!("CARGO_BIN_EXE_noren"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("NOREN_")) {
        command.env_remove(name);
    }
    command.arg("media").args(arguments).arg("--data").arg(&config.server.data).stdin(Stdio::null());
    command.env("NOREN_SERVER__LISTEN", server.address().to_string());
    let mode = if config.media.remote.mode == Mode::Mirror { "mirror" } else { "lazy" };
    command.env("NOREN_MEDIA__REMOTE__MODE", mode);
    if !config.database.url.is_empty() {
        command.env("NOREN_DATABASE__URL", &config.database.url);
    }
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.code().unwrap(), said)
}

async fn fine(server: &TestServer, arguments: &[&str]) -> String {
    let (code, said) = ran(server, arguments).await;
    assert_eq!(code, 0, "{arguments:?}: {said}");
    said
}

/// Whether the file of this address lies in the store.
async fn is_kept(server: &TestServer, url: &Value) -> bool {
    let prefix = format!("{}/", server.parts().site.media_url);
    let key = url.as_str().unwrap().strip_prefix(&prefix).unwrap();
    server.parts().store.exists(&key.parse().unwrap()).await.unwrap()
}

async fn put(server: &TestServer, key: &str, age: Duration) {
    let content = media::Content::Bytes(vec![7; 1000].into());
    server.parts().store.put(&key.parse().unwrap(), content).await.unwrap();
    let path = server.parts().config.server.data.join("media").join(key);
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - age).unwrap();
}

async fn mirrored(engine: Engine) -> Option<TestServer> {
    TestServer::start_reachable_with(engine, |config| config.media.remote.mode = Mode::Mirror).await
}

async fn copies_go_and_come_back(engine: Engine) {
    let Some(server) = mirrored(engine).await else { return };
    let (peer, bob) = (Peer::start().await, server.person("bob").await);
    let (eve, mia) = (peer.somebody("eve"), peer.somebody("mia"));
    for (who, name) in [(&eve, "eve"), (&mia, "mia")] {
        let picture = peer.file(&format!("/{name}.png"), File::Plain("image/png", png(100, 100)));
        let more = json!({ "icon": { "type": "Image", "url": picture }, "image": { "type": "Image", "url": picture } });
        peer.shows(who, name, more);
    }
    followed(&server, &peer, &bob, (&eve, "eve")).await;
    let mut posts = Vec::new();
    for name in ["dear", "plain"] {
        let url = peer.file(&format!("/{name}-1.png"), File::Plain("image/png", png(90, 70)));
        posts.push(post_with(&bob, (&peer, &mia), name, json!([{ "type": "Image", "url": url }])).await);
    }
    bob.post(&format!("/api/v1/statuses/{}/favourite", id(&posts[0])), ()).await.ok();
    server.settle().await;
    let (eve, mia) =
        (find(&bob, &format!("eve@{}", peer.host())).await, find(&bob, &format!("mia@{}", peer.host())).await);
    let shown = |post: usize, key: &str| posts[post]["media_attachments"][0][key].clone();
    let kept = async |post: usize| {
        (is_kept(&server, &shown(post, "url")).await, is_kept(&server, &shown(post, "preview_url")).await)
    };
    assert_eq!((kept(0).await, kept(1).await), ((true, true), (true, true)));

    // Whose it is.
    let said = fine(&server, &["lookup", shown(1, "preview_url").as_str().unwrap()]).await;
    let row = said.lines().nth(1).unwrap();
    let wanted = ["attachment", &format!("@mia@{}", peer.host()), posts[1]["url"].as_str().unwrap(), "plain-1.png"];
    assert!(wanted.iter().all(|part| row.contains(part)), "{said}");
    let said = fine(&server, &["lookup", &format!("{}/eve.png", peer.base), "--json"]).await;
    let told: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&told[0]["what"], &told[0]["whose"]), (&json!("avatar"), &json!(format!("@eve@{}", peer.host()))));
    let (code, said) = ran(&server, &["lookup", "cache/accounts/avatars/000/000/001/original/x.png"]).await;
    assert!(code == 1 && said.contains("no row names"), "{said}");

    // What somebody cares for may stay; what is young stays in any case.
    assert_eq!(fine(&server, &["remove"]).await, "0 copies, 0 B removed\n");
    let said = fine(&server, &["remove", "--days", "0", "--keep-interacted", "--dry-run"]).await;
    assert!(
        said.starts_with("2 copies, ")
            && said.contains("would be removed; nothing was changed\n2 copies of posts that somebody here"),
        "{said}"
    );
    assert_eq!(kept(1).await, (true, true), "nothing was done");
    fine(&server, &["remove", "--days", "0", "--keep-interacted"]).await;
    assert_eq!((kept(0).await, kept(1).await), ((true, true), (false, false)));
    assert!(is_kept(&server, &mia["avatar"]).await, "attachments alone");
    fine(&server, &["remove", "--days", "0"]).await;
    assert_eq!(kept(0).await, (false, false));

    // Pictures of people.
    let pictures =
        async |who: &Value| (is_kept(&server, &who["avatar_static"]).await, is_kept(&server, &who["header"]).await);
    fine(&server, &["remove", "--days", "0", "--remove-headers"]).await;
    assert_eq!((pictures(&eve).await, pictures(&mia).await), ((true, true), (true, false)), "one is followed");
    fine(&server, &["remove", "--days", "0", "--prune-profiles"]).await;
    assert_eq!((pictures(&eve).await, pictures(&mia).await), ((true, true), (false, false)));
    fine(&server, &["remove", "--days", "0", "--prune-profiles", "--include-follows"]).await;
    assert_eq!(pictures(&eve).await, (false, false));
    assert_eq!(ran(&server, &["remove", "--keep-interacted", "--prune-profiles"]).await.0, 2);

    // All of it comes back: at once when that is asked for, else when somebody looks.
    let hits = peer.hits("/dear-1.png");
    let said = fine(&server, &["refresh", "--status", id(&posts[0]), "--dry-run"]).await;
    assert_eq!(said, "2 files would be fetched anew; nothing was changed\n");
    fine(&server, &["refresh", "--status", id(&posts[0])]).await;
    server.settle().await;
    assert_eq!((kept(0).await, kept(1).await, peer.hits("/dear-1.png")), ((true, true), (false, false), hits + 1));
    fine(&server, &["refresh", "--account", mia["acct"].as_str().unwrap()]).await;
    server.settle().await;
    assert_eq!((pictures(&mia).await, kept(1).await, peer.hits("/dear-1.png")), ((true, true), (true, true), hits + 1));
    fine(&server, &["refresh", "--domain", peer.host(), "--force"]).await;
    server.settle().await;
    assert_eq!((pictures(&eve).await, kept(0).await, peer.hits("/dear-1.png")), ((true, true), (true, true), hits + 2));
    let said =
        fine(&server, &["refresh", "--account", mia["acct"].as_str().unwrap(), "--days", "0", "--dry-run"]).await;
    assert!(said.starts_with("4 files "), "her pictures alone: {said}");
    for (arguments, code) in [
        (&["refresh"][..], 2),
        (&["refresh", "--account", "nobody@example.com"], 1),
        (&["refresh", "--status", "1"], 1),
    ] {
        assert_eq!(ran(&server, arguments).await.0, code, "{arguments:?}");
    }
    server.finish().await;
}

async fn orphans_go_and_nothing_else(engine: Engine) {
    let Some(server) = mirrored(engine).await else { return };
    let (peer, bob) = (Peer::start().await, server.person("bob").await);
    let eve = peer.somebody("eve");
    let url = peer.file("/cat.png", File::Plain("image/png", png(90, 70)));
    let post = post_with(&bob, (&peer, &eve), "1", json!([{ "type": "Image", "url": url }])).await;
    server.settle().await;
    let own = bob.upload("/api/v2/media", ("file", "a.png", png(50, 40)), &[]).await.expect(202);
    server.settle().await;
    let own = bob.get(&format!("/api/v1/media/{}", id(&own)), ()).await.ok();
    let old = |path: &std::path::Path| {
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - 3 * DAY).unwrap();
    };
    let prefix = format!("{}/", server.parts().site.media_url);
    for url in [&own["url"], &own["preview_url"], &post["media_attachments"][0]["url"]] {
        let key = url.as_str().unwrap().strip_prefix(&prefix).unwrap();
        old(&server.parts().config.server.data.join("media").join(key));
    }
    let orphans = [
        "accounts/headers/000/000/009/original/a.png",
        "cache/media_attachments/files/000/000/007/small/b.png",
        "media_attachments/files/000/000/008/original/c.png",
    ];
    for key in orphans {
        put(&server, key, 2 * DAY).await;
    }
    let stays = [
        ("media_attachments/files/000/000/008/original/young.png", Duration::ZERO),
        ("custom_emojis/images/000/000/008/original/imported.png", 2 * DAY),
        ("site_uploads/files/000/000/001/original/logo.png", 2 * DAY),
        ("media_attachments/strange.png", 2 * DAY),
        ("backups/dump.tar", 2 * DAY),
    ];
    for (key, age) in stays {
        put(&server, key, age).await;
    }
    let imported = domain::emojis::New {
        id: domain::emojis::new_id(),
        shortcode: "imported".into(),
        image: stays[1].0.into(),
        image_static: stays[1].0.into(),
        category: None,
        visible_in_picker: true,
    };
    domain::emojis::put(server.db(), imported).await.unwrap();

    let said = fine(&server, &["remove-orphans", "--dry-run"]).await;
    for key in orphans {
        assert!(said.contains(&format!("{key}  1.0 kB\n")), "{said}");
    }
    assert!(said.contains("3 files that no row names, 3.0 kB; nothing was removed\n"), "{said}");
    assert!(said.contains("2 files called otherwise"), "{said}");
    let (code, said) = ran(&server, &["remove-orphans"]).await;
    assert!(code == 2 && said.contains("say --yes"), "{said}");
    let said = fine(&server, &["remove-orphans", "--prefix", "cache/media_", "--yes"]).await;
    assert!(said.ends_with("1 file, 1.0 kB removed\n"), "{said}");
    let said = fine(&server, &["remove-orphans", "--yes"]).await;
    assert!(said.contains("2 files, 2.0 kB removed\n"), "{said}");
    assert!(fine(&server, &["remove-orphans", "--yes"]).await.contains("0 files that no row names, 0 B; nothing"));
    for key in orphans {
        assert!(!server.parts().store.exists(&key.parse().unwrap()).await.unwrap(), "{key}");
    }
    for (key, _) in stays {
        assert!(server.parts().store.exists(&key.parse().unwrap()).await.unwrap(), "{key}");
    }
    for url in [&own["url"], &own["preview_url"], &post["media_attachments"][0]["url"]] {
        assert!(is_kept(&server, url).await, "{url}");
    }
    assert_eq!(ran(&server, &["remove-orphans", "--days", "0"]).await.0, 2, "what is new may be about to get its row");
    server.finish().await;
}

testkit::with_each_engine!(copies_go_and_come_back, orphans_go_and_nothing_else);
