//! Who may see what: every door asks the same function.

use crate::{follow, id, ids, post_as};
use serde_json::{Value, json};
use testkit::{Person, TestServer};

/// Every place where a status could show itself to somebody.
async fn doors(who: &Person, author: &Person, status: &str) -> Vec<(&'static str, bool)> {
    let mut seen = Vec::new();
    seen.push(("get", who.get(&format!("/api/v1/statuses/{status}"), ()).await.status == 200));
    seen.push(("context", who.get(&format!("/api/v1/statuses/{status}/context"), ()).await.status == 200));
    seen.push(("history", who.get(&format!("/api/v1/statuses/{status}/history"), ()).await.status == 200));
    seen.push(("favourited_by", who.get(&format!("/api/v1/statuses/{status}/favourited_by"), ()).await.status == 200));
    seen.push(("favourite", who.post(&format!("/api/v1/statuses/{status}/favourite"), ()).await.status == 200));
    seen.push(("bookmark", who.post(&format!("/api/v1/statuses/{status}/bookmark"), ()).await.status == 200));
    let lists = [
        ("several", format!("/api/v1/statuses?id[]={status}")),
        ("profile", format!("/api/v1/accounts/{}/statuses", author.account)),
        ("search", "/api/v2/search?q=secretword&type=statuses".to_owned()),
    ];
    for (name, path) in lists {
        let found = who.get(&path, ()).await.ok();
        let list = if name == "search" { found["statuses"].clone() } else { found };
        seen.push((name, ids(&list).iter().any(|i| i == status)));
    }
    seen
}

testkit::on_both_engines! {
    async fn private_posts_are_for_followers_and_the_named(server: TestServer) {
        let (alice, follower, stranger) = (server.person("alice").await, server.person("follower").await, server.person("stranger").await);
        follow(&follower, &alice).await;
        let posted = post_as(&alice, "secretword", "private").await;
        for (door, open) in doors(&follower, &alice, id(&posted)).await {
            assert!(open, "{door} is shut to a follower");
        }
        for (door, open) in doors(&stranger, &alice, id(&posted)).await {
            assert!(!open, "{door} is open to a stranger");
        }
        follower.post(&format!("/api/v1/statuses/{}/reblog", id(&posted)), ()).await.expect(403);
        alice.post(&format!("/api/v1/statuses/{}/reblog", id(&posted)), ()).await.ok();
        assert_eq!(stranger.get("/api/v1/timelines/public", ()).await.ok(), json!([]));
    }

    async fn direct_posts_are_for_the_named(server: TestServer) {
        let (alice, named, follower) = (server.person("alice").await, server.person("named").await, server.person("follower").await);
        follow(&follower, &alice).await;
        let posted = post_as(&alice, "@named secretword", "direct").await;
        for (door, open) in doors(&named, &alice, id(&posted)).await {
            assert!(open, "{door} is shut to the one it is for");
        }
        for (door, open) in doors(&follower, &alice, id(&posted)).await {
            assert!(!open, "{door} is open to a follower");
        }
        assert_eq!(follower.get("/api/v1/timelines/home", ()).await.ok(), json!([]));
        let talks = named.get("/api/v1/conversations", ()).await.ok();
        assert_eq!(talks[0]["last_status"]["id"], posted["id"]);
        assert_eq!(talks[0]["unread"], true);
        assert_eq!(talks[0]["accounts"][0]["acct"], "alice");
    }

    async fn an_answer_is_for_no_more_people_than_what_it_answers_unless_its_author_says_so(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        bob.post(&format!("/api/v1/accounts/{}/follow", alice.account), ()).await.ok();
        let posted = post_as(&alice, "between us", "private").await;
        let answer = async |more: Value| {
            let mut form = json!({ "status": "@alice yes", "in_reply_to_id": id(&posted) });
            form.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            bob.post("/api/v1/statuses", form).await.ok()["visibility"].clone()
        };
        assert_eq!(answer(json!({})).await, "private");
        assert_eq!(answer(json!({ "visibility": "unlisted" })).await, "unlisted");
        bob.patch("/api/v1/accounts/update_credentials", [("source[privacy]", "direct")]).await.ok();
        assert_eq!(answer(json!({})).await, "direct");
    }

    async fn a_block_shuts_every_door_to_the_blocked(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        let posted = post_as(&alice, "secretword", "public").await;
        alice.post(&format!("/api/v1/accounts/{}/block", bob.account), ()).await.ok();
        for (door, open) in doors(&bob, &alice, id(&posted)).await {
            assert!(!open, "{door} is open to the blocked");
        }
        let reply = bob.post("/api/v1/statuses", [("status", "but"), ("in_reply_to_id", id(&posted))]).await;
        assert_eq!(reply.expect(404), json!({ "error": "Record not found" }));
    }

    async fn absent_and_forbidden_look_the_same(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        let secret = post_as(&alice, "secret", "private").await;
        let forbidden = bob.get(&format!("/api/v1/statuses/{}", id(&secret)), ()).await;
        for path in ["/api/v1/statuses/1", "/api/v1/statuses/99999999999999999999", "/api/v1/statuses/x"] {
            let absent = bob.get(path, ()).await;
            assert_eq!((absent.status, &absent.json), (forbidden.status, &forbidden.json), "{path}");
        }
        assert_eq!(forbidden.expect(404), json!({ "error": "Record not found" }));
    }
}
