//! Blocks across servers.

use crate::{find, follow, home, id, post_as, relationship};
use serde_json::json;
use testkit::{TestServer, settle_all};

testkit::between_two_servers! {
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
