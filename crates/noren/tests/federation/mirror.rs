//! Copies made as soon as something is known, where that is wanted.

use crate::media::{png, post_with};
use crate::peer::{File, Peer};
use noren::config::Mode;
use serde_json::json;
use testkit::{Engine, TestServer};

async fn what_hangs_on_posts_is_copied(engine: Engine) {
    let started = TestServer::start_reachable_with(engine, |config| config.media.remote.mode = Mode::Mirror).await;
    let Some(server) = started else { return };
    let (peer, bob) = (Peer::start().await, server.person("bob").await);
    let eve = peer.somebody("eve");
    let bytes = png(900, 700);
    let url = peer.file("/cat.png", File::Plain("image/png", bytes.clone()));
    let gone = peer.file("/gone.png", File::Status(404));
    let media = json!([{ "type": "Image", "url": url }, { "type": "Image", "url": gone }]);
    let post = post_with(&bob, (&peer, &eve), "1", media).await;
    server.settle().await;
    let hits = peer.hits("/cat.png");
    assert!(hits > 0, "nobody has looked yet");
    let media = &post["media_attachments"][0];
    for key in ["url", "preview_url"] {
        let shown = media[key].as_str().unwrap();
        let stored = shown.strip_prefix(&format!("{}/", server.parts().site.media_url)).unwrap();
        assert!(server.parts().store.exists(&stored.parse().unwrap()).await.unwrap(), "{stored}");
        assert_eq!(server.client().get(shown, ()).await.status, 200);
    }
    assert_eq!(peer.hits("/cat.png"), hits, "the copies are shown");
    let seen = bob.get(&format!("/api/v1/statuses/{}", crate::id(&post)), ()).await.ok();
    assert!(seen["media_attachments"][0]["blurhash"].is_string());
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    what_hangs_on_posts_is_copied(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    what_hangs_on_posts_is_copied(Engine::Postgres).await;
}
