//! Whose word counts for what: names that lead elsewhere, deletions by others, strangers who bring posts, blocked people.

use crate::peer::{File, Peer, followed, local_uri, with_a_peer};
use crate::{id, post_as, relationship, search, text};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Person, TestServer};

/// The texts of all that is in the federated timeline.
async fn public(who: &Person) -> Vec<String> {
    let all = who.get("/api/v1/timelines/public", ()).await.ok();
    all.as_array().unwrap().iter().map(text).collect()
}

async fn exists(server: &TestServer, uri: &str) -> bool {
    let conn = server.db().read().await.unwrap();
    domain::statuses::remote::by_uri(&conn, uri).await.unwrap().is_some()
}

async fn author(server: &TestServer, uri: &str) -> bool {
    let conn = server.db().read().await.unwrap();
    domain::accounts::remote::by_uri(&conn, uri).await.unwrap().is_some()
}

with_a_peer! {
    async fn an_address_that_leads_to_somebody_is_not_their_name(server, peer, bob) {
        let other = Peer::start().await;
        let victim = other.somebody("victim");
        let document = other.actor("victim", &victim);
        // One shows the victim's document under its own address, one leads there.
        peer.put("/alias", document);
        peer.file("/lead", File::Redirect(victim.uri.clone()));
        let mallory = peer.somebody("mallory");
        for (n, alias) in ["/alias", "/lead"].into_iter().enumerate() {
            let mut note = peer.note(&mallory, (&format!("{n}"), "I never wrote this"), &[&local_uri(&server, &bob)]);
            note["attributedTo"] = json!(format!("{}{alias}", peer.base));
            peer.put(&format!("/notes/{n}"), note.clone());
            let uri = note["id"].as_str().unwrap();
            assert_eq!(search(&bob, uri).await["statuses"], json!([]), "{alias}");
            let boost = peer.activity(&mallory, ("Announce", &format!("boost-{n}")), note["id"].clone());
            peer.send(&mallory, &server, &boost).await;
            assert!(!exists(&server, uri).await, "{alias}");
        }
        // The victim's own words are.
        let note = other.note(&victim, ("1", "mine"), &[]);
        other.put("/notes/1", note.clone());
        assert_eq!(text(&search(&bob, note["id"].as_str().unwrap()).await["statuses"][0]), "mine");
    }

    async fn what_others_cannot_see_is_not_gone_for_that(server, peer, bob) {
        let other = Peer::start().await;
        let (alice, mallory) = (peer.somebody("alice"), other.somebody("mallory"));
        followed(&server, &peer, &bob, (&alice, "alice")).await;
        let mut private = peer.note(&alice, ("1", "among us"), &[]);
        private["to"] = json!([format!("{}/followers", alice.uri)]);
        private["cc"] = json!([]);
        peer.send(&alice, &server, &peer.activity(&alice, ("Create", "1"), private.clone())).await;
        let uri = private["id"].as_str().unwrap();
        assert!(exists(&server, uri).await);
        // Its server says 404 to whoever may not see it, and to this one's own actor.
        other.send(&mallory, &server, &peer.activity(&alice, ("Delete", "2"), private["id"].clone())).await;
        assert!(exists(&server, uri).await, "a stranger cannot delete it");
        peer.put("/notes/1", json!(410));
        other.send(&mallory, &server, &peer.activity(&alice, ("Delete", "3"), private["id"].clone())).await;
        assert!(!exists(&server, uri).await, "its server says that it is gone");
    }

    async fn strangers_bring_no_posts(server, peer, bob) {
        let mallory = peer.somebody("mallory");
        for n in 0..30 {
            let note = peer.note(&mallory, (&format!("{n}"), "buy now"), &[]);
            peer.put(&format!("/notes/{n}"), note);
        }
        let names: Vec<String> = (0..30).map(|n| format!("{}/notes/{n}", peer.base)).collect();
        for verb in ["Create", "Update"] {
            peer.send(&mallory, &server, &peer.activity(&mallory, (verb, &format!("{verb}-all")), json!(names))).await;
            peer.send(&mallory, &server, &peer.activity(&mallory, (verb, &format!("{verb}-one")), json!(names[0]))).await;
        }
        assert_eq!(public(&bob).await, Vec::<String>::new());
        let asked = (0..30).filter(|n| peer.hits(&format!("/notes/{n}")) > 0).count();
        assert!(asked <= 10, "{asked} were asked for");
        // Not even on somebody else's server.
        let other = Peer::start().await;
        let eve = other.somebody("eve");
        other.put("/notes/1", other.note(&eve, ("1", "for bob"), &[&local_uri(&server, &bob)]));
        let at = json!(format!("{}/notes/1", other.base));
        peer.send(&mallory, &server, &peer.activity(&mallory, ("Create", "elsewhere"), at.clone())).await;
        peer.send(&mallory, &server, &peer.activity(&mallory, ("Update", "elsewhere-2"), at)).await;
        assert_eq!(other.hits("/notes/1"), 0);
        // What is for somebody here is taken, by name too.
        let note = peer.note(&mallory, ("x", "for bob"), &[&local_uri(&server, &bob)]);
        peer.put("/notes/x", note.clone());
        peer.send(&mallory, &server, &peer.activity(&mallory, ("Create", "x"), note["id"].clone())).await;
        assert!(exists(&server, note["id"].as_str().unwrap()).await);
    }

    async fn a_blocked_server_is_not_let_follow(server, peer, bob) {
        let eve = peer.somebody("eve");
        bob.post("/api/v1/domain_blocks", [("domain", peer.host())]).await.ok();
        let here = local_uri(&server, &bob);
        peer.send(&eve, &server, &peer.activity(&eve, ("Follow", "1"), json!(here))).await;
        assert_eq!(peer.last("Reject")["object"]["actor"], json!(eve.uri));
        assert_eq!(peer.last("Accept"), Value::Null);
        post_as(&bob, "among us", "private").await;
        server.settle().await;
        assert_eq!(peer.told("Create"), Vec::<String>::new());
        bob.send(bob.request(Method::DELETE, "/api/v1/domain_blocks").form(&[("domain", peer.host())])).await.ok();
        peer.send(&eve, &server, &peer.activity(&eve, ("Follow", "2"), json!(here))).await;
        assert_eq!(peer.last("Accept")["object"]["actor"], json!(eve.uri));
    }

    async fn whom_the_author_blocks_does_not_boost(server, peer, bob) {
        let eve = peer.somebody("eve");
        let there = id(&crate::find(&bob, &format!("eve@{}", peer.host())).await).to_owned();
        let posted = post_as(&bob, "not for eve", "public").await;
        bob.post(&format!("/api/v1/accounts/{there}/block"), ()).await.ok();
        assert_eq!(relationship(&bob, &there).await["blocking"], true);
        peer.send(&eve, &server, &peer.activity(&eve, ("Announce", "1"), posted["uri"].clone())).await;
        let seen = bob.get(&format!("/api/v1/statuses/{}", id(&posted)), ()).await.ok();
        assert_eq!(seen["reblogs_count"], 0);
    }

    async fn one_vote_that_does_not_count_leaves_the_others(server, peer, bob) {
        let eve = peer.somebody("eve");
        let form = [
            ("status", "which?"), ("poll[options][]", "tea"), ("poll[options][]", "rice"), ("poll[expires_in]", "3600"),
            ("poll[multiple]", "true"),
        ];
        let posted = bob.post("/api/v1/statuses", form).await.ok();
        let vote = |n: &str, choice: &str| json!({
            "id": format!("{}/votes/{n}", peer.base), "type": "Note", "name": choice, "attributedTo": eve.uri,
            "inReplyTo": posted["uri"], "to": [local_uri(&server, &bob)],
        });
        peer.send(&eve, &server, &peer.activity(&eve, ("Create", "1"), vote("1", "tea"))).await;
        let together = json!([vote("2", "tea"), vote("3", "coffee"), vote("4", "rice")]);
        peer.send(&eve, &server, &peer.activity(&eve, ("Create", "2"), together)).await;
        let seen = bob.get(&format!("/api/v1/statuses/{}", id(&posted)), ()).await.ok();
        let votes: Vec<i64> =
            seen["poll"]["options"].as_array().unwrap().iter().map(|o| o["votes_count"].as_i64().unwrap()).collect();
        assert_eq!(votes, [1, 1]);
    }

    async fn an_emoji_is_its_senders(server, peer, bob) {
        let eve = peer.somebody("eve");
        let posted = post_as(&bob, "react", "public").await;
        let mut like = peer.activity(&eve, ("Like", "1"), posted["uri"].clone());
        like["content"] = json!(":blob@victim.example:");
        let picture = format!("{}/forged.png", peer.base);
        like["tag"] = json!([{ "type": "Emoji", "name": ":blob@victim.example:", "icon": { "type": "Image", "url": picture } }]);
        peer.send(&eve, &server, &like).await;
        let seen = bob.get(&format!("/api/v1/pleroma/statuses/{}/reactions", id(&posted)), ()).await.ok();
        let name = seen[0]["name"].as_str().unwrap();
        assert!(name.starts_with("blob@") && !name.contains("victim"), "{seen:#}");
    }

    async fn only_what_quotes_is_taken_for_a_request(server, peer, bob) {
        let eve = peer.somebody("eve");
        let posted = post_as(&bob, "quote me", "public").await;
        let request = |name: &str, instrument: Value| {
            let mut request = peer.activity(&eve, ("QuoteRequest", name), posted["uri"].clone());
            request["instrument"] = instrument;
            request
        };
        let note = peer.note(&eve, ("1", "buy now"), &[]);
        peer.send(&eve, &server, &request("1", note.clone())).await;
        let named = peer.note(&eve, ("2", "buy now"), &[]);
        peer.put("/notes/2", named.clone());
        peer.send(&eve, &server, &request("2", named["id"].clone())).await;
        assert_eq!(peer.told("Reject").len(), 2);
        assert!(!exists(&server, note["id"].as_str().unwrap()).await && !exists(&server, named["id"].as_str().unwrap()).await);
        let mut quoting = peer.note(&eve, ("3", "look"), &[]);
        quoting["quote"] = posted["uri"].clone();
        peer.put("/notes/3", quoting.clone());
        peer.send(&eve, &server, &request("3", quoting["id"].clone())).await;
        assert!(exists(&server, quoting["id"].as_str().unwrap()).await);
    }

    async fn a_deletion_that_was_interrupted_is_finished(server, peer, bob) {
        let eve = peer.somebody("eve");
        let note = peer.note(&eve, ("1", "hello"), &[&local_uri(&server, &bob)]);
        peer.send(&eve, &server, &peer.activity(&eve, ("Create", "1"), note.clone())).await;
        let known = domain::accounts::remote::by_uri(&server.db().read().await.unwrap(), &eve.uri).await.unwrap().unwrap();
        // As it is when the program ends after the first step.
        let tx = server.db().begin().await.unwrap();
        let arrival = format!("{}#delete", eve.uri);
        let body = peer.activity(&eve, ("Delete", "2"), json!(eve.uri)).to_string();
        tx.exec("UPDATE accounts SET suspended_at = $2 WHERE id = $1", &[&known.id, &tx.now]).await.unwrap();
        tx.commit().await.unwrap();
        domain::arrivals::take(server.db(), &known, (&arrival, &body)).await.unwrap();
        server.settle().await;
        assert!(!author(&server, &eve.uri).await && !exists(&server, note["id"].as_str().unwrap()).await);
    }
}
