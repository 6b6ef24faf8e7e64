//! Profiles across servers.

use crate::peer::{local_uri, with_a_peer};
use crate::{find, follow, id};
use serde_json::{Value, json};
use testkit::{TestServer, settle_all};

testkit::between_two_servers! {
    async fn a_changed_profile_is_told(a: TestServer, b: TestServer) {
        let (alice, bob) = (a.person("alice").await, b.person("bob").await);
        let there = follow((&bob, &b), (&alice, &a)).await;
        let change = [
            ("display_name", "Alice in Chains"),
            ("note", "tea & <b>cake</b>"),
            ("bot", "true"),
            ("fields_attributes[0][name]", "Site"),
            ("fields_attributes[0][value]", "https://alice.example"),
        ];
        alice.patch("/api/v1/accounts/update_credentials", change).await.ok();
        settle_all(&[&a, &b]).await;
        let seen = b.client().get(&format!("/api/v1/accounts/{there}"), ()).await.ok();
        assert_eq!(seen["display_name"], "Alice in Chains");
        assert_eq!(seen["note"], "<p>tea &amp; &lt;b&gt;cake&lt;/b&gt;</p>");
        assert_eq!(seen["bot"], true);
        assert_eq!(seen["fields"][0]["name"], "Site");
        assert!(seen["fields"][0]["value"].as_str().unwrap().contains("href=\"https://alice.example\""));
        assert_eq!(seen["acct"], a.handle("alice"));
        assert_eq!(id(&find(&bob, &a.handle("ALICE")).await), there);
    }
}

testkit::between_two_servers! {
    async fn hashtags_on_a_profile_are_seen_elsewhere(a: TestServer, b: TestServer) {
        let (alice, bob) = (a.person("alice").await, b.person("bob").await);
        alice.post("/api/v1/featured_tags", [("name", "Tea")]).await.ok();
        let there = id(&find(&bob, &a.handle("alice")).await).to_owned();
        settle_all(&[&a, &b]).await;
        let shown = async || {
            let list = b.client().get(&format!("/api/v1/accounts/{there}/featured_tags"), ()).await.ok();
            let names = list.as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap().to_owned());
            names.collect::<Vec<_>>()
        };
        assert_eq!(shown().await, ["Tea"]);
        follow((&bob, &b), (&alice, &a)).await;
        let cake = alice.post("/api/v1/featured_tags", [("name", "cake")]).await.ok();
        settle_all(&[&a, &b]).await;
        assert_eq!(shown().await, ["Tea", "cake"]);
        alice.post("/api/v1/tags/tea/unfeature", ()).await.ok();
        settle_all(&[&a, &b]).await;
        assert_eq!(shown().await, ["cake"]);
        alice.delete(&format!("/api/v1/featured_tags/{}", id(&cake)), ()).await.ok();
        settle_all(&[&a, &b]).await;
        assert_eq!(shown().await, [] as [&str; 0]);
    }
}

with_a_peer! {
    async fn hashtags_on_a_profile_are_theirs_and_few(server, peer, bob) {
        let (ann, mallory) = (peer.somebody("ann"), peer.somebody("mallory"));
        let (featured, tags) = (format!("{}/featured", ann.uri), format!("{}/tags", ann.uri));
        peer.shows(&ann, "ann", json!({ "featured": featured, "featuredTags": tags }));
        let hashtag = |name: &str| json!({ "type": "Hashtag", "name": name, "href": format!("{}/x", peer.base) });
        let mut items: Vec<Value> = (0..30).map(|n| hashtag(&format!("#tag{n}"))).collect();
        items.splice(0..0, [hashtag("#no tag"), json!({ "type": "Note" }), json!(7)]);
        peer.put("/users/ann/tags", json!({ "type": "Collection", "id": tags, "items": items }));
        let there = id(&find(&bob, &format!("ann@{}", peer.host())).await).to_owned();
        server.settle().await;
        let count = async || {
            let list = bob.get(&format!("/api/v1/accounts/{there}/featured_tags"), ()).await.ok();
            list.as_array().unwrap().len()
        };
        assert_eq!(count().await, 10);
        let change = |who: &crate::peer::Somebody, verb: &str, name: &str| {
            let mut activity = peer.activity(who, (verb, &format!("{verb}{name}")), hashtag(name));
            activity["target"] = json!(featured);
            activity.as_object_mut().unwrap().remove("id");
            activity
        };
        peer.send(&mallory, &server, &change(&mallory, "Remove", "#tag1")).await;
        peer.send(&ann, &server, &change(&ann, "Add", "#more")).await;
        assert_eq!(count().await, 10);
        for name in ["#tag1", "#TAG2", "#never", "#no tag"] {
            peer.send(&ann, &server, &change(&ann, "Remove", name)).await;
        }
        assert_eq!(count().await, 8);
        // These have no names: said again at another time it is said again.
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        peer.send(&ann, &server, &change(&ann, "Add", "#more")).await;
        assert_eq!(count().await, 9);
        let mine = bob.post("/api/v1/featured_tags", [("name", "Tea")]).await.ok();
        let actor = peer.get(&ann, &local_uri(&server, &bob)).await.2;
        let shown = peer.get(&ann, actor["featuredTags"].as_str().unwrap()).await.2;
        assert_eq!(shown["items"], json!([{ "type": "Hashtag", "href": mine["url"], "name": "#Tea" }]));
    }

    async fn a_profile_shows_the_numbers_that_its_server_says(server, peer, bob) {
        let ann = peer.somebody("ann");
        peer.shows(&ann, "ann", json!({ "following": format!("{}/following", ann.uri) }));
        let says = |list: &str, total: Value| {
            let id = format!("{}/{list}", ann.uri);
            peer.put(&format!("/users/ann/{list}"), json!({ "type": "OrderedCollection", "id": id, "totalItems": total }));
        };
        says("outbox", json!(1_200));
        says("followers", json!(i64::MAX));
        let there = id(&find(&bob, &format!("ann@{}", peer.host())).await).to_owned();
        server.settle().await;
        let path = format!("/api/v1/accounts/{there}");
        let shown = async || {
            let ann = bob.get(&path, ()).await.ok();
            ["statuses_count", "followers_count", "following_count"].map(|name| ann[name].as_i64().unwrap())
        };
        // One list cannot be had, one says what nobody believes.
        assert_eq!(shown().await, [1_200, i64::from(i32::MAX), 0]);
        says("followers", json!(7));
        says("following", json!(9));
        says("outbox", json!("many"));
        let look_again = async || {
            domain::accounts::remote::fetch_pins_later(server.db(), there.parse().unwrap()).await.unwrap();
            server.settle().await;
        };
        look_again().await;
        assert_eq!(shown().await, [1_200, 7, 9]);
        // Who comes to follow hears what their server says then; what happens here counts, too, and never to less than nothing.
        says("followers", json!(8));
        crate::peer::followed(&server, &peer, &bob, (&ann, "ann")).await;
        assert_eq!(shown().await[1], 8);
        bob.post(&format!("{path}/unfollow"), ()).await.ok();
        assert_eq!(shown().await[1], 7);
        says("followers", json!(0));
        crate::peer::followed(&server, &peer, &bob, (&ann, "ann")).await;
        bob.post(&format!("{path}/unfollow"), ()).await.ok();
        assert_eq!(shown().await, [1_200, 0, 9]);
    }

    async fn lists_that_are_hidden_there_are_hidden_here(server, peer, bob) {
        let ann = peer.somebody("ann");
        peer.shows(&ann, "ann", json!({ "following": format!("{}/following", ann.uri) }));
        let says = |name: &str, more: Value| {
            let mut list = json!({ "type": "OrderedCollection", "id": format!("{}/{name}", ann.uri) });
            list.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            peer.put(&format!("/users/ann/{name}"), list);
        };
        says("following", json!({ "totalItems": 0 }));
        says("followers", json!({ "totalItems": 1, "first": format!("{}/followers?page=1", ann.uri) }));
        crate::peer::followed(&server, &peer, &bob, (&ann, "ann")).await;
        let carol = server.person("carol").await;
        let path = format!("/api/v1/accounts/{}", id(&find(&carol, &format!("ann@{}", peer.host())).await));
        let looked_at = async || {
            let there = path.rsplit('/').next().unwrap().parse().unwrap();
            domain::accounts::remote::fetch_pins_later(server.db(), there).await.unwrap();
            server.settle().await;
            let followers = carol.get(&format!("{path}/followers"), ()).await.ok().as_array().unwrap().len();
            (followers, carol.get(&path, ()).await.ok()["hide_collections"].clone())
        };
        assert_eq!(looked_at().await, (1, json!(false)));
        // How many there are is all that is said.
        says("followers", json!({ "totalItems": 1 }));
        assert_eq!(looked_at().await, (0, json!(true)));
        // A list that cannot be had says nothing of either.
        peer.put("/users/ann/followers", json!(500));
        assert_eq!(looked_at().await, (0, json!(true)));
        says("followers", json!({ "totalItems": 1, "orderedItems": [server.parts().site.actor_uri("bob")] }));
        assert_eq!(looked_at().await, (1, json!(false)));
        says("following", json!({ "totalItems": 3 }));
        assert_eq!(looked_at().await, (0, json!(true)));
    }

    async fn hashtags_that_are_not_seen_are_not_gone(server, peer, bob) {
        let ann = peer.somebody("ann");
        let tags = format!("{}/tags", ann.uri);
        peer.shows(&ann, "ann", json!({ "featuredTags": tags }));
        let hashtag = |name: &str| json!({ "type": "Hashtag", "name": name, "href": format!("{}/x", peer.base) });
        let shows = |list: Value| {
            let mut whole = json!({ "type": "Collection", "id": tags });
            whole.as_object_mut().unwrap().extend(list.as_object().unwrap().clone());
            peer.put("/users/ann/tags", whole);
        };
        shows(json!({ "first": { "type": "CollectionPage", "items": [hashtag("#tea"), hashtag("#cake")] } }));
        let there = id(&find(&bob, &format!("ann@{}", peer.host())).await).to_owned();
        let shown = async || {
            domain::accounts::remote::fetch_pins_later(server.db(), there.parse().unwrap()).await.unwrap();
            server.settle().await;
            let list = bob.get(&format!("/api/v1/accounts/{there}/featured_tags"), ()).await.ok();
            list.as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(shown().await, ["tea", "cake"]);
        for elsewhere in [
            json!({ "first": format!("{tags}/1") }),
            json!({ "first": { "type": "CollectionPage", "items": [hashtag("#tea")], "next": format!("{tags}/2") } }),
            json!({ "items": [hashtag("#tea")], "next": format!("{tags}/2") }),
            json!({ "totalItems": 2 }),
        ] {
            shows(elsewhere.clone());
            assert_eq!(shown().await, ["tea", "cake"], "{elsewhere}");
        }
        shows(json!({ "items": hashtag("#cake"), "totalItems": 1 }));
        assert_eq!(shown().await, ["cake"]);
        shows(json!({ "totalItems": 0 }));
        assert_eq!(shown().await, [] as [&str; 0]);
    }

    async fn a_refreshed_profile_brings_its_pins(server, peer, bob) {
        let ann = peer.somebody("ann");
        let featured = format!("{}/featured", ann.uri);
        peer.shows(&ann, "ann", json!({ "featured": featured }));
        let pins = |names: &[&str]| {
            let notes: Vec<Value> = names.iter().map(|name| peer.note(&ann, (name, name), &[])).collect();
            for note in &notes {
                peer.put(note["id"].as_str().unwrap().strip_prefix(&peer.base).unwrap(), note.clone());
            }
            peer.put("/users/ann/featured", json!({ "type": "OrderedCollection", "id": featured, "orderedItems": notes }));
        };
        pins(&["1"]);
        let there = id(&find(&bob, &format!("ann@{}", peer.host())).await).to_owned();
        server.settle().await;
        let shown = async || {
            let list = bob.get(&format!("/api/v1/accounts/{there}/statuses"), [("pinned", "true")]).await.ok();
            list.as_array().unwrap().iter().map(crate::text).collect::<Vec<_>>()
        };
        assert_eq!(shown().await, ["1"]);
        // Some servers never tell of pins.
        pins(&["2", "1"]);
        domain::accounts::remote::refresh_later(server.db(), there.parse().unwrap()).await.unwrap();
        server.settle().await;
        assert_eq!(shown().await, ["2", "1"]);
    }

    async fn what_kinds_of_actors_are_to_clients(server, peer, bob) {
        for (name, kind, bot, group) in [
            ("p", "Person", false, false),
            ("s", "Service", true, false),
            ("a", "Application", true, false),
            ("o", "Organization", false, false),
            ("g", "Group", false, true),
        ] {
            let who = peer.somebody(name);
            peer.shows(&who, name, json!({ "type": kind, "memorial": kind == "Person" }));
            let seen = find(&bob, &format!("{name}@{}", peer.host())).await;
            assert_eq!((&seen["bot"], &seen["group"]), (&json!(bot), &json!(group)), "{kind}");
            // Only where it is so.
            assert_eq!(seen.get("memorial"), (kind == "Person").then_some(&json!(true)), "{kind}");
        }
        server.settle().await;
    }

    async fn what_is_pinned_no_more_goes(server, peer, bob) {
        let ann = peer.somebody("ann");
        let featured = format!("{}/featured", ann.uri);
        peer.shows(&ann, "ann", json!({ "featured": featured }));
        for name in ["1", "2", "3"] {
            peer.put(&format!("/notes/{name}"), peer.note(&ann, (name, name), &[]));
        }
        let pins = |names: &[&str]| {
            let items: Vec<String> = names.iter().map(|name| format!("{}/notes/{name}", peer.base)).collect();
            peer.put("/users/ann/featured", json!({ "type": "OrderedCollection", "id": featured, "orderedItems": items }));
        };
        pins(&["1", "2"]);
        let there = id(&find(&bob, &format!("ann@{}", peer.host())).await).to_owned();
        server.settle().await;
        let shown = async || {
            let list = bob.get(&format!("/api/v1/accounts/{there}/statuses"), [("pinned", "true")]).await.ok();
            list.as_array().unwrap().iter().map(crate::text).collect::<Vec<_>>()
        };
        assert_eq!(shown().await, ["1", "2"]);
        let look_again = async || {
            domain::accounts::remote::fetch_pins_later(server.db(), there.parse().unwrap()).await.unwrap();
            server.settle().await;
        };
        pins(&["3", "1"]);
        look_again().await;
        assert_eq!(shown().await, ["3", "1"]);
        // What is not seen is not gone: a list that goes on elsewhere, or cannot be had.
        let paged = json!({ "type": "OrderedCollection", "id": featured, "first": format!("{featured}/1") });
        peer.put("/users/ann/featured", paged);
        look_again().await;
        peer.put("/users/ann/featured", json!(503));
        look_again().await;
        assert_eq!(shown().await, ["3", "1"]);
        pins(&[]);
        look_again().await;
        assert_eq!(shown().await, [] as [&str; 0]);
    }
}
