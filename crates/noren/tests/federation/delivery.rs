//! What becomes of deliveries when the other side is not there.

use crate::peer::Peer;
use crate::{find, home, id, post_as, relationship};
use domain::{hosts, jobs};
use serde_json::json;
use testkit::{Engine, TestServer, settle_all};

testkit::between_two_servers! {
    async fn a_delivery_waits_for_a_server_that_is_down(a: TestServer, b: TestServer) {
        let (alice, bob) = (a.person("alice").await, b.person("bob").await);
        crate::follow((&bob, &b), (&alice, &a)).await;
        // As good as down: nobody may be asked before the rest is over.
        let host = b.parts().site.domain.clone();
        hosts::failed(a.db(), &host, "no connection").await.unwrap();
        let tx = a.db().begin().await.unwrap();
        let until = domain::Time::now().plus(std::time::Duration::from_secs(3600));
        tx.exec("UPDATE hosts SET resting_until = $1", &[&until]).await.unwrap();
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

async fn a_dead_server_is_tried_again(engine: Engine) {
    let Some(server) = TestServer::start_reachable(engine).await else { return };
    let (peer, bob) = (Peer::start().await, server.person("bob").await);
    let mut victim = peer.somebody("victim");
    victim.uri = format!("{}/users/victim", peer.base);
    // Nobody listens at the port of the inbox any more.
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let there = find(&bob, &format!("victim@{}", peer.host())).await;
    let tx = server.db().begin().await.unwrap();
    let inbox = format!("http://localhost:{closed}/inbox");
    tx.exec("UPDATE actors SET inbox = $1, shared_inbox = $1", &[&inbox]).await.unwrap();
    tx.commit().await.unwrap();
    bob.post(&format!("/api/v1/accounts/{}/follow", id(&there)), ()).await.ok();
    let waiting = async || jobs::list(&server.db().read().await.unwrap(), jobs::State::Waiting, 10).await.unwrap();
    for _ in 0..400 {
        if waiting().await.iter().any(|job| job.last_error.is_some()) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let left = waiting().await;
    assert_eq!(left.len(), 1);
    assert!(left[0].last_error.is_some() && left[0].run_at > domain::Time::now(), "{left:?}");
    let known = hosts::by_name(&server.db().read().await.unwrap(), &format!("localhost:{closed}")).await.unwrap();
    assert_eq!(known.unwrap().failures, 1);
    assert_eq!(relationship(&bob, id(&there)).await["requested"], json!(true));
    // It moved back: what waited arrives.
    let tx = server.db().begin().await.unwrap();
    tx.exec(
        "UPDATE jobs SET payload = replace(payload, $1, $2), last_error = NULL",
        &[&inbox, &format!("{}/inbox", victim.uri)],
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    hosts::retry(server.db(), None).await.unwrap();
    server.settle().await;
    assert_eq!(peer.received.lock().unwrap()[0]["type"], "Follow");
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_server_is_tried_again_sqlite() {
    a_dead_server_is_tried_again(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_server_is_tried_again_postgres() {
    a_dead_server_is_tried_again(Engine::Postgres).await;
}
