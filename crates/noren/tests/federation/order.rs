//! What arrives in another order than it happened, twice, or at once.

use crate::peer::{Peer, Somebody, followed, local_uri, with_a_peer};
use crate::{find, home, id, notifications, post_as, relationship, search, text};
use futures_util::future::join_all;
use serde_json::{Value, json};
use testkit::TestServer;

fn now() -> Value {
    json!(jiff::Timestamp::now().to_string())
}

/// All of them at the same time; each must be taken.
async fn send_together(peer: &Peer, (who, to): (&Somebody, &TestServer), all: &[Value]) {
    let signed: Vec<_> = all.iter().map(|body| peer.sign(who, to, body)).collect();
    let sent = join_all(signed.iter().map(|request| peer.post(request, |_, _| {}))).await;
    assert!(sent.iter().all(|status| *status == 202), "{sent:?}");
    to.settle().await;
}

with_a_peer! {
    async fn an_edit_comes_before_what_it_edits(server, peer, bob) {
        let ann = peer.somebody("ann");
        let note = peer.note(&ann, ("1", "first"), &[&local_uri(&server, &bob)]);
        let mut edited = note.clone();
        (edited["content"], edited["updated"]) = (json!("second"), now());
        peer.send(&ann, &server, &peer.activity(&ann, ("Update", "2"), edited)).await;
        peer.send(&ann, &server, &peer.activity(&ann, ("Create", "1"), note.clone())).await;
        let seen = search(&bob, note["id"].as_str().unwrap()).await;
        assert_eq!(text(&seen["statuses"][0]), "second");
        // What is old and never came is no news by an edit.
        let mut old = peer.note(&ann, ("3", "long ago"), &[&local_uri(&server, &bob)]);
        (old["published"], old["updated"]) = (json!("2026-01-01T00:00:00Z"), now());
        peer.send(&ann, &server, &peer.activity(&ann, ("Update", "3"), old.clone())).await;
        assert_eq!(search(&bob, old["id"].as_str().unwrap()).await["statuses"], json!([]));
    }

    async fn edits_come_in_the_wrong_order(server, peer, bob) {
        let ann = peer.somebody("ann");
        let note = peer.note(&ann, ("1", "first"), &[&local_uri(&server, &bob)]);
        peer.send(&ann, &server, &peer.activity(&ann, ("Create", "1"), note.clone())).await;
        let (earlier, later) = (now(), json!((jiff::Timestamp::now() + jiff::SignedDuration::from_millis(500)).to_string()));
        for (name, words, at) in [("2", "third", later), ("3", "second", earlier)] {
            let mut edited = note.clone();
            (edited["content"], edited["updated"]) = (json!(words), at);
            peer.send(&ann, &server, &peer.activity(&ann, ("Update", name), edited)).await;
        }
        let seen = search(&bob, note["id"].as_str().unwrap()).await;
        assert_eq!(text(&seen["statuses"][0]), "third");
    }

    async fn what_is_taken_back_early_does_not_come(server, peer, bob) {
        let ann = peer.somebody("ann");
        let here = local_uri(&server, &bob);
        let mine = post_as(&bob, "mine", "public").await;
        followed(&server, &peer, &bob, (&ann, "ann")).await;
        for (name, verb, object) in [
            ("1", "Like", mine["uri"].clone()),
            ("2", "Announce", mine["uri"].clone()),
            ("3", "Follow", json!(here)),
            ("4", "Block", json!(here)),
        ] {
            let act = peer.activity(&ann, (verb, name), object);
            peer.send(&ann, &server, &peer.activity(&ann, ("Undo", &format!("undo-{name}")), act.clone())).await;
            peer.send(&ann, &server, &act).await;
        }
        let seen = bob.get(&format!("/api/v1/statuses/{}", id(&mine)), ()).await.ok();
        assert_eq!((&seen["favourites_count"], &seen["reblogs_count"]), (&json!(0), &json!(0)));
        let ann_here = find(&bob, &format!("ann@{}", peer.host())).await;
        let seen = relationship(&bob, id(&ann_here)).await;
        assert_eq!((&seen["followed_by"], &seen["blocked_by"], &seen["following"]), (&json!(false), &json!(false), &json!(true)));
        assert_eq!(notifications(&bob).await, []);
        // Another time it counts, also under the same name.
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        peer.send(&ann, &server, &peer.activity(&ann, ("Follow", "3"), json!(here))).await;
        peer.send(&ann, &server, &peer.activity(&ann, ("Like", "5"), mine["uri"].clone())).await;
        assert_eq!(relationship(&bob, id(&ann_here)).await["followed_by"], true);
        assert_eq!(bob.get(&format!("/api/v1/statuses/{}", id(&mine)), ()).await.ok()["favourites_count"], 1);
    }

    async fn what_is_taken_back_may_be_named_only(server, peer, bob) {
        let (ann, mallory) = (peer.somebody("ann"), Peer::start().await);
        let eve = mallory.somebody("eve");
        let here = local_uri(&server, &bob);
        let mine = post_as(&bob, "mine", "public").await;
        let follow = peer.activity(&ann, ("Follow", "1"), json!(here));
        let boost = peer.activity(&ann, ("Announce", "2"), mine["uri"].clone());
        for act in [&follow, &boost] {
            peer.send(&ann, &server, act).await;
        }
        let ann_here = find(&bob, &format!("ann@{}", peer.host())).await;
        let boosts = async || bob.get(&format!("/api/v1/statuses/{}", id(&mine)), ()).await.ok()["reblogs_count"].clone();
        assert_eq!((&relationship(&bob, id(&ann_here)).await["followed_by"], boosts().await), (&json!(true), json!(1)));
        // Not by others, and nobody takes away a name of others by it.
        let note = peer.note(&ann, ("9", "to come"), &[&here]);
        for (name, object) in [("a", &follow["id"]), ("b", &boost["id"]), ("c", &note["id"]), ("d", &mine["uri"])] {
            mallory.send(&eve, &server, &mallory.activity(&eve, ("Undo", name), object.clone())).await;
        }
        let mut whole = mallory.activity(&eve, ("Announce", "e"), mine["uri"].clone());
        whole["id"] = note["id"].clone();
        mallory.send(&eve, &server, &mallory.activity(&eve, ("Undo", "f"), whole)).await;
        assert_eq!((&relationship(&bob, id(&ann_here)).await["followed_by"], boosts().await), (&json!(true), json!(1)));
        peer.send(&ann, &server, &peer.activity(&ann, ("Create", "9"), note.clone())).await;
        assert_eq!(text(&search(&bob, note["id"].as_str().unwrap()).await["statuses"][0]), "to come");
        for (name, object) in [("x", &follow["id"]), ("y", &boost["id"])] {
            peer.send(&ann, &server, &peer.activity(&ann, ("Undo", name), object.clone())).await;
        }
        assert_eq!((&relationship(&bob, id(&ann_here)).await["followed_by"], boosts().await), (&json!(false), json!(0)));
    }

    async fn an_answer_names_the_wish_or_shows_it(server, peer, bob) {
        let ann = peer.somebody("ann");
        let there = find(&bob, &format!("ann@{}", peer.host())).await;
        bob.post(&format!("/api/v1/accounts/{}/follow", id(&there)), ()).await.ok();
        server.settle().await;
        // Under a name that nobody knows, but shown: as when the answer overtakes the writing down.
        let mut asked = peer.last("Follow");
        asked["id"] = json!(format!("{}#follows/unknown", local_uri(&server, &bob)));
        peer.send(&ann, &server, &peer.activity(&ann, ("Accept", "1"), asked["id"].clone())).await;
        assert_eq!(relationship(&bob, id(&there)).await["following"], false);
        peer.send(&ann, &server, &peer.activity(&ann, ("Accept", "2"), asked)).await;
        assert_eq!(relationship(&bob, id(&there)).await["following"], true);
        // Who was not asked cannot agree.
        let other = peer.somebody("other");
        let other_here = find(&bob, &format!("other@{}", peer.host())).await;
        let never = json!({ "id": format!("{}#follows/2", local_uri(&server, &bob)), "type": "Follow",
            "actor": local_uri(&server, &bob), "object": other.uri });
        peer.send(&other, &server, &peer.activity(&other, ("Accept", "3"), never)).await;
        assert_eq!(relationship(&bob, id(&other_here)).await["following"], false);
    }

    async fn a_boost_comes_before_what_it_boosts(server, peer, bob) {
        let other = Peer::start().await;
        let (ann, vic) = (peer.somebody("ann"), other.somebody("vic"));
        followed(&server, &peer, &bob, (&ann, "ann")).await;
        let note = other.note(&vic, ("1", "worth it"), &[]);
        other.put("/notes/1", note.clone());
        peer.send(&ann, &server, &peer.activity(&ann, ("Announce", "1"), note["id"].clone())).await;
        let seen = home(&bob).await;
        assert_eq!((seen.len(), text(&seen[0]["reblog"])), (1, "worth it".to_owned()));
        // What is not there is not boosted, and what is for few is not either.
        let mut quiet = other.note(&vic, ("2", "for few"), &[]);
        (quiet["to"], quiet["cc"]) = (json!([format!("{}/followers", vic.uri)]), json!([]));
        other.put("/notes/2", quiet.clone());
        for (name, uri) in [("2", quiet["id"].clone()), ("3", json!(format!("{}/notes/3", other.base)))] {
            peer.send(&ann, &server, &peer.activity(&ann, ("Announce", name), uri)).await;
        }
        assert_eq!(home(&bob).await.len(), 1);
    }

    async fn the_same_post_comes_many_times_at_once(server, peer, bob) {
        let ann = peer.somebody("ann");
        followed(&server, &peer, &bob, (&ann, "ann")).await;
        let here = local_uri(&server, &bob);
        let mut note = peer.note(&ann, ("1", "once"), &[&here]);
        note["tag"] = json!([{ "type": "Mention", "href": here, "name": "@bob" }]);
        let all: Vec<Value> = (0..8).map(|n| peer.activity(&ann, ("Create", &format!("c{n}")), note.clone())).collect();
        send_together(&peer, (&ann, &server), &all).await;
        assert_eq!(home(&bob).await.len(), 1);
        assert_eq!(notifications(&bob).await.len(), 1);
        let shown = bob.get(&format!("/api/v1/accounts/{}", id(&find(&bob, &format!("ann@{}", peer.host())).await)), ()).await.ok();
        assert_eq!(shown["statuses_count"], 1);
    }

    async fn a_profile_changes_many_times_at_once(server, peer, bob) {
        let ann = peer.somebody("ann");
        let there = find(&bob, &format!("ann@{}", peer.host())).await;
        let change = |n: usize| {
            let mut actor = peer.actor("ann", &ann);
            actor["name"] = json!(format!("Ann {n}"));
            peer.activity(&ann, ("Update", &format!("u{n}")), actor)
        };
        let all: Vec<Value> = (0..8).map(change).collect();
        send_together(&peer, (&ann, &server), &all).await;
        let seen = bob.get(&format!("/api/v1/accounts/{}", id(&there)), ()).await.ok();
        assert!(seen["display_name"].as_str().unwrap().starts_with("Ann "), "{seen}");
        // Another name is hers when her server says so, and not before.
        let mut renamed = peer.actor("anna", &ann);
        renamed["name"] = json!("Anna");
        peer.put("/users/ann", renamed.clone());
        peer.send(&ann, &server, &peer.activity(&ann, ("Update", "r1"), renamed.clone())).await;
        let shown = async || bob.get(&format!("/api/v1/accounts/{}", id(&there)), ()).await.ok()["username"].clone();
        assert_eq!(shown().await, "ann");
        let port = peer.host().trim_start_matches("localhost:");
        peer.put(
            &format!("/.well-known/webfinger?resource=acct%3Aanna%40localhost%3A{port}"),
            json!({
                "subject": format!("acct:anna@{}", peer.host()),
                "links": [{ "rel": "self", "type": "application/activity+json", "href": ann.uri }],
            }),
        );
        peer.send(&ann, &server, &peer.activity(&ann, ("Update", "r2"), renamed)).await;
        assert_eq!(shown().await, "anna");
    }

    async fn a_boost_whose_name_is_taken_is_none(server, peer, bob) {
        let eve = peer.somebody("eve");
        followed(&server, &peer, &bob, (&eve, "eve")).await;
        let mine = post_as(&bob, "mine", "public").await;
        let note = peer.note(&eve, ("1", "hers"), &[]);
        peer.send(&eve, &server, &peer.activity(&eve, ("Create", "1"), note.clone())).await;
        let mut boost = peer.activity(&eve, ("Announce", "2"), mine["uri"].clone());
        boost["id"] = note["id"].clone();
        // It is dropped: to try again would not help.
        peer.send(&eve, &server, &boost).await;
        let boosted = bob.get(&format!("/api/v1/statuses/{}", id(&mine)), ()).await.ok();
        assert_eq!((&boosted["reblogs_count"], text(&home(&bob).await[0])), (&json!(0), "hers".to_owned()));
    }

    async fn several_activities_come_as_one(server, peer, bob) {
        let (ann, other) = (peer.somebody("ann"), peer.somebody("other"));
        let here = local_uri(&server, &bob);
        let notes: Vec<Value> = (0..3).map(|n| peer.note(&ann, (&n.to_string(), &format!("number {n}")), &[&here])).collect();
        let mut items: Vec<Value> = (0..).zip(&notes).map(|(n, note)| peer.activity(&ann, ("Create", &format!("c{n}")), note.clone())).collect();
        items.push(peer.activity(&other, ("Create", "forged"), peer.note(&other, ("forged", "x"), &[&here])));
        items.push(json!("https://b.example/activities/1"));
        let several = json!({ "@context": "https://www.w3.org/ns/activitystreams", "type": "OrderedCollection", "orderedItems": items });
        peer.send(&ann, &server, &several).await;
        peer.send(&ann, &server, &items[0]).await;
        for note in &notes {
            assert_eq!(search(&bob, note["id"].as_str().unwrap()).await["statuses"].as_array().unwrap().len(), 1);
        }
        let forged = format!("{}/notes/forged", peer.base);
        assert_eq!(search(&bob, &forged).await["statuses"], json!([]));
        let unsigned = peer.sign(&other, &server, &several);
        assert_eq!(peer.post(&unsigned, |headers, _| { headers.remove("signature"); }).await, 401);
    }

    async fn what_is_only_named_is_kept_where_it_is_wanted(server, peer, bob) {
        let (ann, stranger, other) = (peer.somebody("ann"), peer.somebody("stranger"), Peer::start().await);
        let vic = other.somebody("vic");
        followed(&server, &peer, &bob, (&ann, "ann")).await;
        let mut sent = 0;
        for (verb, n) in [("Create", 1), ("Update", 2)] {
            for (host, who, sender) in [(&peer, &ann, &ann), (&peer, &stranger, &stranger), (&other, &vic, &ann)] {
                sent += 1;
                let note = host.note(who, (&format!("{n}{sent}"), verb), &[]);
                host.put(&format!("/notes/{n}{sent}"), note.clone());
                peer.send(sender, &server, &peer.activity(sender, (verb, &format!("c{sent}")), note["id"].clone())).await;
            }
        }
        let seen: Vec<String> = home(&bob).await.iter().map(text).collect();
        assert_eq!(seen, ["Update", "Create"]);
        let all = bob.get("/api/v1/timelines/public", [("remote", "true")]).await.ok();
        assert_eq!(all.as_array().unwrap().len(), 2, "{all}");
    }

    async fn what_is_for_followers_is_boosted_by_its_author_alone(server, peer, bob) {
        let (ann, eve) = (peer.somebody("ann"), peer.somebody("eve"));
        for (who, name) in [(&ann, "ann"), (&eve, "eve")] {
            followed(&server, &peer, &bob, (who, name)).await;
        }
        let mut note = peer.note(&ann, ("1", "for friends"), &[]);
        (note["to"], note["cc"]) = (json!([format!("{}/followers", ann.uri)]), json!([]));
        for (who, name) in [(&eve, "1"), (&ann, "2")] {
            let mut boost = peer.activity(who, ("Announce", name), note.clone());
            boost["to"] = json!([format!("{}/followers", who.uri)]);
            peer.send(who, &server, &boost).await;
        }
        let seen = home(&bob).await;
        let boosts: Vec<&Value> = seen.iter().filter(|s| s["reblog"].is_object()).collect();
        assert_eq!((boosts.len(), &boosts[0]["account"]["username"]), (1, &json!("ann")));
        assert_eq!(boosts[0]["reblog"]["visibility"], "private");
    }

    async fn a_poll_with_other_options_begins_anew(server, peer, bob) {
        let ann = peer.somebody("ann");
        followed(&server, &peer, &bob, (&ann, "ann")).await;
        let option = |name: &str, votes: u32| json!({ "type": "Note", "name": name, "replies": { "type": "Collection", "totalItems": votes } });
        let mut note = peer.note(&ann, ("1", "tea?"), &[]);
        (note["type"], note["endTime"]) = (json!("Question"), json!("2099-01-01T00:00:00Z"));
        note["oneOf"] = json!([option("yes", 1), option("no", 2)]);
        peer.send(&ann, &server, &peer.activity(&ann, ("Create", "1"), note.clone())).await;
        let seen = async || {
            let poll = home(&bob).await[0]["poll"].clone();
            let options = poll["options"].as_array().unwrap();
            options.iter().map(|o| (o["title"].as_str().unwrap().to_owned(), o["votes_count"].clone())).collect::<Vec<_>>()
        };
        let is = |names: [(&str, u32); 2]| names.map(|(name, votes)| (name.to_owned(), json!(votes))).to_vec();
        // Numbers come without being an edit; other options do not.
        note["oneOf"] = json!([option("yes", 3), option("no", 2)]);
        peer.send(&ann, &server, &peer.activity(&ann, ("Update", "2"), note.clone())).await;
        assert_eq!(seen().await, is([("yes", 3), ("no", 2)]));
        note["oneOf"] = json!([option("never", 9), option("no", 9)]);
        peer.send(&ann, &server, &peer.activity(&ann, ("Update", "3"), note.clone())).await;
        assert_eq!(seen().await, is([("yes", 3), ("no", 2)]));
        note["updated"] = now();
        note["oneOf"] = json!([option("always", 0), option("no", 0)]);
        peer.send(&ann, &server, &peer.activity(&ann, ("Update", "4"), note.clone())).await;
        assert_eq!(seen().await, is([("always", 0), ("no", 0)]));
        assert!(home(&bob).await[0]["edited_at"].is_string());
    }

    async fn votes_count_once_and_for_what_is_there(server, peer, bob) {
        let ann = peer.somebody("ann");
        let poll = json!({ "status": "tea?", "poll": { "options": ["yes", "no"], "expires_in": 3600 } });
        let mine = bob.post("/api/v1/statuses", poll).await.ok();
        let vote = |n: u8, name: &str| json!({
            "id": format!("{}/votes/{n}", peer.base), "type": "Note", "name": name, "attributedTo": ann.uri,
            "inReplyTo": mine["uri"], "to": [local_uri(&server, &bob)],
        });
        let seen = async || {
            let poll = bob.get(&format!("/api/v1/polls/{}", id(&mine["poll"])), ()).await.ok();
            (poll["options"][0]["votes_count"].clone(), poll["options"][1]["votes_count"].clone())
        };
        peer.send(&ann, &server, &peer.activity(&ann, ("Create", "1"), vote(1, "maybe"))).await;
        assert_eq!(seen().await, (json!(0), json!(0)));
        // GoToSocial sends all of them at once; where only one counts, it is the first.
        peer.send(&ann, &server, &peer.activity(&ann, ("Create", "2"), json!([vote(2, "yes"), vote(3, "no")]))).await;
        peer.send(&ann, &server, &peer.activity(&ann, ("Create", "3"), vote(4, "no"))).await;
        assert_eq!(seen().await, (json!(1), json!(0)));
        let shown = bob.get(&format!("/api/v1/statuses/{}", id(&mine)), ()).await.ok();
        assert_eq!((&shown["replies_count"], notifications(&bob).await.len()), (&json!(0), 0));
    }

    async fn who_is_blocked_is_told_that_they_may_not_follow(server, peer, bob) {
        let ann = peer.somebody("ann");
        let there = find(&bob, &format!("ann@{}", peer.host())).await;
        bob.post(&format!("/api/v1/accounts/{}/block", id(&there)), ()).await.ok();
        server.settle().await;
        let follow = peer.activity(&ann, ("Follow", "1"), json!(local_uri(&server, &bob)));
        peer.send(&ann, &server, &follow).await;
        assert_eq!((&peer.last("Reject")["object"]["id"], peer.told("Accept").len()), (&follow["id"], 0));
        assert_eq!(relationship(&bob, id(&there)).await["followed_by"], false);
    }
}
