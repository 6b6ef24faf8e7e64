//! Inboxes that many share and that are somewhere else: what one of them says of all, and what only of themselves.

use crate::peer::{Peer, Somebody, local_uri, with_a_peer};
use crate::post_as;
use serde_json::json;
use testkit::{Person, TestServer};

async fn follows(server: &TestServer, (peer, who): (&Peer, &Somebody), bob: &Person, name: &str) {
    let follow = peer.activity(who, ("Follow", name), json!(local_uri(server, bob)));
    peer.send(who, server, &follow).await;
}

/// Where their server is reached, as is known here.
async fn shared(server: &TestServer, who: &Somebody) -> String {
    let sql = "SELECT r.shared_inbox FROM actors r JOIN accounts a ON a.id = r.account_id WHERE a.uri = $1";
    server.db().read().await.unwrap().one::<(String,)>(sql, &[&who.uri]).await.unwrap().0
}

/// They, who are at `host`, share `inbox`, and what is known of them is old; of the others it is older.
async fn shares(server: &TestServer, who: &Somebody, (inbox, host): (&str, &str)) {
    let tx = server.db().begin().await.unwrap();
    tx.exec("UPDATE actors SET fetched_at = 0", &[]).await.unwrap();
    let sql = "UPDATE actors SET fetched_at = 1, shared_inbox = $2, host = $3 \
        WHERE account_id = (SELECT id FROM accounts WHERE uri = $1)";
    tx.exec(sql, &[&who.uri, &inbox, &host]).await.unwrap();
    tx.commit().await.unwrap();
}

async fn host(server: &TestServer, who: &Somebody) -> String {
    let sql = "SELECT r.host FROM actors r JOIN accounts a ON a.id = r.account_id WHERE a.uri = $1";
    server.db().read().await.unwrap().one::<(String,)>(sql, &[&who.uri]).await.unwrap().0
}

with_a_peer! {
    async fn nobody_says_for_others_that_they_are_at_another_server(server, peer, bob) {
        let other = Peer::start().await;
        let (ann, eve) = (other.somebody("ann"), peer.somebody("eve"));
        follows(&server, (&peer, &eve), &bob, "1").await;
        follows(&server, (&other, &ann), &bob, "2").await;
        let (old, new) = (format!("{}/inbox", peer.base), format!("{}/inbox", other.base));
        // She was known to be there once, and is elsewhere now.
        shares(&server, &ann, (&old, &host(&server, &eve).await)).await;
        peer.refuses.lock().unwrap().insert("/inbox".into(), (404, 0));
        post_as(&bob, "one", "public").await;
        server.settle().await;
        assert_eq!(other.told("Create").len(), 1);
        assert_eq!((shared(&server, &ann).await, shared(&server, &eve).await), (new, old));
    }

    async fn one_says_for_all_of_a_server_where_that_is_and_for_nobody_else(server, peer, bob) {
        let other = Peer::start().await;
        let (ann, eve, zed) = (peer.somebody("ann"), peer.somebody("eve"), other.somebody("zed"));
        follows(&server, (&peer, &ann), &bob, "1").await;
        follows(&server, (&peer, &eve), &bob, "2").await;
        follows(&server, (&other, &zed), &bob, "3").await;
        let (old, new) = (format!("{}/inbox", peer.base), format!("{}/new", peer.base));
        // Of another server, with the same inbox.
        shares(&server, &zed, (&old, "elsewhere.example")).await;
        shares(&server, &ann, (&old, &host(&server, &ann).await)).await;
        peer.shows(&ann, "ann", json!({ "endpoints": { "sharedInbox": new } }));
        peer.refuses.lock().unwrap().insert("/inbox".into(), (404, 0));
        post_as(&bob, "one", "public").await;
        server.settle().await;
        assert_eq!(peer.told("Create").len(), 2, "the first was not found");
        assert_eq!((shared(&server, &ann).await, shared(&server, &eve).await), (new.clone(), new));
        assert_eq!(shared(&server, &zed).await, old);
    }
}
