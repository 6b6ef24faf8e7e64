//! Quotes across servers, and who lets whom. `/users/NAME/quote_authorizations/ID`

use crate::peer::{Peer, Somebody, with_a_peer};
use crate::{follow, home, id, notifications, post_as, search, text};
use serde_json::{Value, json};
use testkit::{Person, TestServer, settle_all};

async fn seen(who: &Person, status: &str) -> Value {
    who.get(&format!("/api/v1/statuses/{status}"), ()).await.ok()
}

/// What `who` knows as the post of this name.
async fn there(who: &Person, uri: &Value) -> Value {
    search(who, uri.as_str().unwrap()).await["statuses"][0].clone()
}

async fn quote(who: &Person, quoted: &str, words: &str) -> Value {
    who.post("/api/v1/statuses", [("status", words), ("quoted_status_id", quoted)]).await.ok()
}

async fn document(server: &TestServer, uri: &str) -> (u16, Value) {
    let request = server.client().request(reqwest::Method::GET, uri).header("accept", "application/activity+json");
    let reply = server.client().send(request).await;
    (reply.status, serde_json::from_str(reply.text()).unwrap_or_default())
}

testkit::between_two_servers! {
    async fn consent_is_asked_for_given_and_taken_back(a: TestServer, b: TestServer) {
        let (alice, bob, carol) = (a.person("alice").await, b.person("bob").await, a.person("carol").await);
        follow((&carol, &a), (&bob, &b)).await;
        let posted = post_as(&alice, "quote me", "public").await;
        let original = there(&bob, &posted["uri"]).await;
        assert_eq!(original["quote_approval"]["automatic"], json!(["public"]));
        assert_eq!(original["quote_approval"]["current_user"], "automatic");
        let made = quote(&bob, id(&original), "look at that").await;
        assert_eq!(made["quote"], json!({ "state": "pending", "quoted_status": null }));
        settle_all(&[&a, &b]).await;

        let shown = seen(&bob, id(&made)).await;
        assert_eq!(shown["quote"]["state"], "accepted");
        assert_eq!(shown["quote"]["quoted_status"]["id"], original["id"]);
        assert_eq!(shown["edited_at"], Value::Null, "consent is no edit");
        assert_eq!(seen(&bob, id(&original)).await["quotes_count"], 1);
        assert_eq!(notifications(&alice).await, [("quote".to_owned(), b.handle("bob"))]);
        let far = home(&carol).await[0].clone();
        assert_eq!((&far["quote"]["state"], &far["quote"]["quoted_status"]["id"]), (&json!("accepted"), &posted["id"]));
        assert!(far["content"].as_str().unwrap().contains("class=\"quote-inline\""), "{far:#}");
        let listed = alice.get(&format!("/api/v1/statuses/{}/quotes", id(&posted)), ()).await.ok();
        assert_eq!((listed.as_array().unwrap().len(), &listed[0]["id"]), (1, &far["id"]));

        // Everybody can see that it is allowed.
        let (_, note) = document(&b, made["uri"].as_str().unwrap()).await;
        let stamp = note["quoteAuthorization"].as_str().unwrap().to_owned();
        let (_, shown) = document(&a, &stamp).await;
        assert_eq!((&shown["type"], &shown["interactingObject"], &shown["interactionTarget"]),
            (&json!("QuoteAuthorization"), &made["uri"], &posted["uri"]));
        assert_eq!(shown["attributedTo"], a.parts().site.actor_uri("alice"));
        for name in ["quote", "quoteUri", "quoteUrl", "_misskey_quote"] {
            assert_eq!(note[name], posted["uri"], "{name}");
        }
        assert_eq!(document(&a, &stamp.replace("/alice/", "/carol/")).await.0, 404);

        alice.post(&format!("/api/v1/statuses/{}/quotes/{}/revoke", id(&posted), id(&far)), ()).await.ok();
        settle_all(&[&a, &b]).await;
        assert_eq!(document(&a, &stamp).await.0, 404);
        assert_eq!(seen(&bob, id(&made)).await["quote"], json!({ "state": "revoked", "quoted_status": null }));
        assert_eq!(seen(&bob, id(&original)).await["quotes_count"], 0);
        assert_eq!(document(&b, made["uri"].as_str().unwrap()).await.1["quote"], Value::Null);
        // Nor does asking again bring it back.
        let again = quote(&bob, id(&original), "once more").await;
        settle_all(&[&a, &b]).await;
        assert_eq!(seen(&bob, id(&again)).await["quote"]["state"], "accepted", "another one may");
        assert_eq!(seen(&bob, id(&made)).await["quote"]["state"], "revoked");
    }

    async fn a_third_server_believes_the_stamp(a: TestServer, b: TestServer) {
        let (alice, bob, carol) = (a.person("alice").await, b.person("bob").await, a.person("carol").await);
        // Alice quotes Carol, both here; Bob is elsewhere and follows Alice only.
        follow((&bob, &b), (&alice, &a)).await;
        let posted = post_as(&carol, "quote me", "public").await;
        let made = quote(&alice, id(&posted), "what Carol said").await;
        settle_all(&[&a, &b]).await;
        let far = home(&bob).await[0].clone();
        assert_eq!((&far["quote"]["state"], text(&far["quote"]["quoted_status"])), (&json!("accepted"), "quote me".to_owned()));
        carol.post(&format!("/api/v1/statuses/{}/quotes/{}/revoke", id(&posted), id(&made)), ()).await.ok();
        settle_all(&[&a, &b]).await;
        assert_eq!(seen(&bob, id(&far)).await["quote"], json!({ "state": "revoked", "quoted_status": null }));
        // One's own needs no stamp.
        let own = quote(&alice, id(&made), "what I said").await;
        settle_all(&[&a, &b]).await;
        let far = there(&bob, &own["uri"]).await;
        assert_eq!(far["quote"]["state"], "accepted");
        assert_eq!(document(&a, own["uri"].as_str().unwrap()).await.1["quoteAuthorization"], Value::Null);
    }

    async fn a_stamp_names_a_quiet_post_to_few(a: TestServer, b: TestServer) {
        let (alice, bob, carol) = (a.person("alice").await, b.person("bob").await, a.person("carol").await);
        let peer = Peer::start().await;
        let stranger = peer.somebody("stranger");
        let posted = post_as(&carol, "quote me", "public").await;
        let quiet = [("status", "what Carol said"), ("visibility", "private"), ("quoted_status_id", id(&posted))];
        let made = alice.post("/api/v1/statuses", quiet).await.ok();
        let stamp = a.parts().site.stamp_uri("carol", id(&made).parse().unwrap());
        assert_eq!(document(&a, &stamp).await.0, 404, "to who does not say who they are");
        assert_eq!(peer.get(&stranger, &stamp).await.0, 404);
        // A follower's server is shown it, whoever there asks.
        follow((&bob, &b), (&alice, &a)).await;
        let later = [("status", "and more"), ("visibility", "private"), ("quoted_status_id", id(&posted))];
        let later = alice.post("/api/v1/statuses", later).await.ok();
        settle_all(&[&a, &b]).await;
        let far = home(&bob).await[0].clone();
        assert_eq!((&far["uri"], &far["quote"]["state"]), (&later["uri"], &json!("accepted")));
        assert_eq!(peer.get(&stranger, &stamp).await.0, 404);
    }

    async fn policies_travel_and_are_kept(a: TestServer, b: TestServer) {
        let (alice, bob) = (a.person("alice").await, b.person("bob").await);
        let posted = post_as(&alice, "quote me", "public").await;
        let original = there(&bob, &posted["uri"]).await;
        follow((&bob, &b), (&alice, &a)).await;
        let set = async |word: &str| {
            let path = format!("/api/v1/statuses/{}/interaction_policy", id(&posted));
            alice.put(&path, [("quote_approval_policy", word)]).await.ok();
        };
        set("nobody").await;
        settle_all(&[&a, &b]).await;
        let shown = seen(&bob, id(&original)).await;
        assert_eq!((&shown["quote_approval"]["current_user"], &shown["edited_at"]), (&json!("denied"), &Value::Null));
        bob.post("/api/v1/statuses", [("status", "x"), ("quoted_status_id", id(&original))]).await.expect(403);
        set("followers").await;
        settle_all(&[&a, &b]).await;
        assert_eq!(seen(&bob, id(&original)).await["quote_approval"]["automatic"], json!(["followers"]));
        let made = quote(&bob, id(&original), "as a follower").await;
        settle_all(&[&a, &b]).await;
        assert_eq!(seen(&bob, id(&made)).await["quote"]["state"], "accepted");

        // Blocked meanwhile, without knowing it.
        let other = post_as(&alice, "another", "public").await;
        let other = there(&bob, &other["uri"]).await;
        let made = quote(&bob, id(&other), "in the last moment").await;
        let bob_here = there_account(&alice, &b.handle("bob")).await;
        alice.post(&format!("/api/v1/accounts/{bob_here}/block"), ()).await.ok();
        settle_all(&[&a, &b]).await;
        assert_ne!(seen(&bob, id(&made)).await["quote"]["state"], "accepted");
    }
}

async fn there_account(who: &Person, handle: &str) -> String {
    id(&crate::find(who, handle).await).to_owned()
}

/// The answers that came for a request.
fn answers(peer: &Peer, verb: &str) -> Vec<Value> {
    let is_answer = |it: &&Value| it["type"] == verb && it["object"]["type"] == "QuoteRequest";
    peer.received.lock().unwrap().iter().filter(is_answer).cloned().collect()
}

fn request(peer: &Peer, who: &Somebody, (name, quoted): (&str, &Value), instrument: Value) -> Value {
    let mut asked = peer.activity(who, ("QuoteRequest", name), quoted.clone());
    asked["instrument"] = instrument;
    asked
}

fn quoting(peer: &Peer, who: &Somebody, (name, property): (&str, &str), quoted: &Value) -> Value {
    let mut note = peer.note(who, (name, "look"), &[]);
    note[property] = quoted.clone();
    peer.put(&format!("/notes/{name}"), note.clone());
    note
}

fn stamp(host: &Peer, who: &Somebody, name: &str, (quoting, quoted): (&Value, &Value)) -> Value {
    let uri = format!("{}/stamps/{name}", host.base);
    let made = json!({ "@context": "https://www.w3.org/ns/activitystreams", "id": uri, "type": "QuoteAuthorization",
        "attributedTo": who.uri, "interactingObject": quoting, "interactionTarget": quoted });
    host.put(&format!("/stamps/{name}"), made);
    json!(uri)
}

with_a_peer! {
    async fn requests_are_answered_as_the_policy_says(server, peer, bob) {
        let (quinn, mallory) = (peer.somebody("quinn"), peer.somebody("mallory"));
        let open = post_as(&bob, "quote me", "public").await;
        let note = quoting(&peer, &quinn, ("1", "quote"), &open["uri"]);
        let asked = request(&peer, &quinn, ("r1", &open["uri"]), note.clone());
        peer.send(&quinn, &server, &asked).await;
        let accepted = answers(&peer, "Accept");
        assert_eq!(accepted.len(), 1);
        assert_eq!((&accepted[0]["object"]["id"], &accepted[0]["object"]["instrument"]), (&asked["id"], &note["id"]));
        let (_, made) = document(&server, accepted[0]["result"].as_str().unwrap()).await;
        assert_eq!((&made["interactingObject"], &made["interactionTarget"]), (&note["id"], &open["uri"]));
        assert_eq!(notifications(&bob).await.len(), 1);
        assert_eq!(seen(&bob, id(&open)).await["quotes_count"], 1);
        // By its name only, and asked twice: counted once.
        peer.send(&quinn, &server, &request(&peer, &quinn, ("r2", &open["uri"]), note["id"].clone())).await;
        assert_eq!(answers(&peer, "Accept").len(), 2);
        assert_eq!(seen(&bob, id(&open)).await["quotes_count"], 1);

        // For the post of somebody else; for a post that quotes something else, or nothing.
        peer.send(&mallory, &server, &request(&peer, &mallory, ("r3", &open["uri"]), note["id"].clone())).await;
        let plain = peer.note(&quinn, ("2", "no quote"), &[]);
        peer.send(&quinn, &server, &request(&peer, &quinn, ("r4", &open["uri"]), plain)).await;
        assert_eq!((answers(&peer, "Accept").len(), answers(&peer, "Reject").len()), (2, 2));

        let closed = bob.post("/api/v1/statuses", [("status", "mine"), ("quote_approval_policy", "nobody")]).await.ok();
        let note = quoting(&peer, &quinn, ("3", "quote"), &closed["uri"]);
        peer.send(&quinn, &server, &request(&peer, &quinn, ("r5", &closed["uri"]), note)).await;
        assert_eq!(answers(&peer, "Reject").last().unwrap()["object"]["id"], format!("{}/activities/r5", peer.base));
        // That there is a private post is told to nobody.
        let private = post_as(&bob, "for friends", "private").await;
        let note = quoting(&peer, &quinn, ("4", "quote"), &private["uri"]);
        peer.send(&quinn, &server, &request(&peer, &quinn, ("r6", &private["uri"]), note.clone())).await;
        assert_eq!((answers(&peer, "Accept").len(), answers(&peer, "Reject").len()), (2, 3));
        // Whoever is blocked is refused.
        let account = there_account(&bob, &format!("quinn@{}", peer.host())).await;
        bob.post(&format!("/api/v1/accounts/{account}/block"), ()).await.ok();
        let late = post_as(&bob, "another", "public").await;
        let note = quoting(&peer, &quinn, ("5", "quote"), &late["uri"]);
        peer.send(&quinn, &server, &request(&peer, &quinn, ("r7", &late["uri"]), note)).await;
        assert_eq!((answers(&peer, "Accept").len(), answers(&peer, "Reject").len()), (2, 4));
        assert_eq!(notifications(&bob).await.len(), 0);
    }

    async fn stamps_are_looked_at(server, peer, bob) {
        let other = Peer::start().await;
        let (mallory, victim) = (peer.somebody("mallory"), other.somebody("victim"));
        let said = other.note(&victim, ("said", "what I said"), &[]);
        let also = other.note(&victim, ("also", "and this"), &[]);
        other.put("/notes/said", said.clone());
        other.put("/notes/also", also.clone());
        let by = async |name: &str, stamp: Value| {
            let mut note = quoting(&peer, &mallory, (name, "quote"), &said["id"]);
            note["quoteAuthorization"] = stamp;
            peer.put(&format!("/notes/{name}"), note.clone());
            there(&bob, &note["id"]).await["quote"].clone()
        };
        let me = |name: &str| json!(format!("{}/notes/{name}", peer.base));
        let pending = json!({ "state": "pending", "quoted_status": null });
        // None; on one's own server; in one's own name; for another post; of another post; not there.
        assert_eq!(by("none", Value::Null).await, pending);
        let forged = stamp(&peer, &victim, "forged", (&me("forged"), &said["id"]));
        assert_eq!(by("forged", forged).await, pending);
        let own = stamp(&peer, &mallory, "own", (&me("own"), &said["id"]));
        assert_eq!(by("own", own).await, pending);
        let stranger = other.somebody("stranger");
        let neighbour = stamp(&other, &stranger, "neighbour", (&me("neighbour"), &said["id"]));
        assert_eq!(by("neighbour", neighbour).await, pending);
        let reused = stamp(&other, &victim, "reused", (&me("good"), &said["id"]));
        assert_eq!(by("reused", reused).await, pending);
        let moved = stamp(&other, &victim, "moved", (&me("moved"), &also["id"]));
        assert_eq!(by("moved", moved).await, pending);
        assert_eq!(by("absent", json!(format!("{}/stamps/absent", other.base))).await, pending);

        let good = stamp(&other, &victim, "good", (&me("good"), &said["id"]));
        let shown = by("good", good.clone()).await;
        assert_eq!((&shown["state"], text(&shown["quoted_status"])), (&json!("accepted"), "what I said".to_owned()));
        let uri = me("good");
        // Only whose stamp it is takes it back.
        peer.send(&mallory, &server, &peer.activity(&mallory, ("Delete", "d1"), good.clone())).await;
        assert_eq!(there(&bob, &uri).await["quote"]["state"], "accepted");
        other.send(&stranger, &server, &other.activity(&stranger, ("Delete", "d2"), good.clone())).await;
        assert_eq!(there(&bob, &uri).await["quote"]["state"], "accepted");
        other.send(&victim, &server, &other.activity(&victim, ("Delete", "d3"), good)).await;
        assert_eq!(there(&bob, &uri).await["quote"], json!({ "state": "revoked", "quoted_status": null }));
    }

    async fn what_is_called_a_stamp_can_still_be_deleted(server, peer, bob) {
        let (mallory, victim) = (peer.somebody("mallory"), peer.somebody("victim"));
        let said = peer.note(&victim, ("said", "what I said"), &[]);
        peer.put("/notes/said", said.clone());
        assert_eq!(text(&there(&bob, &said["id"]).await), "what I said");
        // In a quote of one's own, and as the answer to a request.
        let mut own = peer.note(&mallory, ("own", "mine"), &[]);
        own["interactionPolicy"] = json!({ "canQuote": { "automaticApproval": federation::documents::PUBLIC } });
        peer.put("/notes/own", own.clone());
        let mut note = quoting(&peer, &mallory, ("quoting", "quote"), &own["id"]);
        note["quoteAuthorization"] = said["id"].clone();
        peer.put("/notes/quoting", note.clone());
        assert_eq!(there(&bob, &note["id"]).await["quote"]["state"], "accepted");
        let made = quote(&bob, id(&there(&bob, &own["id"]).await), "look").await;
        server.settle().await;
        let asked = peer.received.lock().unwrap().iter().find(|it| it["type"] == "QuoteRequest").cloned().unwrap();
        let mut accept = peer.activity(&mallory, ("Accept", "a1"), asked);
        accept["result"] = said["id"].clone();
        peer.send(&mallory, &server, &accept).await;
        assert_eq!(seen(&bob, id(&made)).await["quote"]["state"], "accepted");
        peer.send(&victim, &server, &peer.activity(&victim, ("Delete", "d1"), said["id"].clone())).await;
        assert_eq!(there(&bob, &said["id"]).await, Value::Null);
        assert_eq!(seen(&bob, id(&made)).await["quote"]["state"], "accepted", "nor is that anything of hers");
    }

    async fn older_ways_to_quote_are_read(server, peer, bob) {
        let quinn = peer.somebody("quinn");
        let said = peer.note(&quinn, ("said", "what I said"), &[]);
        peer.put("/notes/said", said.clone());
        for property in ["quote", "_misskey_quote", "quoteUrl", "quoteUri"] {
            let note = quoting(&peer, &quinn, (property, property), &said["id"]);
            let shown = there(&bob, &note["id"]).await;
            assert_eq!(text(&shown["quote"]["quoted_status"]), "what I said", "{property}, of one's own");
        }
        let mut note = peer.note(&quinn, ("linked", "look"), &[]);
        note["tag"] = json!([{ "type": "Link", "href": said["id"], "mediaType": "application/activity+json" }]);
        peer.put("/notes/linked", note.clone());
        assert_eq!(there(&bob, &note["id"]).await["quote"]["state"], "accepted");
        // Of others, without asking: not shown, as of anybody here.
        let mine = post_as(&bob, "mine", "public").await;
        let note = quoting(&peer, &quinn, ("of-bob", "quoteUrl"), &mine["uri"]);
        assert_eq!(there(&bob, &note["id"]).await["quote"]["state"], "pending");
        assert_eq!(seen(&bob, id(&mine)).await["quotes_count"], 0);
        // Of what is not there.
        let note = quoting(&peer, &quinn, ("of-none", "quote"), &json!(format!("{}/notes/none", peer.base)));
        assert_eq!(there(&bob, &note["id"]).await["quote"], json!({ "state": "pending", "quoted_status": null }));
        // In a circle.
        let (one, two) = (json!(format!("{}/notes/one", peer.base)), json!(format!("{}/notes/two", peer.base)));
        quoting(&peer, &quinn, ("one", "quote"), &two);
        quoting(&peer, &quinn, ("two", "quote"), &one);
        assert_eq!(there(&bob, &one).await["quote"]["state"], "accepted");
        server.settle().await;
    }

    async fn an_older_copy_brings_no_quote_back(server, peer, bob) {
        let quinn = peer.somebody("quinn");
        let said = peer.note(&quinn, ("said", "what I said"), &[]);
        peer.put("/notes/said", said.clone());
        let mut note = quoting(&peer, &quinn, ("edited", "quote"), &said["id"]);
        note["published"] = json!("2026-11-01T00:00:00Z");
        peer.put("/notes/edited", note.clone());
        assert_eq!(there(&bob, &note["id"]).await["quote"]["state"], "accepted");
        let update = async |name: &str, at: &str, quoted: Value| {
            let mut edited = note.clone();
            (edited["quote"], edited["updated"]) = (quoted, json!(at));
            peer.send(&quinn, &server, &peer.activity(&quinn, ("Update", name), edited)).await;
            there(&bob, &note["id"]).await["quote"].clone()
        };
        assert_eq!(update("u1", "2026-11-01T02:00:00Z", Value::Null).await, Value::Null);
        assert_eq!(update("u2", "2026-11-01T01:00:00Z", said["id"].clone()).await, Value::Null, "sent before, came after");
        assert_eq!(update("u3", "2026-11-01T03:00:00Z", said["id"].clone()).await["state"], "accepted");
    }

    async fn answers_count_from_whom_they_concern(server, peer, bob) {
        let other = Peer::start().await;
        let (victim, mallory) = (peer.somebody("victim"), other.somebody("mallory"));
        let mut said = peer.note(&victim, ("said", "what I said"), &[]);
        said["interactionPolicy"] = json!({ "canQuote": { "automaticApproval": [federation::documents::PUBLIC] } });
        peer.put("/notes/said", said.clone());
        let original = there(&bob, &said["id"]).await;
        let made = quote(&bob, id(&original), "look").await;
        server.settle().await;
        let asked = peer.received.lock().unwrap().iter().find(|it| it["type"] == "QuoteRequest").cloned().unwrap();
        assert_eq!((&asked["object"], &asked["instrument"]["id"]), (&said["id"], &made["uri"]));
        assert_eq!(asked["instrument"]["quote"], said["id"]);
        let accept = |from: &Peer, who: &Somebody, name: &str, result: &str| {
            let mut it = from.activity(who, ("Accept", name), asked.clone());
            it["result"] = json!(result);
            it
        };
        let theirs = format!("{}/stamps/1", peer.base);
        let state = async || seen(&bob, id(&made)).await["quote"]["state"].clone();
        other.send(&mallory, &server, &accept(&other, &mallory, "a1", &format!("{}/stamps/1", other.base))).await;
        assert_eq!(state().await, "pending", "of somebody who has nothing to do with it");
        peer.send(&victim, &server, &accept(&peer, &victim, "a2", &format!("{}/stamps/1", other.base))).await;
        assert_eq!(state().await, "pending", "a stamp on another server");
        peer.send(&victim, &server, &peer.activity(&victim, ("Accept", "a3"), asked.clone())).await;
        assert_eq!(state().await, "pending", "no stamp");
        peer.send(&victim, &server, &accept(&peer, &victim, "a4", &theirs)).await;
        assert_eq!(state().await, "accepted");
        let (_, note) = document(&server, made["uri"].as_str().unwrap()).await;
        assert_eq!(note["quoteAuthorization"], json!(theirs));
        let told = peer.received.lock().unwrap().iter().any(|it| {
            it["type"] == "Update" && it["object"]["quoteAuthorization"] == json!(theirs) && it["object"]["updated"].is_null()
        });
        assert!(told, "{:#?}", peer.received.lock().unwrap());
        other.send(&mallory, &server, &other.activity(&mallory, ("Reject", "a5"), asked.clone())).await;
        assert_eq!(state().await, "accepted");
        peer.send(&victim, &server, &peer.activity(&victim, ("Reject", "a6"), asked["id"].clone())).await;
        assert_eq!(state().await, "revoked");
        let second = quote(&bob, id(&original), "once more").await;
        server.settle().await;
        let uri = format!("{}#quote-requests/{}", server.parts().site.actor_uri("bob"), id(&second));
        peer.send(&victim, &server, &peer.activity(&victim, ("Reject", "a7"), json!(uri))).await;
        assert_eq!(seen(&bob, id(&second)).await["quote"], json!({ "state": "rejected", "quoted_status": null }));
    }
}
