//! Keys that cannot be had: nobody is made to ask for them again and again.

use crate::peer::{File, Peer, Somebody, local_uri, with_a_peer};
use crate::{find, id};
use federation::signatures::{Form, Outgoing, Payload, Signer};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use testkit::{Person, TestServer};
use tokio::net::TcpListener;
use url::Url;

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

/// As if everybody had been looked at long ago.
async fn forget_looks(server: &TestServer) {
    let tx = server.db().begin().await.unwrap();
    tx.exec("UPDATE actors SET fetched_at = 0", &[]).await.unwrap();
    tx.commit().await.unwrap();
}

/// The status of the answer to words that carry two signatures: one of the newer form, one of the older.
async fn say_twice_signed(
    server: &TestServer,
    peer: &Peer,
    (said, newer, older): (&Value, &Somebody, &Somebody),
) -> u16 {
    let url = Url::parse(&format!("{}/inbox", server.parts().site.base_url)).unwrap();
    let payload = Payload::new(said.to_string().into_bytes());
    let name = if newer.uri.contains('#') { newer.uri.clone() } else { format!("{}#main-key", newer.uri) };
    let request = Outgoing { method: &reqwest::Method::POST, url: &url, payload: Some(&payload), extra: &[] };
    let more = Signer::new(name, newer.key.clone()).sign(Form::Rfc9421, &request, domain::Time::now()).unwrap();
    let add = |headers: &mut reqwest::header::HeaderMap, _: &mut Vec<u8>| {
        headers.append("signature", more["signature"].clone());
        for name in ["signature-input", "content-digest"] {
            headers.insert(name, more[name].clone());
        }
    };
    peer.post(&peer.sign(older, server, said), add).await
}

with_a_peer! {
    async fn keys_on_slow_servers_are_learnt_nevertheless(server, peer, bob) {
        let eve = peer.somebody("eve");
        let actor = peer.actor("eve", &eve).to_string().into_bytes();
        peer.file("/users/eve", File::Late("application/activity+json", actor, Duration::from_secs(7)));
        let begun = Instant::now();
        // One hangs up at once; the others wait for as long as anybody should, and are to come again.
        let impatient = tokio::time::timeout(Duration::from_secs(1), say(&server, &peer, (&eve, &bob)));
        let all = tokio::join!(impatient, say(&server, &peer, (&eve, &bob)), say(&server, &peer, (&eve, &bob)));
        assert_eq!((all.0.is_err(), all.1, all.2), (true, 503, 503));
        assert!(begun.elapsed() >= Duration::from_secs(3), "{:?}", begun.elapsed());
        let mut last = 503;
        while last == 503 && begun.elapsed() < Duration::from_secs(60) {
            tokio::time::sleep(Duration::from_millis(200)).await;
            last = say(&server, &peer, (&eve, &bob)).await;
        }
        assert_eq!((last, peer.hits("/users/eve")), (202, 1));
        assert!(begun.elapsed() >= Duration::from_secs(7));
        server.settle().await;
    }

    async fn a_key_that_was_changed_without_a_word_is_looked_for_once(server, peer, bob) {
        let eve = peer.somebody("eve");
        assert_eq!(say(&server, &peer, (&eve, &bob)).await, 202);
        server.settle().await;
        forget_looks(&server).await;
        let changed = peer.somebody("eve");
        for _ in 0..3 {
            assert_eq!(say(&server, &peer, (&changed, &bob)).await, 202);
            assert_eq!(say(&server, &peer, (&eve, &bob)).await, 401, "the old one counts no more");
        }
        assert_eq!(peer.hits("/users/eve"), 2);
        server.settle().await;
    }

    async fn of_two_signatures_one_that_fits_is_enough(server, peer, bob) {
        let (eve, zoe) = (peer.somebody("eve"), peer.somebody("zoe"));
        let stranger = peer.keys.another();
        let odd = Somebody { uri: format!("{}#ed25519-key", eve.uri), key: stranger.clone() };
        let dead = Somebody { uri: "http://localhost:1/users/nobody".to_owned(), key: stranger.clone() };
        for newer in [&odd, &dead, &eve] {
            let said = words(&server, &peer, (&eve, &bob));
            assert_eq!(say_twice_signed(&server, &peer, (&said, newer, &eve)).await, 202, "{}", newer.uri);
        }
        assert_eq!(peer.hits("/users/eve"), 1);
        server.settle().await;
        // The first that fits says who it is, and neither is believed because of the other.
        let forged = Somebody { uri: zoe.uri.clone(), key: stranger };
        let said = words(&server, &peer, (&zoe, &bob));
        assert_eq!(say_twice_signed(&server, &peer, (&said, &odd, &forged)).await, 401);
        assert_eq!(say_twice_signed(&server, &peer, (&said, &zoe, &forged)).await, 202);
        server.settle().await;
    }

    async fn addresses_are_signed_as_they_are_written(server, peer, bob) {
        let eve = peer.somebody("eve");
        for path in ["/inbox/", "/users/bob/inbox/", "/inbox", "/inbox/?x=1"] {
            let url = Url::parse(&format!("{}{path}", server.parts().site.base_url)).unwrap();
            let said = words(&server, &peer, (&eve, &bob));
            let signed = peer.sign_to(&eve, url, (&said, &[]));
            assert_eq!(peer.post(&signed, |_, _| {}).await, 202, "{path}");
        }
        server.settle().await;
    }

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
        let port = testkit::free_port();
        let key = peer.keys.another();
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
            let forged = Somebody { uri: eve.uri.clone(), key: peer.keys.another() };
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
        forget_looks(&server).await;
        let end = |who: &Somebody| peer.activity(who, ("Delete", "end"), json!(who.uri));
        let other = peer.keys.another();
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
        // Nor is it hers on one server, where she may write her own actor.
        let bert = other.somebody("bert");
        let key = |name: &str| json!({ "id": name, "owner": bert.uri, "publicKeyPem": bert.key.public_pem() });
        let own = format!("{}#main-key", bert.uri);
        other.shows(&bert, "bert", json!({ "publicKey": [key(&own), key(&format!("{}#main-key", victim.uri))] }));
        let said = words(&server, &other, (&victim, &bob));
        assert_eq!(other.post(&other.sign(&victim, &server, &said), |_, _| {}).await, 202);
        let said = words(&server, &other, (&bert, &bob));
        assert_eq!(other.post(&other.sign(&bert, &server, &said), |_, _| {}).await, 202);
        // The victim's own word counts still.
        let said = words(&server, &other, (&victim, &bob));
        assert_eq!(other.post(&other.sign(&victim, &server, &said), |_, _| {}).await, 202);
        server.settle().await;
        assert!(!id(&find(&bob, &format!("victim@{}", other.host())).await).is_empty());
    }

    async fn a_server_without_a_name_signs_what_it_asks_for(server, peer, bob) {
        let list = format!("{}/followers_synchronization", local_uri(&server, &bob));
        let asks = async |path: &str, kind: &str| {
            let who = peer.somebody_at("nobody", path);
            let mut actor = peer.actor("nobody", &who);
            actor.as_object_mut().unwrap().remove("preferredUsername");
            (actor["type"], actor["name"]) = (json!(kind), json!("Lemmy"));
            peer.put(path, actor);
            peer.get(&who, &list).await.0
        };
        // Only the server itself, at its root, is nobody else for certain.
        assert_eq!((asks("/site", "Application").await, asks("/", "Person").await), (401, 401));
        assert_eq!(asks("/", "Application").await, 200);
        let (name, conn) = (peer.host(), server.db().read().await.unwrap());
        let known = domain::accounts::store::by_handle(&conn, name, Some(name)).await.unwrap().unwrap();
        assert_eq!((known.uri, known.kind), (format!("{}/", peer.base), domain::accounts::Kind::Bot));
    }

    async fn a_key_that_is_only_named_is_looked_at_where_it_is(server, peer, bob) {
        let eve = peer.somebody("eve");
        let link = format!("{}/keys/eve", peer.base);
        peer.shows(&eve, "eve", json!({ "publicKey": link }));
        let key = |owner: &str| json!({ "id": link, "type": "CryptographicKey", "owner": owner, "publicKeyPem": eve.key.public_pem() });
        let signer = Signer::new(link.clone(), eve.key.clone());
        let says = async || {
            let url = format!("{}/inbox", server.parts().site.base_url).parse().unwrap();
            peer.post(&peer.sign_by(&signer, url, (&words(&server, &peer, (&eve, &bob)), &[])), |_, _| {}).await
        };
        // Somebody else's, and one that calls itself otherwise.
        peer.put("/keys/eve", key(&format!("{}/users/zoe", peer.base)));
        assert_eq!(says().await, 401);
        let mut other = key(&eve.uri);
        other["id"] = json!(format!("{}/keys/other", peer.base));
        peer.put("/keys/eve", other);
        assert_eq!(says().await, 401);
        peer.put("/keys/eve", key(&eve.uri));
        forget_looks(&server).await;
        assert_eq!(says().await, 202);
        assert_eq!(says().await, 202);
        // An Update that she signs with it names it the same way.
        peer.shows(&eve, "eve", json!({ "publicKey": link, "name": "Eve" }));
        let update = peer.activity(&eve, ("Update", "u"), peer.get(&eve, &eve.uri).await.2);
        let url = format!("{}/inbox", server.parts().site.base_url).parse().unwrap();
        assert_eq!(peer.post(&peer.sign_by(&signer, url, (&update, &[])), |_, _| {}).await, 202);
        server.settle().await;
        assert_eq!(find(&bob, &format!("eve@{}", peer.host())).await["display_name"], "Eve");
        assert_eq!(says().await, 202);
        server.settle().await;
    }
}
