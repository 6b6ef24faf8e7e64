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
