//! What is taken back, by whom and under which name, and what is heard and means nothing.

use crate::peer::{Peer, Somebody, local_uri, with_a_peer};
use crate::{find, id, notifications, post_as, relationship, search};
use serde_json::{Value, json};
use testkit::{Person, TestServer};

/// (favourites, boosts, emoji) of a status.
async fn counts(bob: &Person, status: &str) -> (Value, Value, usize) {
    let seen = bob.get(&format!("/api/v1/statuses/{status}"), ()).await.ok();
    let emoji = seen["pleroma"]["emoji_reactions"].as_array().map_or(0, Vec::len);
    (seen["favourites_count"].clone(), seen["reblogs_count"].clone(), emoji)
}

fn reaction(peer: &Peer, who: &Somebody, (name, verb): (&str, &str), object: &Value) -> Value {
    let mut act = peer.activity(who, (verb, name), object.clone());
    act["content"] = json!("🍵");
    act
}

/// `who` takes something back without saying more than its name.
async fn undo(server: &TestServer, peer: &Peer, (who, name): (&Somebody, &str), uri: &Value) {
    peer.send(who, server, &peer.activity(who, ("Undo", name), uri.clone())).await;
}

with_a_peer! {
    async fn the_end_of_a_boost_is_for_whom_the_boost_was_for(server, peer, bob) {
        let ann = peer.somebody("ann");
        let note = peer.note(&ann, ("1", "boost me"), &[]);
        peer.put("/notes/1", note.clone());
        let there = search(&bob, note["id"].as_str().unwrap()).await["statuses"][0].clone();
        for visibility in ["public", "unlisted", "private"] {
            bob.post(&format!("/api/v1/statuses/{}/reblog", id(&there)), [("visibility", visibility)]).await.ok();
            server.settle().await;
            bob.post(&format!("/api/v1/statuses/{}/unreblog", id(&there)), ()).await.ok();
            server.settle().await;
            let (boost, end) = (peer.last("Announce"), peer.last("Undo"));
            assert!(boost["cc"].as_array().unwrap().contains(&json!(ann.uri)), "{boost}");
            for told in [&end, &end["object"]] {
                assert_eq!((&told["to"], &told["cc"]), (&boost["to"], &boost["cc"]), "{visibility}");
            }
        }
    }

    async fn boosts_of_somebody_who_is_gone_are_taken_back(server, peer, bob) {
        let (ann, other) = (peer.somebody("ann"), Peer::start().await);
        let fan = other.somebody("fan");
        let follow = other.activity(&fan, ("Follow", "1"), json!(local_uri(&server, &bob)));
        other.send(&fan, &server, &follow).await;
        let boosted = async |name: &str| {
            let note = peer.note(&ann, (name, name), &[]);
            peer.put(&format!("/notes/{name}"), note.clone());
            let status = search(&bob, note["id"].as_str().unwrap()).await["statuses"][0].clone();
            bob.post(&format!("/api/v1/statuses/{}/reblog", id(&status)), ()).await.ok();
            server.settle().await;
            assert_eq!(other.last("Announce")["object"], note["id"]);
            note["id"].as_str().unwrap().to_owned()
        };
        let (one, two) = (boosted("1").await, boosted("2").await);
        assert_eq!(other.told("Undo"), [] as [&str; 0]);
        // Who was told of them by us hears of their end from us: nobody else knows that they were.
        peer.send(&ann, &server, &peer.activity(&ann, ("Delete", "end"), json!(ann.uri))).await;
        let mut undone = other.told("Undo");
        undone.sort();
        assert_eq!(undone, [one, two]);
        assert_eq!(bob.get("/api/v1/accounts/verify_credentials", ()).await.ok()["statuses_count"], 0);
    }

    async fn everything_can_be_taken_back_by_its_name(server, peer, bob) {
        let (ann, neighbour, other) = (peer.somebody("ann"), peer.somebody("neighbour"), Peer::start().await);
        let eve = other.somebody("eve");
        let here = local_uri(&server, &bob);
        let (mine, second) = (post_as(&bob, "mine", "public").await, post_as(&bob, "second", "public").await);
        let acts = [
            peer.activity(&ann, ("Like", "1"), mine["uri"].clone()),
            reaction(&peer, &ann, ("2", "EmojiReact"), &second["uri"]),
            peer.activity(&ann, ("Announce", "3"), mine["uri"].clone()),
            peer.activity(&ann, ("Follow", "4"), json!(here)),
            peer.activity(&ann, ("Block", "5"), json!(here)),
        ];
        // A block parts both, so that it comes last and goes first.
        for act in &acts[..4] {
            peer.send(&ann, &server, act).await;
        }
        let there = find(&bob, &format!("ann@{}", peer.host())).await;
        let there = id(&there).to_owned();
        let all = async || {
            let (favourites, boosts, _) = counts(&bob, id(&mine)).await;
            let (_, _, emoji) = counts(&bob, id(&second)).await;
            let seen = relationship(&bob, &there).await;
            (favourites, boosts, emoji, seen["followed_by"].clone(), seen["blocked_by"].clone())
        };
        let whole = (json!(1), json!(1), 1, json!(true), json!(false));
        assert_eq!(all().await, whole);
        // Nobody takes back what others did, from next door or elsewhere.
        for (n, act) in acts[..4].iter().enumerate() {
            undo(&server, &peer, (&neighbour, &format!("n{n}")), &act["id"]).await;
            undo(&server, &other, (&eve, &format!("e{n}")), &act["id"]).await;
        }
        assert_eq!(all().await, whole);
        undo(&server, &peer, (&ann, "u1"), &acts[0]["id"]).await;
        assert_eq!(all().await, (json!(0), json!(1), 1, json!(true), json!(false)));
        // Named by an object that says no more than what it is.
        undo(&server, &peer, (&ann, "u2"), &json!({ "id": acts[1]["id"], "type": "EmojiReact" })).await;
        assert_eq!(counts(&bob, id(&second)).await, (json!(0), json!(0), 0));
        for (name, act) in [("u3", &acts[2]), ("u4", &acts[3])] {
            undo(&server, &peer, (&ann, name), &act["id"]).await;
        }
        assert_eq!(all().await, (json!(0), json!(0), 0, json!(false), json!(false)));
        peer.send(&ann, &server, &acts[4]).await;
        assert_eq!(relationship(&bob, &there).await["blocked_by"], true);
        undo(&server, &other, (&eve, "e5"), &acts[4]["id"]).await;
        assert_eq!(relationship(&bob, &there).await["blocked_by"], true);
        undo(&server, &peer, (&ann, "u5"), &acts[4]["id"]).await;
        assert_eq!(relationship(&bob, &there).await["blocked_by"], false);
    }

    async fn what_is_taken_back_by_its_name_does_not_come_afterwards(server, peer, bob) {
        let ann = peer.somebody("ann");
        let here = local_uri(&server, &bob);
        let mine = post_as(&bob, "mine", "public").await;
        let there = find(&bob, &format!("ann@{}", peer.host())).await;
        for act in [
            peer.activity(&ann, ("Like", "1"), mine["uri"].clone()),
            reaction(&peer, &ann, ("2", "EmojiReact"), &mine["uri"]),
            peer.activity(&ann, ("Announce", "3"), mine["uri"].clone()),
            peer.activity(&ann, ("Follow", "4"), json!(here)),
            peer.activity(&ann, ("Block", "5"), json!(here)),
        ] {
            let name = act["id"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
            undo(&server, &peer, (&ann, &format!("u{name}")), &act["id"]).await;
            peer.send(&ann, &server, &act).await;
        }
        assert_eq!(counts(&bob, id(&mine)).await, (json!(0), json!(0), 0));
        let seen = relationship(&bob, id(&there)).await;
        assert_eq!((&seen["followed_by"], &seen["blocked_by"]), (&json!(false), &json!(false)));
        assert_eq!(notifications(&bob).await, []);
    }

    async fn consent_to_a_follow_is_taken_back_by_its_name(server, peer, bob) {
        let ann = peer.somebody("ann");
        let there = find(&bob, &format!("ann@{}", peer.host())).await;
        bob.post(&format!("/api/v1/accounts/{}/follow", id(&there)), ()).await.ok();
        server.settle().await;
        let asked = peer.last("Follow");
        peer.send(&ann, &server, &peer.activity(&ann, ("Accept", "1"), asked["id"].clone())).await;
        assert_eq!(relationship(&bob, id(&there)).await["following"], true);
        peer.send(&ann, &server, &peer.activity(&ann, ("Reject", "2"), asked["id"].clone())).await;
        let seen = relationship(&bob, id(&there)).await;
        assert_eq!((&seen["following"], &seen["requested"]), (&json!(false), &json!(false)));
        // Nor does consenting again bring back what nobody asks for any more.
        peer.send(&ann, &server, &peer.activity(&ann, ("Accept", "3"), asked.clone())).await;
        assert_eq!(relationship(&bob, id(&there)).await["following"], false);
    }

    async fn what_means_nothing_here_is_heard(server, peer, bob) {
        let (ann, here) = (peer.somebody("ann"), local_uri(&server, &bob));
        let mine = post_as(&bob, "mine", "public").await;
        for verb in ["View", "Read", "Listen", "Arrive", "Travel", "Offer", "Invite", "Join", "Leave", "Dislike", "Bite", "Lock",
            "Ignore", "TentativeAccept", "TentativeReject", "LikeRequest", "ReplyRequest", "AnnounceRequest", "Whatever"]
        {
            peer.send(&ann, &server, &peer.activity(&ann, (verb, verb), mine["uri"].clone())).await;
            let mut bare = peer.activity(&ann, (verb, &format!("{verb}-bare")), Value::Null);
            bare["target"] = json!(here);
            let signed = peer.sign(&ann, &server, &bare);
            // What has to be about something may not be about nothing.
            let status = peer.post(&signed, |_, _| {}).await;
            assert_eq!(status, if verb == "Dislike" { 400 } else { 202 }, "{verb}");
        }
        server.settle().await;
        assert_eq!(notifications(&bob).await, []);
        assert_eq!(counts(&bob, id(&mine)).await, (json!(0), json!(0), 0));
        assert!(peer.received.lock().unwrap().is_empty());
    }

    async fn nobody_is_shown_in_lists_of_others(server, peer, bob) {
        let ann = peer.somebody("ann");
        let mut asked = peer.activity(&ann, ("FeatureRequest", "1"), json!(local_uri(&server, &bob)));
        asked["instrument"] = json!(format!("{}/collections/1", peer.base));
        peer.send(&ann, &server, &asked).await;
        let answer = peer.last("Reject");
        assert_eq!((&answer["object"]["id"], &answer["object"]["type"]), (&asked["id"], &json!("FeatureRequest")));
        assert_eq!((&answer["actor"], &answer["object"]["instrument"]), (&asked["object"], &asked["instrument"]));
        // Who reads linked data learns what it is.
        assert_eq!(answer["@context"][1]["FeatureRequest"], "https://w3id.org/fep/7aa9#FeatureRequest");
        // Of nobody; without a name by which it could be answered.
        let nobody = peer.activity(&ann, ("FeatureRequest", "2"), json!(format!("{}no", local_uri(&server, &bob))));
        let mut nameless = asked.clone();
        nameless.as_object_mut().unwrap().remove("id");
        for request in [nobody, nameless] {
            peer.send(&ann, &server, &request).await;
        }
        assert_eq!(peer.told("Reject").len(), 1);
        assert_eq!(search(&bob, &ann.uri).await["accounts"].as_array().unwrap().len(), 1);
    }

    async fn a_deletion_can_be_taken_back(server, peer, bob) {
        let (ann, mallory, here) = (peer.somebody("ann"), Peer::start().await, local_uri(&server, &bob));
        let eve = mallory.somebody("eve");
        let note = peer.note(&ann, ("1", "back again"), &[&here]);
        peer.send(&ann, &server, &peer.activity(&ann, ("Create", "1"), note.clone())).await;
        let deletion = peer.activity(&ann, ("Delete", "2"), json!({ "id": note["id"], "type": "Tombstone" }));
        peer.send(&ann, &server, &deletion).await;
        let shown = async || search(&bob, note["id"].as_str().unwrap()).await["statuses"].as_array().unwrap().len();
        assert_eq!(shown().await, 0);
        // Where it is from it is not there, or somebody else says so.
        peer.send(&ann, &server, &peer.activity(&ann, ("Undo", "3"), deletion.clone())).await;
        peer.put("/notes/1", note.clone());
        let mut forged = deletion.clone();
        forged["actor"] = json!(eve.uri);
        mallory.send(&eve, &server, &mallory.activity(&eve, ("Undo", "4"), forged)).await;
        assert_eq!(shown().await, 0);
        peer.send(&ann, &server, &peer.activity(&ann, ("Undo", "5"), deletion)).await;
        assert_eq!(shown().await, 1);
    }

    async fn the_late_end_of_an_earlier_follow_ends_no_later_one(server, peer, bob) {
        let (ann, here) = (peer.somebody("ann"), json!(local_uri(&server, &bob)));
        let there = id(&find(&bob, &format!("ann@{}", peer.host())).await).to_owned();
        let follow = |name: &str| peer.activity(&ann, ("Follow", name), here.clone());
        let follows = async || relationship(&bob, &there).await["followed_by"] == true;
        let take = async |name: &str, what: Value| peer.send(&ann, &server, &peer.activity(&ann, ("Undo", name), what)).await;
        for name in ["f1", "f2"] {
            peer.send(&ann, &server, &follow(name)).await;
        }
        // The first was given up for the second: its end says nothing about that, shown or named.
        take("u1", follow("f1")).await;
        take("u2", follow("f1")["id"].clone()).await;
        assert!(follows().await);
        // Nor does the first when it comes once more.
        peer.send(&ann, &server, &follow("f1")).await;
        take("u3", follow("f1")).await;
        assert!(follows().await);
        take("u4", follow("f2")).await;
        assert!(!follows().await);
        // The same once more, after another began.
        peer.send(&ann, &server, &follow("f3")).await;
        take("u5", follow("f2")).await;
        assert!(follows().await);
        // A name that was never heard may be that of any: some have another one each time they speak of a follow.
        take("u6", follow("other")).await;
        assert!(!follows().await);
        // And some have the same one each time.
        for n in 0..2 {
            // The very same request at the same time would be the same.
            tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
            peer.send(&ann, &server, &follow("f3")).await;
            assert!(follows().await);
            take(&format!("v{n}"), follow("f3")).await;
            assert!(!follows().await);
        }
    }

    async fn the_late_end_of_an_earlier_request_ends_no_later_one(server, peer, bob) {
        bob.patch("/api/v1/accounts/update_credentials", [("locked", "true")]).await.ok();
        let (ann, here) = (peer.somebody("ann"), json!(local_uri(&server, &bob)));
        let follow = |name: &str| peer.activity(&ann, ("Follow", name), here.clone());
        let waiting = async || bob.get("/api/v1/follow_requests", ()).await.ok().as_array().unwrap().len();
        for name in ["f1", "f2"] {
            peer.send(&ann, &server, &follow(name)).await;
        }
        peer.send(&ann, &server, &peer.activity(&ann, ("Undo", "u1"), follow("f1"))).await;
        assert_eq!(waiting().await, 1);
        peer.send(&ann, &server, &peer.activity(&ann, ("Undo", "u2"), follow("f2"))).await;
        assert_eq!(waiting().await, 0);
    }

    async fn the_late_end_of_an_earlier_boost_ends_no_later_one(server, peer, bob) {
        let ann = peer.somebody("ann");
        let mine = post_as(&bob, "mine", "public").await;
        let boost = |name: &str, second: u32| {
            let mut boost = peer.activity(&ann, ("Announce", name), mine["uri"].clone());
            boost["published"] = json!(format!("2026-11-01T00:00:{second:02}Z"));
            boost
        };
        let boosts = async || counts(&bob, id(&mine)).await.1;
        let take = async |name: &str, what: &Value| peer.send(&ann, &server, &peer.activity(&ann, ("Undo", name), what.clone())).await;
        for (name, second) in [("b1", 1), ("b3", 3), ("b2", 2)] {
            peer.send(&ann, &server, &boost(name, second)).await;
        }
        assert_eq!(boosts().await, 1);
        for (name, what) in [("u1", boost("b1", 1)), ("u2", boost("b2", 2)), ("u3", boost("b1", 1))] {
            take(name, &what).await;
            assert_eq!(boosts().await, 1, "{name}");
        }
        take("u4", &boost("b3", 3)).await;
        assert_eq!(boosts().await, 0);
        peer.send(&ann, &server, &boost("b4", 4)).await;
        take("u5", &boost("b3", 3)).await;
        assert_eq!(boosts().await, 1);
        take("u6", &boost("unheard", 4)).await;
        assert_eq!(boosts().await, 0);
    }
}
