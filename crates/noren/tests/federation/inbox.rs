//! What is sent, and what of it is believed: of accounts, of things of others on one server, and for whom it is.

use crate::peer::{Peer, Somebody, followed, local_uri, with_a_peer};
use crate::{home, id, post_as, search, text};
use domain::accounts::remote::{Arrived, Reach};
use federation::signatures::{Form, KeyPair, Outgoing, Payload, Signer};
use serde_json::{Value, json};
use std::sync::Arc;
use testkit::{Person, Reply, TestServer};
use url::Url;

async fn account(bob: &Person, peer: &Peer, name: &str) -> Reply {
    bob.get("/api/v1/accounts/lookup", [("acct", format!("{name}@{}", peer.host()))]).await
}

/// How many things `peer` was asked for.
fn asked(peer: &Peer) -> usize {
    peer.asked.lock().unwrap().len()
}

/// Whether what came to `peer` as this number was signed in the newer form.
fn is_newer(peer: &Peer, at: usize) -> bool {
    peer.heads.lock().unwrap()[at].contains_key("signature-input")
}

/// Somebody whom Bob follows.
async fn friend(server: &TestServer, peer: &Peer, bob: &Person, name: &str) -> Somebody {
    let who = peer.somebody(name);
    followed(server, peer, bob, (&who, name)).await;
    who
}

with_a_peer! {
    async fn what_others_bring_of_an_account_is_asked_for(server, peer, bob) {
        let other = Peer::start().await;
        let (mallory, alice) = (peer.somebody("mallory"), friend(&server, &other, &bob, "alice").await);
        let name = async || account(&bob, &other, "alice").await.ok()["display_name"].clone();
        let mut lie = other.actor("alice", &alice);
        lie["name"] = json!("A lie");
        let mut number = 0;
        let mut brings = async |verb: &str, object: Value| {
            number += 1;
            let said = other.activity(&alice, (verb, &format!("brought-{number}")), object);
            peer.send(&mallory, &server, &said).await;
        };
        for (verb, object) in [("Update", lie), ("Update", json!(alice.uri)), ("Move", json!(alice.uri)), ("Delete", json!(alice.uri))] {
            other.shows(&alice, "alice", json!({ "name": format!("After {verb}") }));
            let before = other.hits("/users/alice");
            brings(verb, object).await;
            assert_eq!((name().await, other.hits("/users/alice")), (json!(format!("After {verb}")), before + 1));
        }
        // Nothing of who is not known.
        let before = asked(&other);
        let zoe = other.somebody("zoe");
        for verb in ["Update", "Delete", "Move", "Create", "Follow"] {
            let said = other.activity(&zoe, (verb, &format!("zoe-{verb}")), json!(zoe.uri));
            peer.post(&peer.sign(&mallory, &server, &said), |_, _| {}).await;
        }
        server.settle().await;
        assert_eq!(asked(&other), before);
        // Not there for us, or for the moment, is not gone.
        for status in [403, 404, 500] {
            other.put("/users/alice", json!(status));
            brings("Delete", json!(alice.uri)).await;
            account(&bob, &other, "alice").await.ok();
        }
        other.put("/users/alice", json!(410));
        brings("Delete", json!(alice.uri)).await;
        account(&bob, &other, "alice").await.expect(404);
    }

    async fn new_profiles_of_strangers_matter_to_nobody(server, peer, bob) {
        let eve = peer.somebody("eve");
        for (name, object) in [("1", peer.actor("eve", &eve)), ("2", json!(eve.uri))] {
            let said = peer.activity(&eve, ("Update", name), object);
            assert_eq!(peer.post(&peer.sign(&eve, &server, &said), |_, _| {}).await, 202);
        }
        server.settle().await;
        assert_eq!(asked(&peer), 0);
        account(&bob, &peer, "eve").await.expect(404);
    }

    async fn others_on_a_server_delete_what_is_gone_there(server, peer, bob) {
        let (alice, moderator) = (friend(&server, &peer, &bob, "alice").await, peer.somebody("moderator"));
        let mut notes = Vec::new();
        for name in ["1", "2", "3"] {
            let note = peer.note(&alice, (name, name), &[]);
            peer.put(&format!("/notes/{name}"), note.clone());
            peer.send(&alice, &server, &peer.activity(&alice, ("Create", name), note.clone())).await;
            notes.push(note);
        }
        let deletes = async |name: &str, note: &Value| {
            peer.send(&moderator, &server, &peer.activity(&moderator, ("Delete", name), note["id"].clone())).await;
        };
        let seen = async || home(&bob).await.iter().map(text).collect::<Vec<_>>();
        deletes("d1", &notes[0]).await;
        peer.put("/notes/1", json!(403));
        deletes("d2", &notes[0]).await;
        assert_eq!(seen().await, ["3", "2", "1"], "it is still there, or nobody says that it is not");
        peer.put("/notes/1", json!(410));
        deletes("d3", &notes[0]).await;
        assert_eq!(seen().await, ["3", "2"]);
        let gone = json!({ "@context": "https://www.w3.org/ns/activitystreams", "id": notes[1]["id"], "type": "Tombstone" });
        peer.put("/notes/2", gone.clone());
        peer.send(&moderator, &server, &peer.activity(&moderator, ("Delete", "d4"), gone)).await;
        assert_eq!(seen().await, ["3"]);
        // Nor do they end other people.
        peer.send(&moderator, &server, &peer.activity(&moderator, ("Delete", "d5"), json!(alice.uri))).await;
        account(&bob, &peer, "alice").await.ok();
        peer.put("/users/alice", json!(410));
        peer.send(&moderator, &server, &peer.activity(&moderator, ("Delete", "d6"), json!(alice.uri))).await;
        account(&bob, &peer, "alice").await.expect(404);
    }

    async fn a_post_is_for_whom_it_was_sent_to(server, peer, bob) {
        let (alice, here) = (friend(&server, &peer, &bob, "alice").await, local_uri(&server, &bob));
        let bare = |name: &str| {
            let mut note = peer.note(&alice, (name, name), &[]);
            note.as_object_mut().unwrap().retain(|name, _| name != "to" && name != "cc");
            note
        };
        let followers = format!("{}/followers", alice.uri);
        let create = |name: &str, note: &Value, to: Value, cc: Value| {
            let mut create = peer.activity(&alice, ("Create", name), note.clone());
            (create["to"], create["cc"]) = (to, cc);
            create
        };
        let public = json!(["https://www.w3.org/ns/activitystreams#Public"]);
        peer.send(&alice, &server, &create("1", &bare("open"), public.clone(), json!([followers]))).await;
        peer.send(&alice, &server, &create("2", &bare("friends"), json!(followers), json!([]))).await;
        peer.send(&alice, &server, &create("3", &bare("nobody"), json!([]), json!([]))).await;
        // What says whom it is for is not for more.
        let mut quiet = bare("quiet");
        quiet["to"] = json!([followers]);
        peer.send(&alice, &server, &create("4", &quiet, public.clone(), json!([]))).await;
        let seen: Vec<(String, Value)> = home(&bob).await.iter().map(|s| (text(s), s["visibility"].clone())).collect();
        let wanted = [("quiet", "private"), ("friends", "private"), ("open", "public")];
        assert_eq!(seen, wanted.map(|(words, visibility)| (words.to_owned(), json!(visibility))));
        // Several at once: also what is for some alone, of whom the others do not hear.
        let (mut secret, hidden) = (create("5", &bare("secret"), json!([]), json!([])), bare("hidden"));
        secret["bto"] = json!([here]);
        let mut blind = create("6", &hidden, json!([format!("{}/users/zoe", peer.base)]), json!([]));
        blind["bcc"] = json!([here]);
        let several = json!({ "@context": "https://www.w3.org/ns/activitystreams", "type": "OrderedCollection",
            "totalItems": 2, "orderedItems": [secret, blind] });
        peer.send(&alice, &server, &several).await;
        for note in [&secret["object"], &hidden] {
            let found = search(&bob, note["id"].as_str().unwrap()).await["statuses"][0].clone();
            assert_eq!(found["visibility"], "direct", "{note}");
        }
    }

    async fn who_says_that_they_know_the_newer_form_is_spoken_to_in_it(server, peer, bob) {
        let other = Peer::start().await;
        let (eve, zoe) = (peer.somebody("eve"), other.somebody("zoe"));
        let implements = [json!({ "href": "https://datatracker.ietf.org/doc/html/rfc9421", "name": "RFC-9421" })];
        peer.shows(&eve, "eve", json!({ "generator": { "type": "Application", "implements": implements } }));
        followed(&server, &peer, &bob, (&eve, "eve")).await;
        followed(&server, &other, &bob, (&zoe, "zoe")).await;
        assert!(is_newer(&peer, 0) && !is_newer(&other, 0));
    }

    async fn a_vote_that_comes_too_late_does_not_count(server, peer, bob) {
        let (eve, zoe) = (friend(&server, &peer, &bob, "eve").await, peer.somebody("zoe"));
        peer.send(&eve, &server, &peer.activity(&eve, ("Follow", "follow"), json!(local_uri(&server, &bob)))).await;
        let poll = json!({ "status": "tea?", "poll": { "options": ["yes", "no"], "expires_in": 600 } });
        let posted = bob.post("/api/v1/statuses", poll).await.ok();
        let vote = |who: &Somebody, name: &str| {
            let mut vote = peer.note(who, (name, ""), &[]);
            let here = local_uri(&server, &bob);
            (vote["name"], vote["inReplyTo"], vote["to"], vote["cc"]) = (json!("yes"), posted["uri"].clone(), json!([here]), json!([]));
            vote.as_object_mut().unwrap().remove("content");
            peer.activity(who, ("Create", name), vote)
        };
        peer.send(&eve, &server, &vote(&eve, "v1")).await;
        let tx = server.db().begin().await.unwrap();
        tx.exec("UPDATE polls SET expires_at = 1000", &[]).await.unwrap();
        tx.exec("UPDATE jobs SET run_at = 0 WHERE payload LIKE '%close_poll%'", &[]).await.unwrap();
        tx.commit().await.unwrap();
        server.db().wake().ring();
        server.settle().await;
        let tx = server.db().begin().await.unwrap();
        tx.exec("UPDATE jobs SET run_at = 0 WHERE payload LIKE '%poll_counted%'", &[]).await.unwrap();
        tx.commit().await.unwrap();
        server.db().wake().ring();
        server.settle().await;
        peer.send(&zoe, &server, &vote(&zoe, "v2")).await;
        let counted = bob.get(&format!("/api/v1/polls/{}", id(&posted["poll"])), ()).await.ok();
        assert_eq!((&counted["expired"], &counted["votes_count"]), (&json!(true), &json!(1)));
        // How it ended is told: when, and with which numbers.
        let told = peer.last("Update");
        assert_eq!((&told["object"]["type"], &told["object"]["id"]), (&json!("Question"), &posted["uri"]));
        assert_eq!(told["object"]["closed"], told["object"]["endTime"]);
        assert!(told["object"]["closed"].is_string(), "{told}");
        assert_eq!(told["object"]["oneOf"][0]["replies"]["totalItems"], 1);
    }
}

testkit::between_two_servers! {
    async fn a_report_goes_from_one_server_to_the_other(a: TestServer, b: TestServer) {
        let (alice, bob) = (a.person("alice").await, b.person("bob").await);
        let posted = post_as(&alice, "something bad", "public").await;
        let found = search(&bob, posted["uri"].as_str().unwrap()).await["statuses"][0].clone();
        let form = [("account_id", id(&found["account"])), ("status_ids[]", id(&found)), ("comment", "it is bad"), ("forward", "true")];
        let made = bob.post("/api/v1/reports", form).await.ok();
        assert_eq!(made["forwarded"], true);
        testkit::settle_all(&[&a, &b]).await;
        let page = domain::page::Page::newest(10);
        let all = domain::reports::list(&a.db().read().await.unwrap(), domain::reports::Which::Open, page).await.unwrap();
        let [report] = &all[..] else { panic!("one report: {}", all.len()) };
        assert_eq!((report.target_id, report.comment.as_str()), (alice.account, "it is bad"));
        assert_eq!(report.statuses().iter().map(ToString::to_string).collect::<Vec<_>>(), [id(&posted)]);
        // It is the server that says so, and not Bob.
        let by = domain::accounts::store::by_id(&a.db().read().await.unwrap(), report.account_id.unwrap()).await.unwrap().unwrap();
        assert_eq!(by.uri, format!("{}/actor", b.parts().site.base_url));
    }
}

testkit::on_both_engines! {
    /// The program behind a proxy that speaks https to others and http to it: what was signed is the address outside.
    async fn what_is_signed_is_the_address_outside(server: TestServer) {
        assert_eq!(server.parts().site.base_url, "https://noren.test");
        let key = Arc::new(KeyPair::generate().unwrap());
        let (uri, key_id) = ("https://a.example/users/eve", "https://a.example/users/eve#main-key");
        let arrived = Arrived {
            uri: uri.to_owned(),
            username: "eve".to_owned(),
            domain: "a.example".to_owned(),
            reach: Reach { inbox: format!("{uri}/inbox"), ..Reach::default() },
            keys: vec![(key_id.to_owned(), key.public_pem().to_owned())],
            ..Arrived::default()
        };
        domain::accounts::remote::receive(server.db(), &arrived).await.unwrap();
        let (signer, client) = (Signer::new(key_id, key), reqwest::Client::new());
        let posts = async |url: &str, form: Form, name: &str| {
            let body = json!({ "id": format!("https://a.example/{name}"), "type": "Like", "actor": uri, "object": "https://noren.test/x" });
            let (url, payload) = (Url::parse(url).unwrap(), Payload::new(body.to_string().into_bytes()));
            let request = Outgoing { method: &reqwest::Method::POST, url: &url, payload: Some(&payload), extra: &[] };
            let mut headers = signer.sign(form, &request, domain::Time::now()).unwrap();
            headers.insert("x-forwarded-proto", "https".parse().unwrap());
            let inside = format!("http://{}{}", server.address(), url.path());
            client.post(inside).headers(headers).body(body.to_string()).send().await.unwrap().status().as_u16()
        };
        assert_eq!(posts("https://noren.test/inbox", Form::Rfc9421, "1").await, 202);
        assert_eq!(posts("https://noren.test/inbox", Form::Cavage, "2").await, 202);
        assert_eq!(posts("https://noren.test/inbox/", Form::Rfc9421, "3").await, 202);
        // For another address than ours.
        assert_eq!(posts("http://noren.test/inbox", Form::Rfc9421, "4").await, 401);
        assert_eq!(posts("https://other.test/inbox", Form::Cavage, "5").await, 401);
        server.settle().await;
    }
}
