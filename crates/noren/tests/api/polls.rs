//! /api/v1/polls

use crate::id;
use serde_json::json;
use testkit::TestServer;

testkit::on_both_engines! {
    async fn votes_count_once(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        let posted = alice
            .post("/api/v1/statuses", json!({ "status": "tea?", "poll": { "options": ["yes", "no"], "expires_in": 3600, "hide_totals": true } }))
            .await
            .ok();
        let path = format!("/api/v1/polls/{}", id(&posted["poll"]));
        let seen = bob.get(&path, ()).await.ok();
        assert_eq!((&seen["voted"], &seen["own_votes"]), (&json!(false), &json!([])));
        assert_eq!(seen["options"][0], json!({ "title": "yes", "votes_count": null }));
        let voted = bob.post(&format!("{path}/votes"), [("choices[]", "1")]).await.ok();
        assert_eq!((&voted["votes_count"], &voted["own_votes"]), (&json!(1), &json!([1])));
        let again = bob.post(&format!("{path}/votes"), [("choices[]", "0")]).await.expect(422);
        assert_eq!(again["error"], "Validation failed: You have already voted on this poll");
        for bad in ["7", "x"] {
            let status = alice.post(&format!("{path}/votes"), [("choices[]", bad)]).await.status;
            assert!(status == 422 || status == 400, "{bad}: {status}");
        }
        alice.post(&format!("{path}/votes"), json!({ "choices": [0, 1] })).await.expect(422);
    }

    async fn a_poll_is_checked(server: TestServer) {
        let alice = server.person("alice").await;
        for (poll, why) in [
            (json!({ "options": ["one"], "expires_in": 3600 }), "Options must be more than one item"),
            (json!({ "options": ["a", "b", "c", "d", "e"], "expires_in": 3600 }), "Options can't contain more than 4 items"),
            (json!({ "options": ["a", "a"], "expires_in": 3600 }), "Options contain duplicate items"),
            (json!({ "options": ["a", "b"], "expires_in": 5 }), "Expires at is too soon"),
            (json!({ "options": ["a", "b"], "expires_in": 99999999 }), "Expires at is too far into the future"),
        ] {
            let refused = alice.post("/api/v1/statuses", json!({ "status": "?", "poll": poll })).await.expect(422);
            assert_eq!(refused["error"], format!("Validation failed: {why}"));
        }
    }
}
