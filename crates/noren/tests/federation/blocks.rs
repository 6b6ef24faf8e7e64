//! Blocks across servers.

use crate::{find, follow, home, id, post_as, relationship};
use serde_json::json;
use testkit::{TestServer, settle_all};

testkit::between_two_servers! {
    async fn who_blocks_a_server_leaves_nobody_there_waiting(a: TestServer, b: TestServer) {
        let (alice, bob, carol) = (a.person("alice").await, b.person("bob").await, b.person("carol").await);
        for who in [&alice, &bob] {
            who.patch("/api/v1/accounts/update_credentials", [("locked", "true")]).await.ok();
        }
        let there = find(&carol, &a.handle("alice")).await;
        let bob_here = find(&alice, &b.handle("bob")).await;
        let asked = |who: &testkit::Person, whom: &str| {
            let (who, path) = (who.clone(), format!("/api/v1/accounts/{whom}/follow"));
            async move { who.post(&path, ()).await.ok()["requested"].clone() }
        };
        assert_eq!((asked(&carol, id(&there)).await, asked(&alice, id(&bob_here)).await), (json!(true), json!(true)));
        settle_all(&[&a, &b]).await;
        assert_eq!(bob.get("/api/v1/follow_requests", ()).await.ok().as_array().unwrap().len(), 1);

        alice.post("/api/v1/domain_blocks", [("domain", &b.parts().site.domain)]).await.ok();
        settle_all(&[&a, &b]).await;
        assert_eq!(relationship(&carol, id(&there)).await["requested"], false);
        assert_eq!(bob.get("/api/v1/follow_requests", ()).await.ok(), json!([]));
        assert_eq!(relationship(&alice, id(&bob_here)).await["requested"], false);
        // Nor does anybody new have to wait.
        assert_eq!(asked(&carol, id(&there)).await, true);
        settle_all(&[&a, &b]).await;
        assert_eq!(relationship(&carol, id(&there)).await["requested"], false);
    }

    async fn a_block_parts_both(a: TestServer, b: TestServer) {
        let (alice, bob) = (a.person("alice").await, b.person("bob").await);
        let there = follow((&bob, &b), (&alice, &a)).await;
        follow((&alice, &a), (&bob, &b)).await;
        let bob_here = find(&alice, &b.handle("bob")).await;
        alice.post(&format!("/api/v1/accounts/{}/block", id(&bob_here)), ()).await.ok();
        settle_all(&[&a, &b]).await;
        let seen = relationship(&bob, &there).await;
        assert_eq!((&seen["blocked_by"], &seen["following"], &seen["followed_by"]), (&json!(true), &json!(false), &json!(false)));
        post_as(&alice, "not for you", "public").await;
        settle_all(&[&a, &b]).await;
        assert_eq!(home(&bob).await.len(), 0);
        assert_eq!(bob.post(&format!("/api/v1/accounts/{there}/follow"), ()).await.status, 403);

        alice.post(&format!("/api/v1/accounts/{}/unblock", id(&bob_here)), ()).await.ok();
        settle_all(&[&a, &b]).await;
        assert_eq!(relationship(&bob, &there).await["blocked_by"], false);
        follow((&bob, &b), (&alice, &a)).await;
    }
}
