//! /api/v2/search

use crate::{id, ids, post};
use serde_json::json;
use testkit::TestServer;

testkit::on_both_engines! {
    async fn japanese_is_found(server: TestServer) {
        let alice = server.person("alice").await;
        let one = post(&alice, "東京は夜の七時").await;
        let two = post(&alice, "昨日、東京都庁へ行った").await;
        let kana = post(&alice, "ｶﾀｶﾅとひらがな").await;
        post(&alice, "京都は東の方").await;
        let find = |q: &'static str| {
            let alice = alice.clone();
            async move { ids(&alice.get("/api/v2/search", [("q", q), ("type", "statuses")]).await.ok()["statuses"]) }
        };
        assert_eq!(find("東京").await, [id(&two), id(&one)]);
        assert_eq!(find("都庁").await, [id(&two)]);
        assert_eq!(find("七").await, [id(&one)]);
        assert_eq!(find("カタカナ").await, [id(&kana)]);
        assert_eq!(find("東京 夜").await, [id(&one)]);
        assert_eq!(find("大阪").await, [""; 0]);
    }

    async fn edits_and_deletes_are_followed(server: TestServer) {
        let alice = server.person("alice").await;
        let posted = post(&alice, "apples").await;
        alice.put(&format!("/api/v1/statuses/{}", id(&posted)), [("status", "oranges")]).await.ok();
        let find = async |q: &str| alice.get("/api/v2/search", [("q", q)]).await.ok()["statuses"].as_array().unwrap().len();
        assert_eq!((find("apples").await, find("oranges").await), (0, 1));
        alice.delete(&format!("/api/v1/statuses/{}", id(&posted)), ()).await.ok();
        assert_eq!(find("oranges").await, 0);
    }

    async fn accounts_and_hashtags(server: TestServer) {
        let alice = server.person("alice").await;
        server.person("alicia").await;
        post(&alice, "#暖簾 #noren #norenwake").await;
        let found = alice.get("/api/v2/search", [("q", "ali")]).await.ok();
        assert_eq!(found["accounts"].as_array().unwrap().len(), 2);
        let found = alice.get("/api/v2/search", [("q", "@alicia@noren.test")]).await.ok();
        assert_eq!(found["accounts"][0]["acct"], "alicia");
        let found = alice.get("/api/v2/search", [("q", "#nore"), ("type", "hashtags")]).await.ok();
        assert_eq!(found["hashtags"][0]["name"], "noren");
        assert_eq!(found["hashtags"].as_array().unwrap().len(), 2);
        assert_eq!(found["accounts"], json!([]));
        let found = alice.get("/api/v2/search", [("q", "暖")]).await.ok();
        assert_eq!(found["hashtags"][0]["name"], "暖簾");
    }

    async fn queries_cannot_hurt(server: TestServer) {
        let alice = server.person("alice").await;
        post(&alice, "quiet words").await;
        for q in ["\"", "'", "a AND", "NEAR(", "*", "-", "\\", "a:*", "');--", "\u{0}", "🍎", "NOT quiet", ":", "& | !"] {
            let reply = alice.get("/api/v2/search", [("q", q)]).await;
            assert!(reply.status == 200 || reply.status == 400, "{q:?}: {} {}", reply.status, reply.text());
        }
        alice.get("/api/v2/search", ()).await.expect(400);
        server.client().get("/api/v2/search", [("q", "x"), ("resolve", "true")]).await.expect(401);
    }
}
