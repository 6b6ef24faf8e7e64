//! What becomes of deliveries when the other side is not there.

use crate::peer::{Came, Peer, Somebody, followed, with_a_peer};
use crate::{find, home, id, post_as, relationship};
use domain::{deliveries, hosts, jobs};
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use testkit::{Engine, TestServer, settle_all, until};
use tokio::net::TcpListener;
use tokio::sync::watch;

testkit::between_two_servers! {
    async fn a_delivery_waits_for_a_server_that_is_down(a: TestServer, b: TestServer) {
        let (alice, bob) = (a.person("alice").await, b.person("bob").await);
        crate::follow((&bob, &b), (&alice, &a)).await;
        // As good as down: nobody may be asked before the rest is over.
        let host = b.parts().site.domain.clone();
        hosts::failed(a.db(), &host, "no connection").await.unwrap();
        let tx = a.db().begin().await.unwrap();
        let later = domain::Time::now().plus(std::time::Duration::from_secs(3600));
        tx.exec("UPDATE hosts SET resting_until = $1", &[&later]).await.unwrap();
        tx.commit().await.unwrap();
        post_as(&alice, "while you were out", "public").await;
        a.settle().await;
        assert_eq!(home(&bob).await.len(), 0);
        let waiting = jobs::counts(&a.db().read().await.unwrap()).await.unwrap();
        assert_eq!(waiting, [(jobs::Queue::Push, jobs::State::Waiting, 1)]);
        assert_eq!(hosts::retry(a.db(), Some("elsewhere.example")).await.unwrap(), 0);
        assert_eq!(hosts::retry(a.db(), Some(&host)).await.unwrap(), 1);
        settle_all(&[&a, &b]).await;
        assert_eq!(home(&bob).await.len(), 1);
        // It answered: all is forgiven.
        let known = hosts::by_name(&a.db().read().await.unwrap(), &host).await.unwrap().unwrap();
        assert_eq!((known.failures, known.resting_until), (0, None));
    }
}

/// What `peer` is sent, by address; what comes to these gets this answer, which leads on to `to`.
fn away(peer: &Peer, (inboxes, status): (&'static [&'static str], u16), to: String) -> Arc<Mutex<Vec<String>>> {
    let sent = Arc::<Mutex<Vec<String>>>::default();
    let kept = sent.clone();
    let judge = move |came: &Came| {
        if came.method == reqwest::Method::POST {
            kept.lock().unwrap().push(came.target.clone());
        }
        let status = reqwest::StatusCode::from_u16(status).unwrap();
        let answer = (status, [("location", to.clone())]);
        inboxes.contains(&came.target.as_str()).then(|| axum::response::IntoResponse::into_response(answer))
    };
    assert!(peer.judge.set(Box::new(judge)).is_ok());
    sent
}

/// As if everybody had been read long ago.
async fn long_ago(server: &TestServer) {
    let tx = server.db().begin().await.unwrap();
    tx.exec("UPDATE actors SET fetched_at = 0", &[]).await.unwrap();
    tx.commit().await.unwrap();
}

fn moves(peer: &Peer, (who, name): (&Somebody, &str)) {
    let (inbox, shared) = (format!("{}/new/{name}", peer.base), format!("{}/new/shared", peer.base));
    peer.shows(who, name, json!({ "inbox": inbox, "endpoints": { "sharedInbox": shared } }));
}

async fn an_inbox_moves(engine: Engine, status: u16) {
    let Some(server) = TestServer::start_reachable(engine).await else { return };
    let (peer, other, bob) = (Peer::start().await, Peer::start().await, server.person("bob").await);
    let (ann, eve) = (peer.somebody("ann"), peer.somebody("eve"));
    followed(&server, &peer, &bob, (&eve, "eve")).await;
    // Nobody will read what this one shows.
    peer.somebody("kim");
    find(&bob, &format!("kim@{}", peer.host())).await;
    let there = find(&bob, &format!("ann@{}", peer.host())).await;
    server.settle().await;
    let trap = format!("{}/inbox", other.base);
    let sent = away(&peer, (&["/inbox", "/users/ann/inbox", "/users/eve/inbox"], status), trap);
    long_ago(&server).await;
    moves(&peer, (&ann, "ann"));
    moves(&peer, (&eve, "eve"));
    // To one person, and to all of a server.
    bob.post(&format!("/api/v1/accounts/{}/follow", id(&there)), ()).await.ok();
    server.settle().await;
    assert_eq!(*sent.lock().unwrap(), ["/users/ann/inbox", "/new/ann"]);
    sent.lock().unwrap().clear();
    for name in ["eve", "eve", "kim"] {
        bob.post(
            "/api/v1/statuses",
            [("status", format!("@{name}@{} one", peer.host())), ("visibility", "direct".into())],
        )
        .await
        .ok();
        server.settle().await;
    }
    assert_eq!(*sent.lock().unwrap(), ["/inbox", "/new/shared", "/new/shared", "/new/shared"]);
    let conn = server.db().read().await.unwrap();
    let shared: Vec<(Option<String>,)> =
        conn.all("SELECT DISTINCT shared_inbox FROM actors WHERE shared_inbox IS NOT NULL", &[]).await.unwrap();
    assert_eq!(shared, [(Some(format!("{}/new/shared", peer.base)),)], "also after a new start");
    drop(conn);
    assert_eq!(other.received.lock().unwrap().len(), 0, "a redirect is not followed");
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_inbox_moves_sqlite() {
    for status in [301, 308, 404] {
        an_inbox_moves(Engine::Sqlite, status).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_inbox_moves_postgres() {
    an_inbox_moves(Engine::Postgres, 308).await;
}

with_a_peer! {
    async fn who_sends_everybody_away_is_tried_again(server, peer, bob) {
        peer.somebody("ann");
        let there = find(&bob, &format!("ann@{}", peer.host())).await;
        server.settle().await;
        let sent = away(&peer, (&["/users/ann/inbox"], 302), format!("{}/under-repair", peer.base));
        long_ago(&server).await;
        bob.post(&format!("/api/v1/accounts/{}/follow", id(&there)), ()).await.ok();
        let failed = async || {
            let waiting = jobs::list(&server.db().read().await.unwrap(), jobs::State::Waiting, 10).await.unwrap();
            waiting.into_iter().filter(|job| job.last_error.is_some()).collect::<Vec<_>>()
        };
        until("an attempt", async || !failed().await.is_empty()).await;
        let waiting = failed().await;
        assert_eq!(*sent.lock().unwrap(), ["/users/ann/inbox"]);
        assert_eq!((waiting.len(), waiting[0].last_error.as_deref()), (1, Some("answered with 302")));
        assert!(waiting[0].run_at > domain::Time::now());
        // What was tried for long enough is not tried once more.
        let tx = server.db().begin().await.unwrap();
        tx.exec("UPDATE activities SET kept_until = created_at", &[]).await.unwrap();
        tx.exec("UPDATE jobs SET run_at = 0, last_error = NULL WHERE state = 0", &[]).await.unwrap();
        tx.commit().await.unwrap();
        server.settle().await;
        let left = jobs::list_all(&server.db().read().await.unwrap(), 10).await.unwrap();
        assert!(left.is_empty() && sent.lock().unwrap().len() == 1, "{left:?}");
    }
}

async fn a_dead_server_is_tried_again(engine: Engine) {
    let Some(server) = TestServer::start_reachable(engine).await else { return };
    let (peer, bob) = (Peer::start().await, server.person("bob").await);
    let mut victim = peer.somebody("victim");
    victim.uri = format!("{}/users/victim", peer.base);
    // Nobody listens at the port of the inbox any more.
    let closed = testkit::free_port();
    let there = find(&bob, &format!("victim@{}", peer.host())).await;
    let tx = server.db().begin().await.unwrap();
    let inbox = format!("http://localhost:{closed}/inbox");
    tx.exec("UPDATE actors SET inbox = $1, shared_inbox = $1", &[&inbox]).await.unwrap();
    tx.commit().await.unwrap();
    bob.post(&format!("/api/v1/accounts/{}/follow", id(&there)), ()).await.ok();
    let waiting = async || jobs::list(&server.db().read().await.unwrap(), jobs::State::Waiting, 10).await.unwrap();
    until("an attempt", async || waiting().await.iter().any(|job| job.last_error.is_some())).await;
    let left = waiting().await;
    assert_eq!(left.len(), 1);
    assert!(left[0].last_error.is_some() && left[0].run_at > domain::Time::now(), "{left:?}");
    let known = hosts::by_name(&server.db().read().await.unwrap(), &format!("localhost:{closed}")).await.unwrap();
    assert_eq!(known.unwrap().failures, 1);
    assert_eq!(relationship(&bob, id(&there)).await["requested"], json!(true));
    // It moved back: what waited arrives.
    let tx = server.db().begin().await.unwrap();
    tx.exec(
        "UPDATE jobs SET payload = replace(payload, $1, $2), lane = $3, last_error = NULL",
        &[&inbox, &format!("{}/inbox", victim.uri), &peer.host()],
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    hosts::retry(server.db(), None).await.unwrap();
    server.settle().await;
    assert_eq!(peer.received.lock().unwrap()[0]["type"], "Follow");
    server.finish().await;
}

testkit::with_each_engine!(a_dead_server_is_tried_again);

/// A server that says nothing until the gate is opened; where it is, and how much it was sent.
async fn silent(gate: watch::Receiver<bool>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (host, taken) = (format!("127.0.0.1:{}", listener.local_addr().unwrap().port()), Arc::new(AtomicUsize::new(0)));
    let count = taken.clone();
    let router = axum::Router::new().fallback(async move || {
        count.fetch_add(1, Ordering::Relaxed);
        gate.clone().wait_for(|open| *open).await.unwrap();
        axum::http::StatusCode::ACCEPTED
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    (host, taken)
}

async fn a_silent_server_holds_up_only_itself(engine: Engine) {
    let Some(server) = TestServer::start_reachable(engine).await else { return };
    let (peer, alice) = (Peer::start().await, server.person("alice").await);
    let (open, gate) = watch::channel(false);
    let (host, taken) = silent(gate).await;
    let mut inboxes: Vec<String> = (0..1000).map(|n| format!("http://{host}/{n}/inbox")).collect();
    inboxes.extend((0..20).map(|n| format!("{}/users/{n}/inbox", peer.base)));
    let actor = format!("{}/users/alice", server.parts().site.base_url);
    let body = json!({ "type": "Create", "id": "x", "actor": actor }).to_string();
    let (uri, place, pace) = ("x", deliveries::Place::First, deliveries::Pace::Now);
    let new = deliveries::New {
        uri,
        account: alice.account,
        actor: &actor,
        body: &body,
        about: Some(deliveries::Thing::at_inbox("x")),
        place,
        pace,
    };
    assert_eq!(deliveries::send(server.db(), new, &inboxes).await.unwrap(), 1020);
    let began = std::time::Instant::now();
    until("what goes elsewhere", async || peer.received.lock().unwrap().len() == 20).await;
    // Before the silent one was given up once: after ten seconds.
    assert!(began.elapsed().as_secs() < 9, "{:?}", began.elapsed());
    // No more at once than a server is asked for.
    assert!((1..=4).contains(&taken.load(Ordering::Relaxed)), "{taken:?}");
    // Three failures later all that waits rests with the server, untried.
    for _ in 0..3 {
        let tx = server.db().begin().await.unwrap();
        tx.exec("UPDATE hosts SET last_failure_at = 0", &[]).await.unwrap();
        tx.commit().await.unwrap();
        hosts::failed(server.db(), &host, "silence").await.unwrap();
    }
    let waiting = jobs::list(&server.db().read().await.unwrap(), jobs::State::Waiting, 2000).await.unwrap();
    assert_eq!(waiting.iter().filter(|job| job.run_at > domain::Time::now()).count(), 996);
    // It speaks again: nothing is lost.
    open.send(true).unwrap();
    hosts::retry(server.db(), Some(&host)).await.unwrap();
    server.settle().await;
    assert_eq!(taken.load(Ordering::Relaxed), 1000);
    server.finish().await;
}

testkit::with_each_engine!(a_silent_server_holds_up_only_itself);
