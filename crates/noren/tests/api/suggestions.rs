//! /api/v2/suggestions, /api/v1/suggestions, /api/v1/directory

use crate::{follow, post, text};
use serde_json::{Value, json};
use testkit::{Person, TestServer};

/// Wants to be found.
async fn open(server: &TestServer, name: &str) -> Person {
    let person = server.person(name).await;
    person.patch("/api/v1/accounts/update_credentials", [("discoverable", "true")]).await.ok();
    person
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|one| text(one.get("account").unwrap_or(one), "acct")).collect()
}

async fn suggested(who: &Person) -> Value {
    who.get("/api/v2/suggestions", ()).await.ok()
}

async fn act(who: &Person, whom: &Person, what: &str) {
    who.post(&format!("/api/v1/accounts/{}/{what}", whom.account), ()).await.ok();
}

testkit::on_both_engines! {
    async fn friends_of_friends_come_first_and_then_who_is_active(server: TestServer) {
        let (alice, bob, carol) = (server.person("alice").await, server.person("bob").await, server.person("carol").await);
        let (dave, erin, frank) = (open(&server, "dave").await, open(&server, "erin").await, open(&server, "frank").await);
        let shy = server.person("shy").await;
        for friend in [&bob, &carol] {
            follow(&alice, friend).await;
            follow(friend, &erin).await;
            follow(friend, &shy).await;
            follow(friend, &alice).await;
        }
        follow(&bob, &dave).await;
        post(&frank, "hello").await;
        post(&shy, "hello").await;
        open(&server, "silent").await;
        let found = suggested(&alice).await;
        assert_eq!(names(&found), ["erin", "dave", "frank"]);
        assert_eq!((text(&found[0], "source"), &found[0]["sources"]), ("past_interactions", &json!(["friends_of_friends"])));
        assert_eq!((text(&found[2], "source"), &found[2]["sources"]), ("global", &json!(["most_interactions"])));
        assert_eq!(names(&alice.get("/api/v1/suggestions", ()).await.ok()), ["erin", "dave", "frank"]);
        assert_eq!(names(&alice.get("/api/v2/suggestions?limit=1", ()).await.ok()), ["erin"]);
        carol.patch("/api/v1/accounts/update_credentials", [("hide_collections", "true")]).await.ok();
        bob.patch("/api/v1/accounts/update_credentials", [("hide_collections", "true")]).await.ok();
        assert_eq!(names(&suggested(&alice).await), ["frank"], "who hides their network gives nobody away");
        server.client().get("/api/v2/suggestions", ()).await.expect(401);
        let token = server.token(&alice, "write").await;
        server.client().with_token(&token).get("/api/v2/suggestions", ()).await.expect(403);
    }

    async fn nobody_is_suggested_against_ones_will(server: TestServer) {
        let alice = server.person("alice").await;
        let mut people = Vec::new();
        for name in ["blocked", "blocking", "muted", "followed", "asked", "dismissed", "moderate"] {
            let person = open(&server, name).await;
            post(&person, "hello").await;
            people.push(person);
        }
        let [blocked, blocking, muted, followed, asked, dismissed, _] = &people[..] else { unreachable!() };
        assert_eq!(suggested(&alice).await.as_array().unwrap().len(), 7);
        asked.patch("/api/v1/accounts/update_credentials", [("locked", "true")]).await.ok();
        act(&alice, blocked, "block").await;
        act(blocking, &alice, "block").await;
        act(&alice, muted, "mute").await;
        act(&alice, followed, "follow").await;
        act(&alice, asked, "follow").await;
        let path = format!("/api/v1/suggestions/{}", dismissed.account);
        for _ in 0..2 {
            assert_eq!(alice.delete(&path, ()).await.ok(), json!({}));
        }
        assert_eq!(names(&suggested(&alice).await), ["moderate"]);
        for odd in ["1", "x", "99999999999999999999"] {
            assert_eq!(alice.delete(&format!("/api/v1/suggestions/{odd}"), ()).await.ok(), json!({}));
        }
        let token = server.token(&alice, "write:statuses").await;
        server.client().with_token(&token).delete(&path, ()).await.expect(403);
        server.client().delete(&path, ()).await.expect(401);
        assert_eq!(names(&suggested(followed).await).len(), 6, "a dismissal is one's own; who blocks whom is not told");
    }

    async fn the_directory_has_two_orders(server: TestServer) {
        let (alice, bob, carol) = (open(&server, "alice").await, open(&server, "bob").await, open(&server, "carol").await);
        let shy = server.person("shy").await;
        post(&shy, "hello").await;
        post(&alice, "first").await;
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        post(&bob, "second").await;
        let list = async |who: &testkit::Client, query: &str| {
            let found = who.get(&format!("/api/v1/directory{query}"), ()).await.ok();
            names(&found).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let anybody = server.client();
        assert_eq!(list(anybody, "").await, ["bob", "alice", "carol"]);
        assert_eq!(list(anybody, "?order=new&local=true").await, ["carol", "bob", "alice"]);
        assert_eq!(list(anybody, "?order=odd&limit=1&offset=1").await, ["alice"]);
        assert_eq!(list(anybody, "?offset=9999999999999").await, [""; 0]);
        act(&carol, &bob, "block").await;
        act(&carol, &alice, "mute").await;
        assert_eq!(list(&carol, "").await, ["carol"]);
        assert_eq!(list(&bob, "").await, ["bob", "alice"]);
        server.client().with_token("nonsense").get("/api/v1/directory", ()).await.expect(401);
    }
}
