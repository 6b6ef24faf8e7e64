//! What is still on a post of another server after an emoji was taken back: for most servers one person has one Like, and
//! the end of any is the end of it.

use crate::emoji::reaction;
use crate::peer::{Peer, with_a_peer};
use crate::{id, search};
use serde_json::{Value, json};
use testkit::TestServer;

/// What waits for its time is told now.
async fn later(server: &TestServer) {
    server.settle().await;
    let tx = server.db().begin().await.unwrap();
    tx.exec("UPDATE jobs SET run_at = 0 WHERE payload LIKE '%like_kept%'", &[]).await.unwrap();
    tx.commit().await.unwrap();
    server.db().wake().ring();
    server.settle().await;
}

/// The Likes and their ends, as one comes after the other: what it is called and its emoji.
fn told(peer: &Peer) -> Vec<(String, String, Value)> {
    let line = |it: &Value| {
        let like = if it["type"] == "Undo" { &it["object"] } else { it };
        (it["type"].as_str().unwrap().to_owned(), like["id"].as_str().unwrap().to_owned(), like["content"].clone())
    };
    let all = peer.received.lock().unwrap();
    all.iter().filter(|it| it["type"] == "Like" || it["object"]["type"] == "Like").map(line).collect()
}

with_a_peer! {
    async fn what_is_kept_is_told_again(server, peer, bob) {
        let ann = peer.somebody("ann");
        let note = peer.note(&ann, ("1", "hello"), &[]);
        peer.put("/notes/1", note.clone());
        let there = id(&search(&bob, note["id"].as_str().unwrap()).await["statuses"][0]).to_owned();
        let react = async |emoji: &str| {
            bob.put(&reaction(&there, emoji), ()).await.ok();
            server.settle().await;
        };
        let unreact = async |emoji: &str| {
            bob.delete(&reaction(&there, emoji), ()).await.ok();
            later(&server).await;
        };
        bob.post(&format!("/api/v1/statuses/{there}/favourite"), ()).await.ok();
        server.settle().await;
        react("🍵").await;
        unreact("🍵").await;
        let seen = told(&peer);
        let (favourite, tea) = (seen[0].1.clone(), seen[1].1.clone());
        let like = |name: &str, content: Value| ("Like".to_owned(), name.to_owned(), content);
        let undo = |name: &str, content: Value| ("Undo".to_owned(), name.to_owned(), content);
        assert_eq!(seen, [
            like(&favourite, Value::Null), like(&tea, json!("🍵")), undo(&tea, json!("🍵")), like(&favourite, Value::Null),
        ]);
        // Of several emoji the last that is left.
        react("🍵").await;
        react("🍰").await;
        unreact("🍵").await;
        let seen = told(&peer).split_off(4);
        assert_eq!((seen[3].2.clone(), seen.len()), (json!("🍰"), 4));
        assert_eq!(seen[3].1, seen[1].1);
        // Not what was taken back meanwhile, too.
        bob.delete(&reaction(&there, "🍰"), ()).await.ok();
        bob.post(&format!("/api/v1/statuses/{there}/unfavourite"), ()).await.ok();
        later(&server).await;
        let seen = told(&peer).split_off(8);
        assert_eq!(seen.iter().map(|it| it.0.as_str()).collect::<Vec<_>>(), ["Undo", "Undo"]);
        // Nor the favourite that was only that of the emoji.
        react("🍵").await;
        unreact("🍵").await;
        let seen = told(&peer).split_off(10);
        assert_eq!(seen.iter().map(|it| it.0.as_str()).collect::<Vec<_>>(), ["Like", "Undo"]);
    }
}
