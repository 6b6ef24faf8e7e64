//! Who waits for whom in the database, and who must not.

use crate::peer::{Came, Peer, followed, local_uri};
use crate::search;
use domain::{Time, ids::JobId, jobs};
use serde_json::json;
use std::time::Duration;
use testkit::{Engine, TestServer, until};

/// A claim is renewed beside one whose end is being written down: neither waits for the other. (SQLite has one writer.)
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claims_are_renewed_past_one_that_ends_postgres() {
    let Some(server) = TestServer::start_reachable(Engine::Postgres).await else { return };
    let far = Time::now().plus(Duration::from_secs(7200));
    let mut tx = server.db().begin().await.unwrap();
    for _ in 0..2 {
        tx.enqueue_at(jobs::Job::Housekeeping, far).await.unwrap();
    }
    tx.exec("UPDATE jobs SET state = 1, claimed_until = $1", &[&far]).await.unwrap();
    tx.commit().await.unwrap();
    let running = jobs::list(&server.db().read().await.unwrap(), jobs::State::Running, 10).await.unwrap();
    let ids: Vec<JobId> = running.iter().map(|job| job.id).collect();
    let ending = server.db().begin().await.unwrap();
    ending.exec("DELETE FROM jobs WHERE id = $1", &[&ids[0]]).await.unwrap();
    let renewed = tokio::time::timeout(Duration::from_secs(30), jobs::renew(server.db(), &ids)).await;
    renewed.expect("it waits for the other").unwrap();
    ending.commit().await.unwrap();
    let claims: Vec<(Time,)> =
        server.db().read().await.unwrap().all("SELECT claimed_until FROM jobs", &[]).await.unwrap();
    assert!(claims.len() == 1 && claims[0].0 < far, "{claims:?}");
    let tx = server.db().begin().await.unwrap();
    tx.exec("DELETE FROM jobs", &[]).await.unwrap();
    tx.commit().await.unwrap();
    server.finish().await;
}

/// Two who make the same new hashtags make them in one order, or each waits for the other. (SQLite has one writer.)
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_hashtags_are_made_in_one_order_postgres() {
    let Some(server) = TestServer::start_reachable(Engine::Postgres).await else { return };
    let (peer, bob) = (Peer::start().await, server.person("bob").await);
    let ann = peer.somebody("ann");
    let mut note = peer.note(&ann, ("1", "#zz #aa"), &[&local_uri(&server, &bob)]);
    let tag = |name: &str| json!({ "type": "Hashtag", "name": name, "href": format!("{}/tags/x", peer.base) });
    note["tag"] = json!([tag("#zz"), tag("#aa")]);
    let other = server.db().begin().await.unwrap();
    other.exec("INSERT INTO tags (id, name, display_name, created_at) VALUES (1, 'aa', 'aa', 0)", &[]).await.unwrap();
    let said = peer.activity(&ann, ("Create", "1"), note.clone());
    assert_eq!(peer.post(&peer.sign(&ann, &server, &said), |_, _| {}).await, 202);
    let waits = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted";
    let is_waiting = async || server.db().read().await.unwrap().one::<(i64,)>(waits, &[]).await.unwrap().0 > 0;
    until("it waits", is_waiting).await;
    // It has made none of the others yet: this one does not wait for it.
    other.exec("INSERT INTO tags (id, name, display_name, created_at) VALUES (2, 'zz', 'zz', 0)", &[]).await.unwrap();
    other.commit().await.unwrap();
    server.settle().await;
    let shown = search(&bob, note["id"].as_str().unwrap()).await["statuses"][0].clone();
    assert_eq!(shown["tags"].as_array().map(Vec::len), Some(2), "{shown}");
    server.finish().await;
}

/// A parent that could not be written down, because others write for long, is not one that cannot be had. (PostgreSQL has
/// as many writers as connections.)
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parent_is_waited_for_while_others_write_sqlite() {
    let Some(server) = TestServer::start_reachable(Engine::Sqlite).await else { return };
    let (peer, bob) = (Peer::start().await, server.person("bob").await);
    let ann = peer.somebody("ann");
    followed(&server, &peer, &bob, (&ann, "ann")).await;
    let parent = peer.note(&ann, ("parent", "above"), &[]);
    peer.put("/notes/parent", parent.clone());
    let ((tell, told), (free, wait)) = (std::sync::mpsc::channel(), std::sync::mpsc::channel::<()>());
    let (tell, wait) = (std::sync::Mutex::new(tell), std::sync::Mutex::new(wait));
    let judge = move |came: &Came| {
        if came.target == "/notes/parent" {
            let _ = tell.lock().unwrap().send(());
            let _ = wait.lock().unwrap().recv_timeout(Duration::from_secs(5));
        }
        None
    };
    assert!(peer.judge.set(Box::new(judge)).is_ok());
    let mut reply = peer.note(&ann, ("reply", "below"), &[]);
    reply["inReplyTo"] = parent["id"].clone();
    let said = peer.activity(&ann, ("Create", "1"), reply.clone());
    assert_eq!(peer.post(&peer.sign(&ann, &server, &said), |_, _| {}).await, 202);
    tokio::task::spawn_blocking(move || told.recv_timeout(Duration::from_secs(60))).await.unwrap().unwrap();
    let writing = server.db().begin_long().await.unwrap();
    writing.exec("UPDATE hosts SET failures = failures", &[]).await.unwrap();
    free.send(()).unwrap();
    // Longer than anybody waits for the writer, and not so long that the reply itself could not be written.
    tokio::time::sleep(Duration::from_millis(11_500)).await;
    drop(writing);
    let failed = async || {
        let waiting = jobs::list(&server.db().read().await.unwrap(), jobs::State::Waiting, 10).await.unwrap();
        waiting.iter().any(|job| job.last_error.is_some())
    };
    let uri = reply["id"].as_str().unwrap();
    let is_here =
        async || domain::statuses::remote::by_uri(&server.db().read().await.unwrap(), uri).await.unwrap().is_some();
    until("something becomes of it", async || failed().await || is_here().await).await;
    let tx = server.db().begin().await.unwrap();
    tx.exec("UPDATE jobs SET run_at = 0, last_error = NULL", &[]).await.unwrap();
    tx.commit().await.unwrap();
    server.settle().await;
    let shown = search(&bob, uri).await["statuses"][0].clone();
    assert!(shown["in_reply_to_id"].is_string(), "{shown}");
    server.finish().await;
}
