//! Pictures of other servers.

use crate::peer::Peer;
use crate::{id, search};
use serde_json::json;
use testkit::{Engine, TestServer};

async fn pictures_are_known_by_where_they_are(engine: Engine) {
    let Some(server) = TestServer::start_reachable(engine).await else { return };
    let (peer, bob) = (Peer::start().await, server.person("bob").await);
    let eve = peer.somebody("eve");
    let mut note = peer.note(&eve, ("1", "look"), &[]);
    let url = format!("{}/files/cat.png", peer.base);
    note["attachment"] = json!([
        { "type": "Document", "mediaType": "image/png", "url": url, "name": "a cat", "width": 400, "height": 300, "focalPoint": [0.5, -0.5] },
        { "type": "Document", "mediaType": "image/png", "url": "javascript:alert(1)" },
        { "type": "Document" },
    ]);
    peer.put("/notes/1", note.clone());
    let found = search(&bob, note["id"].as_str().unwrap()).await["statuses"][0].clone();
    let media = found["media_attachments"].as_array().unwrap();
    assert_eq!(media.len(), 1, "{media:?}");
    assert_eq!((&media[0]["type"], &media[0]["description"]), (&json!("image"), &json!("a cat")));
    assert_eq!((&media[0]["url"], &media[0]["remote_url"]), (&json!(url), &json!(url)));
    assert_eq!(media[0]["meta"]["original"]["width"], 400);
    assert_eq!(media[0]["meta"]["focus"]["x"], 0.5);
    // Nothing of it is ours to delete.
    peer.send(&eve, &server, &peer.activity(&eve, ("Delete", "2"), note["id"].clone())).await;
    assert_eq!(bob.get(&format!("/api/v1/statuses/{}", id(&found)), ()).await.status, 404);
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    pictures_are_known_by_where_they_are(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    pictures_are_known_by_where_they_are(Engine::Postgres).await;
}
