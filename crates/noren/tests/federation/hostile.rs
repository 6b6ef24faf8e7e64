//! What a server must not be talked into.

use crate::peer::{Peer, local_uri, with_a_peer};
use crate::{find, home, id, notifications, relationship, search, text};
use reqwest::header::HeaderValue;
use serde_json::{Value, json};
use testkit::Person;

/// What `who` finds under a name that is known by now, without asking anybody.
async fn known(who: &Person, uri: &str) -> Value {
    let found = who.get("/api/v2/search", [("q", uri), ("resolve", "true")]).await.ok();
    found["statuses"][0].clone()
}

with_a_peer! {
    async fn requests_must_be_signed_whole_and_now(server, peer, bob) {
        let mallory = peer.somebody("mallory");
        let note = peer.note(&mallory, ("1", "hello"), &[&local_uri(&server, &bob)]);
        let create = peer.activity(&mallory, ("Create", "1"), note);
        let signed = peer.sign(&mallory, &server, &create);
        let unsigned = peer.post(&signed, |headers, _| { headers.remove("signature"); }).await;
        assert_eq!(unsigned, 401);
        let other_body = peer.post(&signed, |_, body| { body.push(b' '); }).await;
        assert_eq!(other_body, 401);
        let other_date = peer.post(&signed, |headers, _| {
            headers.insert("date", HeaderValue::from_static("Thu, 01 Jan 2026 00:00:00 GMT"));
        }).await;
        assert_eq!(other_date, 401);
        assert_eq!(peer.post(&signed, |_, body| *body = b"{".to_vec()).await, 400);
        assert_eq!(peer.post(&signed, |_, body| *body = b"[]".to_vec()).await, 400);
        assert_eq!(peer.post(&signed, |_, body| *body = vec![b' '; 2 << 20]).await, 413);
        // Another's key.
        let trent = peer.somebody("trent");
        let wrong = peer.sign(&crate::peer::Somebody { uri: mallory.uri.clone(), key: trent.key }, &server, &create);
        assert_eq!(peer.post(&wrong, |_, _| {}).await, 401);
        assert_eq!(peer.post(&signed, |_, _| {}).await, 202);
        server.settle().await;
        assert_eq!(notifications(&bob).await.len(), 0, "named in cc, but no mention");
    }

    async fn nobody_speaks_for_others(server, peer, bob) {
        let other = Peer::start().await;
        let (mallory, victim) = (peer.somebody("mallory"), other.somebody("victim"));
        let here = local_uri(&server, &bob);
        // Somebody else's activity, with one's own signature: asked for where it is from, and not there.
        let forged = other.note(&victim, ("1", "I never said this"), &[&here]);
        let create = other.activity(&victim, ("Create", "1"), forged.clone());
        peer.send(&mallory, &server, &create).await;
        assert_eq!(known(&bob, forged["id"].as_str().unwrap()).await, Value::Null);
        // One's own activity about somebody else's words.
        let create = peer.activity(&mallory, ("Create", "2"), forged.clone());
        peer.send(&mallory, &server, &create).await;
        let mut odd = peer.note(&mallory, ("3", "said by bob"), &[&here]);
        odd["attributedTo"] = json!(here);
        let create = peer.activity(&mallory, ("Create", "3"), odd.clone());
        peer.send(&mallory, &server, &create).await;
        assert_eq!(known(&bob, odd["id"].as_str().unwrap()).await, Value::Null);
        // A name on another's server.
        let mut create = peer.activity(&mallory, ("Create", "4"), peer.note(&mallory, ("4", "x"), &[&here]));
        create["id"] = json!(format!("{}/activities/4", other.base));
        let signed = peer.sign(&mallory, &server, &create);
        assert_eq!(peer.post(&signed, |_, _| {}).await, 400);
        assert_eq!(home(&bob).await.len(), 0);
    }

    async fn nobody_edits_or_deletes_what_others_wrote(server, peer, bob) {
        let (victim, mallory) = (peer.somebody("victim"), peer.somebody("mallory"));
        let here = local_uri(&server, &bob);
        let note = peer.note(&victim, ("1", "the truth"), &[&here]);
        peer.put("/notes/1", note.clone());
        peer.send(&victim, &server, &peer.activity(&victim, ("Create", "1"), note.clone())).await;
        let uri = note["id"].as_str().unwrap();
        let mut lie = note.clone();
        (lie["content"], lie["updated"]) = (json!("a lie"), json!(jiff::Timestamp::now().to_string()));
        peer.send(&mallory, &server, &peer.activity(&mallory, ("Update", "2"), lie.clone())).await;
        lie["attributedTo"] = json!(mallory.uri);
        peer.send(&mallory, &server, &peer.activity(&mallory, ("Update", "3"), lie)).await;
        for (name, object) in [("4", json!(uri)), ("5", json!({ "id": uri, "type": "Tombstone" })), ("6", json!(victim.uri))] {
            peer.send(&mallory, &server, &peer.activity(&mallory, ("Delete", name), object)).await;
        }
        assert_eq!(text(&known(&bob, uri).await), "the truth");
        // A local post is nobody's elsewhere.
        let mine = crate::post_as(&bob, "mine", "public").await;
        peer.send(&mallory, &server, &peer.activity(&mallory, ("Delete", "7"), mine["uri"].clone())).await;
        assert_eq!(bob.get(&format!("/api/v1/statuses/{}", id(&mine)), ()).await.status, 200);
        // The author may.
        peer.send(&victim, &server, &peer.activity(&victim, ("Delete", "8"), json!({ "id": uri, "type": "Tombstone" }))).await;
        assert_eq!(known(&bob, uri).await, Value::Null);
    }

    async fn nobody_takes_the_name_of_what_others_will_say(server, peer, bob) {
        let (victim, mallory) = (peer.somebody("victim"), peer.somebody("mallory"));
        let note = peer.note(&victim, ("1", "soon gone"), &[&local_uri(&server, &bob)]);
        peer.put("/notes/1", note.clone());
        find(&bob, &format!("victim@{}", peer.host())).await;
        let uri = note["id"].as_str().unwrap();
        assert_eq!(text(&search(&bob, uri).await["statuses"][0]), "soon gone");
        // The names of deletions can be guessed. It is said before the author says it, and is not true yet.
        let delete = peer.activity(&victim, ("Delete", "1-delete"), note["id"].clone());
        peer.send(&mallory, &server, &delete).await;
        assert_eq!(text(&known(&bob, uri).await), "soon gone");
        peer.send(&victim, &server, &delete).await;
        assert_eq!(known(&bob, uri).await, Value::Null);
    }

    async fn what_was_deleted_early_stays_away(server, peer, bob) {
        let victim = peer.somebody("victim");
        let note = peer.note(&victim, ("1", "too late"), &[&local_uri(&server, &bob)]);
        // Known, so that the deletion is looked at.
        find(&bob, &format!("victim@{}", peer.host())).await;
        peer.send(&victim, &server, &peer.activity(&victim, ("Delete", "1"), note["id"].clone())).await;
        peer.send(&victim, &server, &peer.activity(&victim, ("Create", "2"), note.clone())).await;
        peer.put("/notes/1", note.clone());
        assert_eq!(search(&bob, note["id"].as_str().unwrap()).await["statuses"], json!([]));
    }

    async fn nobody_deletes_early_what_is_elsewhere(server, peer, bob) {
        let (victim, other) = (peer.somebody("victim"), Peer::start().await);
        let mallory = other.somebody("mallory");
        find(&bob, &format!("mallory@{}", other.host())).await;
        let note = peer.note(&victim, ("1", "still here"), &[&local_uri(&server, &bob)]);
        other.send(&mallory, &server, &other.activity(&mallory, ("Delete", "1"), note["id"].clone())).await;
        peer.put("/notes/1", note.clone());
        peer.send(&victim, &server, &peer.activity(&victim, ("Create", "2"), note.clone())).await;
        assert_eq!(text(&known(&bob, note["id"].as_str().unwrap()).await), "still here");
    }

    async fn the_same_request_is_taken_once(server, peer, bob) {
        let eve = peer.somebody("eve");
        let follow = peer.activity(&eve, ("Follow", "1"), json!(local_uri(&server, &bob)));
        let captured = peer.sign(&eve, &server, &follow);
        assert_eq!(peer.post(&captured, |_, _| {}).await, 202);
        server.settle().await;
        let count = async || bob.get(&format!("/api/v1/accounts/{}", bob.account), ()).await.ok()["followers_count"].clone();
        assert_eq!(count().await, 1);
        peer.send(&eve, &server, &peer.activity(&eve, ("Undo", "2"), follow.clone())).await;
        assert_eq!(count().await, 0);
        assert_eq!(peer.post(&captured, |_, _| {}).await, 202);
        server.settle().await;
        assert_eq!(count().await, 0);
        // Whoever means it again signs again, under whatever name, at another time: signatures know seconds.
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        peer.send(&eve, &server, &follow).await;
        assert_eq!(count().await, 1);
        let answers = peer.received.lock().unwrap().iter().filter(|a| a["type"] == "Accept").count();
        assert_eq!(answers, 2);
    }

    async fn what_is_for_followers_is_served_to_them_alone(server, peer, bob) {
        let (friend, stranger) = (peer.somebody("friend"), peer.somebody("stranger"));
        peer.send(&friend, &server, &peer.activity(&friend, ("Follow", "1"), json!(local_uri(&server, &bob)))).await;
        let posted = crate::post_as(&bob, "for friends", "private").await;
        server.settle().await;
        let uri = posted["uri"].as_str().unwrap();
        for address in [uri.to_owned(), format!("{uri}/activity")] {
            let (status, headers, document) = peer.get(&friend, &address).await;
            assert_eq!(status, 200);
            assert!(headers["cache-control"].to_str().unwrap().contains("no-store"));
            assert!(document.to_string().contains("for friends"));
            assert_eq!(peer.get(&stranger, &address).await.0, 404);
        }
        // It was told to the friend's server as it must be: followers in `to`, or others would take it for a message.
        let told = peer.received.lock().unwrap().iter().find(|a| a["type"] == "Create").cloned().unwrap();
        let followers = format!("{}/followers", local_uri(&server, &bob));
        assert_eq!((&told["to"], &told["object"]["to"]), (&json!([followers]), &json!([followers])));
        // Blocked, it is theirs no more.
        let there = find(&bob, &format!("friend@{}", peer.host())).await;
        bob.post(&format!("/api/v1/accounts/{}/block", id(&there)), ()).await.ok();
        server.settle().await;
        assert_eq!(peer.get(&friend, uri).await.0, 404);
    }

    async fn nobody_answers_for_others(server, peer, bob) {
        let (victim, mallory) = (peer.somebody("victim"), peer.somebody("mallory"));
        let there = find(&bob, &format!("victim@{}", peer.host())).await;
        bob.post(&format!("/api/v1/accounts/{}/follow", id(&there)), ()).await.ok();
        server.settle().await;
        let asked = peer.received.lock().unwrap().iter().find(|a| a["type"] == "Follow").cloned().unwrap();
        assert_eq!(asked["object"], victim.uri);
        peer.send(&mallory, &server, &peer.activity(&mallory, ("Accept", "1"), asked.clone())).await;
        peer.send(&mallory, &server, &peer.activity(&mallory, ("Accept", "2"), asked["id"].clone())).await;
        assert_eq!(relationship(&bob, id(&there)).await["following"], false);
        peer.send(&victim, &server, &peer.activity(&victim, ("Accept", "3"), asked["id"].clone())).await;
        assert_eq!(relationship(&bob, id(&there)).await["following"], true);
        peer.send(&mallory, &server, &peer.activity(&mallory, ("Reject", "4"), asked.clone())).await;
        assert_eq!(relationship(&bob, id(&there)).await["following"], true);
        peer.send(&victim, &server, &peer.activity(&victim, ("Reject", "5"), asked)).await;
        assert_eq!(relationship(&bob, id(&there)).await["following"], false);
    }

    async fn nobody_pins_on_the_profiles_of_others(server, peer, bob) {
        let (victim, mallory) = (peer.somebody("victim"), peer.somebody("mallory"));
        let featured = format!("{}/featured", victim.uri);
        peer.shows(&victim, "victim", json!({ "featured": featured }));
        let note = peer.note(&victim, ("1", "pin me not"), &[&local_uri(&server, &bob)]);
        peer.send(&victim, &server, &peer.activity(&victim, ("Create", "1"), note.clone())).await;
        let there = find(&bob, &format!("victim@{}", peer.host())).await;
        let pinned = async || {
            let path = format!("/api/v1/accounts/{}/statuses", id(&there));
            bob.get(&path, [("pinned", "true")]).await.ok().as_array().unwrap().len()
        };
        let change = |who: &crate::peer::Somebody, verb: &str, name: &str| {
            let mut change = peer.activity(who, (verb, name), note["id"].clone());
            change["target"] = json!(featured);
            change
        };
        peer.send(&mallory, &server, &change(&mallory, "Add", "2")).await;
        assert_eq!(pinned().await, 0);
        // A list of another kind.
        let mut elsewhere = change(&victim, "Add", "5");
        elsewhere["target"] = json!(format!("{}/moderators", victim.uri));
        peer.send(&victim, &server, &elsewhere).await;
        assert_eq!(pinned().await, 0);
        peer.send(&victim, &server, &change(&victim, "Add", "3")).await;
        assert_eq!(pinned().await, 1);
        peer.send(&mallory, &server, &change(&mallory, "Remove", "4")).await;
        assert_eq!(pinned().await, 1);
    }

    async fn nobody_takes_a_name_of_ours(server, peer, bob) {
        let mallory = peer.somebody("mallory");
        let mut actor = peer.actor("bob", &mallory);
        actor["webfinger"] = json!(server.handle("bob"));
        peer.put("/users/mallory", actor);
        assert_eq!(search(&bob, &mallory.uri).await["accounts"], json!([]));
        // Nor another name than the one its own server confirms.
        let mut actor = peer.actor("admin", &mallory);
        peer.put("/users/mallory", actor.clone());
        assert_eq!(search(&bob, &mallory.uri).await["accounts"], json!([]));
        actor["preferredUsername"] = json!("mallory");
        peer.put("/users/mallory", actor);
        assert_eq!(search(&bob, &mallory.uri).await["accounts"][0]["username"], "mallory");
    }

    async fn strangers_markup_is_tamed(server, peer, bob) {
        let mallory = peer.somebody("mallory");
        let evil = "<p onclick=\"x()\">hi<script>alert(1)</script><img src=x onerror=y><a href=\"javascript:z\">z</a></p>";
        let note = peer.note(&mallory, ("1", evil), &[&local_uri(&server, &bob)]);
        peer.send(&mallory, &server, &peer.activity(&mallory, ("Create", "1"), note.clone())).await;
        let seen = known(&bob, note["id"].as_str().unwrap()).await;
        let html = seen["content"].as_str().unwrap();
        for bad in ["script", "onclick", "onerror", "javascript", "<img"] {
            assert!(!html.contains(bad), "{html}");
        }
        assert_eq!(text(&seen), "hiz");
    }

    async fn what_concerns_nobody_here_is_not_kept(server, peer, bob) {
        let stranger = peer.somebody("stranger");
        let note = peer.note(&stranger, ("1", "buy this"), &[]);
        peer.send(&stranger, &server, &peer.activity(&stranger, ("Create", "1"), note.clone())).await;
        assert_eq!(known(&bob, note["id"].as_str().unwrap()).await, Value::Null);
        // The end of somebody who was never here: no questions asked.
        let gone = peer.somebody("gone");
        peer.put("/users/gone", json!({}));
        let delete = peer.activity(&gone, ("Delete", "2"), json!(gone.uri));
        peer.send(&gone, &server, &delete).await;
    }

    async fn a_mention_tells_only_whom_it_is_addressed_to(server, peer, bob) {
        let (friend, here) = (peer.somebody("friend"), local_uri(&server, &bob));
        let mention = json!([{ "type": "Mention", "href": here, "name": "@bob" }]);
        let mut quiet = peer.note(&friend, ("1", "not for bob"), &[]);
        quiet["tag"] = mention.clone();
        peer.send(&friend, &server, &peer.activity(&friend, ("Create", "1"), quiet)).await;
        assert_eq!(notifications(&bob).await, []);
        let mut loud = peer.note(&friend, ("2", "for bob"), &[&here]);
        loud["tag"] = mention;
        peer.send(&friend, &server, &peer.activity(&friend, ("Create", "2"), loud)).await;
        assert_eq!(notifications(&bob).await, [("mention".to_owned(), format!("friend@{}", peer.host()))]);
    }
}
