//! Profiles across servers.

use crate::{find, follow, id};
use testkit::{TestServer, settle_all};

testkit::between_two_servers! {
    async fn a_changed_profile_is_told(a: TestServer, b: TestServer) {
        let (alice, bob) = (a.person("alice").await, b.person("bob").await);
        let there = follow((&bob, &b), (&alice, &a)).await;
        let change = [
            ("display_name", "Alice in Chains"),
            ("note", "tea & <b>cake</b>"),
            ("bot", "true"),
            ("fields_attributes[0][name]", "Site"),
            ("fields_attributes[0][value]", "https://alice.example"),
        ];
        alice.patch("/api/v1/accounts/update_credentials", change).await.ok();
        settle_all(&[&a, &b]).await;
        let seen = b.client().get(&format!("/api/v1/accounts/{there}"), ()).await.ok();
        assert_eq!(seen["display_name"], "Alice in Chains");
        assert_eq!(seen["note"], "<p>tea &amp; &lt;b&gt;cake&lt;/b&gt;</p>");
        assert_eq!(seen["bot"], true);
        assert_eq!(seen["fields"][0]["name"], "Site");
        assert!(seen["fields"][0]["value"].as_str().unwrap().contains("href=\"https://alice.example\""));
        assert_eq!(seen["acct"], a.handle("alice"));
        assert_eq!(id(&find(&bob, &a.handle("ALICE")).await), there);
    }
}
