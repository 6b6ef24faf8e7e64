//! What one does to another: follow, block, mute, note, endorse; relationships

use super::keys;
use crate::{id, ids, text};
use serde_json::{Value, json};
use testkit::{Person, TestServer};

async fn act(who: &Person, whom: &Person, what: &str) -> Value {
    who.post(&format!("/api/v1/accounts/{}/{what}", whom.account), ()).await.ok()
}

/// The names of the flags that are true.
fn flags(relationship: &Value) -> Vec<&str> {
    let fields = relationship.as_object().unwrap().iter();
    fields.filter(|(_, value)| **value == json!(true)).map(|(name, _)| name.as_str()).collect()
}

testkit::on_both_engines! {
    async fn following_and_its_options(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        let r = act(&alice, &bob, "follow").await;
        assert_eq!(
            keys(&r),
            [
                "id", "following", "showing_reblogs", "notifying", "languages", "followed_by", "blocking", "blocked_by",
                "muting", "muting_notifications", "muting_expires_at", "requested", "requested_by", "domain_blocking",
                "endorsed", "note",
            ]
        );
        assert_eq!(flags(&r), ["following", "showing_reblogs"]);
        assert_eq!((&r["languages"], &r["note"], &r["muting_expires_at"]), (&Value::Null, &json!(""), &Value::Null));
        let path = format!("/api/v1/accounts/{}/follow", bob.account);
        let r = alice.post(&path, [("reblogs", "false"), ("notify", "true"), ("languages[]", "ja")]).await.ok();
        assert_eq!(flags(&r), ["following", "notifying"]);
        assert_eq!(r["languages"], json!(["ja"]));
        let r = alice.post(&path, json!({ "languages": [] })).await.ok();
        assert_eq!((flags(&r), &r["languages"]), (vec!["following", "notifying"], &Value::Null));
        assert_eq!(flags(&act(&bob, &alice, "follow").await), ["following", "showing_reblogs", "followed_by"]);
        let counts = |a: &Value| (a["followers_count"].as_i64().unwrap(), a["following_count"].as_i64().unwrap());
        let shown = alice.get("/api/v1/accounts/verify_credentials", ()).await.ok();
        assert_eq!(counts(&shown), (1, 1));
        assert_eq!(flags(&act(&alice, &bob, "unfollow").await), ["followed_by"]);
        assert_eq!(flags(&act(&alice, &bob, "remove_from_followers").await), [""; 0]);
        let shown = alice.get("/api/v1/accounts/verify_credentials", ()).await.ok();
        assert_eq!(counts(&shown), (0, 0));
    }

    async fn what_cannot_be_followed(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        let follow = |whom: &Person| format!("/api/v1/accounts/{}/follow", whom.account);
        let error = alice.post(&follow(&alice), ()).await.expect(403);
        assert_eq!(error["error"], "Following your own account is not allowed");
        act(&bob, &alice, "block").await;
        let error = alice.post(&follow(&bob), ()).await.expect(403);
        assert_eq!(error["error"], "This action is not allowed");
        alice.post("/api/v1/accounts/1/follow", ()).await.expect(404);
        alice.post("/api/v1/accounts/x/block", ()).await.expect(404);
        server.client().post(&follow(&bob), ()).await.expect(401);
        let narrow = alice.with_token(&server.token(&alice, "write:statuses").await);
        narrow.post(&follow(&bob), ()).await.expect(403);
        let wide = alice.with_token(&server.token(&alice, "follow").await);
        wide.post(&follow(&bob), ()).await.expect(403);
        act(&bob, &alice, "unblock").await;
        wide.post(&follow(&bob), ()).await.ok();
    }

    async fn blocks_and_their_list(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        act(&alice, &bob, "follow").await;
        act(&bob, &alice, "follow").await;
        assert_eq!(flags(&act(&alice, &bob, "block").await), ["blocking"]);
        let list = alice.get("/api/v1/blocks", ()).await;
        assert!(list.link("prev").is_some() && list.link("next").is_none());
        assert_eq!(ids(&list.ok()), [bob.account.to_string()]);
        assert_eq!(bob.get("/api/v1/blocks", ()).await.ok(), json!([]));
        let seen = bob.get("/api/v1/accounts/relationships", [("id", alice.account)]).await.ok();
        assert_eq!(flags(&seen[0]), ["blocked_by"]);
        assert_eq!(flags(&act(&alice, &bob, "unblock").await), [""; 0]);
        assert_eq!(alice.get("/api/v1/blocks", ()).await.ok(), json!([]));
    }

    async fn mutes_and_their_list(server: TestServer) {
        let (alice, bob, carol) = (server.person("alice").await, server.person("bob").await, server.person("carol").await);
        assert_eq!(flags(&act(&alice, &bob, "mute").await), ["muting", "muting_notifications"]);
        let path = format!("/api/v1/accounts/{}/mute", carol.account);
        let r = alice.post(&path, [("notifications", "false"), ("duration", "3600")]).await.ok();
        assert_eq!(flags(&r), ["muting"]);
        let until = text(&r, "muting_expires_at").to_owned();
        let list = alice.get("/api/v1/mutes", ()).await.ok();
        assert_eq!(ids(&list), [carol.account.to_string(), bob.account.to_string()]);
        assert_eq!((&list[0]["mute_expires_at"], &list[1]["mute_expires_at"]), (&json!(until), &Value::Null));
        let first = alice.get("/api/v1/mutes", [("limit", "1")]).await;
        let next = first.link("next").expect("more");
        assert_eq!(ids(&alice.get(&next, ()).await.ok()), [bob.account.to_string()]);
        alice.post(&path, [("duration", "-5")]).await.expect(400);
        assert_eq!(flags(&act(&alice, &bob, "unmute").await), [""; 0]);
        assert_eq!(alice.get("/api/v1/mutes", ()).await.ok().as_array().unwrap().len(), 1);
    }

    async fn relationships_come_in_the_order_asked_for(server: TestServer) {
        let (alice, bob, carol) = (server.person("alice").await, server.person("bob").await, server.person("carol").await);
        act(&alice, &carol, "follow").await;
        let query: Vec<_> = [carol.account.to_string(), "1".into(), "x".into(), bob.account.to_string()]
            .into_iter()
            .map(|id| ("id[]".to_owned(), id))
            .collect();
        let list = alice.get("/api/v1/accounts/relationships", query).await.ok();
        assert_eq!(ids(&list), [carol.account.to_string(), bob.account.to_string()]);
        assert_eq!((&list[0]["following"], &list[1]["following"]), (&json!(true), &json!(false)));
        assert_eq!(alice.get("/api/v1/accounts/relationships", ()).await.ok(), json!([]));
        server.client().get("/api/v1/accounts/relationships", [("id[]", bob.account)]).await.expect(401);
    }

    async fn requests_are_answered(server: TestServer) {
        let (alice, bob, carol) = (server.person("alice").await, server.person("bob").await, server.person("carol").await);
        bob.patch("/api/v1/accounts/update_credentials", [("locked", "true")]).await.ok();
        for who in [&alice, &carol] {
            assert_eq!(flags(&act(who, &bob, "follow").await), ["showing_reblogs", "requested"]);
        }
        let mine = bob.get("/api/v1/accounts/verify_credentials", ()).await.ok();
        assert_eq!(mine["source"]["follow_requests_count"], 2);
        let list = bob.get("/api/v1/follow_requests", ()).await.ok();
        assert_eq!(ids(&list), [carol.account.to_string(), alice.account.to_string()]);
        let answer = |who: &Person, what: &str| format!("/api/v1/follow_requests/{}/{what}", who.account);
        assert_eq!(flags(&bob.post(&answer(&alice, "authorize"), ()).await.ok()), ["followed_by"]);
        assert_eq!(flags(&bob.post(&answer(&carol, "reject"), ()).await.ok()), [""; 0]);
        for what in ["authorize", "reject"] {
            bob.post(&answer(&carol, what), ()).await.expect(404);
        }
        let seen = alice.get("/api/v1/accounts/relationships", [("id[]", bob.account)]).await.ok();
        assert_eq!(flags(&seen[0]), ["following", "showing_reblogs"]);
        let told = bob.get("/api/v1/notifications", ()).await.ok();
        assert_eq!((told.as_array().unwrap().len(), &told[0]["type"]), (1, &json!("follow")));
        assert_eq!(id(&told[0]["account"]), alice.account.to_string());
    }

    async fn notes_and_endorsements(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        let path = format!("/api/v1/accounts/{}/note", bob.account);
        assert_eq!(alice.post(&path, [("comment", "東京で会った")]).await.ok()["note"], "東京で会った");
        let error = alice.post(&path, [("comment", "x".repeat(2001))]).await.expect(422);
        assert_eq!(error["error"], "Validation failed: Comment is too long (maximum is 2000 characters)");
        assert_eq!(alice.post(&path, ()).await.ok()["note"], "");
        alice.post(&format!("/api/v1/accounts/{}/endorse", bob.account), ()).await.expect(422);
        act(&alice, &bob, "follow").await;
        assert_eq!(act(&alice, &bob, "endorse").await["endorsed"], true);
        assert_eq!(act(&alice, &bob, "pin").await["endorsed"], true);
        let path = format!("/api/v1/accounts/{}/endorsements", alice.account);
        assert_eq!(ids(&server.client().get(&path, ()).await.ok()), [bob.account.to_string()]);
        assert_eq!(ids(&alice.get("/api/v1/endorsements", ()).await.ok()), [bob.account.to_string()]);
        assert_eq!(act(&alice, &bob, "unpin").await["endorsed"], false);
    }

    async fn domains_are_blocked(server: TestServer) {
        let alice = server.person("alice").await;
        for domain in ["spam.example", "Bad.Example"] {
            assert_eq!(alice.post("/api/v1/domain_blocks", [("domain", domain)]).await.ok(), json!({}));
        }
        alice.post("/api/v1/domain_blocks", ()).await.expect(422);
        alice.post("/api/v1/domain_blocks", [("domain", "no domain")]).await.expect(422);
        let list = alice.get("/api/v1/domain_blocks", [("limit", "1")]).await;
        let next = list.link("next").expect("more");
        assert_eq!(list.ok(), json!(["bad.example"]));
        assert_eq!(alice.get(&next, ()).await.ok(), json!(["spam.example"]));
        assert_eq!(alice.delete("/api/v1/domain_blocks", [("domain", "bad.example")]).await.ok(), json!({}));
        assert_eq!(alice.delete("/api/v1/domain_blocks?domain=spam.example", ()).await.ok(), json!({}));
        assert_eq!(alice.get("/api/v1/domain_blocks", ()).await.ok(), json!([]));
    }
}
