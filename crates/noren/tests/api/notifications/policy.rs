//! /api/v2/notifications/policy: what becomes of notifications from whom

use super::kinds;
use crate::{follow, id, post, post_as};
use domain::users::{NewUser, Role};
use serde_json::{Value, json};
use testkit::{Person, TestServer};

const POLICY: &str = "/api/v2/notifications/policy";

async fn set(who: &Person, rules: Value) -> Value {
    who.patch(POLICY, rules).await.ok()
}

async fn told(who: &Person) -> Value {
    who.get("/api/v1/notifications", ()).await.ok()
}

async fn all(who: &Person) -> Value {
    who.get("/api/v1/notifications?include_filtered=true", ()).await.ok()
}

async fn change(server: &TestServer, sql: &'static str, who: &Person) {
    let tx = server.db().begin().await.unwrap();
    tx.exec(sql, &[&who.account]).await.unwrap();
    tx.commit().await.unwrap();
}

async fn reply_as(who: &Person, to: &Value, text: &str, visibility: &str) -> Value {
    let form = [("status", text), ("visibility", visibility), ("in_reply_to_id", id(to))];
    who.post("/api/v1/statuses", form).await.ok()
}

testkit::on_both_engines! {
    async fn it_is_read_and_changed(server: TestServer) {
        let alice = server.person("alice").await;
        let none = json!({ "pending_requests_count": 0, "pending_notifications_count": 0 });
        let mut policy = json!({
            "for_not_following": "accept", "for_not_followers": "accept", "for_new_accounts": "accept",
            "for_private_mentions": "filter", "for_limited_accounts": "filter", "summary": none,
        });
        assert_eq!(alice.get(POLICY, ()).await.ok(), policy);
        policy["for_new_accounts"] = json!("drop");
        assert_eq!(set(&alice, json!({ "for_new_accounts": "drop" })).await, policy);
        policy["for_not_following"] = json!("filter");
        policy["for_limited_accounts"] = json!("accept");
        let form = [("for_not_following", "filter"), ("for_limited_accounts", "accept"), ("for_bots", "drop")];
        assert_eq!(alice.patch(POLICY, form).await.ok(), policy);
        let refused = alice.patch(POLICY, [("for_not_followers", "perhaps")]).await.expect(422);
        assert_eq!(refused["error"], "'perhaps' is not a valid for_not_followers");
        assert_eq!(alice.get(POLICY, ()).await.ok(), policy);
        // Another's is another's.
        assert_eq!(server.person("bob").await.get(POLICY, ()).await.ok()["for_new_accounts"], "accept");
        let old = "/api/v1/notifications/policy";
        let mut flags = json!({
            "filter_not_following": true, "filter_not_followers": false, "filter_new_accounts": true,
            "filter_private_mentions": true, "summary": none,
        });
        assert_eq!(alice.get(old, ()).await.ok(), flags);
        flags["filter_new_accounts"] = json!(false);
        flags["filter_not_followers"] = json!(true);
        let form = [("filter_new_accounts", "false"), ("filter_not_followers", "true")];
        assert_eq!(alice.patch(old, form).await.ok(), flags);
        let policy = alice.get(POLICY, ()).await.ok();
        assert_eq!((&policy["for_new_accounts"], &policy["for_not_followers"]), (&json!("accept"), &json!("filter")));
        assert_eq!(policy["for_limited_accounts"], "accept");
        // Clients send PUT, too, and it changes no more than what is given.
        let put = alice.put(POLICY, json!({ "for_not_followers": "accept" })).await.ok();
        assert_eq!((&put["for_not_followers"], &put["for_not_following"]), (&json!("accept"), &json!("filter")));
    }

    async fn strangers_are_held_back_or_dropped(server: TestServer) {
        let (alice, bob, carol) = (server.person("alice").await, server.person("bob").await, server.person("carol").await);
        follow(&alice, &bob).await;
        let posted = post(&alice, "look").await;
        set(&alice, json!({ "for_not_following": "filter" })).await;
        for who in [&bob, &carol] {
            who.post(&format!("/api/v1/statuses/{}/favourite", id(&posted)), ()).await.ok();
            post(who, "@alice hello").await;
        }
        assert_eq!(kinds(&told(&alice).await), ["mention", "favourite"]);
        let held = all(&alice).await;
        assert_eq!(kinds(&held), ["mention", "favourite", "mention", "favourite"]);
        assert_eq!((&held[0]["filtered"], held[2].get("filtered")), (&json!(true), None));
        assert!(held[1]["group_key"].as_str().unwrap().starts_with("ungrouped-"), "held back: not in a group");
        let groups = alice.get("/api/v2/notifications", ()).await.ok();
        assert_eq!(groups["notification_groups"].as_array().unwrap().len(), 2);
        assert_eq!(groups["notification_groups"][1]["notifications_count"], 1);
        let groups = alice.get("/api/v2/notifications?include_filtered=1", ()).await.ok();
        assert_eq!(groups["notification_groups"].as_array().unwrap().len(), 4);
        for version in ["v1", "v2"] {
            let count = alice.get(&format!("/api/{version}/notifications/unread_count"), ()).await.ok();
            assert_eq!(count, json!({ "count": 2 }), "{version}");
        }
        set(&alice, json!({ "for_not_following": "drop" })).await;
        post(&carol, "@alice again").await;
        follow(&carol, &alice).await;
        assert_eq!(all(&alice).await.as_array().unwrap().len(), 4);
        set(&alice, json!({ "for_not_following": "accept" })).await;
        post(&carol, "@alice at last").await;
        assert_eq!(kinds(&told(&alice).await), ["mention", "mention", "favourite"]);
    }

    async fn followers_count_after_three_days(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        set(&alice, json!({ "for_not_followers": "filter" })).await;
        follow(&bob, &alice).await;
        post(&bob, "@alice new here").await;
        assert_eq!(told(&alice).await, json!([]));
        change(&server, "UPDATE follows SET created_at = created_at - 259200001 WHERE account_id = $1", &bob).await;
        post(&bob, "@alice hello").await;
        assert_eq!(kinds(&told(&alice).await), ["mention"]);
    }

    async fn new_accounts(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        set(&alice, json!({ "for_new_accounts": "drop" })).await;
        post(&bob, "@alice new here").await;
        assert_eq!(all(&alice).await, json!([]));
        change(&server, "UPDATE accounts SET created_at = created_at - 2592000001 WHERE id = $1", &bob).await;
        post(&bob, "@alice hello").await;
        assert_eq!(kinds(&told(&alice).await), ["mention"]);
    }

    async fn private_mentions_need_a_reason(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        post_as(&bob, "@alice psst", "direct").await;
        assert_eq!(told(&alice).await, json!([]));
        assert_eq!(kinds(&all(&alice).await), ["mention"]);
        // An answer to something public is no answer to something private.
        let public = post(&alice, "hello @bob").await;
        reply_as(&bob, &public, "@alice psst", "direct").await;
        assert_eq!(told(&alice).await, json!([]));
        // Nor one to a private mention of somebody else.
        let carol = server.person("carol").await;
        let asked = post_as(&alice, "@carol a question", "direct").await;
        reply_as(&carol, &asked, "@alice and @bob: an answer", "direct").await;
        assert_eq!(told(&alice).await[0]["account"]["acct"], "carol");
        let asked = post_as(&alice, "@bob a question", "direct").await;
        let first = reply_as(&bob, &asked, "@alice one answer", "direct").await;
        reply_as(&bob, &first, "@alice and another", "direct").await;
        assert_eq!(kinds(&told(&alice).await), ["mention", "mention", "mention"]);
        follow(&alice, &bob).await;
        post_as(&bob, "@alice we know each other now", "direct").await;
        assert_eq!(told(&alice).await.as_array().unwrap().len(), 4);
        set(&alice, json!({ "for_private_mentions": "accept" })).await;
        post_as(&server.person("dave").await, "@alice psst", "direct").await;
        assert_eq!(told(&alice).await.as_array().unwrap().len(), 5);
    }

    async fn moderators_come_through(server: TestServer) {
        let alice = server.person("alice").await;
        let moderator = NewUser { role: Role::Moderator, ..NewUser::named("mod") };
        let moderator = server.person_with(moderator, "read write").await;
        set(&alice, json!({ "for_not_following": "drop", "for_private_mentions": "drop" })).await;
        post_as(&moderator, "@alice a word", "direct").await;
        assert_eq!(kinds(&told(&alice).await), ["mention"]);
    }

    async fn limited_accounts(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        change(&server, "UPDATE accounts SET silenced_at = 1 WHERE id = $1", &bob).await;
        post(&bob, "@alice hello").await;
        follow(&bob, &alice).await;
        assert_eq!(told(&alice).await, json!([]));
        let held = all(&alice).await;
        assert_eq!(kinds(&held), ["follow_request", "mention"]);
        assert_eq!(held[0]["account"]["limited"], true);
        set(&alice, json!({ "for_limited_accounts": "drop" })).await;
        post(&bob, "@alice again").await;
        assert_eq!(all(&alice).await.as_array().unwrap().len(), 2);
        follow(&alice, &bob).await;
        post(&bob, "@alice now").await;
        assert_eq!(kinds(&told(&alice).await), ["mention"]);
    }

    async fn what_one_took_part_in_is_never_held_back(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        set(&alice, json!({
            "for_not_following": "drop", "for_not_followers": "drop", "for_new_accounts": "drop",
            "for_private_mentions": "drop", "for_limited_accounts": "drop",
        })).await;
        let posted = post(&bob, "draft").await;
        alice.post(&format!("/api/v1/statuses/{}/reblog", id(&posted)), ()).await.ok();
        bob.put(&format!("/api/v1/statuses/{}", id(&posted)), [("status", "final")]).await.ok();
        assert_eq!(kinds(&told(&alice).await), ["update"]);
    }

    async fn mutes_that_spare_notifications_spare_them(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        alice.post(&format!("/api/v1/accounts/{}/mute", bob.account), [("notifications", "false")]).await.ok();
        post(&bob, "@alice hello").await;
        assert_eq!(kinds(&told(&alice).await), ["mention"]);
        let groups = alice.get("/api/v2/notifications", ()).await.ok();
        assert_eq!(groups["notification_groups"].as_array().unwrap().len(), 1);
        alice.post(&format!("/api/v1/accounts/{}/mute", bob.account), ()).await.ok();
        post(&bob, "@alice hello?").await;
        assert_eq!(all(&alice).await, json!([]));
    }
}
