//! /api/v1/notifications

mod groups;
mod policy;
mod requests;

use crate::{follow, id, post, text};
use serde_json::{Value, json};
use testkit::TestServer;

fn kinds(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|n| text(n, "type")).collect()
}

testkit::on_both_engines! {
    async fn everything_that_concerns_one_is_told_once(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        let posted = post(&alice, "look at me").await;
        follow(&bob, &alice).await;
        for _ in 0..2 {
            bob.post(&format!("/api/v1/statuses/{}/favourite", id(&posted)), ()).await.ok();
            bob.post(&format!("/api/v1/statuses/{}/reblog", id(&posted)), ()).await.ok();
        }
        post(&bob, "@alice hello").await;
        alice.put(&format!("/api/v1/statuses/{}", id(&posted)), [("status", "look again")]).await.ok();
        let told = alice.get("/api/v1/notifications", ()).await.ok();
        assert_eq!(kinds(&told), ["mention", "reblog", "favourite", "follow"]);
        assert_eq!(told[0]["account"]["acct"], "bob");
        assert!(told[0]["status"].is_object() && told[3].get("status").is_none());
        assert!(text(&told[1], "group_key").starts_with("reblog-"));
        assert!(text(&told[0], "group_key").starts_with("ungrouped-"));
        assert_eq!(kinds(&bob.get("/api/v1/notifications", ()).await.ok()), ["update"]);
    }

    async fn lists_are_filtered_and_paged(server: TestServer) {
        let (alice, bob, carol) = (server.person("alice").await, server.person("bob").await, server.person("carol").await);
        for n in 0..5 {
            post(&bob, &format!("@alice {n}")).await;
        }
        follow(&carol, &alice).await;
        let get = |query: &'static str| {
            let client = (*alice).clone();
            async move { client.get(&format!("/api/v1/notifications{query}"), ()).await }
        };
        assert_eq!(kinds(&get("?types[]=follow").await.ok()), ["follow"]);
        assert_eq!(kinds(&get("?exclude_types[]=mention").await.ok()), ["follow"]);
        assert_eq!(get("?types[]=not.a.type").await.ok(), json!([]));
        let first = get("?limit=4").await;
        assert_eq!(first.json.as_array().unwrap().len(), 4);
        let rest = alice.get(&first.link("next").unwrap(), ()).await.ok();
        assert_eq!(rest.as_array().unwrap().len(), 2);
        let from = alice.get("/api/v1/notifications", [("account_id", carol.account)]).await.ok();
        assert_eq!(kinds(&from), ["follow"]);
        assert_eq!(get("/unread_count").await.ok(), json!({ "count": 6 }));
        assert_eq!(get("/unread_count?limit=4").await.ok(), json!({ "count": 4 }));
        assert_eq!(get("/unread_count?types[]=mention").await.ok(), json!({ "count": 5 }));
        assert_eq!(get("/unread_count?exclude_types[]=mention").await.ok(), json!({ "count": 1 }));
        assert_eq!(get("/unread_count?types[]=not.a.type").await.ok(), json!({ "count": 0 }));
        let from = alice.get("/api/v1/notifications/unread_count", [("account_id", carol.account)]).await.ok();
        assert_eq!(from, json!({ "count": 1 }));
    }

    async fn they_can_be_dismissed_one_and_all(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        post(&bob, "@alice one").await;
        post(&bob, "@alice two").await;
        let told = alice.get("/api/v1/notifications", ()).await.ok();
        let one = format!("/api/v1/notifications/{}", id(&told[0]));
        assert_eq!(alice.get(&one, ()).await.ok()["id"], told[0]["id"]);
        bob.get(&one, ()).await.expect(404);
        bob.post(&format!("{one}/dismiss"), ()).await.expect(404);
        assert_eq!(alice.post(&format!("{one}/dismiss"), ()).await.ok(), json!({}));
        alice.get(&one, ()).await.expect(404);
        assert_eq!(alice.post("/api/v1/notifications/clear", ()).await.ok(), json!({}));
        assert_eq!(alice.get("/api/v1/notifications", ()).await.ok(), json!([]));
    }

    async fn mutes_and_blocks_keep_them_away(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        let posted = post(&alice, "thread").await;
        alice.post(&format!("/api/v1/accounts/{}/mute", bob.account), ()).await.ok();
        post(&bob, "@alice muted").await;
        assert_eq!(alice.get("/api/v1/notifications", ()).await.ok(), json!([]));
        alice.post(&format!("/api/v1/accounts/{}/unmute", bob.account), ()).await.ok();
        alice.post(&format!("/api/v1/statuses/{}/mute", id(&posted)), ()).await.ok();
        bob.post("/api/v1/statuses", [("status", "@alice in a muted thread"), ("in_reply_to_id", id(&posted))]).await.ok();
        assert_eq!(alice.get("/api/v1/notifications", ()).await.ok(), json!([]));
        post(&bob, "@alice heard").await;
        assert_eq!(kinds(&alice.get("/api/v1/notifications", ()).await.ok()), ["mention"]);
    }
}
