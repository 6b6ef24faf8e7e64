//! /api/v1/statuses with content_type=text/markdown

use crate::{id, post, text};
use serde_json::{Value, json};
use testkit::{Engine, Person, TestServer};

async fn written(who: &Person, source: &str) -> Value {
    who.post("/api/v1/statuses", [("status", source), ("content_type", "text/markdown")]).await.ok()
}

testkit::on_both_engines! {
    async fn markdown_is_shown_and_its_source_kept(server: TestServer) {
        let (alice, bob) = (server.person("alice").await, server.person("bob").await);
        let source = "**Hello** @bob, #Noren\n\n- `@alice #code`\n- <b onclick=x>b</b><script>x</script>";
        let posted = written(&alice, source).await;
        let content = text(&posted, "content");
        assert!(content.starts_with("<p><strong>Hello</strong> <span class=\"h-card\""), "{content}");
        assert!(content.contains("<ul><li><code>@alice #code</code></li><li><b>b</b></li></ul>"), "{content}");
        assert_eq!(posted["mentions"].as_array().unwrap().len(), 1);
        assert_eq!(posted["mentions"][0]["acct"], "bob");
        assert_eq!(posted["tags"][0]["name"], "noren");
        assert_eq!(posted["tags"].as_array().unwrap().len(), 1);
        assert_eq!(bob.get("/api/v1/notifications", ()).await.ok()[0]["type"], "mention");
        let path = format!("/api/v1/statuses/{}", id(&posted));
        let kept = alice.get(&format!("{path}/source"), ()).await.ok();
        assert_eq!((text(&kept, "text"), text(&kept, "content_type")), (source, "text/markdown"));
        assert_eq!(alice.get("/api/v2/search", [("q", "Hello"), ("type", "statuses")]).await.ok()["statuses"][0]["id"], posted["id"]);
        let was = alice.delete(&path, ()).await.ok();
        assert_eq!((text(&was, "text"), text(&was, "content_type")), (source, "text/markdown"));
    }

    async fn an_edit_is_read_as_the_post_was(server: TestServer) {
        let alice = server.person("alice").await;
        let posted = written(&alice, "*one*").await;
        let path = format!("/api/v1/statuses/{}", id(&posted));
        let edited = alice.put(&path, [("status", "*two*")]).await.ok();
        assert_eq!(text(&edited, "content"), "<p><em>two</em></p>");
        let plain = alice.put(&path, [("status", "*three*"), ("content_type", "text/plain")]).await.ok();
        assert_eq!(text(&plain, "content"), "<p>*three*</p>");
        assert_eq!(alice.get(&format!("{path}/source"), ()).await.ok()["content_type"], "text/plain");
        let history = alice.get(&format!("{path}/history"), ()).await.ok();
        let contents: Vec<&str> = history.as_array().unwrap().iter().map(|v| text(v, "content")).collect();
        assert_eq!(contents, ["<p><em>one</em></p>", "<p><em>two</em></p>", "<p>*three*</p>"]);
        assert_eq!(text(&post(&alice, "*plain*").await, "content"), "<p>*plain*</p>", "plain unless asked for");
    }

    async fn everybody_has_a_default_of_their_own(server: TestServer) {
        let alice = server.person("alice").await;
        let me = alice.patch("/api/v1/accounts/update_credentials", [("source[status_content_type]", "text/markdown")]).await.ok();
        assert_eq!(me["source"]["status_content_type"], "text/markdown");
        assert_eq!(text(&post(&alice, "*a*").await, "content"), "<p><em>a</em></p>");
        let plain = alice.post("/api/v1/statuses", [("status", "*a*"), ("content_type", "text/plain")]).await.ok();
        assert_eq!(text(&plain, "content"), "<p>*a*</p>");
        let odd = alice.patch("/api/v1/accounts/update_credentials", [("source[status_content_type]", "x")]).await.expect(422);
        assert_eq!(odd["error"], "'x' is not a valid status_content_type");
        for odd in ["text/html", "markdown", "text/markdown; charset=utf-8"] {
            let refused = alice.post("/api/v1/statuses", [("status", "*a*"), ("content_type", odd)]).await.expect(422);
            assert_eq!(refused["error"], format!("'{odd}' is not a valid content_type"));
        }
    }

    async fn characters_are_counted_as_typed(server: TestServer) {
        let alice = server.person("alice").await;
        written(&alice, &"**a** ".repeat(83)).await;
        let long = [("status", "**a** ".repeat(84)), ("content_type", "text/markdown".to_owned())];
        let refused = alice.post("/api/v1/statuses", long).await.expect(422);
        assert_eq!(refused["error"], "Validation failed: Text character limit of 500 exceeded");
        written(&alice, &">".repeat(500)).await;
        let instance = server.client().get("/api/v2/instance", ()).await.ok();
        assert_eq!(instance["configuration"]["statuses"]["supported_mime_types"], json!(["text/plain", "text/markdown"]));
    }
}

#[test]
fn a_site_may_have_none() {
    testkit::run_with(
        Engine::Sqlite,
        |config| config.limits.markdown = false,
        async |server| {
            let alice = server.person("alice").await;
            let refused = alice.post("/api/v1/statuses", [("status", "*a*"), ("content_type", "text/markdown")]).await;
            let refused = refused.expect(422);
            assert_eq!(
                refused["error"],
                "Validation failed: Content type text/markdown is not available on this server"
            );
            alice
                .patch("/api/v1/accounts/update_credentials", [("source[status_content_type]", "text/markdown")])
                .await
                .ok();
            assert_eq!(text(&post(&alice, "*a*").await, "content"), "<p>*a*</p>");
            let instance = server.client().get("/api/v1/instance", ()).await.ok();
            assert_eq!(instance["configuration"]["statuses"]["supported_mime_types"], json!(["text/plain"]));
        },
    );
}
