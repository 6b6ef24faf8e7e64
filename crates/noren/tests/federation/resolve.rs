//! Finding what is elsewhere by its name or its address.

use crate::{find, id, notifications, post_as, search};
use serde_json::json;
use testkit::{TestServer, settle_all};

testkit::between_two_servers! {
    async fn who_was_never_met_is_told_of_what_names_them(a: TestServer, b: TestServer) {
        let (alice, bob) = (a.person("alice").await, b.person("bob").await);
        let (carol, dave) = (a.person("carol").await, a.person("dave").await);
        let named = |status: &serde_json::Value| -> Vec<String> {
            status["mentions"].as_array().unwrap().iter().map(|m| m["acct"].as_str().unwrap().to_owned()).collect()
        };
        let told = async |who: &testkit::Person| notifications(who).await.iter().any(|(kind, by)| kind == "mention" && *by == b.handle("bob"));
        // In a message to them alone, too: it would reach nobody.
        let text = format!("@{} psst, @{}", a.handle("ALICE"), a.handle("nobody"));
        let message = post_as(&bob, &text, "direct").await;
        settle_all(&[&a, &b]).await;
        assert_eq!(named(&message), [a.handle("alice")]);
        let talks = alice.get("/api/v1/conversations", ()).await.ok();
        assert_eq!(talks[0]["accounts"][0]["acct"], b.handle("bob"), "{talks}");
        // By an edit.
        let posted = post_as(&bob, "hello", "public").await;
        let text = format!("hello @{}", a.handle("carol"));
        let edited = bob.put(&format!("/api/v1/statuses/{}", id(&posted)), [("status", text)]).await.ok();
        settle_all(&[&a, &b]).await;
        assert_eq!((named(&edited), told(&carol).await), (vec![a.handle("carol")], true));
        // In Markdown, where what is code is no name.
        let text = format!("*hello* `@{}`", a.handle("dave"));
        let posted = bob.post("/api/v1/statuses", [("status", text), ("content_type", "text/markdown".to_owned())]).await.ok();
        settle_all(&[&a, &b]).await;
        assert_eq!((named(&posted), told(&dave).await), (vec![], false));
    }

    async fn people_and_posts_are_found_by_any_of_their_names(a: TestServer, b: TestServer) {
        let (alice, bob) = (a.person("alice").await, b.person("bob").await);
        let base = a.parts().site.base_url.clone();
        let found = find(&bob, &a.handle("alice")).await;
        assert_eq!(found["acct"], a.handle("alice"));
        assert_eq!((&found["uri"], &found["url"]), (&json!(format!("{base}/users/alice")), &json!(format!("{base}/@alice"))));
        for address in [format!("{base}/users/alice"), format!("{base}/@alice")] {
            assert_eq!(id(&search(&bob, &address).await["accounts"][0]), id(&found), "{address}");
        }
        let posted = post_as(&alice, "find me", "public").await;
        let by_url = search(&bob, posted["url"].as_str().unwrap()).await;
        let by_uri = search(&bob, posted["uri"].as_str().unwrap()).await;
        assert_eq!(id(&by_url["statuses"][0]), id(&by_uri["statuses"][0]));
        assert_eq!(by_uri["statuses"][0]["account"]["id"], found["id"]);
        let looked_up = bob.get("/api/v1/accounts/lookup", [("acct", a.handle("alice"))]).await.ok();
        assert_eq!(looked_up["id"], found["id"]);
        let listed = bob.get("/api/v1/accounts/search", [("q", a.handle("alice")), ("resolve", "true".into())]).await.ok();
        assert_eq!(listed[0]["id"], found["id"]);
        let peers = b.client().get("/api/v1/instance/peers", ()).await.ok();
        assert_eq!(peers, json!([a.parts().site.domain]));
        // One's own are found without asking anybody.
        let mine = post_as(&bob, "mine", "public").await;
        assert_eq!(search(&bob, mine["url"].as_str().unwrap()).await["statuses"][0]["id"], mine["id"]);
    }

    async fn pages_lead_to_what_other_servers_read(a: TestServer, b: TestServer) {
        let (alice, bob) = (a.person("alice").await, b.person("bob").await);
        let posted = post_as(&alice, "look", "public").await;
        let actor = a.parts().site.actor_uri("alice");
        let shown = search(&bob, &a.handle("alice")).await["accounts"][0].clone();
        let pages = [(&shown["url"], &json!(actor)), (&posted["url"], &posted["uri"])];
        for (page, document) in pages {
            let (page, document) = (page.as_str().unwrap(), document.as_str().unwrap());
            let reply = a.client().get(page.strip_prefix(&a.parts().site.base_url).unwrap(), ()).await;
            assert_eq!(reply.header("link"), format!("<{document}>; rel=\"alternate\"; type=\"application/activity+json\""));
            assert!(reply.header("vary").contains("Accept"));
            let element = format!("<link rel=\"alternate\" type=\"application/activity+json\" href=\"{document}\">");
            assert!(reply.text().contains(&element), "{}", reply.text());
        }
    }

    async fn what_is_not_for_everybody_is_not_found(a: TestServer, b: TestServer) {
        let (alice, bob) = (a.person("alice").await, b.person("bob").await);
        for visibility in ["private", "direct"] {
            let posted = post_as(&alice, "secret", visibility).await;
            for address in [&posted["url"], &posted["uri"]] {
                assert_eq!(search(&bob, address.as_str().unwrap()).await["statuses"], json!([]));
            }
        }
        let nobody = search(&bob, &format!("@{}", a.handle("nobody"))).await;
        assert_eq!(nobody, json!({ "accounts": [], "statuses": [], "hashtags": [] }));
        // Strangers cannot make this server ask others.
        let path = [("q", a.handle("alice")), ("resolve", "true".into())];
        assert_eq!(b.client().get("/api/v2/search", path).await.status, 401);
    }
}
