//! What others find at the addresses of a server.

use crate::{follow, id, post_as};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Client, Reply, TestServer, settle_all};

const DOCUMENT: &str = "application/activity+json";

async fn document(client: &Client, path: &str) -> Reply {
    client.send(client.request(Method::GET, path).header("accept", DOCUMENT)).await
}

testkit::on_both_engines! {
    async fn an_actor_is_served_to_programs_and_a_page_to_people(server: TestServer) {
        server.person("alice").await;
        for path in ["/users/alice", "/@alice"] {
            let reply = document(server.client(), path).await;
            assert_eq!(reply.header("content-type"), "application/activity+json; charset=utf-8");
            assert!(reply.header("vary").contains("Accept"));
            let actor = reply.ok();
            let base = "https://noren.test/users/alice";
            assert_eq!(actor["id"], base);
            assert_eq!(actor["type"], "Person");
            assert_eq!(actor["followers"], format!("{base}/followers"));
            assert_eq!(actor["inbox"], format!("{base}/inbox"));
            assert_eq!(actor["endpoints"]["sharedInbox"], "https://noren.test/inbox");
            assert_eq!(actor["publicKey"]["id"], format!("{base}#main-key"));
            assert_eq!(actor["publicKey"]["owner"], base);
            assert!(actor["publicKey"]["publicKeyPem"].as_str().unwrap().starts_with("-----BEGIN PUBLIC KEY-----"));
        }
        // The same key each time, and another for everybody else.
        let key = async |path: &str| document(server.client(), path).await.ok()["publicKey"]["publicKeyPem"].clone();
        assert_eq!(key("/users/alice").await, key("/@alice").await);
        assert_ne!(key("/users/alice").await, key("/actor").await);
        let page = server.client().send(server.client().request(Method::GET, "/@alice").header("accept", "text/html")).await;
        assert!(page.header("content-type").starts_with("text/html"));
        assert!(page.header("vary").contains("Accept"));
        assert_eq!(document(server.client(), "/users/nobody").await.status, 404);
        let site = document(server.client(), "/actor").await.ok();
        assert_eq!((&site["type"], &site["preferredUsername"]), (&json!("Application"), &json!("noren.test")));
    }

    async fn posts_are_documents_as_far_as_everybody_may_see_them(server: TestServer) {
        let alice = server.person("alice").await;
        for (visibility, status) in [("public", 200), ("unlisted", 200), ("private", 404), ("direct", 404)] {
            let posted = post_as(&alice, "hello #tea", visibility).await;
            for address in [&posted["uri"], &posted["url"]] {
                let reply = document(server.client(), address.as_str().unwrap()).await;
                assert_eq!(reply.status, status, "{visibility}");
            }
            let activity = document(server.client(), &format!("{}/activity", posted["uri"].as_str().unwrap())).await;
            assert_eq!(activity.status, status, "{visibility}");
        }
        let posted = post_as(&alice, "hello #tea", "public").await;
        let note = document(server.client(), posted["uri"].as_str().unwrap()).await.ok();
        assert_eq!((&note["id"], &note["type"]), (&posted["uri"], &json!("Note")));
        assert_eq!(note["attributedTo"], "https://noren.test/users/alice");
        assert_eq!(note["to"], json!(["https://www.w3.org/ns/activitystreams#Public"]));
        assert_eq!(note["cc"], json!(["https://noren.test/users/alice/followers"]));
        assert_eq!(note["tag"][0]["name"], "#tea");
        alice.delete(&format!("/api/v1/statuses/{}", id(&posted)), ()).await.ok();
        assert_eq!(document(server.client(), posted["uri"].as_str().unwrap()).await.status, 410);
    }

    async fn the_outbox_holds_what_everybody_may_see(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        for (text, visibility) in [("one", "public"), ("two", "private"), ("three", "unlisted")] {
            post_as(&alice, text, visibility).await;
        }
        let boosted = post_as(&bob, "boosted", "public").await;
        alice.post(&format!("/api/v1/statuses/{}/reblog", id(&boosted)), ()).await.ok();
        let root = document(server.client(), "/users/alice/outbox").await.ok();
        assert_eq!(root["type"], "OrderedCollection");
        let page = document(server.client(), root["first"].as_str().unwrap()).await.ok();
        let kinds: Vec<&Value> = page["orderedItems"].as_array().unwrap().iter().map(|i| &i["type"]).collect();
        assert_eq!(kinds, ["Announce", "Create", "Create"]);
        assert_eq!(page["orderedItems"][0]["object"], boosted["uri"]);
        let rest = document(server.client(), page["next"].as_str().unwrap()).await.ok();
        assert_eq!(rest["orderedItems"], json!([]));
        assert_eq!(server.client().post("/users/alice/outbox", json!({})).await.status, 405);
    }

    async fn lists_of_people_can_be_hidden(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        bob.post(&format!("/api/v1/accounts/{}/follow", alice.account), ()).await.ok();
        let root = document(server.client(), "/users/alice/followers").await.ok();
        assert_eq!(root["totalItems"], 1);
        let page = document(server.client(), root["first"].as_str().unwrap()).await.ok();
        assert_eq!(page["orderedItems"], json!(["https://noren.test/users/bob"]));
        let theirs = document(server.client(), "/users/bob/following/1").await.ok();
        assert_eq!(theirs["orderedItems"], json!(["https://noren.test/users/alice"]));
        alice.patch("/api/v1/accounts/update_credentials", [("hide_collections", "true")]).await.ok();
        let root = document(server.client(), "/users/alice/followers").await.ok();
        assert_eq!((&root["totalItems"], root.get("first")), (&json!(1), None));
        assert_eq!(document(server.client(), "/users/alice/followers/1").await.status, 403);
        for path in ["/users/alice/followers/0", "/users/alice/followers/x", "/users/nobody/followers"] {
            assert!(document(server.client(), path).await.status >= 400, "{path}");
        }
    }

    async fn what_is_not_said_of_oneself_is_said_to_others(server: TestServer) {
        let alice = server.person("alice").await;
        let actor = document(server.client(), "/users/alice").await.ok();
        // Some take what is missing for consent.
        assert_eq!((&actor["discoverable"], &actor["indexable"]), (&json!(false), &json!(false)));
        assert_eq!((&actor["tag"], &actor["attachment"]), (&json!([]), &json!([])));
        for absent in ["suspended", "memorial", "movedTo", "alsoKnownAs", "icon"] {
            assert_eq!(actor.get(absent), None, "{absent}");
        }
        // To the day: the hour is nobody's business.
        assert!(actor["published"].as_str().unwrap().contains("T00:00:00"), "{}", actor["published"]);
        let note = "I like #Tea, #tea and #cake, not https://example.com/#scones";
        alice.patch("/api/v1/accounts/update_credentials", [("note", note), ("discoverable", "true")]).await.ok();
        let actor = document(server.client(), "/users/alice").await.ok();
        assert_eq!(actor["discoverable"], true);
        let tag = |name: &str| json!({ "type": "Hashtag", "href": format!("https://noren.test/tags/{name}"), "name": format!("#{name}") });
        assert_eq!(actor["tag"], json!([tag("Tea"), tag("cake")]));
    }

    async fn pins_are_listed_newest_first_and_only_for_everybody(server: TestServer) {
        let alice = server.person("alice").await;
        let mut pinned = Vec::new();
        for (text, visibility) in [("one", "public"), ("two", "private"), ("three", "unlisted")] {
            let posted = post_as(&alice, text, visibility).await;
            alice.post(&format!("/api/v1/statuses/{}/pin", id(&posted)), ()).await.ok();
            pinned.push(posted["uri"].clone());
        }
        let list = document(server.client(), "/users/alice/collections/featured").await.ok();
        assert_eq!((&list["type"], &list["totalItems"]), (&json!("OrderedCollection"), &json!(2)));
        let items: Vec<&Value> = list["orderedItems"].as_array().unwrap().iter().map(|item| &item["id"]).collect();
        assert_eq!(items, [&pinned[2], &pinned[0]]);
    }

    async fn who_followed_last_stands_first(server: TestServer) {
        let alice = server.person("alice").await;
        for name in ["zoe", "bob", "mia"] {
            let who = server.person(name).await;
            who.post(&format!("/api/v1/accounts/{}/follow", alice.account), ()).await.ok();
            alice.post(&format!("/api/v1/accounts/{}/follow", who.account), ()).await.ok();
        }
        for list in ["followers", "following"] {
            let page = document(server.client(), &format!("/users/alice/{list}/1")).await.ok();
            let names = ["mia", "bob", "zoe"].map(|name| format!("https://noren.test/users/{name}"));
            assert_eq!(page["orderedItems"], json!(names), "{list}");
        }
    }

    async fn the_end_of_an_outbox_is_its_oldest(server: TestServer) {
        let alice = server.person("alice").await;
        let mut posts = Vec::new();
        for n in 0..22 {
            posts.push(post_as(&alice, &format!("post {n}"), "public").await["uri"].clone());
        }
        let root = document(server.client(), "/users/alice/outbox").await.ok();
        let items = async |page: &Value| {
            let page = document(server.client(), page.as_str().unwrap()).await.ok();
            let items: Vec<Value> = page["orderedItems"].as_array().unwrap().iter().map(|it| it["object"].clone()).collect();
            (items, page.get("next").cloned())
        };
        let (first, next) = items(&root["first"]).await;
        assert_eq!((first.len(), &first[0]), (20, &posts[21]));
        assert_eq!(items(&next.unwrap()).await.0, [posts[1].clone(), posts[0].clone()]);
        let (last, next) = items(&root["last"]).await;
        assert_eq!((last.len(), &last[0], &last[19]), (20, &posts[19], &posts[0]));
        assert_eq!(next, None);
    }

    async fn the_site_itself_is_an_actor(server: TestServer) {
        let uri = "https://noren.test/actor";
        let site = document(server.client(), "/actor").await.ok();
        for (name, wanted) in [
            ("id", json!(uri)),
            ("type", json!("Application")),
            ("preferredUsername", json!("noren.test")),
            ("webfinger", json!("noren.test@noren.test")),
            ("url", json!("https://noren.test/about")),
            ("inbox", json!(format!("{uri}/inbox"))),
            ("outbox", json!(format!("{uri}/outbox"))),
            ("endpoints", json!({ "sharedInbox": "https://noren.test/inbox" })),
            ("manuallyApprovesFollowers", json!(true)),
        ] {
            assert_eq!(site[name], wanted, "{name}");
        }
        assert_eq!((&site["publicKey"]["id"], &site["publicKey"]["owner"]), (&json!(format!("{uri}#main-key")), &json!(uri)));
        let outbox = document(server.client(), "/actor/outbox").await.ok();
        assert_eq!((&outbox["type"], &outbox["totalItems"]), (&json!("OrderedCollection"), &json!(0)));
        assert_eq!(server.client().post("/actor/outbox", json!({})).await.status, 405);
        assert_eq!(document(server.client(), "/actor/inbox").await.status, 405);
    }

    async fn emoji_are_where_their_names_say(server: TestServer) {
        let alice = server.person("alice").await;
        crate::emoji::put_blob(&server).await;
        let posted = post_as(&alice, "hello :blob:", "public").await;
        let note = document(server.client(), posted["uri"].as_str().unwrap()).await.ok();
        let named = note["tag"][0].clone();
        let reply = document(server.client(), named["id"].as_str().unwrap()).await;
        assert_eq!(reply.header("content-type"), "application/activity+json; charset=utf-8");
        let mut shown = reply.ok();
        assert!(shown.as_object_mut().unwrap().remove("@context").is_some());
        assert_eq!(shown, named);
        assert_eq!((&shown["type"], &shown["name"]), (&json!("Emoji"), &json!(":blob:")));
        // People see the picture.
        let page = server.client().send(server.client().request(Method::GET, "/emojis/blob").header("accept", "text/html")).await;
        assert_eq!((page.status, page.header("location")), (303, named["icon"]["url"].as_str().unwrap()));
        assert!(page.header("vary").contains("Accept"));
        for absent in ["/emojis/nothing", "/emojis/bl%6Fb%00", "/emojis/%F0%9F%8D%B5"] {
            assert_eq!(document(server.client(), absent).await.status, 404, "{absent}");
        }
    }

    async fn nothing_is_at_addresses_that_cannot_be(server: TestServer) {
        server.person("alice").await;
        for path in [
            "/users/alice/outbox/x", "/users/alice/followers/99999999999999999999", "/users/alice/following/-", "/contexts/x",
            "/contexts/1/x", "/users/%ff", "/users/%ff/outbox", "/users/alice/statuses/x", "/users/alice/statuses/x/replies",
        ] {
            let reply = document(server.client(), path).await;
            assert_eq!((reply.status, &reply.json["error"]), (404, &json!("Not Found")), "{path}");
        }
    }

    async fn the_site_itself_has_a_handle(server: TestServer) {
        let ask = async |resource: &str| server.client().get("/.well-known/webfinger", [("resource", resource)]).await.ok();
        for resource in ["acct:noren.test@noren.test", "https://noren.test/", "https://noren.test/actor"] {
            let found = ask(resource).await;
            assert_eq!(found["subject"], "acct:noren.test@noren.test", "{resource}");
            assert_eq!(found["links"][0]["href"], "https://noren.test/actor");
        }
    }
}

testkit::between_two_servers! {
    async fn nothing_is_queued_that_nobody_elsewhere_wants(a: TestServer, b: TestServer) {
        let (alice, bob) = (a.person("alice").await, b.person("bob").await);
        let waiting = async || domain::jobs::counts(&a.db().read().await.unwrap()).await.unwrap();
        post_as(&alice, "to myself", "public").await;
        assert_eq!(waiting().await, []);
        let there = follow((&bob, &b), (&alice, &a)).await;
        bob.post(&format!("/api/v1/accounts/{there}/unfollow"), ()).await.ok();
        settle_all(&[&a, &b]).await;
        // The first post after the last follower left finds out; then it is as before.
        post_as(&alice, "to nobody", "public").await;
        settle_all(&[&a, &b]).await;
        post_as(&alice, "to myself again", "public").await;
        assert_eq!(waiting().await, []);
    }
}
