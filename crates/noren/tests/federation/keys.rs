//! Keys that cannot be had: nobody is made to ask for them again and again.

use crate::peer::{Peer, Somebody, local_uri, with_a_peer};
use crate::{find, id};
use federation::signatures::KeyPair;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use testkit::{Person, TestServer};
use tokio::net::TcpListener;

/// Somebody's words to `bob`.
fn words(server: &TestServer, peer: &Peer, (who, bob): (&Somebody, &Person)) -> Value {
    let name = domain::ids::next::<domain::ids::StatusId>().to_string();
    peer.activity(who, ("Create", &name), peer.note(who, (&name, "hello"), &[&local_uri(server, bob)]))
}

/// The status of the answer to them.
async fn say(server: &TestServer, peer: &Peer, (who, bob): (&Somebody, &Person)) -> u16 {
    let said = words(server, peer, (who, bob));
    peer.post(&peer.sign(who, server, &said), |_, _| {}).await
}

with_a_peer! {
    async fn an_address_that_fails_is_asked_once(server, peer, bob) {
        let (eve, zoe, old) = (peer.somebody("eve"), peer.somebody("zoe"), peer.somebody("old"));
        assert_eq!(say(&server, &peer, (&old, &bob)).await, 202);
        peer.put("/users/eve", json!(500));
        for _ in 0..3 {
            // The sender is to come again.
            assert_eq!(say(&server, &peer, (&eve, &bob)).await, 503);
        }
        assert_eq!(peer.hits("/users/eve"), 1);
        // It answers again, and is left in peace for a while all the same.
        peer.put("/users/eve", peer.actor("eve", &eve));
        assert_eq!(say(&server, &peer, (&eve, &bob)).await, 503);
        assert_eq!(peer.hits("/users/eve"), 1);
        // Nobody else pays for that: neither who is known nor who is not.
        assert_eq!(say(&server, &peer, (&old, &bob)).await, 202);
        assert_eq!(say(&server, &peer, (&zoe, &bob)).await, 202);
        // People here who look for somebody ask at once.
        assert_eq!(find(&bob, &format!("eve@{}", peer.host())).await["username"], "eve");
        assert_eq!(say(&server, &peer, (&eve, &bob)).await, 202);
        server.settle().await;
    }

    async fn a_server_that_does_not_answer_is_asked_once(server, peer, bob) {
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let key = Arc::new(KeyPair::generate().unwrap());
        let [one, other] =
            ["one", "other"].map(|name| Somebody { uri: format!("http://localhost:{port}/users/{name}"), key: key.clone() });
        // `peer` only carries what they sign.
        let ghost = peer.called(format!("http://localhost:{port}"));
        assert_eq!(say(&server, &ghost, (&one, &bob)).await, 503);
        // Somebody listens there again, and hears nothing yet, whoever of them is named.
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        for who in [&one, &other] {
            assert_eq!(say(&server, &ghost, (who, &bob)).await, 503);
        }
        assert!(tokio::time::timeout(Duration::from_millis(200), listener.accept()).await.is_err());
        // Others are heard.
        let eve = peer.somebody("eve");
        assert_eq!(say(&server, &peer, (&eve, &bob)).await, 202);
        server.settle().await;
    }

    async fn names_that_no_key_has_make_nobody_ask(server, peer, bob) {
        let eve = peer.somebody("eve");
        assert_eq!(say(&server, &peer, (&eve, &bob)).await, 202);
        server.settle().await;
        let before = peer.asked.lock().unwrap().len();
        for n in 0..5 {
            let odd = Somebody { uri: format!("{}#odd{n}", eve.uri), key: eve.key.clone() };
            assert_eq!(say(&server, &peer, (&odd, &bob)).await, 401);
            let forged = Somebody { uri: eve.uri.clone(), key: Arc::new(KeyPair::generate().unwrap()) };
            assert_eq!(say(&server, &peer, (&forged, &bob)).await, 401);
        }
        assert_eq!(peer.asked.lock().unwrap().len(), before);
    }

    async fn the_end_of_somebody_whose_key_is_gone(server, peer, bob) {
        let (eve, zoe) = (peer.somebody("eve"), peer.somebody("zoe"));
        for who in [&eve, &zoe] {
            assert_eq!(say(&server, &peer, (who, &bob)).await, 202);
        }
        server.settle().await;
        // Looked at long enough ago to be asked for again.
        let tx = server.db().begin().await.unwrap();
        tx.exec("UPDATE actors SET fetched_at = 0", &[]).await.unwrap();
        tx.commit().await.unwrap();
        let end = |who: &Somebody| peer.activity(who, ("Delete", "end"), json!(who.uri));
        let other = Arc::new(KeyPair::generate().unwrap());
        // Somebody says it who has no key of theirs: their server knows better.
        let forged = Somebody { uri: eve.uri.clone(), key: other.clone() };
        assert_eq!(peer.post(&peer.sign(&forged, &server, &end(&eve)), |_, _| {}).await, 401);
        let known = async |who: &str| bob.get("/api/v1/accounts/lookup", [("acct", format!("{who}@{}", peer.host()))]).await.status;
        peer.put("/users/zoe", json!(410));
        let changed = Somebody { uri: zoe.uri.clone(), key: other };
        assert_eq!(peer.post(&peer.sign(&changed, &server, &end(&zoe)), |_, _| {}).await, 202);
        server.settle().await;
        assert_eq!((known("eve").await, known("zoe").await), (200, 404));
        // Whom nobody knew: nothing to do, and nobody to ask.
        let asked = peer.asked.lock().unwrap().len();
        let nobody = Somebody { uri: format!("{}/users/nobody", peer.base), key: eve.key.clone() };
        assert_eq!(peer.post(&peer.sign(&nobody, &server, &end(&nobody)), |_, _| {}).await, 202);
        assert_eq!(peer.asked.lock().unwrap().len(), asked);
    }

    async fn a_key_is_its_owners_alone(server, peer, bob) {
        let other = Peer::start().await;
        let (mallory, victim) = (peer.somebody("mallory"), other.somebody("victim"));
        // A key document on mallory's server that says it is the victim's; an actor that claims the victim's key.
        let key = json!({ "id": format!("{}/key", peer.base), "type": "Key", "owner": victim.uri, "publicKeyPem": mallory.key.public_pem() });
        peer.put("/key", key);
        let mut claims = peer.actor("mallory", &mallory);
        claims["publicKey"]["owner"] = json!(victim.uri);
        peer.put("/users/mallory", claims.clone());
        let note = other.note(&victim, ("1", "forged"), &[&local_uri(&server, &bob)]);
        let forged = other.activity(&victim, ("Create", "1"), note.clone());
        assert_eq!(peer.post(&peer.sign(&mallory, &server, &forged), |_, _| {}).await, 401);
        // An actor on mallory's server with the id of the victim's.
        claims["id"] = json!(victim.uri);
        peer.put("/users/mallory2", claims);
        let second = Somebody { uri: format!("{}/users/mallory2", peer.base), key: mallory.key.clone() };
        let status = peer.post(&peer.sign(&second, &server, &forged), |_, _| {}).await;
        assert!((400..500).contains(&status), "{status}");
        // A key of another server named by mallory, who would like it to be hers.
        let mut steals = peer.actor("thief", &second);
        steals["id"] = json!(format!("{}/users/thief", peer.base));
        steals["publicKey"] = json!({ "id": format!("{}#main-key", victim.uri), "owner": format!("{}/users/thief", peer.base), "publicKeyPem": mallory.key.public_pem() });
        peer.put("/users/thief", steals);
        let thief = Somebody { uri: victim.uri.clone(), key: mallory.key.clone() };
        assert_eq!(other.post(&other.sign(&thief, &server, &forged), |_, _| {}).await, 401);
        server.settle().await;
        let found = crate::search(&bob, note["id"].as_str().unwrap()).await;
        assert_eq!(found["statuses"], json!([]));
        // The victim's own word counts still.
        let said = words(&server, &other, (&victim, &bob));
        assert_eq!(other.post(&other.sign(&victim, &server, &said), |_, _| {}).await, 202);
        server.settle().await;
        assert!(!id(&find(&bob, &format!("victim@{}", other.host())).await).is_empty());
    }
}
