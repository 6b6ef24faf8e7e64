//! Wrong, broken and hostile input: each gets its documented error, and nothing is half-written.

use crate::{id, post};
use reqwest::Method;
use serde_json::json;
use testkit::TestServer;

testkit::on_both_engines! {
    async fn tokens_are_looked_at(server: TestServer) {
        let alice = server.person("alice").await;
        let wrong = server.client().with_token("not-a-token");
        let refused = json!({ "error": "The access token is invalid" });
        assert_eq!(wrong.get("/api/v1/timelines/home", ()).await.expect(401), refused);
        assert_eq!(server.client().get("/api/v1/timelines/home", ()).await.expect(401), refused);
        assert_eq!(wrong.get("/api/v1/timelines/public", ()).await.expect(401), refused, "a bad token is not anonymous");
        let reader = server.client().with_token(&server.token(&alice, "read").await);
        let refused = reader.post("/api/v1/statuses", [("status", "no")]).await.expect(403);
        assert_eq!(refused, json!({ "error": "This action is outside the authorized scopes" }));
        reader.get("/api/v1/timelines/home", ()).await.ok();
    }

    async fn statuses_are_checked(server: TestServer) {
        let alice = server.person("alice").await;
        let long = "x".repeat(501);
        let many: String = (0..4000).map(|n| format!("@u{n} ")).collect();
        // Few characters, as they are counted, and more than other servers take.
        let links: String = (0..20).map(|n| format!("https://long.example/{n}{} ", "x".repeat(4_000))).collect();
        let marks = format!("e{}", "\u{301}".repeat(30_000));
        for (input, status, error) in [
            (json!({}), 422, "Validation failed: Text can't be blank"),
            (json!({ "status": "   " }), 422, "Validation failed: Text can't be blank"),
            (json!({ "status": long }), 422, "Validation failed: Text character limit of 500 exceeded"),
            (json!({ "status": many }), 422, "Validation failed: Text character limit of 500 exceeded"),
            (json!({ "status": links }), 422, "Validation failed: Text character limit of 500 exceeded"),
            (json!({ "status": marks }), 422, "Validation failed: Text character limit of 500 exceeded"),
            (json!({ "status": "x", "spoiler_text": marks }), 422, "Validation failed: Text character limit of 500 exceeded"),
            (json!({ "status": "x", "visibility": "some" }), 422, "'some' is not a valid visibility"),
            (json!({ "status": "x", "in_reply_to_id": "1" }), 404, "Record not found"),
            (json!({ "status": "x", "in_reply_to_id": "nonsense" }), 404, "Record not found"),
            (json!({ "status": "x", "media_ids": ["1"] }), 404, "Record not found"),
        ] {
            let reply = alice.post("/api/v1/statuses", input.clone()).await;
            assert_eq!((reply.status, reply.json["error"].as_str().unwrap_or_default()), (status, error), "{input:.80}");
        }
        assert_eq!(alice.get("/api/v1/timelines/home", ()).await.ok(), json!([]));
    }

    async fn bodies_are_looked_at(server: TestServer) {
        let alice = server.person("alice").await;
        let send = async |kind: &str, body: Vec<u8>| {
            let request = alice.request(Method::POST, "/api/v1/statuses").header("content-type", kind).body(body);
            alice.send(request).await.status
        };
        assert_eq!(send("application/json", b"{\"status\":".to_vec()).await, 400);
        assert_eq!(send("application/json", b"{\"status\": {\"a\": 1}}".to_vec()).await, 400);
        assert_eq!(send("application/x-www-form-urlencoded", b"status=%ff%fe".to_vec()).await, 400);
        assert_eq!(send("multipart/form-data; boundary=x", b"--x\r\nbroken".to_vec()).await, 400);
        // The connection that is closed after it is not taken for the next request.
        for _ in 0..100 {
            assert_eq!(send("application/json", vec![b' '; 3 << 20]).await, 413);
            assert_eq!(send("application/json", b"[1,2]".to_vec()).await, 400);
        }
        let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
        assert_eq!(send("application/json", format!("{{\"status\":{deep}}}").into_bytes()).await, 400);
        assert_eq!(alice.get("/api/v1/timelines/home", ()).await.ok(), json!([]));
    }

    async fn every_kind_of_body_is_read_on_every_method(server: TestServer) {
        let alice = server.person("alice").await;
        let by_query = alice.send(alice.request(Method::POST, "/api/v1/statuses?status=by+query")).await.ok();
        let by_form = post(&alice, "by form").await;
        let by_json = alice.post("/api/v1/statuses", json!({ "status": "by json" })).await.ok();
        let form = reqwest::multipart::Form::new().text("status", "by multipart");
        let by_multipart = alice.send(alice.request(Method::POST, "/api/v1/statuses").multipart(form)).await.ok();
        for (status, words) in [(&by_query, "by query"), (&by_form, "by form"), (&by_json, "by json"), (&by_multipart, "by multipart")] {
            assert_eq!(status["content"], format!("<p>{words}</p>"));
        }
        let request = alice.request(Method::DELETE, &format!("/api/v1/statuses/{}", id(&by_form)));
        alice.send(request.json(&json!({ "delete_media": true }))).await.ok();
    }

    async fn unknown_paths_and_methods(server: TestServer) {
        assert_eq!(server.client().get("/api/v1/nothing/here", ()).await.expect(404)["error"], "Not Found");
        assert!(matches!(server.client().delete("/api/v1/timelines/home", ()).await.status, 404 | 405));
    }
}
