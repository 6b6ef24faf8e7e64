//! `noren jobs` and `noren federation`, while a server runs and has something to tell another that will not listen.

use crate::peer::{Peer, Somebody};
use crate::process::Site;
use serde_json::{Value, json};
use testkit::{postgres, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    if std::env::var("NOREN_TEST_ENGINES").is_ok_and(|e| !e.contains("sqlite")) {
        return;
    }
    what_waits_is_seen_and_tried_again(Site::new("alice", None)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    let Some(database) = postgres::database() else { return };
    what_waits_is_seen_and_tried_again(Site::new("alice", Some(database))).await;
}

/// What a command says in JSON.
pub(crate) fn shown(site: &Site, args: &[&str]) -> Value {
    let output = site.command(&[args, &["--json"]].concat()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Somebody follows alice, and has been told that they may.
async fn friend(site: &Site, peer: &Peer) -> Somebody {
    let who = peer.somebody("friend");
    let alice = format!("http://localhost:{}/users/alice", site.port);
    site.receives(peer, &who, &peer.activity(&who, ("Follow", "1"), json!(alice))).await;
    until("the answer", async || peer.told("Accept").len() == 1).await;
    who
}

async fn post(site: &Site, words: &str) {
    site.post("/api/v1/statuses", &[("status", words)]).await.unwrap();
}

async fn what_waits_is_seen_and_tried_again(site: Site) {
    let _server = site.serve();
    let peer = Peer::start().await;
    friend(&site, &peer).await;
    assert_eq!(shown(&site, &["federation", "status"]), json!({ "waiting": 0, "given_up": 0, "hosts": [] }));
    peer.refuses.lock().unwrap().insert("/inbox".into(), (500, 0));
    for words in ["one", "two", "three"] {
        post(&site, words).await;
    }
    let waiting = || shown(&site, &["jobs", "list", "--state", "waiting"]);
    let failed = |jobs: &Value| jobs.as_array().unwrap().iter().filter(|job| job["last_error"].is_string()).count();
    until("the failures", async || failed(&waiting()) == 3).await;
    let one = waiting()[0].clone();
    assert_eq!(
        (&one["queue"], &one["attempts"], &one["job"]["inbox"]),
        (&json!("push"), &json!(1), &json!(format!("{}/inbox", peer.base)))
    );
    assert!(one["last_error"].as_str().unwrap().contains("500"), "{one}");
    let counts = shown(&site, &["jobs"]);
    assert!(
        counts.as_array().unwrap().contains(&json!({ "queue": "push", "state": "waiting", "count": 3 })),
        "{counts}"
    );
    let status = shown(&site, &["federation", "status"]);
    assert_eq!((&status["waiting"], &status["hosts"][0]["host"]), (&json!(3), &json!(peer.host())));
    let host = shown(&site, &["federation", "host", &peer.host().to_uppercase()]);
    assert!(host["failures"].as_i64().unwrap() >= 1 && host["last_error"].as_str().unwrap().contains("500"), "{host}");

    peer.refuses.lock().unwrap().clear();
    peer.received.lock().unwrap().clear();
    assert_eq!(site.line(&["federation", "retry", "elsewhere.example"]), "0 deliveries are tried again");
    assert_eq!(site.line(&["federation", "retry", peer.host()]), "3 deliveries are tried again");
    until("the posts", async || peer.told("Create").len() == 3).await;
    until("the end of the queue", async || waiting() == json!([])).await;
    assert_eq!(shown(&site, &["federation", "host", peer.host()])["failures"], 0);

    // What was given up: tried again, or forgotten, by its number.
    let dead = || shown(&site, &["jobs", "list"]);
    for (words, command, told) in [("four", "retry", 1), ("five", "discard", 0)] {
        peer.refuses.lock().unwrap().insert("/inbox".into(), (413, 0));
        post(&site, words).await;
        until("what is given up", async || dead().as_array().unwrap().len() == 1).await;
        assert_eq!(shown(&site, &["federation", "status"])["given_up"], 1);
        peer.refuses.lock().unwrap().clear();
        peer.received.lock().unwrap().clear();
        let number = dead()[0]["id"].as_str().unwrap().to_owned();
        site.line(&["jobs", command, &number]);
        until("what becomes of it", async || peer.told("Create").len() == told && dead() == json!([])).await;
        until("the end of the queue", async || waiting() == json!([])).await;
    }
}
